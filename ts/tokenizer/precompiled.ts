// The `Precompiled` normalizer: Sentencepiece's own, as the library does it.
//
// A grapheme cluster of less than 6 bytes becomes as a whole what its beginning maps to; of any other
// each character by itself. What a character that goes leaves behind is counted with the character
// before it, which makes spans run ahead where several go or none is before; ids and spans follow.

import { CharsMap } from './chars-map.ts';
import { clusterEnd } from './graphemes.ts';
import type { JsonSection } from './json-section.ts';
import type { NormalizedText } from './normalized-text.ts';
import { Rewriting } from './rewriting.ts';

const MAX_CLUSTER_BYTES = 5;

/** Characters and short clusters of texts repeat. */
const MAX_REMEMBERED = 65536;

/** What `section` describes. Throws `BAD_FILE` naming the rule that its map breaks. */
export function createPrecompiled(section: JsonSection): (from: NormalizedText) => NormalizedText {
  const map = new CharsMap(section, 'precompiled_charsmap');
  const known = new Map<string, string | null>();
  const replacementOf = (characters: string): string | null => {
    let found = known.get(characters);
    if (found === undefined) {
      if (known.size >= MAX_REMEMBERED) known.clear();
      found = map.replacementOf(characters);
      known.set(characters, found);
    }
    return found;
  };
  const keepsAscii = Array.from({ length: 0x5f }, (_, i) => String.fromCharCode(0x20 + i)).every((c) => replacementOf(c) === null);

  return (from) => {
    if (keepsAscii && !/[^ -~]/.test(from.text)) return from;
    const replacing = new Replacing(from);
    const { text } = from;
    for (let start = 0; start < text.length;) {
      const end = clusterEnd(text, start);
      const whole = isShort(text, start, end) ? replacementOf(text.slice(start, end)) : null;
      if (whole !== null) {
        replacing.replace(charactersIn(text, start, end), whole);
      } else {
        for (let at = start; at < end;) {
          const character = String.fromCodePoint(text.codePointAt(at)!);
          const replacement = replacementOf(character);
          if (replacement === null) replacing.keep(character.codePointAt(0)!);
          else replacing.replace(1, replacement);
          at += character.length;
        }
      }
      start = end;
    }
    return replacing.finish();
  };
}

function isShort(text: string, start: number, end: number): boolean {
  if (end - start > MAX_CLUSTER_BYTES) return false;
  let bytes = 0;
  for (let i = start; i < end; i++) {
    const unit = text.charCodeAt(i);
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 2 : 3;
  }
  return bytes <= MAX_CLUSTER_BYTES;
}

function charactersIn(text: string, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; count++) i += text.codePointAt(i)! > 0xffff ? 2 : 1;
  return count;
}

/** Writes replacements, the last character always waiting for what goes behind it. */
class Replacing {
  private readonly rewriting: Rewriting;
  private last: { codePoint: number; change: number } | null = null;
  private changed = false;

  constructor(private readonly from: NormalizedText) {
    this.rewriting = new Rewriting(from);
  }

  keep(codePoint: number): void {
    this.push(codePoint, 0);
  }

  /** `text` for the next `count` characters. */
  replace(count: number, text: string): void {
    this.changed = true;
    const codePoints = Array.from(text, (character) => character.codePointAt(0)!);
    codePoints.forEach((codePoint, i) => this.push(codePoint, i < count ? 0 : 1));
    if (codePoints.length < count && this.last !== null) this.last.change += codePoints.length - count;
  }

  finish(): NormalizedText {
    if (!this.changed) return this.from;
    if (this.last !== null) this.rewriting.push(this.last.codePoint, this.last.change);
    return this.rewriting.finish();
  }

  private push(codePoint: number, change: number): void {
    if (this.last !== null) this.rewriting.push(this.last.codePoint, this.last.change);
    this.last = { codePoint, change };
  }
}
