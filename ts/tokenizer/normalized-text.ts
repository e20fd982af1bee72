// A text after some normalization, and which part of the original each of its UTF-16 units comes from.
//
// A unit comes from the span [starts[i], ends[i]) of the original. A character that became three
// gives its span to all three; one that was removed is in nobody's span, so a token that goes on
// behind it covers it: its span runs from its first unit's start to its last unit's end.

import type { Growth } from './growth.ts';

export interface NormalizedText {
  readonly text: string;
  readonly starts: Int32Array; // [text.length], UTF-16 units of the original
  readonly ends: Int32Array; // [text.length]
  /** How long it may become, or null where nobody says. */
  readonly growth: Growth | null;
}

/** `text` as it is, found at `offset` of the original. A character of two units has one span. */
export function unchanged(text: string, offset: number): NormalizedText {
  const starts = new Int32Array(text.length);
  const ends = new Int32Array(text.length);
  for (let i = 0; i < text.length; i++) {
    starts[i] = offset + i;
    ends[i] = offset + i + 1;
    if (isHighSurrogate(text.charCodeAt(i)) && i + 1 < text.length) {
      ends[i] = offset + i + 2;
      starts[i + 1] = offset + i;
      ends[i + 1] = offset + i + 2;
      i++;
    }
  }
  return { text, starts, ends, growth: null };
}

export function slice(from: NormalizedText, start: number, end: number): NormalizedText {
  return { ...from, text: from.text.slice(start, end), starts: from.starts.subarray(start, end), ends: from.ends.subarray(start, end) };
}

/** `prefix` and the text behind it: nobody's characters, they have the span of the first that follows. */
export function prefixed(prefix: string, from: NormalizedText): NormalizedText {
  const add = (spans: Int32Array): Int32Array => {
    const longer = new Int32Array(prefix.length + spans.length).fill(spans[0]!, 0, prefix.length);
    longer.set(spans, prefix.length);
    return longer;
  };
  return { ...from, text: prefix + from.text, starts: add(from.starts), ends: add(from.ends) };
}

/** Writes a normalized text character by character. Throws `BAD_FILE` where it becomes longer than it may. */
export class NormalizedTextBuilder {
  private units: Uint16Array;
  private starts: Int32Array;
  private ends: Int32Array;
  private length = 0;

  /** `growth`: of what it is written from. */
  constructor(capacity: number, private readonly growth: Growth | null) {
    this.units = new Uint16Array(capacity);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
  }

  push(codePoint: number, start: number, end: number): void {
    if (codePoint > 0xffff) {
      this.pushUnit(0xd800 + ((codePoint - 0x10000) >> 10), start, end);
      this.pushUnit(0xdc00 + ((codePoint - 0x10000) & 0x3ff), start, end);
    } else {
      this.pushUnit(codePoint, start, end);
    }
  }

  /** The units `start..end` of `from` as they are. */
  copy(from: NormalizedText, start: number, end: number): void {
    for (let i = start; i < end; i++) this.pushUnit(from.text.charCodeAt(i), from.starts[i]!, from.ends[i]!);
  }

  finish(): NormalizedText {
    this.growth?.check(this.length);
    return {
      text: textOf(this.units.subarray(0, this.length)),
      starts: this.starts.subarray(0, this.length),
      ends: this.ends.subarray(0, this.length),
      growth: this.growth,
    };
  }

  private pushUnit(unit: number, start: number, end: number): void {
    if (this.length === this.units.length) this.grow();
    this.units[this.length] = unit;
    this.starts[this.length] = start;
    this.ends[this.length] = end;
    this.length++;
  }

  private grow(): void {
    this.growth?.check(this.length);
    const capacity = Math.max(64, 2 * this.length);
    const units = new Uint16Array(capacity);
    units.set(this.units);
    this.units = units;
    const starts = new Int32Array(capacity);
    starts.set(this.starts);
    this.starts = starts;
    const ends = new Int32Array(capacity);
    ends.set(this.ends);
    this.ends = ends;
  }
}

/** Arguments of one call live on the stack; this many fit everywhere. */
const UNITS_PER_CALL = 8192;

function textOf(units: Uint16Array): string {
  let text = '';
  for (let i = 0; i < units.length; i += UNITS_PER_CALL) {
    // Not spread: that asks an iterator for each of them, and takes ten times as long.
    text += String.fromCharCode.apply(null, units.subarray(i, i + UNITS_PER_CALL) as unknown as number[]);
  }
  return text;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}
