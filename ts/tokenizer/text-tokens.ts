// The tokens of one text with their spans, before special tokens and windows.

import type { AddedToken } from './added-tokens.ts';
import { slice, unchanged, type NormalizedText } from './normalized-text.ts';
import { trimSpaces } from './trim-spaces.ts';
import type { TokenizerParts } from './tokenizer-files.ts';

/** Parallel lists. Spans are in UTF-16 units of the text. */
export interface TextTokens {
  readonly ids: number[];
  readonly starts: number[];
  readonly ends: number[];
  /** The word that each is a part of, counted from 0: what the pre-tokenizer cuts, or an added token. */
  readonly words: number[];
}

/** Tokenizes text after text. */
export class TextTokenizer {
  constructor(private readonly parts: TokenizerParts) {}

  tokenize(text: string): TextTokens {
    const tokens: TextTokens = { ids: [], starts: [], ends: [], words: [] };
    // Half of a surrogate pair is no character: it counts as the one that replaces such.
    const characters = text.replace(/\p{Surrogate}/gu, '\ufffd');
    const add = this.adding(tokens, characters);
    for (const part of this.parts.inText.split(characters)) {
      const piece = unchanged(characters.slice(part.start, part.end), part.start);
      if (part.token !== null) addToken(part.token, piece, add);
      else this.addNormalized(this.parts.normalizer(piece), add);
    }
    return tokens;
  }

  private addNormalized(normalized: NormalizedText, add: Add): void {
    for (const part of this.parts.inNormalizedText.split(normalized.text)) {
      const piece = slice(normalized, part.start, part.end);
      if (part.token !== null) addToken(part.token, piece, add);
      else this.addWords(piece, add);
    }
  }

  private addWords(piece: NormalizedText, add: Add): void {
    const { preTokenizer, model, vocabulary, unknownAsWritten } = this.parts;
    preTokenizer.split(piece, ({ text, starts, ends }, start, end) => {
      const pieces = model(text.slice(start, end));
      for (let i = 0; i < pieces.ids.length; i++) {
        const id = pieces.ids[i]!;
        const first = start + pieces.starts[i]!;
        const stop = start + pieces.ends[i]!;
        add(id, id === unknownAsWritten ? text.slice(first, stop) : vocabulary.tokenOf(id)!, starts[first]!, ends[stop - 1]!, i === 0);
      }
    });
  }

  /** Appends to `tokens`, with spans trimmed where the post-processor wants that. */
  private adding({ ids, starts, ends, words }: TextTokens, text: string): Add {
    const { trim } = this.parts.postProcessor;
    let word = -1;
    return (id, token, start, end, opensWord) => {
      if (trim !== null) {
        const prefixed = trim.addPrefixSpace && (ids.length === 0 || start === 0);
        [start, end] = trimSpaces(token, text, start, end, prefixed);
      }
      ids.push(id);
      starts.push(start);
      ends.push(end);
      words.push(opensWord ? ++word : word);
    };
  }
}

/** Takes the next token: as written, because its spaces may leave its span, that, and whether a word begins with it. */
type Add = (id: number, token: string, start: number, end: number, opensWord: boolean) => void;

function addToken(token: AddedToken, piece: NormalizedText, add: Add): void {
  // The matched text, not the content: it may have taken spaces in.
  add(token.id, piece.text, piece.starts[0]!, piece.ends.at(-1)!, true);
}
