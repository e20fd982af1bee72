// Decomposition, canonical (NFD) or compatible (NFKD), that knows where each character came from.
//
// String.normalize gives no alignment, so each character is decomposed by itself, and the marks
// that follow it are then put into canonical order. Combining classes are not to be had from
// JavaScript, but which of two is the larger is: String.normalize swaps the pair, or does not.

import type { NormalizedText } from './normalized-text.ts';
import { Rewriting, type Part } from './rewriting.ts';
import { classOf, COMPATIBLY_DECOMPOSED, hasClass, isNotDecomposed, NONSTARTER } from './unicode.ts';

export type Form = 'canonical' | 'compatible';

export function decompose(form: Form, from: NormalizedText): NormalizedText {
  if (hasNothingFor(form, from.text) || isDecomposed(form, from.text)) return from;
  const rewriting = new Rewriting(from);
  eachPart(form, from.text, ({ codePoint, change }) => rewriting.push(codePoint, change));
  return rewriting.finish();
}

/** Few characters at a time: String.normalize takes time with the square of the marks in a row. */
const NO_LATIN = { canonical: /[^\0-\xbf]{1,64}/gu, compatible: /[^\0-\x9f]{1,64}/gu };

/** Whether there is no mark, and nothing that JavaScript's Unicode, newer than the library's, decomposes. */
function isDecomposed(form: Form, text: string): boolean {
  if (hasClass(text, NONSTARTER)) return false;
  for (const [characters] of text.matchAll(NO_LATIN[form])) {
    if (characters.normalize(form === 'canonical' ? 'NFD' : 'NFKD') !== characters) return false;
  }
  return true;
}

/** Whether nothing in the text decomposes or is a mark. */
export function hasNothingFor(form: Form, text: string): boolean {
  return form === 'canonical' ? !/[^\0-\xbf]/.test(text) : !/[^\0-\x9f]/.test(text);
}

/** Calls `write` with every character of the decomposed text, in order. */
export function eachPart(form: Form, text: string, write: (part: Part) => void): void {
  const partsOf = form === 'canonical' ? canonicalParts : compatibleParts;
  let marks: Part[] = [];
  for (const character of text) {
    for (const part of partsOf(character)) {
      if ((classOf(part.codePoint) & NONSTARTER) !== 0) {
        marks.push(part);
      } else {
        if (marks.length > 0) inCanonicalOrder(marks).forEach(write);
        marks = [];
        write(part);
      }
    }
  }
  inCanonicalOrder(marks).forEach(write);
}

function canonicalParts(character: string): Part[] {
  const codePoint = character.codePointAt(0)!;
  if (codePoint < 0xc0 || isNotDecomposed(codePoint)) return [{ codePoint, change: 0 }];
  return partsOf(character.normalize('NFD'));
}

function compatibleParts(character: string): Part[] {
  const codePoint = character.codePointAt(0)!;
  if ((classOf(codePoint) & COMPATIBLY_DECOMPOSED) === 0) return [{ codePoint, change: 0 }];
  return partsOf(character.normalize('NFKD'));
}

/** The first stands for the character, the text has none for the others. */
function partsOf(decomposed: string): Part[] {
  return Array.from(decomposed, (part, i) => ({ codePoint: part.codePointAt(0)!, change: i === 0 ? 0 : 1 }));
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

/** Below 0 where the combining class of mark `a` is below that of `b`, and so on. */
export function compareClasses(a: number, b: number): number {
  return Number(areSwapped(a, b)) - Number(areSwapped(b, a));
}

function areSwapped(first: number, second: number): boolean {
  const pair = String.fromCodePoint(first, second);
  return pair.normalize('NFD') !== pair;
}
