// WordPiece: a word is the longest entry of the vocabulary that starts it, then the longest entry
// with the continuing prefix that starts the rest, and so on; or unknown as a whole.

import type { Model, Pieces } from './model.ts';
import type { JsonSection } from './json-section.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What is in front of tokens that continue a word. */
export function continuingPrefixOf(section: JsonSection): string {
  return section.string('continuing_subword_prefix', '##');
}

/** What `section` (`model` of tokenizer.json) describes. Throws `BAD_FILE` naming the field that breaks a rule. */
export function createWordPiece(section: JsonSection, vocabulary: Vocabulary): Model {
  const prefix = continuingPrefixOf(section);
  const maxCharacters = section.integer('max_input_chars_per_word', 0, 2 ** 31 - 1, 100);
  const unknownId = vocabulary.idOf(section.string('unk_token', '[UNK]'));
  if (unknownId === undefined) throw section.refuse('unk_token', 'must be in the vocabulary');

  // No entry is longer, so no longer piece needs a look: this keeps the search linear in the word.
  let longest = 0; // UTF-16 units
  for (const token of vocabulary.tokens()) longest = Math.max(longest, token.length);

  return (word) => {
    const unknown: Pieces = { ids: [unknownId], starts: [0], ends: [word.length] };
    if (word.length > maxCharacters && characterCount(word) > maxCharacters) return unknown;
    const pieces: Pieces = { ids: [], starts: [], ends: [] };
    let start = 0;
    while (start < word.length) {
      let end = Math.min(word.length, start + longest);
      let id: number | undefined;
      for (; end > start; end--) {
        const piece = word.slice(start, end);
        id = vocabulary.idOf(start === 0 ? piece : prefix + piece);
        if (id !== undefined) break;
      }
      if (id === undefined) return unknown;
      pieces.ids.push(id);
      pieces.starts.push(start);
      pieces.ends.push(end);
      start = end;
    }
    return pieces;
  };
}

function characterCount(word: string): number {
  let count = 0;
  for (const _ of word) count++;
  return count;
}
