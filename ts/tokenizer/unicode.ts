// Which classes a character belongs to, as Hugging Face's tokenizers see it.

import * as tables from './unicode-tables.ts';

export const LETTER = 1;
export const NUMBER = 2;
export const SPACE = 4;
export const PUNCTUATION = 8;
/** Control, format and private-use characters, and U+FFFD. */
export const REMOVED_BY_CLEAN_TEXT = 16;
export const CHINESE = 32;
export const NONSPACING_MARK = 64;
/** A combining class above 0: canonical order may move it. */
export const NONSTARTER = 128;
export const COMBINING_MARK = 256;
/** NFKD makes something else of it. */
export const COMPATIBLY_DECOMPOSED = 512;

export const CODE_POINTS = 0x110000;

let classes: Uint16Array | null = null; // [code point], filled on first use

/** The sum of the class bits of a code point. */
export function classOf(codePoint: number): number {
  classes ??= allClasses();
  return classes[codePoint]!;
}

/** Whether a character of the text is of one of the classes. */
export function hasClass(text: string, classes: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const codePoint = text.codePointAt(i)!;
    if ((classOf(codePoint) & classes) !== 0) return true;
    if (codePoint > 0xffff) i++;
  }
  return false;
}

/** Whether NFD of the library's Unicode version leaves a character whole that today's would split. */
export function isNotDecomposed(codePoint: number): boolean {
  notDecomposed ??= new Set(codePointsOf(tables.NOT_DECOMPOSED));
  return notDecomposed.has(codePoint);
}

let notDecomposed: Set<number> | null = null;

function allClasses(): Uint16Array {
  const bits = new Uint16Array(CODE_POINTS);
  const add = (table: string, bit: number): void => {
    for (const [first, last] of rangesOf(table)) {
      for (let c = first; c <= last; c++) bits[c] = bits[c]! | bit;
    }
  };
  add(tables.LETTERS, LETTER);
  add(tables.NUMBERS, NUMBER);
  add(tables.SPACES, SPACE);
  add(tables.PUNCTUATION, PUNCTUATION);
  add(tables.REMOVED_BY_CLEAN_TEXT, REMOVED_BY_CLEAN_TEXT);
  add(tables.CHINESE, CHINESE);
  add(tables.NONSPACING_MARKS, NONSPACING_MARK);
  add(tables.NONSTARTERS, NONSTARTER);
  add(tables.COMBINING_MARKS, COMBINING_MARK);
  add(tables.COMPATIBLY_DECOMPOSED, COMPATIBLY_DECOMPOSED);
  return bits;
}

function* codePointsOf(table: string): Generator<number> {
  for (const [first, last] of rangesOf(table)) for (let c = first; c <= last; c++) yield c;
}

/** The ranges of code points that a table of unicode-tables.ts packs. */
export function* rangesOf(table: string): Generator<[first: number, last: number]> {
  let end = 0;
  for (const word of table.split(' ')) {
    const [gap, extra = '0'] = word.split('+');
    const first = end + parseInt(gap!, 36);
    end = first + parseInt(extra, 36);
    yield [first, end];
  }
}
