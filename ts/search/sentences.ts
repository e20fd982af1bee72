// The sentences of a block of prose, its lines flowing into one another where they only wrap.

import { linesOf } from './blocks.ts';
import { trimmed, type Span } from './span.ts';

/** Starts with what stays apart from the line before: an item of a list, a quotation, a heading. */
const STARTS_ANEW = /^\s*([-*+•>#]|\d+[.)]|\(?[a-z][.)])(\s|$)/i;
const HEADING = /^\s*#{1,6}(\s|$)/;
const BLANK = /^\s*$/;

/** Sentence boundaries hardly depend on the language, but results must not depend on the machine's. */
const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Ascending; together they hold everything but white space. */
export function sentencesOf(text: string, span: Span): Span[] {
  const sentences: Span[] = [];
  for (const { segment, index } of segmenter.segment(unwrapped(text, span))) {
    const start = span.start + index;
    const sentence = trimmed(text, { start, end: start + segment.length });
    if (sentence !== null) sentences.push(sentence);
  }
  return sentences;
}

/** The text of `span`, of the same length, without the line breaks that only wrap. */
function unwrapped(text: string, span: Span): string {
  const lines = [...linesOf(text, span)].map(({ start, end }) => text.slice(start, end));
  return lines.map((line, i) => {
    const next = lines[i + 1] ?? '';
    const ends = BLANK.test(next) || BLANK.test(line) || STARTS_ANEW.test(next) || HEADING.test(line);
    if (ends) return line;
    // The segmenter ends a sentence at every line break.
    return line.endsWith('\r\n') ? `${line.slice(0, -2)}  ` : `${line.slice(0, -1)} `;
  }).join('');
}
