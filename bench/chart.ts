// Lines over axes, in the look of the package's other pictures.

import { rounded, svg, text } from '../dist/svg.js';

export interface Axis {
  label: string;
  scale: 'linear' | 'log';
  /** Ascending; the first and the last are the axis's ends. */
  ticks: readonly number[];
  format?: (value: number) => string;
}

export interface Series {
  /** Stands beside the last point, or above the end of the line where there is no room. */
  label: string;
  /** A colour of ts/svg.ts. */
  colour: 'window' | 'global' | 'itself' | 'weight';
  points: readonly (readonly [x: number, y: number])[];
  /** A line without marks on it, or marks alone; both by default. */
  as?: 'line' | 'marks';
  /** What happens at the end of the line, marked with a cross. */
  end?: string;
}

export interface Chart {
  title: string;
  x: Axis;
  y: Axis;
  series: readonly Series[];
}

const [WIDTH, HEIGHT] = [560, 320]; // of one chart
const MARGIN = { left: 58, right: 34, top: 40, bottom: 46 };

/** Charts side by side. */
export function charts(label: string, list: readonly Chart[], width = WIDTH): string {
  return svg(width * list.length, HEIGHT, label, list.map((chart, i) => `<g transform="translate(${i * width} 0)">\n${draw(chart, width).join('\n')}\n</g>`));
}

function draw({ title, x, y, series }: Chart, width: number): string[] {
  const [left, right, top, bottom] = [MARGIN.left, width - MARGIN.right, MARGIN.top, HEIGHT - MARGIN.bottom];
  const atX = along(x, left, right);
  const atY = along(y, bottom, top);
  const format = (axis: Axis, value: number): string => axis.format?.(value) ?? value.toLocaleString('en');
  return [
    text(left, 18, title, 'class="title"'),
    ...y.ticks.flatMap((tick) => [
      `<path class="empty" stroke="currentColor" d="M${left} ${rounded(atY(tick))}H${right}"/>`,
      text(left - 8, atY(tick) + 4, format(y, tick), 'text-anchor="end"'),
    ]),
    ...x.ticks.flatMap((tick) => [
      `<path class="empty" stroke="currentColor" d="M${rounded(atX(tick))} ${top}V${bottom}"/>`,
      text(atX(tick), bottom + 17, format(x, tick), 'text-anchor="middle"'),
    ]),
    text(right, bottom + 36, x.label, 'text-anchor="end"'),
    text(left, top - 8, y.label),
    ...series.flatMap((each) => drawSeries(each, atX, atY, right)),
  ];
}

function drawSeries({ label, colour, points, as, end }: Series, atX: (x: number) => number, atY: (y: number) => number, right: number): string[] {
  const places = points.map(([x, y]) => [atX(x), atY(y)] as const);
  const [lastX, lastY] = places.at(-1)!;
  const says = end === undefined ? [label] : [label, end];
  const length = 7 * Math.max(...says.map((line) => line.length)); // about
  const beside = right - lastX > length;
  const highest = Math.min(...places.filter(([x]) => x > lastX - length).map(([, y]) => y));
  return [
    `<g class="${colour}">`,
    ...(as === 'marks' ? [] : [`<path fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" d="M${places.map(([x, y]) => `${rounded(x)} ${rounded(y)}`).join('L')}"/>`]),
    ...(as === 'line' ? [] : places.map(([x, y]) => `<circle cx="${rounded(x)}" cy="${rounded(y)}" r="3.5" fill="currentColor"/>`)),
    ...(end === undefined ? [] : [`<path stroke="currentColor" stroke-width="2.5" d="M${rounded(lastX - 7)} ${rounded(lastY - 7)}l14 14m0 -14l-14 14"/>`]),
    // The style sheet's colour of text would win over an attribute.
    ...says.filter((line) => line !== '').map((line, i) => (beside
      ? text(lastX + 13, lastY + 4 + 15 * i, line, 'style="fill:currentColor"')
      : text(lastX, highest - 13 - 15 * (says.length - 1 - i), line, 'text-anchor="end" style="fill:currentColor"'))),
    '</g>',
  ];
}

/** Where a value stands between two ends of an axis. */
function along({ scale, ticks }: Axis, from: number, to: number): (value: number) => number {
  const of = scale === 'log' ? Math.log : (value: number): number => value;
  const [first, last] = [of(ticks[0]!), of(ticks.at(-1)!)];
  return (value) => from + ((of(value) - first) / (last - first)) * (to - from);
}
