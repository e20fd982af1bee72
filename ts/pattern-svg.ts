// Patterns of attention as pictures, as in the paper's figure 2: a row for each query, a column for
// each key, a cell filled where the query sees the key.

import { checkNames, checkObject, type Names } from './arguments.ts';
import { checkPositions } from './attention.ts';
import { LongformerError } from './errors.ts';
import { sightOf, type HeadPattern, type Sight } from './pattern.ts';
import { rounded, stretchesOf, svg, text } from './svg.ts';

/** What is drawn; named as the arguments of `Engine.attention`. */
export interface PatternPicture {
  /** Tokens on each side of the picture, 1024 at most. */
  seqLen: number;
  /** Keys per side; the query itself always counts. Half of a config's `attention_window`. */
  oneSidedWindow: number;
  /** Distance between the keys of a window: a number, or one per head, which gives a panel for each that differs. Default 1. */
  dilation?: number | ArrayLike<number>;
  /** No query sees a later key. Default false. */
  causal?: boolean;
  /** Ascending positions, seen by every query and seeing every key. Default none. */
  globalTokens?: ArrayLike<number>;
  /** Stands above the panel. */
  title?: string;
}

const PATTERN: Names<PatternPicture> = { seqLen: true, oneSidedWindow: true, dilation: true, causal: true, globalTokens: true, title: true };

/** A row for each query and a path for each stretch of cells: more than this many tokens make megabytes. */
const MOST_TOKENS = 1024;

const SIDE = 200; // of a panel
const GAP = 28; // between panels
const MARGIN = 24;
const HEADER = 44; // above a panel: its title, and what it shows
const PANELS_PER_ROW = 4;

/** Up to here cells stand apart, as squares to count. */
const MOST_SQUARES = 48;

/** Of such a square; what is left of a cell is a gap. */
const SQUARE = 0.86;

const LEGEND: readonly (readonly [Sight, string])[] = [
  ['itself', 'the query itself'], ['window', 'its window'], ['global', 'from or to a global token'],
];

/**
 * One pattern, or several side by side, as an SVG document. Throws `BAD_INPUT` for one that breaks a rule.
 *
 * @example
 * ```js
 * import { patternSvg } from 'longformer-wasm';
 * import { writeFile } from 'node:fs/promises';
 *
 * const svg = patternSvg({ seqLen: 24, oneSidedWindow: 3, dilation: [1, 2], globalTokens: [0], title: 'Two heads' });
 * await writeFile('heads.svg', svg);
 * console.log(svg.startsWith('<svg')); // => true
 * ```
 */
export function patternSvg(patterns: PatternPicture | readonly PatternPicture[]): string {
  const list: readonly PatternPicture[] = Array.isArray(patterns) ? patterns : [patterns as PatternPicture];
  for (const pattern of list) {
    checkObject(pattern, 'the pattern');
    checkNames('patternSvg', pattern, PATTERN);
  }
  const panels = list.flatMap((pattern) => panelsOf(pattern));
  const columns = Math.min(panels.length, PANELS_PER_ROW);
  const rowHeight = HEADER + SIDE + GAP;
  const elements = panels.map((panel, i) => drawPanel(panel, MARGIN + (i % columns) * (SIDE + GAP), MARGIN + Math.floor(i / columns) * rowHeight));
  const width = 2 * MARGIN + Math.max(columns, 2) * (SIDE + GAP) - GAP;
  const bottom = MARGIN + Math.ceil(panels.length / columns) * rowHeight;
  const seen = new Set(panels.flatMap(({ cells }) => [...cells.keys()]));
  elements.push(drawLegend(LEGEND.filter(([sight]) => seen.has(sight)), bottom));
  const label = panels.map(({ title, caption }) => (title === '' ? caption : `${title}: ${caption}`)).join('; ');
  return svg(width, bottom + 22 + MARGIN, `Which keys (columns) each query (row) sees. ${label}`, elements);
}

// ---------------------------------------------------------------------------- panels

interface Panel {
  title: string;
  /** The pattern in words. */
  caption: string;
  seqLen: number;
  /** What is filled: of each kind, stretches of a row. */
  cells: Map<Sight, Stretch[]>;
}

type Stretch = readonly [row: number, start: number, end: number];

