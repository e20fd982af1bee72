// From tokens back to text: the `decoder` of tokenizer.json. Each stage makes other tokens of its
// tokens; what the last one gives is the text.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { BYTE_SYMBOLS } from './byte-symbols.ts';
import { Growth } from './growth.ts';
import type { JsonSection } from './json-section.ts';
import { readMetaspace } from './metaspace.ts';
import { eachMatch, readReplace } from './pattern.ts';

export type Decoder = (tokens: readonly string[]) => string;

/** Asks `growth` before it makes tokens much longer. */
type Stage = (tokens: readonly string[], growth: Growth) => readonly string[];

/** What `section` describes. Throws `BAD_FILE` for a type it does not know to do exactly. */
export function createDecoder(section: JsonSection | null): Decoder {
  if (section === null) return (tokens) => tokens.join(' ');
  const stages = section.get('type') === 'Sequence' ? section.stages('decoders').map(createStage) : [createStage(section)];
  return (tokens) => {
    const growth = new Growth(section.name, unitsOf(tokens));
    return stages.reduce((current, stage) => {
      const next = stage(current, growth);
      growth.check(unitsOf(next));
      return next;
    }, tokens).join('');
  };
}

function unitsOf(tokens: readonly string[]): number {
  return tokens.reduce((sum, token) => sum + token.length, 0);
}

function createStage(section: JsonSection): Stage {
  const type = section.get('type');
  switch (type) {
    case 'ByteFallback': return joinByteTokens;
    case 'ByteLevel': return createByteLevelDecoder();
    case 'Fuse': return (tokens) => [tokens.join('')];
    case 'Metaspace': return createMetaspaceDecoder(section);
    case 'Replace': return createReplaceDecoder(section);
    case 'Strip': return createStripDecoder(section);
    case 'WordPiece': return createWordPieceDecoder(section.string('prefix', '##'), section.boolean('cleanup', true));
    default: throw new LongformerError('BAD_FILE', section.name, `decoder type ${quoted(type)} is not supported`);
  }
}

/** Bytes that are no UTF-8, such as a token that holds half of a character, become U+FFFD. */
function createByteLevelDecoder(): Stage {
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
    return [utf8.decode(Uint8Array.from(bytes))];
  };
}

/** Tokens such as `<0xE2>` in a row become the characters whose bytes they are, or one U+FFFD each. */
function joinByteTokens(tokens: readonly string[]): string[] {
  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const joined: string[] = [];
  let bytes: number[] = [];
  const finishBytes = (): void => {
    if (bytes.length === 0) return;
    try {
      joined.push(utf8.decode(Uint8Array.from(bytes)));
    } catch {
      for (const _ of bytes) joined.push('\ufffd');
    }
    bytes = [];
  };
  for (const token of tokens) {
    const digits = /^<0x([0-9a-f]{2}|\+[0-9a-f])>$/i.exec(token)?.[1];
    if (digits !== undefined) {
      bytes.push(parseInt(digits, 16));
    } else {
      finishBytes();
      joined.push(token);
    }
  }
  finishBytes();
  return joined;
}

/** What stands for spaces becomes spaces, and in the first token nothing, where one was put in front of the text. */
function createMetaspaceDecoder(section: JsonSection): Stage {
  const { replacement, prepend } = readMetaspace(section);
  return (tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 && prepend !== 'never' ? '' : ' '));
}

function createReplaceDecoder(section: JsonSection): Stage {
  const { pattern, content } = readReplace(section);
  return (tokens, growth) => {
    let units = 0;
    return tokens.map((token) => {
      const parts: string[] = [];
      const add = (part: string): void => {
        growth.check(units += part.length);
        parts.push(part);
      };
      eachMatch(token, pattern, (start, end) => add(token.slice(start, end)), () => add(content));
      return parts.join('');
    });
  };
}

/** Up to `start` of a character at the start of each token go, and up to `stop` at its end. */
function createStripDecoder(section: JsonSection): Stage {
  const content = section.string('content');
  if (Array.from(content).length !== 1) throw section.refuse('content', 'must be one character');
  const atStart = section.integer('start', 0, 2 ** 31 - 1);
  const atStop = section.integer('stop', 0, 2 ** 31 - 1);
  return (tokens) => tokens.map((token) => {
    let start = 0;
    for (let i = 0; i < atStart && token.startsWith(content, start); i++) start += content.length;
    let stop = token.length;
    for (let i = 0; i < atStop && stop > start && token.endsWith(content, stop); i++) stop -= content.length;
    return token.slice(start, stop);
  });
}

function createWordPieceDecoder(prefix: string, cleanup: boolean): Stage {
  return (tokens) => tokens.map((token, i) => {
    const spaced = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    return cleanup ? withoutSpaces(spaced) : spaced;
  });
}

/** What the library does to every token to undo the spaces around punctuation, in its order. */
function withoutSpaces(token: string): string {
  return token
    .replaceAll(' .', '.').replaceAll(' ?', '?').replaceAll(' !', '!').replaceAll(' ,', ',')
    .replaceAll(" ' ", "'").replaceAll(" n't", "n't").replaceAll(" 'm", "'m").replaceAll(' do not', " don't")
    .replaceAll(" 's", "'s").replaceAll(" 've", "'ve").replaceAll(" 're", "'re");
}
