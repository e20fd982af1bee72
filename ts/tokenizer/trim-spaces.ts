// `trim_offsets`: a byte-level token that begins or ends with spaces has the span of what is between.

import { BYTE_SYMBOLS } from './byte-symbols.ts';
import { classOf, SPACE } from './unicode.ts';

const SPACE_SYMBOL = BYTE_SYMBOLS[0x20]!.charCodeAt(0);

/**
 * The span of `token` in `text` without a character for each of its spaces. `prefixed`: a single
 * space at its start may be one that the text does not have, and takes nothing away.
 */
export function trimSpaces(token: string, text: string, start: number, end: number, prefixed: boolean): [start: number, end: number] {
  let leading = 0;
  while (leading < token.length && isSpace(token, leading)) leading++;
  let trailing = 0;
  while (trailing < token.length && isSpace(token, token.length - 1 - trailing)) trailing++;
  if (leading === 1 && prefixed) leading = 0;
  // Characters, not units: the space that a prefix added stands for whatever comes first.
  for (; leading > 0 && start < end; leading--) start += text.codePointAt(start)! > 0xffff ? 2 : 1;
  for (; trailing > 0 && end > start; trailing--) end -= end - start > 1 && text.codePointAt(end - 2)! > 0xffff ? 2 : 1;
  return [start, end];
}

function isSpace(token: string, i: number): boolean {
  const unit = token.charCodeAt(i);
  return unit === SPACE_SYMBOL || (classOf(unit) & SPACE) !== 0;
}
