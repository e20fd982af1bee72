// A text written anew, character by character, each saying how many of the old ones it stands for.
//
// This is how the library keeps spans, odd ends included: a character takes the span of the first
// that it replaces, one that is added that of the last that was replaced before it. Where a stage
// loses count, as `Precompiled` does, the spans behind are off by as much as they are in the library.

import { NormalizedTextBuilder, type NormalizedText } from './normalized-text.ts';

/** One character of the result. */
export interface Part {
  readonly codePoint: number;
  /** 0: replaces one character; 1: is added; -n: replaces one and the n behind it, which go. */
  readonly change: number;
}

export class Rewriting {
  private readonly builder: NormalizedTextBuilder;
  private source = 0; // the next unit of `from` that no part has replaced yet

  constructor(private readonly from: NormalizedText) {
    this.builder = new NormalizedTextBuilder(from.text.length + (from.text.length >> 2), from.growth);
  }

  push(codePoint: number, change: number): void {
    const { text, starts, ends } = this.from;
    const at = Math.min(Math.max(change > 0 ? this.source - 1 : this.source, 0), text.length - 1);
    this.builder.push(codePoint, starts[at]!, ends[at]!);
    for (let replaced = change > 0 ? 0 : 1 - change; replaced > 0 && this.source < text.length; replaced--) {
      this.source += text.codePointAt(this.source)! > 0xffff ? 2 : 1;
    }
  }

  finish(): NormalizedText {
    return this.builder.finish();
  }
}
