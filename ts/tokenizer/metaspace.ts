// Sentencepiece's way with spaces: they become a visible character, usually U+2581, with which words begin.

import type { JsonSection } from './json-section.ts';
import { prefixed, type NormalizedText } from './normalized-text.ts';

export interface Metaspace {
  /** What stands for a space: one UTF-16 unit. */
  readonly replacement: string;
  /** Which texts get one in front, where they do not begin with one: all, those that begin the input, none. */
  readonly prepend: 'always' | 'first' | 'never';
  /** Whether each begins a word. */
  readonly split: boolean;
}

/** The fields of a `Metaspace`, as pre-tokenizer or decoder. Throws `BAD_FILE` naming the field that breaks a rule. */
export function readMetaspace(section: JsonSection): Metaspace {
  const replacement = section.string('replacement');
  if (replacement.length !== 1 || /\p{Surrogate}/u.test(replacement)) throw section.refuse('replacement', 'must be one character below U+10000');
  // Before there was a scheme there was a switch.
  const addPrefixSpace = section.boolean('add_prefix_space', true);
  const prepend = section.string('prepend_scheme', addPrefixSpace ? 'always' : 'never');
  if (prepend !== 'always' && prepend !== 'first' && prepend !== 'never') {
    throw section.refuse('prepend_scheme', 'must be "always", "first" or "never"');
  }
  if (!addPrefixSpace && prepend !== 'never') throw section.refuse('prepend_scheme', 'must be "never" where add_prefix_space is false');
  return { replacement, prepend, split: section.boolean('split', true) };
}

/** `piece` with its spaces replaced, and one in front where the scheme wants one. */
export function withMetaspaces({ replacement, prepend }: Metaspace, piece: NormalizedText): NormalizedText {
  const replaced = { ...piece, text: piece.text.replaceAll(' ', () => replacement) };
  const wanted = prepend === 'always' || (prepend === 'first' && piece.starts[0] === 0);
  return wanted && !replaced.text.startsWith(replacement) ? prefixed(replacement, replaced) : replaced;
}
