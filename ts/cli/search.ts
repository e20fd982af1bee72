// `longformer-wasm search`: the passages of files that answer a question.

import { DTYPES } from '../dtype.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { LongformerError } from '../errors.ts';
import type { LongCallOptions } from '../progress.ts';
import { SearchIndex, type SearchIndexOptions } from '../search/search-index.ts';
import type { FoundPassage, ReadDocument } from '../search/services.ts';
import { readArguments, readChoice, readCount, readSource, SOURCE_OPTIONS, UsageError, type Command } from './command.ts';
import { expandPaths } from './paths.ts';
import { ProgressBar } from './progress-bar.ts';
import { count, dedent, plural, printable, stylesFor, wrap } from './terminal.ts';
import { readTexts, type SkippedFile, type TextFile } from './texts.ts';

/** What `parseArgs` is to know of. */
export const OPTIONS = {
  model: { type: 'string' },
  ...SOURCE_OPTIONS,
  top: { type: 'string' },
  passages: { type: 'string' },
  'max-tokens': { type: 'string' },
  overlap: { type: 'string' },
  vectors: { type: 'string' },
  dtype: { type: 'string' },
  threads: { type: 'string' },
  json: { type: 'boolean' },
} as const;

export const search: Command = {
  summary: 'finds the passages of files that answer a question',
  usage: `Usage: longformer-wasm search --model MODEL [options] QUESTION FILE...

A FILE is a text file, a folder (its .md, .txt, .rst files and the like), a pattern with
* and **, or - for standard input. Each document is read as a whole.

  --model MODEL      a Longformer that embeds texts (\`longformer-wasm convert\` makes one):
                     a folder, or an id of the Hugging Face Hub
  --revision NAME    a branch, tag or commit of the Hub (default: main)
  --cache-dir DIR    where files of the Hub are kept (default: as Python's huggingface_hub)
  --local-files-only takes what is there, and fetches nothing
  --top N            passages to show (default: 5)
  --passages KIND    paragraph (default), sentence or tokens
  --max-tokens N     tokens that a passage has at most (default: 200)
  --overlap N        with --passages tokens: tokens that neighbours share
  --vectors KIND     both (default), late (the whole document's reading) or alone
  --dtype KIND       how weights are kept: f32 (default), f16 or int8
  --threads N        threads that compute (default: by the cores)
  --json             a line of JSON for each passage, and one for the summary
`,
  async run(args, signal) {
    const { values, positionals } = readArguments(args, OPTIONS);
    const [question = '', ...files] = positionals;
    if (values.model === undefined) throw new UsageError('--model must be given');
    if (question.trim() === '') throw new UsageError('QUESTION must be given');
    if (files.length === 0) throw new UsageError('a FILE must be given, or - for standard input');
    const options = {
      ...readSource(values),
      passages: {
        by: readChoice('passages', values.passages, ['paragraph', 'sentence', 'tokens']),
        maxTokens: readCount('max-tokens', values['max-tokens']),
        overlap: readCount('overlap', values.overlap, 0),
      },
      vectors: readChoice('vectors', values.vectors, ['late', 'alone', 'both']),
      dtype: readChoice('dtype', values.dtype, DTYPES),
      threads: readCount('threads', values.threads),
    };
    const topK = readCount('top', values.top) ?? 5;
    const { texts, skipped } = await readTexts(await expandPaths(files));
    for (const { path, reason } of skipped) process.stderr.write(`${printable(path)} ${reason}: left out\n`);
    if (texts.length === 0) throw new LongformerError('NOT_FOUND', 'text', 'must be in one of the files, is in none');
    const outcome = await find(values.model, options, question, topK, texts, signal);
    (values.json ? printJson : printText)(outcome, texts, skipped);
  },
};

interface Outcome {
  passages: FoundPassage[];
  documents: ReadDocument[];
  seconds: number;
  engine: EngineInfo;
}

async function find(
  model: string, options: SearchIndexOptions, question: string, topK: number, texts: readonly TextFile[], signal: AbortSignal,
): Promise<Outcome> {
  const bar = new ProgressBar(process.stderr);
  const watched: LongCallOptions = { signal, onProgress: (progress) => bar.show(progress) };
  try {
    const index = await SearchIndex.create(model, { ...options, ...watched });
    try {
      const start = performance.now();
      const documents = await index.add(texts.map(({ path, text }) => ({ id: path, text })), watched);
      const passages = await index.search(question, { topK, signal });
      return { passages, documents, seconds: (performance.now() - start) / 1000, engine: index.engine.info };
    } finally {
      await index.dispose();
    }
  } finally {
    bar.clear();
  }
}

function printText({ passages, documents, seconds, engine }: Outcome, texts: readonly TextFile[]): void {
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
  out.push(dim(`${plural(documents.length, 'document')}, ${count(tokens)} tokens in ${seconds.toFixed(1)} s (${count(tokens / seconds)} tokens/s), `
    + `${engine.runtime}, ${engine.build}, ${plural(engine.threads, 'thread')}`));
  process.stdout.write(`${out.join('\n')}\n`);
}

function printJson({ passages, documents, seconds, engine }: Outcome, texts: readonly TextFile[], skipped: readonly SkippedFile[]): void {
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
  process.stdout.write(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function total(documents: readonly ReadDocument[]): number {
  return documents.reduce((sum, { tokens }) => sum + tokens, 0);
}

function textOf({ id }: FoundPassage, texts: readonly TextFile[]): string {
  return texts.find(({ path }) => path === id)!.text;
}

/** Its first and its last line, counted from 1. */
function linesOf(passage: FoundPassage, texts: readonly TextFile[]): [number, number] {
  const before = textOf(passage, texts).slice(0, passage.start);
  const first = before.split('\n').length;
  return [first, first + passage.text.split('\n').length - 1];
}

/** The passage as it stands in its file, moved to the margin; on a terminal, in lines that fit. */
function passageLines(passage: FoundPassage, texts: readonly TextFile[]): string[] {
  const text = textOf(passage, texts);
  // The first line keeps its place under the others.
  const indent = /[ \t]*$/.exec(text.slice(text.lastIndexOf('\n', passage.start - 1) + 1, passage.start))![0];
  const lines = dedent(printable(indent + passage.text).split('\n'));
  const { isTTY, columns = 80 } = process.stdout;
  return isTTY ? lines.flatMap((line) => wrap(line, Math.max(columns - 4, 20))) : lines;
}
