// The questions and where their answers are, written into questions.json by
// `node --import ./scripts/ts-node.mjs bench/retrieval/questions.ts`.
//
//   headings   of sections, taken out of the text; the answer is the section
//   written    by hand (written.json), from the middles and ends of documents; the answer is a quotation

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fetchCorpus } from '../../scripts/corpus.mjs';
import { withoutHeadings, type Section } from './markdown.ts';

export interface Question {
  part: 'headings' | 'written';
  question: string;
  /** Where the answer is: characters `start` to `end` of this document's text. */
  document: string;
  start: number;
  end: number;
}

export interface CorpusDocument {
  id: string;
  /** Without headings. */
  text: string;
  sections: Section[];
}

const folder = new URL('./', import.meta.url);

export function readCorpus(files: readonly { id: string; path: string }[]): CorpusDocument[] {
  return files.map(({ id, path }) => ({ id, ...withoutHeadings(readFileSync(path, 'utf8')) }));
}

export function readQuestions(): Question[] {
  return JSON.parse(readFileSync(new URL('questions.json', folder), 'utf8')) as Question[];
}

export function questionsOf(documents: readonly CorpusDocument[]): Question[] {
  return [...fromHeadings(documents), ...fromWritten(documents)];
}

/** Of a document, at most; so that long ones do not decide. */
const HEADINGS = 7;
/** Characters of a section: a shorter one says little, in a longer one anything is right. */
const SECTION = { least: 200, most: 4000 };

/** Headings that say something ("Usage" does not), stand in the corpus once, and have a text of their own. */
function fromHeadings(documents: readonly CorpusDocument[]): Question[] {
  const times = new Map<string, number>();
  for (const { sections } of documents) {
    for (const { heading } of sections) times.set(heading.toLowerCase(), (times.get(heading.toLowerCase()) ?? 0) + 1);
  }
  return documents.flatMap(({ id, sections }) => {
    const good = sections.slice(1).filter(({ heading, start, end }) => {
      const words = heading.match(/\p{L}{2,}/gu)?.length ?? 0;
      return words >= 2 && words <= 12 && times.get(heading.toLowerCase()) === 1 && end - start >= SECTION.least && end - start <= SECTION.most;
    });
    const count = Math.min(HEADINGS, good.length);
    const spread = Array.from({ length: count }, (_, i) => good[Math.floor((i + 0.5) * good.length / count)]!);
    return spread.map(({ heading, start, end }): Question => ({ part: 'headings', question: heading, document: id, start, end }));
  });
}

function fromWritten(documents: readonly CorpusDocument[]): Question[] {
  const written = JSON.parse(readFileSync(new URL('written.json', folder), 'utf8')) as { document: string; question: string; quote: string }[];
  return written.map(({ document, question, quote }) => {
    const text = documents.find(({ id }) => id === document)?.text;
    if (text === undefined) throw new Error(`${question}: there is no document ${document}`);
    const found = [...text.matchAll(pattern(quote))];
    if (found.length !== 1) throw new Error(`${question}: ${document} must have ${JSON.stringify(quote)} once, has it ${found.length} times`);
    const { index, 0: { length } } = found[0]!;
    return { part: 'written', question, document, start: index, end: index + length };
  });
}

/** The quotation, however its lines are broken. */
function pattern(quote: string): RegExp {
  return new RegExp(quote.split(/\s+/).map((word) => word.replace(/[^\p{L}\d]/gu, (mark) => `\\u{${mark.codePointAt(0)!.toString(16)}}`)).join('\\s+'), 'gu');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const questions = questionsOf(readCorpus(await fetchCorpus()));
  writeFileSync(new URL('questions.json', folder), `${JSON.stringify(questions, null, 1)}\n`);
  console.log(`${questions.length} questions`);
}
