// Grapheme clusters, what a reader takes for one character (UAX 29), in the library's Unicode.
//
// Two rules are left out: regional indicators join in pairs. No cluster that has them is shorter
// than 6 bytes but the lone one, and longer clusters are nobody's concern (see precompiled.ts).

import { CODE_POINTS, rangesOf } from './unicode.ts';
import * as tables from './unicode-tables.ts';

// The first bits are kinds, of which a character has one; the two last go with EXTEND.
const CONTROL = 1;
const EXTEND = 2;
const ZWJ = 3;
const SPACING_MARK = 4;
const PREPEND = 5;
const PICTOGRAPH = 6;
const CONSONANT = 7;
const L = 8;
const V = 9;
const T = 10;
const LV = 11;
const LVT = 12;
const KIND = 15;
const LINKER = 16;
const NOT_IN_CONJUNCTS = 32;

/** The end of the cluster that starts at `start`, in UTF-16 units. */
export function clusterEnd(text: string, start: number): number {
  let before = propertiesAt(text, start);
  let end = start + unitsAt(text, start);
  // How far a pictograph, its marks and a joiner, or a consonant and a linker, have got.
  let pictograph = (before & KIND) === PICTOGRAPH;
  let consonant = (before & KIND) === CONSONANT;
  let linked = false;
  while (end < text.length) {
    const after = propertiesAt(text, end);
    const joinsPictographs = pictograph && (before & KIND) === ZWJ;
    if (!isJoined(text, end, before & KIND, after & KIND, joinsPictographs, consonant && linked)) return end;
    const kind = after & KIND;
    // The joiner ends what may stand between pictographs: a second one, or a mark behind it, parts them.
    pictograph = kind === PICTOGRAPH || (pictograph && (before & KIND) !== ZWJ && (kind === EXTEND || kind === ZWJ));
    if (kind === CONSONANT) [consonant, linked] = [true, false];
    else if ((after & LINKER) !== 0) linked = true;
    else if ((kind !== EXTEND && kind !== ZWJ) || (after & NOT_IN_CONJUNCTS) !== 0) consonant = false;
    before = after;
    end += unitsAt(text, end);
  }
  return end;
}

function isJoined(text: string, at: number, before: number, after: number, pictographs: boolean, conjunct: boolean): boolean {
  if (before === CONTROL || after === CONTROL) return text[at - 1] === '\r' && text[at] === '\n';
  if (after === EXTEND || after === ZWJ || after === SPACING_MARK || before === PREPEND) return true;
  switch (after) {
    case L: case LV: case LVT: return before === L;
    case V: return before === L || before === LV || before === V;
    case T: return before === LV || before === V || before === LVT || before === T;
    case CONSONANT: return conjunct;
    case PICTOGRAPH: return pictographs;
    default: return false;
  }
}

let properties: Uint8Array | null = null; // [code point], filled on first use

function propertiesAt(text: string, at: number): number {
  properties ??= allProperties();
  return properties[text.codePointAt(at)!]!;
}

function unitsAt(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}

function allProperties(): Uint8Array {
  const found = new Uint8Array(CODE_POINTS);
  const add = (table: string, bits: number): void => {
    for (const [first, last] of rangesOf(table)) for (let c = first; c <= last; c++) found[c] = found[c]! | bits;
  };
  add(tables.GRAPHEME_CONTROLS, CONTROL);
  add(tables.GRAPHEME_EXTENDING, EXTEND);
  add(tables.SPACING_MARKS, SPACING_MARK);
  add(tables.PREPENDED, PREPEND);
  add(tables.PICTOGRAPHS, PICTOGRAPH);
  add(tables.CONJUNCT_CONSONANTS, CONSONANT);
  add(tables.HANGUL_L, L);
  add(tables.HANGUL_V, V);
  add(tables.HANGUL_T, T);
  found[0x200d] = ZWJ;
  for (let c = 0xac00; c <= 0xd7a3; c++) found[c] = (c - 0xac00) % 28 === 0 ? LV : LVT;
  add(tables.CONJUNCT_LINKERS, LINKER);
  add(tables.NOT_IN_CONJUNCTS, NOT_IN_CONJUNCTS);
  return found;
}
