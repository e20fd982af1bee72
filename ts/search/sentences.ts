// The sentences of a block of prose, its lines flowing into one another where they only wrap.

import { linesOf } from './blocks.ts';
import { trimmed, type Span } from './span.ts';

/** Starts with what stays apart from the line before: an item of a list, a quotation, a heading. */
const STARTS_ANEW = /^\s*([-*+•>#]|\d+[.)]|\(?[a-z][.)])(\s|$)/i;
const HEADING = /^\s*#{1,6}(\s|$)/;
const BLANK = /^\s*$/;

/** The segmenter's time grows with the square of the length where there are no letters; no sentence is this long. */
const MAX_FLOW = 8192; // UTF-16 units

/** Sentence boundaries hardly depend on the language, but results must not depend on the machine's. */
const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Ascending; together they hold everything but white space. */
export function sentencesOf(text: string, span: Span): Span[] {
  const sentences: Span[] = [];
  for (const flow of flowsOf(text, span)) {
    // The segmenter ends a sentence at every line break.
    const unwrapped = text.slice(flow.start, flow.end).replace(/[\r\n]/g, ' ');
    for (const { segment, index } of segmenter.segment(unwrapped)) {
      const start = flow.start + index;
      const sentence = trimmed(text, { start, end: start + segment.length });
      if (sentence !== null) sentences.push(sentence);
    }
  }
  return sentences;
}

/** Lines, those together that only wrap. */
function* flowsOf(text: string, span: Span): Generator<Span> {
  let flow = null as Span | null;
  let last = '';
  for (const { start, end } of linesOf(text, span)) {
    const line = text.slice(start, end);
    const apart = BLANK.test(line) || BLANK.test(last) || STARTS_ANEW.test(line) || HEADING.test(last);
    if (flow !== null && (apart || end - flow.start > MAX_FLOW)) {
      yield* shortened(text, flow);
      flow = null;
    }
    flow = { start: flow?.start ?? start, end };
    last = line;
  }
  if (flow !== null) yield* shortened(text, flow);
}

/** Cut at spaces where it is too long. */
function* shortened(text: string, { start, end }: Span): Generator<Span> {
  while (end - start > MAX_FLOW) {
    const space = text.slice(start, start + MAX_FLOW).lastIndexOf(' ');
    const most = start + MAX_FLOW - (/[\udc00-\udfff]/.test(text[start + MAX_FLOW]!) ? 1 : 0); // not inside a character
    const cut = space > 0 ? start + space : most;
    yield { start, end: cut };
    start = cut;
  }
  yield { start, end };
}
