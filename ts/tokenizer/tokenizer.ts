// Text to token ids and back, as the tokenizer.json of a checkpoint describes it, with the place of
// every token in the text.
//
// Ids and offsets are those of Hugging Face's `tokenizers`, except that offsets count UTF-16 units,
// which is what String.slice wants, and that a token has the same offsets in every window.

import { checkCallOptions, checkChoice, checkCount, checkNames, checkObject, type Names } from '../arguments.ts';
import { LongformerError } from '../errors.ts';
import { openSource } from '../files/open.ts';
import { SOURCE_OPTIONS, type SourceOptions } from '../files/source-options.ts';
import type { FileSource, Source } from '../files/source.ts';
import { assemble, type Encoding } from './encoding.ts';
import type { Slot } from './post-processor.ts';
import type { SpecialTokens } from './special-tokens.ts';
import { TextTokenizer, type TextTokens } from './text-tokens.ts';
import { readTokenizerFiles, type TokenizerParts } from './tokenizer-files.ts';
import { windowRanges } from './windows.ts';

export type { Encoding } from './encoding.ts';

export interface EncodeOptions {
  /** A second text. */
  pair?: string | undefined;
  /** Which of two texts is cut. Default `'second'`. */
  cut?: 'first' | 'second' | undefined;
  /** `[CLS]`, `</s>` and the like around the texts. Default true. */
  addSpecialTokens?: boolean | undefined;
  /** Tokens, special ones included. Default: no limit. */
  maxLength?: number | undefined;
  /** What happens to a text that exceeds `maxLength`. Default `'error'`. */
  overflow?: 'error' | 'truncate' | undefined;
}

const ENCODE_OPTIONS: Names<EncodeOptions> = { pair: true, cut: true, addSpecialTokens: true, maxLength: true, overflow: true };

export interface WindowOptions {
  /** A second text. One of the two is cut into windows, the other is whole in each. */
  pair?: string | undefined;
  /** Which of two texts is cut. Default `'second'`. */
  cut?: 'first' | 'second' | undefined;
  /** Tokens of a window, special ones and the text that is not cut included. */
  maxLength: number;
  /** Tokens that a window shares with the one before it. */
  stride: number;
}

const WINDOW_OPTIONS: Names<WindowOptions> = { pair: true, cut: true, maxLength: true, stride: true };

/**
 * From text to the tokens of a checkpoint and back, on the calling thread.
 *
 * @example
 * ```js
 * import { Tokenizer } from 'longformer-wasm';
 *
 * const text = 'The licensor shall copy this work.';
 * const tokenizer = await Tokenizer.fromPretrained('models/reader');
 * const { inputIds, tokens, offsets } = tokenizer.encode(text);
 * console.log(tokens); // => ['[CLS]', 'the', 'licensor', 'shall', 'copy', 'this', 'work', '.', '[SEP]']
 * console.log(text.slice(...offsets[2])); // => 'licensor'
 * console.log(tokenizer.decode(inputIds, { skipSpecialTokens: true })); // => 'the licensor shall copy this work.'
 * ```
 */
export class Tokenizer {
  private readonly texts: TextTokenizer;
  private readonly structural: ReadonlySet<number>; // ids that decode can leave out

  /**
   * For `loadTokenizer`; callers use `fromPretrained`.
   *
   * @internal
   */
  constructor(private readonly parts: TokenizerParts) {
    this.texts = new TextTokenizer(parts);
    this.structural = new Set(parts.addedTokens.filter((token) => token.special).map((token) => token.id));
  }

  /**
   * The tokenizer of a checkpoint: tokenizer.json, or vocab.json and merges.txt, or vocab.txt.
   *
   * Rejects with `NOT_FOUND` where there is none, with `BAD_FILE` where a file breaks a rule or asks
   * for a stage that cannot be done exactly, with `DOWNLOAD` where one cannot be fetched.
   */
  static async fromPretrained(source: string | URL | FileSource, options: SourceOptions = {}): Promise<Tokenizer> {
    checkCallOptions('Tokenizer.fromPretrained', options, SOURCE_OPTIONS);
    return loadTokenizer(await openSource(source, options));
  }

  /** The tokens that play a role, each with its id; a role that none plays is missing. */
  get specialTokens(): SpecialTokens {
    return this.parts.specialTokens;
  }

  /** What WordPiece puts in front of tokens that continue a word, usually `##`; null of models that put nothing there. */
  get continuingPrefix(): string | null {
    return this.parts.continuingPrefix;
  }

  /** The highest id and one: rows that an embedding table needs at least. */
  get vocabSize(): number {
    return this.parts.vocabulary.size;
  }

  /** The id of a token as the vocabulary spells it, or undefined. */
  idOf(token: string): number | undefined {
    return this.parts.vocabulary.idOf(token);
  }

  /** The token of an id as the vocabulary spells it, or undefined. */
  tokenOf(id: number): string | undefined {
    return this.parts.vocabulary.tokenOf(id);
  }

  /**
   * The tokens of a text, or of two.
   *
   * Throws `BAD_INPUT` if there are more than `maxLength` and `overflow` is `'error'`. With
   * `'truncate'` the end of the text is left out, of two texts that of the one which `cut` names, and
   * `readUntil` says where; the other is never cut.
   */
  encode(text: string, options: EncodeOptions = {}): Encoding {
    checkOptions('tokenizer.encode', options, ENCODE_OPTIONS);
    const { pair, cut, addSpecialTokens = true, maxLength, overflow = 'error' } = options;
    checkChoice(overflow, 'overflow', ['error', 'truncate']);
    const input = this.read(text, pair, cut, addSpecialTokens);
    if (maxLength === undefined) return this.assemble(input, 0, input.count);
    checkCount(maxLength, 'maxLength');
    const room = maxLength - input.fixed;
    if (input.count <= room) return this.assemble(input, 0, input.count);
    if (overflow === 'error' || room < 1) throw tooLong(input, maxLength);
    return { ...this.assemble(input, 0, room), readUntil: input.cut.ends[room - 1]! };
  }

