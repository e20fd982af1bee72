// Tokens and their ids: the model's `vocab`, and the added tokens that are not in it.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { AddedToken } from './added-tokens.ts';
import type { JsonSection } from './json-section.ts';

/** Ids index arrays and embedding tables; the largest vocabulary known has about a million entries. */
export const MAX_ID = 2 ** 24 - 1;

/** GPT-2 has entries of 128; searches in a text look this far ahead, so it must not be a file's to choose. */
export const MAX_TOKEN_LENGTH = 512; // UTF-16 units

export class Vocabulary {
  private readonly ids = new Map<string, number>();
  private readonly byId: string[] = []; // [id], with holes
  private highest = -1;

  /** `model`: the vocabulary that this one adds to. */
  private constructor(private readonly model: Vocabulary | null = null) {
    this.highest = model?.highest ?? -1;
  }

  /** The entries of the object `vocab` of `section`. Throws `BAD_FILE` naming the entry that breaks a rule. */
  static read(section: JsonSection): Vocabulary {
    const vocabulary = new Vocabulary();
    const entries = section.section('vocab');
    for (const [token] of entries.entries()) vocabulary.add(token, entries.integer(token, 0, MAX_ID), entries.name);
    if (vocabulary.highest < 0) throw section.refuse('vocab', 'must not be empty');
    return vocabulary;
  }

  /** The tokens of the list `vocab` of `section`, pairs with something else; the place is the id. Of equal tokens the last counts. */
  static readList(section: JsonSection): Vocabulary {
    const vocabulary = new Vocabulary();
    const name = section.nameOf('vocab');
    section.list('vocab').forEach((entry, id) => {
      const token: unknown = Array.isArray(entry) && entry.length === 2 ? entry[0] : null;
      if (typeof token !== 'string') throw new LongformerError('BAD_FILE', `${name}[${id}]`, `must be a token and its score, got ${quoted(entry)}`);
      if (id > MAX_ID) throw new LongformerError('BAD_FILE', name, `must have at most ${MAX_ID + 1} entries`);
      vocabulary.set(token, id, name);
    });
    if (vocabulary.highest < 0) throw section.refuse('vocab', 'must not be empty');
    return vocabulary;
  }

  /** This one, unchanged below it, and the added tokens, refused in the name of `subject`: words are never cut into tokens that the model does not know. */
  with(addedTokens: readonly AddedToken[], subject: string): Vocabulary {
    const all = new Vocabulary(this);
    for (const { content, id } of addedTokens) all.add(content, id, subject);
    return all;
  }

  idOf(token: string): number | undefined {
    return this.ids.get(token) ?? this.model?.idOf(token);
  }

  tokenOf(id: number): string | undefined {
    return this.byId[id] ?? this.model?.tokenOf(id);
  }

  /** Without those that were added. */
  tokens(): Iterable<string> {
    return this.ids.keys();
  }

  /** Rows an embedding table needs: the highest id and one. */
  get size(): number {
    return this.highest + 1;
  }

  private add(token: string, id: number, subject: string): void {
    if ((this.idOf(token) ?? id) !== id) throw refused(subject, `must give a token one id, ${this.idOf(token)!} in the vocabulary`, token, id);
    if ((this.tokenOf(id) ?? token) !== token) throw refused(subject, `must give an id to one token, ${quoted(this.tokenOf(id))} in the vocabulary`, token, id);
    this.set(token, id, subject);
  }

  private set(token: string, id: number, subject: string): void {
    if (token.length > MAX_TOKEN_LENGTH) throw refused(subject, `must have tokens of at most ${MAX_TOKEN_LENGTH} characters`, token, id);
    if (/\p{Surrogate}/u.test(token)) throw refused(subject, 'must have no token with half of a surrogate pair', token, id);
    this.ids.set(token, id);
    this.byId[id] = token;
    this.highest = Math.max(this.highest, id);
  }
}

function refused(subject: string, rule: string, token: string, id: number): LongformerError {
  return new LongformerError('BAD_FILE', subject, `${rule}, got ${quoted(token)}: ${id}`);
}
