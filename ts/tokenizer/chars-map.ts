// Sentencepiece's `precompiled_charsmap`: which characters become what.
//
//     u32 length of the trie in bytes, little-endian | trie: u32 units | replacements: UTF-8, each ended by a 0
//
// The trie is a double array (Darts) over bytes of UTF-8. In a unit bits 0..7 are the byte that leads to
// it (bit 31 marks values, which no byte leads to), bit 8 says that its first child is a value, and the
// other bits are the distance (by xor) to its children. Values are places in the replacements. The
// array comes from a stranger: a link that leads out of it leads nowhere.

import type { JsonSection } from './json-section.ts';

/** The longest in a real one has 54 bytes. */
const MAX_REPLACEMENT_BYTES = 256;

export class CharsMap {
  private readonly units: Uint32Array;
  private readonly replacements: Uint8Array;
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  private readonly bytes = new Uint8Array(16);
  private readonly encoder = new TextEncoder();

  /** Reads the field in base64. Throws `BAD_FILE` naming the rule that it breaks. */
  constructor(section: JsonSection, field: string) {
    const refuse = (rule: string): Error => section.refuse(field, rule);
    const bytes = fromBase64(section.string(field));
    if (bytes === null) throw refuse('must be base64');
    const view = new DataView(bytes.buffer);
    const count = bytes.length < 4 ? 0 : view.getUint32(0, true) >>> 2;
    if (count === 0 || 4 + 4 * count > bytes.length) throw refuse('must hold the trie whose length it begins with');
    this.units = Uint32Array.from({ length: count }, (_, i) => view.getUint32(4 + 4 * i, true));
    this.replacements = bytes.subarray(4 + 4 * count);
    if (!this.isUtf8()) throw refuse('must hold replacements in UTF-8');
    if (this.longest() > MAX_REPLACEMENT_BYTES) throw refuse(`must hold replacements of at most ${MAX_REPLACEMENT_BYTES} bytes`);
  }

  /** What the shortest entry that `characters`, some 5 bytes, begin with becomes; null where there is none. */
  replacementOf(characters: string): string | null {
    const { units, bytes } = this;
    const { written } = this.encoder.encodeInto(characters, bytes);
    let node = offsetOf(units[0]!);
    for (let i = 0; i < written && bytes[i] !== 0; i++) {
      node ^= bytes[i]!;
      const unit = units[node];
      if (unit === undefined || (unit & 0x800000ff) !== bytes[i]) return null;
      node ^= offsetOf(unit);
      if ((unit & 0x100) !== 0) return this.replacementAt(units[node]);
    }
    return null;
  }

  private replacementAt(value: number | undefined): string | null {
    if (value === undefined) return null;
    const start = value & 0x7fffffff;
    if (start > this.replacements.length) return null;
    const end = this.replacements.indexOf(0, start);
    try {
      return this.utf8.decode(this.replacements.subarray(start, end === -1 ? undefined : end));
    } catch {
      return null; // starts inside of a character
    }
  }

  private isUtf8(): boolean {
    try {
      this.utf8.decode(this.replacements);
      return true;
    } catch {
      return false;
    }
  }

  private longest(): number { // bytes
    let longest = 0;
    for (let start = 0; start < this.replacements.length;) {
      const end = this.replacements.indexOf(0, start);
      const stop = end === -1 ? this.replacements.length : end;
      longest = Math.max(longest, stop - start);
      start = stop + 1;
    }
    return longest;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
