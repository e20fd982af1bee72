// Attention as a picture: a row for each head, a column for each token that one of them sees.

import { rounded, stretchesOf, svg, text } from '../svg.ts';
import { count, plural, printable } from './terminal.ts';
import { shownParts, strengthsOf, wordOf, type AttentionView } from './attention-view.ts';

const MARGIN = 24;
const LABELS = 56; // of the heads, left of the rows
const HEADER = 62;
const ROW = 15;
const BREAK = 12; // between parts of the sequence
const WIDEST = 960; // of all columns
const COLUMN = 15;

/** Up to so many tokens each stands under its column. */
const MOST_WORDS = 64;

/** UTF-16 units of a token that are shown. */
const LONGEST_WORD = 24;

/** Shades of a colour. */
const LEVELS = 16;

/** An SVG document. */
export function attentionSvg(view: AttentionView): string {
  const { rows, query, layer, encoding } = view;
  const parts = shownParts(view);
  const columns = parts.reduce((sum, [start, end]) => sum + end - start, 0);
  const width = Math.min(COLUMN, WIDEST / columns);
  const [left, top, height] = [MARGIN + LABELS, MARGIN + HEADER, rows.length * ROW];
  const title = `What token ${count(query)}, "${wordIn(view, query)}", pays in layer ${layer}`;
  const elements = [
    text(MARGIN, MARGIN + 12, title, 'class="title"'),
    text(MARGIN, MARGIN + 29, `${plural(encoding.inputIds.length, 'token')}. In each row: the stronger the colour, the greater the weight.`),
    ...rows.map(({ head }, i) => text(left - 8, top + i * ROW + 11, head === 'mean' ? 'mean' : `head ${head}`, 'text-anchor="end"')),
  ];
  let x = left;
  let below = 0; // height of the words
  for (const [start, end] of parts) {
    const middle = (position: number): number => x + (position - start + 0.5) * width;
    const scale = `transform="translate(${rounded(x)} ${top}) scale(${Math.round(width * 1e4) / 1e4} ${ROW})"`;
    elements.push(`<g ${scale} fill="currentColor"${columns <= MOST_WORDS ? '' : ' shape-rendering="crispEdges"'}>`);
    elements.push(cells('empty', '', rows.map((_, row) => [row, 0, end - start])));
    elements.push(...shadedCells(view, start, end), '</g>');
    elements.push(...ticks(view, start, end, middle, top));
    for (let position = start; columns <= MOST_WORDS && position < end; position++) {
      const word = wordIn(view, position);
      const turned = `transform="translate(${rounded(middle(position) + 4)} ${top + height + 8}) rotate(-90)" text-anchor="end"`;
      elements.push(text(0, 0, word, `${turned}${position === query ? ' class="title"' : ''}`));
      below = Math.max(below, 8 + 8 * word.length);
    }
    x += (end - start) * width + BREAK;
  }
  const right = Math.max(x - BREAK, MARGIN + 8 * title.length, MARGIN + 460);
  return svg(right + MARGIN, top + height + below + MARGIN, title, elements);
}

/** Numbers over the first column of a part and over the token that attends. */
function ticks({ query }: AttentionView, start: number, end: number, middle: (position: number) => number, top: number): string[] {
  const isHere = query >= start && query < end;
  const positions = isHere && (query === start || middle(query) - middle(start) < 50) ? [query] : isHere ? [start, query] : [start];
  return positions.flatMap((position) => [
    text(middle(position), top - 12, count(position), `text-anchor="middle"${position === query ? ' class="title"' : ''}`),
    `<path class="${position === query ? 'itself' : 'window'}" fill="currentColor" d="M${rounded(middle(position) - 4)} ${top - 9}h8l-4 6z"/>`,
  ]);
}

/** In a line. */
function wordIn(view: AttentionView, position: number): string {
  return printable(wordOf(view, position).replace(/\s+/g, ' ')).slice(0, LONGEST_WORD);
}

/** The weights of a part of the sequence, a path for each shade. */
function shadedCells({ rows, encoding }: AttentionView, first: number, end: number): string[] {
  const shades = new Map<number, [row: number, start: number, end: number][]>();
  for (const [row, { weights }] of rows.entries()) {
    const strengths = strengthsOf(weights, encoding);
    const shadeOf = (i: number): number | null => Math.round(strengths[first + i]! * LEVELS) || null;
    for (const [start, stop, shade] of stretchesOf(end - first, shadeOf)) {
      if (!shades.has(shade)) shades.set(shade, []);
      shades.get(shade)!.push([row, start, stop]);
    }
  }
  return [...shades].map(([shade, list]) => cells('weight', ` opacity="${rounded(shade / LEVELS)}"`, list));
}

function cells(name: string, attributes: string, list: readonly (readonly [row: number, start: number, end: number])[]): string {
  return `<path class="${name}"${attributes} d="${list.map(([row, start, end]) => `M${start} ${row}h${end - start}v.86h-${end - start}z`).join('')}"/>`;
}
