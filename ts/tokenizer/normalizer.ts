// What is done to a text before it is split: the `normalizer` of tokenizer.json.
//
// Each stage maps a NormalizedText to another and carries the spans along. A text that a stage has
// nothing to change in, most of what is read, is not written anew.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import { compose } from './composition.ts';
import { decompose } from './decomposition.ts';
import { Growth, MAX_PREFIX } from './growth.ts';
import type { JsonSection } from './json-section.ts';
import { NormalizedTextBuilder, prefixed, slice, type NormalizedText } from './normalized-text.ts';
import { eachMatch, readReplace } from './pattern.ts';
import { createPrecompiled } from './precompiled.ts';
import { CHINESE, classOf, COMBINING_MARK, hasClass, NONSPACING_MARK, REMOVED_BY_CLEAN_TEXT, SPACE } from './unicode.ts';

export type Normalizer = (text: NormalizedText) => NormalizedText;

/** The stages that `section` describes. Throws `BAD_FILE` for a type it does not know to do exactly. */
export function createNormalizer(section: JsonSection | null): Normalizer {
  if (section === null) return (text) => text;
  const stages = section.get('type') === 'Sequence' ? section.stages('normalizers').map(createStage) : [createStage(section)];
  const normalize = inTurn(stages);
  return (text) => normalize({ ...text, growth: new Growth(section.name, text.text.length) });
}

function createStage(section: JsonSection): Normalizer {
  const type = section.get('type');
  switch (type) {
    case 'BertNormalizer': return createBertNormalizer(section);
    case 'Lowercase': return lowercase;
    case 'NFC': return (text) => compose('canonical', text);
    case 'NFD': return decomposeCanonically;
    case 'NFKC': return (text) => compose('compatible', text);
    case 'NFKD': return (text) => decompose('compatible', text);
    case 'Nmt': return nmt;
    case 'Precompiled': return createPrecompiled(section);
    case 'Prepend': return createPrepend(section);
    case 'Replace': return createReplace(section);
    case 'Strip': return createStrip(section);
    case 'StripAccents': return removeCombiningMarks;
    default: throw new LongformerError('BAD_FILE', section.name, `normalizer type ${quoted(type)} is not supported`);
  }
}

function decomposeCanonically(text: NormalizedText): NormalizedText {
  return decompose('canonical', text);
}

/** The order is the library's: accents go before letters change case. */
function createBertNormalizer(section: JsonSection): Normalizer {
  const lower = section.boolean('lowercase', true);
  const stages: Normalizer[] = [];
  if (section.boolean('clean_text', true)) stages.push(cleanText);
  if (section.boolean('handle_chinese_chars', true)) stages.push(spaceAroundChinese);
  if (section.boolean('strip_accents', lower)) stages.push(decomposeCanonically, removeNonspacingMarks);
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
  if (!hasClass(from.text, CHINESE)) return from;
  return rewritten(from, (codePoint, keep) => {
    const chinese = (classOf(codePoint) & CHINESE) !== 0;
    if (chinese) keep(0x20);
    keep(codePoint);
    if (chinese) keep(0x20);
  });
}

function removeNonspacingMarks(from: NormalizedText): NormalizedText {
  if (!hasClass(from.text, NONSPACING_MARK)) return from;
  return rewritten(from, (codePoint, keep) => {
    if ((classOf(codePoint) & NONSPACING_MARK) === 0) keep(codePoint);
  });
}

function removeCombiningMarks(from: NormalizedText): NormalizedText {
  if (!hasClass(from.text, COMBINING_MARK)) return from;
  return rewritten(from, (codePoint, keep) => {
    if ((classOf(codePoint) & COMBINING_MARK) === 0) keep(codePoint);
  });
}

/** What Google's translation system did: control characters go, other spaces become plain ones. */
function nmt(from: NormalizedText): NormalizedText {
  if (!/[^ -~]/.test(from.text)) return from;
  return rewritten(from, (codePoint, keep) => {
    const character = String.fromCodePoint(codePoint);
    if (/[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/.test(character)) return;
    keep(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/.test(character) ? 0x20 : codePoint);
  });
}

function createPrepend(section: JsonSection): Normalizer {
  const prefix = section.string('prepend');
  if (prefix.length === 0 || prefix.length > MAX_PREFIX) throw section.refuse('prepend', `must have 1 to ${MAX_PREFIX} characters`);
  return (text) => text.text === '' ? text : prefixed(prefix, text);
}

/** What replaces a match has the span of its last character. */
function createReplace(section: JsonSection): Normalizer {
  const { pattern, content } = readReplace(section);
  const codePoints = Array.from(content, (character) => character.codePointAt(0)!);
  return (from) => {
    if (pattern(from.text, 0) === null) return from;
    const builder = new NormalizedTextBuilder(from.text.length, from.growth);
    eachMatch(from.text, pattern, (start, end) => builder.copy(from, start, end), (_, end) => {
      for (const codePoint of codePoints) builder.push(codePoint, from.starts[end - 1]!, from.ends[end - 1]!);
    });
    return builder.finish();
  };
}

function createStrip(section: JsonSection): Normalizer {
  const left = section.boolean('strip_left', true);
  const right = section.boolean('strip_right', true);
  return (from) => {
    let start = 0;
    let end = from.text.length;
    while (left && start < end && (classOf(from.text.charCodeAt(start)) & SPACE) !== 0) start++;
    while (right && end > start && (classOf(from.text.charCodeAt(end - 1)) & SPACE) !== 0) end--;
    return end - start === from.text.length ? from : slice(from, start, end);
  };
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
  const builder = new NormalizedTextBuilder(from.text.length, from.growth);
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
