// A part of a text.

/** `text.slice(start, end)`. */
export interface Span {
  start: number;
  end: number;
}

/** Without white space at its ends, or null where nothing else is there. */
export function trimmed(text: string, { start, end }: Span): Span | null {
  while (end > start && isSpace(text, end - 1)) end--;
  while (start < end && isSpace(text, start)) start++;
  return start === end ? null : { start, end };
}

export function isSpace(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 32 || (code >= 9 && code <= 13) || (code > 127 && /\s/.test(text[at]!));
}
