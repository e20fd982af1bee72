// From tokens back to text: the `decoder` of tokenizer.json.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { BYTE_SYMBOLS } from './byte-symbols.ts';
import type { JsonSection } from './json-section.ts';

export type Decoder = (tokens: readonly string[]) => string;

/** What `section` describes. Throws `BAD_FILE` for a type it does not know to do exactly. */
export function createDecoder(section: JsonSection | null): Decoder {
  if (section === null) return (tokens) => tokens.join(' ');
  const type = section.get('type');
  switch (type) {
    case 'ByteLevel': return createByteLevelDecoder();
    case 'WordPiece': return createWordPieceDecoder(section.string('prefix', '##'), section.boolean('cleanup', true));
    default: throw new LongformerError('BAD_FILE', section.name, `decoder type ${quoted(type)} is not supported`);
  }
}

/** Bytes that are no UTF-8, such as a token that holds half of a character, become U+FFFD. */
function createByteLevelDecoder(): Decoder {
  const byteOf = new Map(BYTE_SYMBOLS.map((symbol, byte) => [symbol, byte]));
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  const encoder = new TextEncoder();
  const bytesOf = (token: string): Iterable<number> => {
    const bytes = Array.from(token, (symbol) => byteOf.get(symbol));
    // An added token may be ordinary text.
    return bytes.includes(undefined) ? encoder.encode(token) : bytes as number[];
  };
  return (tokens) => {
    const bytes: number[] = [];
    for (const token of tokens) for (const byte of bytesOf(token)) bytes.push(byte);
    return utf8.decode(Uint8Array.from(bytes));
  };
}

function createWordPieceDecoder(prefix: string, cleanup: boolean): Decoder {
  return (tokens) => tokens.map((token, i) => {
    const spaced = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    return cleanup ? withoutSpaces(spaced) : spaced;
  }).join('');
}

/** What the library does to every token to undo the spaces around punctuation, in its order. */
function withoutSpaces(token: string): string {
  return token
    .replaceAll(' .', '.').replaceAll(' ?', '?').replaceAll(' !', '!').replaceAll(' ,', ',')
    .replaceAll(" ' ", "'").replaceAll(" n't", "n't").replaceAll(" 'm", "'m").replaceAll(' do not', " don't")
    .replaceAll(" 's", "'s").replaceAll(" 've", "'ve").replaceAll(" 're", "'re");
}