function panelsOf({ seqLen, oneSidedWindow, dilation = 1, causal = false, globalTokens = [], title = '' }: PatternPicture): Panel[] {
  checkInteger('seqLen', seqLen, 1, MOST_TOKENS);
  checkInteger('oneSidedWindow', oneSidedWindow, 0);
  const globals = [...checkPositions('globalTokens', globalTokens, seqLen)];
  const perHead = typeof dilation === 'number' ? [dilation] : Array.from(dilation);
  if (perHead.length === 0) throw new LongformerError('BAD_INPUT', 'dilation', 'must have a number for each head, has none');
  perHead.forEach((one, head) => checkInteger(typeof dilation === 'number' ? 'dilation' : `dilation[${head}]`, one, 1));
  const different = [...new Set(perHead)];
  return different.map((dilation) => {
    const pattern: HeadPattern = { oneSidedWindow, dilation, causal, globalTokens: new Set(globals) };
    const heads = different.length === 1 ? '' : headsNamed(perHead.flatMap((one, head) => (one === dilation ? [head] : [])));
    return {
      title: [title, heads].filter((part) => part !== '').join(', '),
      caption: captionOf(pattern, seqLen), seqLen, cells: cellsOf(pattern, seqLen),
    };
  });
}

function cellsOf(pattern: HeadPattern, seqLen: number): Map<Sight, Stretch[]> {
  const cells = new Map<Sight, Stretch[]>();
  for (let query = 0; query < seqLen; query++) {
    for (const [start, end, sight] of stretchesOf(seqLen, (key) => sightOf(pattern, query, key))) {
      if (!cells.has(sight)) cells.set(sight, []);
      cells.get(sight)!.push([query, start, end]);
    }
  }
  return cells;
}

/** `256 keys per side, 2 apart, global 0, 5` */
function captionOf({ oneSidedWindow, dilation, causal, globalTokens }: HeadPattern, seqLen: number): string {
  const everything = dilation === 1 && oneSidedWindow >= seqLen - 1;
  const reach = everything ? `every ${causal ? 'earlier ' : ''}key` : `${oneSidedWindow} ${oneSidedWindow === 1 ? 'key' : 'keys'} ${causal ? 'before' : 'per side'}`;
  const few = [...globalTokens].slice(0, 4).join(', ');
  return [
    reach,
    ...(dilation > 1 ? [`${dilation} apart`] : []),
    ...(globalTokens.size > 0 ? [`global ${few}${globalTokens.size > 4 ? ', ...' : ''}`] : []),
  ].join(', ');
}

/** `head 3`, `heads 0-9`, `heads 1, 4` */
export function headsNamed(heads: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const head of heads) {
    const last = ranges.at(-1);
    if (last?.[1] === head - 1) last[1] = head;
    else ranges.push([head, head]);
  }
  return `${heads.length === 1 ? 'head' : 'heads'} ${ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(', ')}`;
}

// ---------------------------------------------------------------------------- drawing

function drawPanel({ title, caption, seqLen, cells }: Panel, x: number, y: number): string {
  const everything: Stretch[] = Array.from({ length: seqLen }, (_, row) => [row, 0, seqLen]);
  const isApart = seqLen <= MOST_SQUARES;
  const stroke = isApart ? `stroke-width="${SQUARE}" stroke-dasharray="${SQUARE} ${rounded(1 - SQUARE)}"` : 'shape-rendering="crispEdges"';
  return [
    ...(title === '' ? [] : [text(x, y + 12, title, 'class="title"')]),
    text(x, y + 28, caption),
    `<g transform="translate(${rounded(x)} ${rounded(y + HEADER - 8)}) scale(${SIDE / seqLen})" stroke="currentColor" ${stroke}>`,
    path('empty', everything, isApart),
    ...LEGEND.flatMap(([sight]) => (cells.has(sight) ? [path(sight, cells.get(sight)!, isApart)] : [])),
    '</g>',
  ].join('\n');
}

/** Lines as thick as a cell; dashes make squares of them. */
function path(name: string, stretches: readonly Stretch[], isApart: boolean): string {
  const inset = isApart ? (1 - SQUARE) / 2 : 0;
  const lines = stretches.map(([row, start, end]) => `M${rounded(start + inset)} ${row + 0.5}H${rounded(end - inset)}`);
  return `<path class="${name}" d="${lines.join('')}"/>`;
}

function drawLegend(entries: readonly (readonly [Sight, string])[], y: number): string {
  let x = MARGIN;
  const elements = entries.map(([sight, words]) => {
    const at = x;
    x += 32 + 6.6 * words.length; // about the width of its words
    return `<rect class="${sight}" fill="currentColor" x="${rounded(at)}" y="${y - 10}" width="11" height="11" rx="2"/>${text(at + 17, y, words)}`;
  });
  return [...elements, text(MARGIN, y + 22, 'A row for each query, a column for each key.')].join('\n');
}

function checkInteger(name: string, value: number, least: number, most = 0xffff_ffff): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new LongformerError('BAD_INPUT', name, `must be a whole number from ${least} to ${most}, got ${value}`);
}
