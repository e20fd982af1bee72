// What surrounds the tokens of one text or two: the `post_processor` of tokenizer.json.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { JsonSection } from './json-section.ts';
import type { Vocabulary } from './vocabulary.ts';

/** A place in the result: one of the two texts, or one special token. */
export type Slot =
  | { readonly sequence: 0 | 1; readonly typeId: number }
  | { readonly sequence: null; readonly typeId: number; readonly id: number };

export interface PostProcessor {
  readonly single: readonly Slot[];
  readonly pair: readonly Slot[];
  /** How spaces leave the offsets of byte-level tokens; null: they do not. */
  readonly trim: { readonly addPrefixSpace: boolean } | null;
}

const WITHOUT_SPECIAL_TOKENS: PostProcessor = {
  single: [{ sequence: 0, typeId: 0 }],
  pair: [{ sequence: 0, typeId: 0 }, { sequence: 1, typeId: 1 }],
  trim: null,
};

/** What `section` describes. Throws `BAD_FILE` for a type it does not know to do exactly, or a field that breaks a rule. */
export function createPostProcessor(section: JsonSection | null, vocabulary: Vocabulary): PostProcessor {
  if (section === null) return WITHOUT_SPECIAL_TOKENS;
  if (section.get('type') !== 'Sequence') return createStage(section, vocabulary);
  return combined(section, section.sections('processors').map((stage) => createStage(stage, vocabulary)));
}

function createStage(section: JsonSection, vocabulary: Vocabulary): PostProcessor {
  const type = section.get('type');
  switch (type) {
    case 'TemplateProcessing': return createTemplates(section, vocabulary);
    case 'BertProcessing': return createBert(section, vocabulary);
    case 'RobertaProcessing': return createRoberta(section, vocabulary);
    case 'ByteLevel': return { ...WITHOUT_SPECIAL_TOKENS, trim: trimOf(section) };
    default: throw new LongformerError('BAD_FILE', section.name, `post-processor type ${quoted(type)} is not supported`);
  }
}

function trimOf(section: JsonSection): PostProcessor['trim'] {
  if (!section.boolean('trim_offsets', true)) return null;
  return { addPrefixSpace: section.boolean('add_prefix_space', true) };
}

function createBert(section: JsonSection, vocabulary: Vocabulary): PostProcessor {
  const cls = namedToken(section, 'cls', vocabulary);
  const sep = namedToken(section, 'sep', vocabulary);
  const single: Slot[] = [{ ...cls, typeId: 0 }, { sequence: 0, typeId: 0 }, { ...sep, typeId: 0 }];
  return { single, pair: [...single, { sequence: 1, typeId: 1 }, { ...sep, typeId: 1 }], trim: null };
}

/** Two separators between the texts, and no types. */
function createRoberta(section: JsonSection, vocabulary: Vocabulary): PostProcessor {
  const cls: Slot = { ...namedToken(section, 'cls', vocabulary), typeId: 0 };
  const sep: Slot = { ...namedToken(section, 'sep', vocabulary), typeId: 0 };
  const single: Slot[] = [cls, { sequence: 0, typeId: 0 }, sep];
  return { single, pair: [...single, sep, { sequence: 1, typeId: 0 }, sep], trim: trimOf(section) };
}

/** A field such as `"sep": ["</s>", 2]`. */
function namedToken(section: JsonSection, field: string, vocabulary: Vocabulary): { sequence: null; id: number } {
  const id = section.list(field)[1];
  if (typeof id !== 'number' || vocabulary.tokenOf(id) === undefined) {
    throw section.refuse(field, 'must be a token and its id in the vocabulary');
  }
  return { sequence: null, id };
}

function createTemplates(section: JsonSection, vocabulary: Vocabulary): PostProcessor {
  const specialTokens = section.section('special_tokens');
  const slots = (field: string, sequences: number): Slot[] => {
    const found = section.sections(field).flatMap((entry) => slotsOf(entry, specialTokens, vocabulary));
    const texts = found.map((slot) => slot.sequence).filter((sequence) => sequence !== null);
    if (texts.length !== sequences || new Set(texts).size !== sequences || (sequences === 1 && texts[0] !== 0)) {
      throw section.refuse(field, `must hold ${sequences === 1 ? 'sequence A' : 'the sequences A and B'} once`);
    }
    return found;
  };
  return { single: slots('single', 1), pair: slots('pair', 2), trim: null };
}

/** `{"Sequence": {"id": "A", "type_id": 0}}` or `{"SpecialToken": {"id": "[CLS]", "type_id": 0}}`. */
function slotsOf(entry: JsonSection, specialTokens: JsonSection, vocabulary: Vocabulary): Slot[] {
  const text = entry.sectionOrNull('Sequence');
  const part = text ?? entry.section('SpecialToken');
  const typeId = part.integer('type_id', 0, 255);
  const name = part.string('id');
  if (text !== null) {
    if (name !== 'A' && name !== 'B') throw text.refuse('id', 'must be "A" or "B"');
    return [{ sequence: name === 'A' ? 0 : 1, typeId }];
  }
  const special = specialTokens.section(name);
  return special.list('ids').map((id): Slot => {
    if (typeof id !== 'number' || vocabulary.tokenOf(id) === undefined) throw special.refuse('ids', 'must be ids of the vocabulary');
    return { sequence: null, typeId, id };
  });
}

/** One of the parts may bring special tokens, the others trim. */
function combined(section: JsonSection, parts: PostProcessor[]): PostProcessor {
  const trim = parts.find((part) => part.trim !== null)?.trim ?? null;
  const templates = parts.filter((part) => part.single.length > 1);
  if (templates.length > 1) throw section.refuse('processors', 'must add special tokens once');
  return { ...(templates[0] ?? WITHOUT_SPECIAL_TOKENS), trim };
}
