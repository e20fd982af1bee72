// Search with real weights: all-MiniLM-L6-v2 as a Longformer. Skipped where they were not fetched
// (`npm test` tries to, `node scripts/weights.mjs` does, and so does the demo).

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { convertToLongformer, createEngine, SearchIndex, type Engine, type SearchIndexOptions } from 'longformer-wasm';
import { weightsInPlace } from '../scripts/weights.mjs';

const weights = weightsInPlace();

const suiteOfThese = suite<{ root: string; checkpoint: string; engine: Engine }>('search with all-MiniLM-L6-v2');
const test = weights === null ? suiteOfThese.skip : suiteOfThese;
if (weights === null) console.log('all-MiniLM-L6-v2 is not there: skipped');

suiteOfThese.before(async (context) => {
  if (weights === null) return;
  context.root = await mkdtemp(join(tmpdir(), 'minilm-'));
  context.checkpoint = join(context.root, 'model');
  await convertToLongformer(weights, context.checkpoint, { maxPositions: 8192, attentionWindow: 128 });
  context.engine = await createEngine();
});

suiteOfThese.after(async ({ root, engine }) => {
  if (weights === null) return;
  await engine.dispose();
  await rm(root, { recursive: true });
});

const indexOf = (context: { checkpoint: string; engine: Engine }, options: SearchIndexOptions = {}): Promise<SearchIndex> =>
  SearchIndex.create(context.checkpoint, { engine: context.engine, ...options });

test('lone passages score as the sentence embeddings of PyTorch do', async (context) => {
  const { cases } = JSON.parse(await readFile(new URL('./fixtures/minilm.json', import.meta.url), 'utf8')) as
    { cases: { text: string; normalized: number[]; float32Error: number }[] };
  await using index = await indexOf(context, { vectors: 'alone' });
  await index.add(cases.map(({ text }, i) => ({ id: String(i), text })));
  for (const one of cases.slice(0, 8)) {
    const found = await index.search(one.text, { topK: 1000 });
    let compared = 0;
    for (const { id, text, score } of found) {
      const other = cases[Number(id)]!;
      if (text !== other.text) continue; // divided, or with white space at its ends
      const expected = other.normalized.reduce((sum, x, i) => sum + x * one.normalized[i]!, 0);
      assert.ok(Math.abs(score - expected) < 2e-5, `${one.text} / ${text}: ${score}, expected ${expected}`);
      compared++;
    }
    assert.ok(compared >= cases.length / 2);
  }
});

test('a question finds its answer deep in a long document', async (context) => {
  await using index = await indexOf(context);
  await index.add([{ id: 'LICENSE', text: await readFile(new URL('../LICENSE', import.meta.url), 'utf8') }]);
  for (const [question, answer] of [
    ['Who pays if the software causes damage?', /^8\. Limitation of Liability/],
    ['Can I be sued over patents when I use this?', /^3\. Grant of Patent License/],
    ['May I use the trademarks and trade names of the licensor?', /^6\. Trademarks/],
  ] as const) {
    const [best] = await index.search(question, { topK: 1 });
    assert.match(best!.text, answer, question);
  }
});

test('a whole reading knows what a passage speaks of', async (context) => {
  const paragraphs = [
    'Berlin is the capital and largest city of Germany, by both area and population.',
    "Its more than 3.85 million inhabitants make it the European Union's most populous city, as measured by population within city limits.",
    'The city is also one of the states of the country, and is the third smallest state of all by area.',
  ];
  const scores = async (vectors: 'late' | 'alone'): Promise<number> => {
    await using index = await indexOf(context, { vectors, passages: { maxTokens: 40 } });
    await index.add([{ id: 'article', text: paragraphs.join('\n\n') }]);
    const found = await index.search('Berlin', { topK: 3 });
    return found.find(({ text }) => text === paragraphs[1])!.score;
  };
  const [late, alone] = [await scores('late'), await scores('alone')];
  assert.ok(late > alone + 0.1, `late ${late}, alone ${alone}: Berlin is not named in the passage`);
});

suiteOfThese.run();
