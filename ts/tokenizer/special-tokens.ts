// Which tokens play a role: tokenizer_config.json or special_tokens_map.json name them.

import type { JsonSection } from './json-section.ts';
import type { Vocabulary } from './vocabulary.ts';

export type Role = 'bos' | 'eos' | 'unk' | 'sep' | 'pad' | 'cls' | 'mask';

export interface SpecialToken {
  readonly token: string;
  readonly id: number;
}

/** A role that no token of the vocabulary plays is missing. */
export type SpecialTokens = { readonly [role in Role]?: SpecialToken };

/** What BERT and RoBERTa call them, for checkpoints that do not say. */
const USUAL_NAMES: { [role in Role]: readonly string[] } = {
  bos: ['<s>'],
  eos: ['</s>'],
  unk: ['[UNK]', '<unk>'],
  sep: ['[SEP]', '</s>'],
  pad: ['[PAD]', '<pad>'],
  cls: ['[CLS]', '<s>'],
  mask: ['[MASK]', '<mask>'],
};

export const ROLES = Object.keys(USUAL_NAMES) as Role[];

/** The first of `files` that names a role decides it, then the usual names. */
export function readSpecialTokens(files: readonly (JsonSection | null)[], vocabulary: Vocabulary): SpecialTokens {
  const found: { [role in Role]?: SpecialToken } = {};
  for (const role of ROLES) {
    const named = roleToken(role, files)?.content;
    const token = (named === undefined ? USUAL_NAMES[role] : [named]).find((name) => vocabulary.idOf(name) !== undefined);
    if (token !== undefined) found[role] = { token, id: vocabulary.idOf(token)! };
  }
  return found;
}

/** The token that `files` give a role: `"mask_token": "<mask>"`, or an object whose other fields are in `section`. */
export function roleToken(role: Role, files: readonly (JsonSection | null)[]): { content: string; section: JsonSection | null } | null {
  for (const file of files) {
    const field = `${role}_token`;
    const value = file?.get(field) ?? null;
    if (value === null) continue;
    if (typeof value === 'string') return { content: value, section: null };
    const section = file!.section(field);
    return { content: section.string('content'), section };
  }
  return null;
}
