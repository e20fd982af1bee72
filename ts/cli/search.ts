// `longformer-wasm search`: the passages of files that answer a question.

import type { EngineInfo } from '../engine/engine.ts';
import { LongformerError } from '../errors.ts';
import { SearchIndex, type SearchIndexOptions } from '../search/search-index.ts';
import type { FoundPassage, ReadDocument } from '../search/services.ts';
import { command, UsageError } from './command.ts';
import { JSON_OPTION, MODEL_OPTIONS, readModel } from './model-options.ts';
import { choice, number } from './option.ts';
import { expandPaths } from './paths.ts';
import { deviceOf, withEngine, type Session } from './session.ts';
import { count, dedent, plural, printable, stylesFor, wrap } from './terminal.ts';
import { readTexts, type SkippedFile, type TextFile } from './texts.ts';

export const search = command({
  name: 'search',
  summary: 'finds the passages of files that answer a question',
  synopsis: '--model MODEL [options] QUESTION FILE...',
  about: `A FILE is a text file, a folder (its .md, .txt, .rst files and the like), a pattern with * and **, or - for standard input. Each document is read as a whole.

MODEL is a Longformer that embeds texts; longformer-wasm convert makes one.`,
  options: {
    top: number('N', 'passages to show', { preset: '5' }),
    passages: choice(['paragraph', 'sentence', 'tokens'], 'what a passage is', { preset: 'paragraph' }),
    'max-tokens': number('N', 'tokens that a passage has at most', { preset: '200' }),
    overlap: number('N', 'with --passages tokens: tokens that neighbours share', { least: 0 }),
    vectors: choice(['both', 'late', 'alone'], "whose reading counts, that of the whole document (late) or of the passage alone", { preset: 'both' }),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ["search -m ./minilm-long 'How do I stop a worker?' docs 'notes/**/*.md'", 'in a folder, and in the files that match a pattern'],
    ["search -m ./minilm-long --top 1 --json 'Who killed the king?' - < book.txt", 'in standard input, a line of JSON for each passage and one for the summary'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const [question = '', ...files] = operands;
    const { model, load } = readModel(values);
    if (question.trim() === '') throw new UsageError('QUESTION must be given');
    if (files.length === 0) throw new UsageError('a FILE must be given, or - for standard input');
    const { texts, skipped } = await readTexts(await expandPaths(files));
    for (const { path, reason } of skipped) process.stderr.write(`${printable(path)} ${reason}: left out\n`);
    if (texts.length === 0) throw new LongformerError('NOT_FOUND', 'text', 'must be in one of the files, is in none');
    const options = {
      ...load,
      passages: { by: values.passages, maxTokens: values['max-tokens'], overlap: values.overlap },
      vectors: values.vectors,
    };
    await withEngine(values, signal, async (session) => {
      const outcome = await find(model, options, question, values.top ?? 5, texts, session);
      session.print((values.json ? jsonOf : textOf)(outcome, texts, skipped));
    });
  },
});

interface Outcome {
  passages: FoundPassage[];
  documents: ReadDocument[];
  seconds: number;
  engine: EngineInfo;
}

async function find(
  model: string, options: SearchIndexOptions, question: string, topK: number, texts: readonly TextFile[], { engine, watched }: Session,
): Promise<Outcome> {
  const index = await SearchIndex.create(model, { ...options, engine, ...watched });
  const start = performance.now();
  const documents = await index.add(texts.map(({ path, text }) => ({ id: path, text })), watched);
  const passages = await index.search(question, { topK, signal: watched.signal });
  return { passages, documents, seconds: (performance.now() - start) / 1000, engine: engine.info };
}

function textOf({ passages, documents, seconds, engine }: Outcome, texts: readonly TextFile[]): string {
  const { bold, dim } = stylesFor(process.stdout);
  const out: string[] = [];
  for (const passage of passages) {
    const [first, last] = linesOf(passage, texts);
    const range = first === last ? String(first) : `${first}-${last}`;
    out.push(`${bold(printable(`${passage.id}:${range}`))}  ${dim(passage.score.toFixed(3))}`);
    out.push(...passageLines(passage, texts).map((line) => (line === '' ? '' : `    ${line}`)), '');
  }
  for (const { id, tokens, windows } of documents) {
    if (windows > 1) out.push(`${printable(id)} has ${count(tokens)} tokens, more than the model reads at once: read in ${windows} overlapping windows`);
  }
  const tokens = total(documents);
  out.push(dim(`${plural(documents.length, 'document')}, ${count(tokens)} tokens in ${seconds.toFixed(1)} s (${count(tokens / seconds)} tokens/s), ${deviceOf(engine)}`));
  return `${out.join('\n')}\n`;
}

function jsonOf({ passages, documents, seconds, engine }: Outcome, texts: readonly TextFile[], skipped: readonly SkippedFile[]): string {
  const lines: object[] = passages.map((passage) => {
    const { id: path, start, end, text, score } = passage;
    const [startLine, endLine] = linesOf(passage, texts);
    return { path, startLine, endLine, start, end, score, text };
  });
  const tokens = total(documents);
  lines.push({
    summary: {
      documents: documents.map(({ id: path, ...read }) => ({ path, ...read })),
      skipped, tokens, seconds, tokensPerSecond: tokens / seconds, engine,
    },
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function total(documents: readonly ReadDocument[]): number {
  return documents.reduce((sum, { tokens }) => sum + tokens, 0);
}

function documentOf({ id }: FoundPassage, texts: readonly TextFile[]): string {
  return texts.find(({ path }) => path === id)!.text;
}

/** Its first and its last line, counted from 1. */
function linesOf(passage: FoundPassage, texts: readonly TextFile[]): [number, number] {
  const before = documentOf(passage, texts).slice(0, passage.start);
  const first = before.split('\n').length;
  return [first, first + passage.text.split('\n').length - 1];
}

/** The passage as it stands in its file, moved to the margin; on a terminal, in lines that fit. */
function passageLines(passage: FoundPassage, texts: readonly TextFile[]): string[] {
  const text = documentOf(passage, texts);
  // The first line keeps its place under the others.
  const indent = /[ \t]*$/.exec(text.slice(text.lastIndexOf('\n', passage.start - 1) + 1, passage.start))![0];
  const lines = dedent(printable(indent + passage.text).split('\n'));
  const { isTTY, columns = 80 } = process.stdout;
  return isTTY ? lines.flatMap((line) => wrap(line, Math.max(columns - 4, 20))) : lines;
}
