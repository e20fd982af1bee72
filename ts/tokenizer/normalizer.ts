// What is done to a text before it is split: the `normalizer` of tokenizer.json.
//
// Each stage maps a NormalizedText to another and carries the spans along. Texts that are plain
// ASCII, most of what is read, skip the walk by characters wherever it could change nothing.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { decompose } from './decomposition.ts';
import type { JsonSection } from './json-section.ts';
import { NormalizedTextBuilder, type NormalizedText } from './normalized-text.ts';
import { CHINESE, classOf, NONSPACING_MARK, REMOVED_BY_CLEAN_TEXT, SPACE } from './unicode.ts';

export type Normalizer = (text: NormalizedText) => NormalizedText;

/** The stages that `section` describes. Throws `BAD_FILE` for a type it does not know to do exactly. */
export function createNormalizer(section: JsonSection | null): Normalizer {
  if (section === null) return (text) => text;
  if (section.get('type') === 'Sequence') return inTurn(section.sections('normalizers').map(createStage));
  return createStage(section);
}

function createStage(section: JsonSection): Normalizer {
  const type = section.get('type');
  switch (type) {
    case 'BertNormalizer': return createBertNormalizer(section);
    case 'Lowercase': return lowercase;
    case 'NFD': return decompose;
    default: throw new LongformerError('BAD_FILE', section.name, `normalizer type ${quoted(type)} is not supported`);
  }
}

/** The order is the library's: accents go before letters change case. */
function createBertNormalizer(section: JsonSection): Normalizer {
  const lower = section.boolean('lowercase', true);
  const stages: Normalizer[] = [];
  if (section.boolean('clean_text', true)) stages.push(cleanText);
  if (section.boolean('handle_chinese_chars', true)) stages.push(spaceAroundChinese);
  if (section.boolean('strip_accents', lower)) stages.push(decompose, removeNonspacingMarks);
  if (lower) stages.push(lowercase);
  return inTurn(stages);
}

function inTurn(stages: Normalizer[]): Normalizer {
  return (text) => stages.reduce((current, stage) => stage(current), text);
}

/** Drops control, format and private-use characters; every white space becomes a plain one. */
function cleanText(from: NormalizedText): NormalizedText {
  if (!/[^ -~]/.test(from.text)) return from;
  return rewritten(from, (codePoint, keep) => {
    const classes = classOf(codePoint);
    if ((classes & REMOVED_BY_CLEAN_TEXT) === 0) keep((classes & SPACE) === 0 ? codePoint : 0x20);
  });
}

function spaceAroundChinese(from: NormalizedText): NormalizedText {
  if (isAscii(from.text)) return from;
  return rewritten(from, (codePoint, keep) => {
    const chinese = (classOf(codePoint) & CHINESE) !== 0;
    if (chinese) keep(0x20);
    keep(codePoint);
    if (chinese) keep(0x20);
  });
}

function removeNonspacingMarks(from: NormalizedText): NormalizedText {
  if (isAscii(from.text)) return from;
  return rewritten(from, (codePoint, keep) => {
    if ((classOf(codePoint) & NONSPACING_MARK) === 0) keep(codePoint);
  });
}

/** Each character by itself: a capital sigma at the end of a word becomes the ordinary small one. */
function lowercase(from: NormalizedText): NormalizedText {
  if (isAscii(from.text)) return { ...from, text: from.text.toLowerCase() };
  return rewritten(from, (codePoint, keep) => {
    if (codePoint < 0x80) {
      keep(codePoint >= 0x41 && codePoint <= 0x5a ? codePoint + 0x20 : codePoint);
    } else {
      for (const character of String.fromCodePoint(codePoint).toLowerCase()) keep(character.codePointAt(0)!);
    }
  });
}

/** `change` says what each character becomes; all of it gets the character's span. */
function rewritten(from: NormalizedText, change: (codePoint: number, keep: (codePoint: number) => void) => void): NormalizedText {
  const builder = new NormalizedTextBuilder(from.text.length);
  let i = 0;
  const keep = (codePoint: number): void => builder.push(codePoint, from.starts[i]!, from.ends[i]!);
  while (i < from.text.length) {
    const codePoint = from.text.codePointAt(i)!;
    change(codePoint, keep);
    i += codePoint > 0xffff ? 2 : 1;
  }
  return builder.finish();
}

export function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}
