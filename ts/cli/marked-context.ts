// A part of a text with some of what is around it, itself marked.

import { paintsFor, printable, wrap, type Terminal } from './terminal.ts';

/** UTF-16 units shown on either side, at most. */
const AROUND = 240;

/** Stand for the ends of what is marked while lines are made: characters that no text is shown with. */
const [OPEN, CLOSE] = ['\ue000', '\ue001'];

/**
 * Lines that fit the terminal: the paragraph around it, cut at spaces where it is long. Marked by colours,
 * and where there are none by brackets.
 */
export function markedContext(text: string, { start, end }: { start: number; end: number }, terminal: Terminal): string[] {
  const before = beginningOf(text.slice(0, start));
  const after = endOf(text.slice(end));
  const shown = (part: string): string => printable(part.replace(/\s+/g, ' ')).replace(/[\ue000\ue001]|\p{Surrogate}/gu, '');
  const line = `${shown(before).trimStart()}${OPEN}${shown(text.slice(start, end))}${CLOSE}${shown(after).trimEnd()}`;
  const lines = terminal.isTTY ? wrap(line, Math.max((terminal.columns || 80) - 6, 20)) : [line];
  const paints = paintsFor(terminal);
  let isInside = false;
  return lines.map((part) => {
    if (paints === null) return part.replace(OPEN, '[').replace(CLOSE, ']');
    // A mark that goes on in the next line begins anew there.
    const pieces = (isInside ? OPEN + part : part).split(/[\ue000\ue001]/);
    isInside = (isInside || part.includes(OPEN)) && !part.includes(CLOSE);
    const [first = '', inside = '', ...rest] = pieces;
    return pieces.length === 1 ? first : `${first}${inside === '' ? '' : paints.mark(inside)}${rest.join('')}`;
  });
}

function beginningOf(text: string): string {
  const near = text.slice(-AROUND);
  const paragraph = near.slice(/^[^]*\n\s*\n/.exec(near)?.[0].length ?? 0);
  if (paragraph.length < near.length || near.length === text.length) return paragraph;
  return `... ${near.replace(/^\S*\s+/, '')}`;
}

function endOf(text: string): string {
  const near = text.slice(0, AROUND);
  const paragraph = /^[^]*?(?=\n\s*\n)/.exec(near)?.[0] ?? near;
  if (paragraph.length < near.length || near.length === text.length) return paragraph;
  return `${near.replace(/\s+\S*$/, '')} ...`;
}
