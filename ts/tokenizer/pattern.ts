// What the `Replace` stages of tokenizer.json look for: a string, or one of few expressions. No
// expression of a file is ever run: it could take for ever.

import type { JsonSection } from './json-section.ts';

/** The first match at or behind `from`, null where there is none. */
export type Pattern = (text: string, from: number) => [start: number, end: number] | null;

/** What converters write: that many spaces and more. */
const SPACES: Record<string, number> = { ' +': 1, ' {2,}': 2, '  +': 2 };

const MAX_LENGTH = 64; // UTF-16 units

/** The fields `pattern` and `content` of a `Replace`. Throws `BAD_FILE` for one that it does not know to do exactly. */
export function readReplace(section: JsonSection): { pattern: Pattern; content: string } {
  const content = section.string('content');
  if (content.length > MAX_LENGTH) throw section.refuse('content', `must have at most ${MAX_LENGTH} characters`);
  return { pattern: patternOf(section.section('pattern')), content };
}

function patternOf(section: JsonSection): Pattern {
  const expression = section.stringOrNull('Regex');
  if (expression !== null) {
    if (!Object.hasOwn(SPACES, expression)) throw section.refuse('Regex', `must be one of ${Object.keys(SPACES).map((known) => `"${known}"`).join(', ')}, no other is supported`);
    return spaces(SPACES[expression]!);
  }
  const wanted = section.string('String');
  if (wanted === '') throw section.refuse('String', 'must not be empty');
  return (text, from) => {
    const start = text.indexOf(wanted, from);
    return start === -1 ? null : [start, start + wanted.length];
  };
}

function spaces(atLeast: number): Pattern {
  return (text, from) => {
    const start = text.indexOf(' '.repeat(atLeast), from);
    if (start === -1) return null;
    let end = start + atLeast;
    while (text[end] === ' ') end++;
    return [start, end];
  };
}

/** Calls `kept` and `match` with the parts of the text in order. */
export function eachMatch(text: string, pattern: Pattern, kept: (start: number, end: number) => void, match: (start: number, end: number) => void): void {
  let done = 0;
  for (let found = pattern(text, 0); found !== null; found = pattern(text, done)) {
    const [start, end] = found;
    if (start > done) kept(done, start);
    match(start, end);
    done = end;
  }
  if (done < text.length) kept(done, text.length);
}
