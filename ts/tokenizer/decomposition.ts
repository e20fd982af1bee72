// Canonical decomposition (NFD) that knows where each character came from.
//
// String.normalize gives no alignment, so each character is decomposed by itself, and the marks
// that follow it are then put into canonical order. Combining classes are not to be had from
// JavaScript, but which of two is the larger is: String.normalize swaps the pair, or does not.
//
// Spans follow the library: a character that replaces one of the text has the span of the one that
// stands at its place *after* ordering; one that was added has the span of the character before it.

import { NormalizedTextBuilder, type NormalizedText } from './normalized-text.ts';
import { classOf, isNotDecomposed, NONSTARTER } from './unicode.ts';

/** One character of the result. */
interface Part {
  codePoint: number;
  /** Not the first of its decomposition: the text has no character of its own for it. */
  added: boolean;
}

export function decompose(from: NormalizedText): NormalizedText {
  // Nothing below U+00C0 decomposes, and no mark is there.
  if (!/[^\0-\xbf]/.test(from.text)) return from;
  const builder = new NormalizedTextBuilder(from.text.length + (from.text.length >> 2));
  let source = 0; // the next unit of `from` that no part has replaced yet
  const write = (part: Part): void => {
    const at = part.added ? Math.max(source - 1, 0) : source;
    builder.push(part.codePoint, from.starts[at]!, from.ends[at]!);
    if (!part.added) source += from.text.codePointAt(source)! > 0xffff ? 2 : 1;
  };
  let marks: Part[] = [];
  for (const character of from.text) {
    for (const part of partsOf(character)) {
      if ((classOf(part.codePoint) & NONSTARTER) !== 0) {
        marks.push(part);
      } else {
        if (marks.length > 0) for (const mark of inCanonicalOrder(marks)) write(mark);
        marks = [];
        write(part);
      }
    }
  }
  for (const mark of inCanonicalOrder(marks)) write(mark);
  return builder.finish();
}

function partsOf(character: string): Part[] {
  const codePoint = character.codePointAt(0)!;
  if (codePoint < 0xc0 || isNotDecomposed(codePoint)) return [{ codePoint, added: false }];
  const decomposed = character.normalize('NFD');
  if (decomposed === character) return [{ codePoint, added: false }];
  return Array.from(decomposed, (part, i) => ({ codePoint: part.codePointAt(0)!, added: i > 0 }));
}

/** Sorted by combining class, marks of one class as they were: O(n log n), a text may be nothing but marks. */
function inCanonicalOrder(marks: Part[]): Part[] {
  if (marks.length < 2) return marks;
  const kinds = [...new Set(marks.map((mark) => mark.codePoint))].sort(compareClasses);
  const rankOf = new Map<number, number>();
  let rank = 0;
  kinds.forEach((kind, i) => {
    if (i > 0 && compareClasses(kinds[i - 1]!, kind) < 0) rank++;
    rankOf.set(kind, rank);
  });
  return marks.sort((a, b) => rankOf.get(a.codePoint)! - rankOf.get(b.codePoint)!);
}

function compareClasses(a: number, b: number): number {
  return Number(areSwapped(a, b)) - Number(areSwapped(b, a));
}

function areSwapped(first: number, second: number): boolean {
  const pair = String.fromCodePoint(first, second);
  return pair.normalize('NFD') !== pair;
}
