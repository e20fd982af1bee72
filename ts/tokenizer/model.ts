// What cuts a word into tokens: the `model` of tokenizer.json.

/** The tokens of one word. A token that holds a part of a character has the span of the whole character. */
export interface Pieces {
  ids: number[];
  starts: number[]; // UTF-16 units of the word
  ends: number[];
}

/** The same word gives the same pieces; callers must not change them. */
export type Model = (word: string) => Pieces;

/** Words of a text repeat; this many distinct ones, none longer than a line, stay below 10 MB. */
const MAX_WORDS = 32768;
const MAX_WORD_LENGTH = 64; // UTF-16 units

/** `model`, remembering words. */
export function remembering(model: Model): Model {
  const known = new Map<string, Pieces>();
  return (word) => {
    if (word.length > MAX_WORD_LENGTH) return model(word);
    let pieces = known.get(word);
    if (pieces === undefined) {
      pieces = model(word);
      if (known.size >= MAX_WORDS) known.clear();
      known.set(copyOf(word), pieces);
    }
    return pieces;
  };
}

/** A slice of a text keeps all of the text alive for as long as it lives. */
function copyOf(word: string): string {
  return String.fromCharCode(...Array.from({ length: word.length }, (_, i) => word.charCodeAt(i)));
}
