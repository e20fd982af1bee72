// `longformer-wasm search`: the passages of files that answer a question.

import type { EngineInfo } from '../engine/engine.ts';
import { LongformerError } from '../errors.ts';
import { SearchIndex } from '../search/search-index.ts';
import type { FoundPassage, ReadDocument } from '../search/services.ts';
import { command, UsageError } from './command.ts';
import { kindOf, type Kind } from './extract.ts';
import { KeptIndex } from './kept-index.ts';
import { JSON_OPTION, MODEL_OPTIONS, readModel, readSource } from './model-options.ts';
import { choice, number, text } from './option.ts';
import { expandPaths, type LeftOut } from './paths.ts';
import { deviceOf, withEngine, type Session } from './session.ts';
import { count, dedent, plural, printable, stylesFor, wrap } from './terminal.ts';
import { readTexts, type SkippedFile } from './texts.ts';

export const search = command({
  name: 'search',
  summary: 'finds the passages of files that answer a question',
  synopsis: '--model MODEL [options] QUESTION FILE...',
  about: `A FILE is a text file, a page of HTML, a PDF, a folder (such files in it, those of hidden folders left out), a pattern with * and **, or - for standard input. Each document is read as a whole. HTML is read by html-to-text, PDF by unpdf: npm install them if you have such files.

MODEL is a Longformer that embeds texts; longformer-wasm convert makes one.

With --index what was read is kept in a file, texts included. The next time only what has changed in a FILE is read again, files that are gone are taken out, and --model and FILE may be left out.`,
  options: {
    top: number('N', 'passages to show', { preset: '5' }),
    index: text('FILE', 'keeps what was read in a file', { names: 'file' }),
    passages: choice(['paragraph', 'sentence', 'tokens'], 'what a passage is', { preset: 'paragraph' }),
    'max-tokens': number('N', 'tokens that a passage has at most', { preset: '200' }),
    overlap: number('N', 'with --passages tokens: tokens that neighbours share', { least: 0 }),
    vectors: choice(['both', 'late', 'alone'], "whose reading counts, that of the whole document (late) or of the passage alone", { preset: 'both' }),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ["search -m ./minilm-long 'How do I stop a worker?' docs 'notes/**/*.md'", 'in a folder, and in the files that match a pattern'],
    ["search -m ./minilm-long --index docs.index 'How do I stop a worker?' docs", 'and keeps what it has read'],
    ["search --index docs.index 'Who may abort a call?'", 'in what was kept'],
    ["search -m ./minilm-long --top 1 --json 'Who killed the king?' - < book.txt", 'in standard input, a line of JSON for each passage and one for the summary'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const [question = '', ...files] = operands;
    if (question.trim() === '') throw new UsageError('QUESTION must be given');
    if (files.length === 0 && values.index === undefined) throw new UsageError('a FILE must be given, or - for standard input');
    if (files.includes('-') && values.index !== undefined) throw new UsageError('--index keeps files, standard input is none');
    if (values.index === undefined) readModel(values); // must name one
    const leftOut: LeftOut[] = [];
    const paths = await expandPaths(files, (besides) => leftOut.push(besides));
    const options = {
      ...readSource(values), dtype: values.dtype, vectors: values.vectors,
      passages: { by: values.passages, maxTokens: values['max-tokens'], overlap: values.overlap },
    };
    await withEngine(values, signal, async (session) => {
      const given = { ...options, engine: session.engine, ...session.watched };
      const outcome = values.index === undefined
        ? await findOnce(await SearchIndex.create(readModel(values).model, given), paths, question, values.top ?? 5, session)
        : await findKept(await KeptIndex.open(values.index, values, given), paths, question, values.top ?? 5, session);
      session.print((values.json ? jsonOf : textOf)(outcome)); // the bar goes with it
      sayLeftOut(leftOut, outcome.skipped);
    });
  },
});

interface Range {
  unit: 'line' | 'page';
  first: number;
  last: number;
}

/** A passage and where it is, as it is shown. */
interface Hit extends FoundPassage {
  path: string;
  /** First and last, counted from 1: lines of a text, pages of a PDF; null of HTML, whose lines readers do not see. */
  range: Range | null;
  /** White space before it in its line. */
  indent: string;
}

interface Outcome {
  hits: Hit[];
  /** Of the files that were given. */
  documents: (ReadDocument & { path: string })[];
  skipped: SkippedFile[];
  seconds: number;
  engine: EngineInfo;
  kept: { file: string; documents: number; passages: number; removed: string[] } | null;
}

async function findOnce(index: SearchIndex, paths: readonly string[], question: string, topK: number, { engine, watched }: Session): Promise<Outcome> {
  const { texts, skipped } = await readTexts(paths);
  if (texts.length === 0) {
    sayLeftOut([], skipped);
    throw new LongformerError('NOT_FOUND', 'text', 'must be in one of the files, is in none');
  }
  const start = performance.now();
  const read = await index.add(texts.map(({ path, text }) => ({ id: path, text })), watched);
  const hits = await hitsOf(index, (id) => id, question, topK, watched.signal);
  const seconds = (performance.now() - start) / 1000;
  return { hits, documents: read.map((document) => ({ ...document, path: document.id })), skipped, seconds, engine: engine.info, kept: null };
}

async function findKept(kept: KeptIndex, paths: readonly string[], question: string, topK: number, { engine, watched }: Session): Promise<Outcome> {
  const { index } = kept;
  const before = new Map((await index.documents()).map((document) => [document.id, document]));
  const { texts, skipped, known } = await readTexts(paths, (path, version) => before.get(kept.idOf(path))?.version === version);
  const removed = await kept.remove(skipped.map(({ path }) => kept.idOf(path)));
  const start = performance.now();
  const read = await kept.add(texts, watched);
  await kept.save(watched);
  const hits = await hitsOf(index, (id) => kept.pathOf(id), question, topK, watched.signal);
  const seconds = (performance.now() - start) / 1000;
  const all = await index.documents();
  const unchanged = known.map((path) => ({ ...before.get(kept.idOf(path))!, unchanged: true }));
  return {
    hits, skipped, seconds, engine: engine.info,
    documents: [...read, ...unchanged].map((document) => ({ ...document, path: kept.pathOf(document.id) })),
    kept: {
      file: kept.file, documents: all.length, passages: all.reduce((sum, { passages }) => sum + passages, 0),
      removed: removed.map((id) => kept.pathOf(id)),
    },
  };
}

function sayLeftOut(leftOut: readonly LeftOut[], skipped: readonly SkippedFile[]): void {
  for (const { directory, hidden, others } of leftOut) {
    const kinds = [...(hidden > 0 ? [`${count(hidden)} hidden`] : []), ...(others > 0 ? [`${count(others)} of other kinds`] : [])];
    process.stderr.write(`${printable(directory)}: ${kinds.join(', ')} left out\n`);
  }
  for (const { path, reason } of skipped) process.stderr.write(`${printable(path)} ${reason}: left out\n`);
}

async function hitsOf(index: SearchIndex, pathOf: (id: string) => string, question: string, topK: number, signal: AbortSignal): Promise<Hit[]> {
  const found = await index.search(question, { topK, signal });
  return Promise.all(found.map(async (passage) => {
    const before = (await index.get(passage.id))!.text.slice(0, passage.start);
    const path = pathOf(passage.id);
    return { ...passage, path, range: rangeOf(kindOf(path), before, passage.text), indent: /[ \t]*$/.exec(before.slice(before.lastIndexOf('\n') + 1))![0] };
  }));
}

function rangeOf(kind: Kind, before: string, text: string): Range | null {
  if (kind === 'html') return null;
  const [unit, mark] = kind === 'pdf' ? ['page', '\f'] as const : ['line', '\n'] as const;
  const first = before.split(mark).length;
  return { unit, first, last: first + text.split(mark).length - 1 };
}

function textOf({ hits, documents, seconds, engine, kept }: Outcome): string {
  const { bold, dim } = stylesFor(process.stdout);
  const out: string[] = [];
  for (const hit of hits) {
    out.push(`${bold(printable(`${hit.path}${placeOf(hit)}`))}  ${dim(hit.score.toFixed(3))}`);
    out.push(...passageLines(hit).map((line) => (line === '' ? '' : `    ${line}`)), '');
  }
  const read = documents.filter(({ unchanged }) => !unchanged);
  for (const { path, tokens, windows } of read) {
    if (windows > 1) out.push(`${printable(path)} has ${count(tokens)} tokens, more than the model reads at once: read in ${windows} overlapping windows`);
  }
  const tokens = total(read);
  const effort = `${read.length === 0 ? '' : `${count(tokens)} tokens in ${seconds.toFixed(1)} s (${count(tokens / seconds)} tokens/s), `}${deviceOf(engine)}`;
  if (kept === null) out.push(dim(`${plural(read.length, 'document')}, ${effort}`));
  else {
    const changes = `${count(read.length)} read, ${count(documents.length - read.length)} unchanged, ${count(kept.removed.length)} taken out`;
    out.push(dim(`${printable(kept.file)}: ${plural(kept.documents, 'document')}, ${plural(kept.passages, 'passage')}; ${changes}; ${effort}`));
  }
  return `${out.join('\n')}\n`;
}

/** Behind a path: its lines, or pages. */
function placeOf({ range }: Hit): string {
  if (range === null) return '';
  const { unit, first, last } = range;
  const numbers = first === last ? String(first) : `${first}-${last}`;
  return unit === 'line' ? `:${numbers}` : `, ${first === last ? 'page' : 'pages'} ${numbers}`;
}

function jsonOf({ hits, documents, skipped, seconds, engine, kept }: Outcome): string {
  const out: object[] = hits.map(({ path, range, start, end, text, score }) => ({
    path,
    ...(range?.unit === 'line' && { startLine: range.first, endLine: range.last }),
    ...(range?.unit === 'page' && { startPage: range.first, endPage: range.last }),
    start, end, score, text,
  }));
  const tokens = total(documents.filter(({ unchanged }) => !unchanged));
  out.push({
    summary: {
      documents: documents.map(({ id: _id, version: _version, path, ...read }) => ({ path, ...read })),
      skipped, ...(kept !== null && { index: kept }), tokens, seconds, tokensPerSecond: tokens / seconds, engine,
    },
  });
  return out.map((line) => `${JSON.stringify(line)}\n`).join('');
}

function total(documents: readonly ReadDocument[]): number {
  return documents.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** The passage as it stands in its file, moved to the margin; on a terminal, in lines that fit. */
function passageLines({ indent, text }: Hit): string[] {
  const lines = dedent(printable(indent + text).split('\n')); // the first line keeps its place under the others
  const { isTTY, columns = 80 } = process.stdout;
  return isTTY ? lines.flatMap((line) => wrap(line, Math.max(columns - 4, 20))) : lines;
}