  /**
   * A text in windows of at most `maxLength` tokens that overlap by `stride`; of two texts the second, or
   * the one which `cut` names, with the other whole in every window. Offsets count from the start of the whole text.
   *
   * Throws `BAD_INPUT` if `maxLength` leaves a window no room, or none beyond `stride`.
   *
   * @example
   * ```js
   * import { Tokenizer } from 'longformer-wasm';
   *
   * const tokenizer = await Tokenizer.fromPretrained('models/reader');
   * const windows = tokenizer.encodeWindows('The licensor shall copy this work.', { maxLength: 6, stride: 1 });
   * console.log(windows.map(({ tokens }) => tokens.slice(1, -1).join(' '))); // => ['the licensor shall copy', 'copy this work .']
   * ```
   */
  encodeWindows(text: string, options: WindowOptions): Encoding[] {
    checkOptions('tokenizer.encodeWindows', options, WINDOW_OPTIONS);
    const { pair, cut, maxLength, stride } = options;
    checkCount(maxLength, 'maxLength');
    checkCount(stride, 'stride', 0);
    const input = this.read(text, pair, cut, true);
    const room = maxLength - input.fixed;
    if (room < 1) throw tooLong(input, maxLength);
    if (stride >= room) {
      throw new LongformerError('BAD_INPUT', 'stride', `must be below the ${room} tokens that maxLength = ${maxLength} leaves a window, got ${stride}`);
    }
    return windowRanges(input.count, room, stride).map(([start, end]) => this.assemble(input, start, end));
  }

  /**
   * The text of `ids`. With `skipSpecialTokens` the tokens that are structure, `[CLS]`, `<pad>` and
   * the like, are left out. Throws `BAD_INPUT` for an id that has no token.
   */
  decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean | undefined } = {}): string {
    checkOptions('tokenizer.decode', options, { skipSpecialTokens: true });
    const tokens: string[] = [];
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      const token = this.parts.vocabulary.tokenOf(id);
      if (token === undefined) throw new LongformerError('BAD_INPUT', `ids[${i}]`, `must be an id of the vocabulary, got ${String(id)}`);
      if (options.skipSpecialTokens !== true || !this.structural.has(id)) tokens.push(token);
    }
    return this.parts.decoder(tokens);
  }

  /** The text of `tokens`, as the vocabulary spells them: what `decode` makes of their ids. */
  textOf(tokens: readonly string[]): string {
    return this.parts.decoder(tokens);
  }

  private read(text: string, pair: string | undefined, cutOne: 'first' | 'second' = 'second', addSpecialTokens: boolean): Input {
    checkText('text', text);
    checkChoice(cutOne, 'cut', ['first', 'second']);
    if (pair !== undefined) checkText('pair', pair);
    const { single, pair: double } = this.parts.postProcessor;
    const slots = (pair === undefined ? single : double).filter((slot) => addSpecialTokens || slot.sequence !== null);
    const tokens = this.texts.tokenize(text);
    const special = slots.filter((slot) => slot.sequence === null).length;
    if (pair === undefined) return { slots, whole: null, cut: tokens, cutFirst: true, count: tokens.ids.length, fixed: special };
    const cutFirst = cutOne === 'first';
    const second = this.texts.tokenize(pair);
    const [cut, whole] = cutFirst ? [tokens, second] : [second, tokens];
    return { slots, whole, cut, cutFirst, count: cut.ids.length, fixed: special + whole.ids.length };
  }

  private assemble(input: Input, start: number, end: number): Encoding {
    const part = { tokens: input.cut, start, end };
    const { whole, cutFirst } = input;
    const other = whole === null ? [] : [{ tokens: whole, start: 0, end: whole.ids.length }];
    return assemble(input.slots, cutFirst ? [part, ...other] : [...other, part], this.parts.vocabulary);
  }
}

/** The tokenizer whose files `source` holds. Rejects as `Tokenizer.fromPretrained` does. */
export async function loadTokenizer(source: Source): Promise<Tokenizer> {
  return new Tokenizer(await readTokenizerFiles(source));
}

/** One text or two as tokens: what may be cut, and what may not. */
interface Input {
  readonly slots: readonly Slot[];
  /** The one of two texts that is not cut. */
  readonly whole: TextTokens | null;
  readonly cut: TextTokens;
  readonly cutFirst: boolean;
  /** Tokens of `cut`. */
  readonly count: number;
  /** Tokens besides: special ones and those of `whole`. */
  readonly fixed: number;
}

function tooLong(input: Input, maxLength: number): LongformerError {
  const [subject, besides] = input.whole === null ? ['text', 'special tokens included']
    : input.cutFirst ? ['text', 'the pair and special tokens included'] : ['pair', 'the first text and special tokens included'];
  return new LongformerError('BAD_INPUT', subject,
    `must have at most maxLength = ${maxLength} tokens, has ${input.count + input.fixed}, ${besides} (${input.fixed})`);
}

function checkText(name: string, text: unknown): void {
  if (typeof text !== 'string') throw new LongformerError('BAD_INPUT', name, `must be a string, got ${typeof text}`);
}

function checkOptions<O extends object>(call: string, options: O, known: Names<O>): void {
  checkObject(options, 'options');
  checkNames(call, options, known);
}
