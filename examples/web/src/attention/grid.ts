// All heads of all layers at once, as small pictures of what each looks at; one of them is chosen.

import { make } from '../elements';
import type { Glance, Look } from './look';

/** Bars of a picture: the window, cut into as many. */
const BARS = 13;

/** Calls `choose` for the cell that was clicked, or reached with the arrow keys. */
export function gridOf(look: Look, choose: (layer: number, head: number) => void): HTMLElement {
  const cells = look.heads.map((heads, layer) => heads.map((glances, head) => make('button', {
    type: 'button', tabindex: -1, 'aria-pressed': 'false', 'aria-label': `Layer ${layer + 1}, head ${head + 1}: ${inWords(look, layer, head)}`, onclick: () => pick(layer, head),
  }, barsOf(glances, look.bands[layer]!.oneSidedWindow * look.bands[layer]!.dilations[head]!))));
  const pick = (layer: number, head: number): void => {
    for (const button of cells.flat()) {
      button.setAttribute('aria-pressed', 'false');
      button.tabIndex = -1;
    }
    const button = cells[layer]![head]!;
    button.setAttribute('aria-pressed', 'true');
    button.tabIndex = 0;
    choose(layer, head);
  };
  const table = make('table', { class: 'heads' }, make('tbody', {}, ...cells.map((buttons, layer) =>
    make('tr', {}, make('th', { scope: 'row' }, String(layer + 1)), ...buttons.map((button) => make('td', {}, button)))).reverse()));
  table.addEventListener('keydown', (event) => {
    const [layer, head] = placeOf(cells, document.activeElement);
    const [up, right] = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key] ?? [0, 0];
    const next = cells[layer + up!]?.[head + right!];
    if (next === undefined || (up === 0 && right === 0)) return;
    event.preventDefault();
    pick(layer + up!, head + right!);
    next.focus();
  });
  pick(0, 0);
  return table;
}

function placeOf(cells: readonly (readonly Element[])[], button: Element | null): [layer: number, head: number] {
  const layer = cells.findIndex((row) => row.includes(button!));
  return [layer, layer < 0 ? -1 : cells[layer]!.indexOf(button!)];
}

/** Of a bar and the space behind it, and how high a weight of 1 is. */
const [STEP, HEIGHT] = [4, 18];

/** The global token on the left, then the window from left to right; the square root, or small weights would not show. */
function barsOf(glances: readonly Glance[], reach: number): SVGElement {
  const bars = new Float32Array(BARS);
  let global = 0;
  for (const { distance, weight } of glances) {
    if (distance === null) global = weight;
    else bars[Math.min(Math.floor((distance + reach + 0.5) / (2 * reach + 1) * BARS), BARS - 1)]! += weight;
  }
  const bar = (weight: number, place: number): string => {
    const size = weight > 0.001 ? Math.max(Math.sqrt(weight) * HEIGHT, 1) : 0;
    return `M${place * STEP} ${HEIGHT}v${-size.toFixed(1)}h${STEP - 1}v${size.toFixed(1)}z`;
  };
  const middle = BARS >> 1;
  const window = Array.from(bars, (weight, i) => (i === middle ? '' : bar(weight, i + 2))).join('');
  const svg = svgElement('svg', { viewBox: `0 0 ${(BARS + 2) * STEP} ${HEIGHT}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  svg.append(...Object.entries({ global: bar(global, 0), window, itself: bar(bars[middle]!, middle + 2) }).map(([name, d]) => svgElement('path', { class: name, d })));
  return svg;
}

function svgElement(name: 'svg' | 'path', attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const percent = (share: number): string => `${Math.round(share * 100)}\u00a0%`;

/** What a head looks at, said in one sentence or two. */
export function inWords({ heads, bands, word }: Look, layer: number, head: number): string {
  const glances = heads[layer]![head]!;
  const share = (isOne: (distance: number | null) => boolean): number =>
    glances.reduce((sum, { distance, weight }) => sum + (isOne(distance) ? weight : 0), 0);
  const window = (isOne: (distance: number) => boolean): number => share((distance) => distance !== null && isOne(distance));
  const { oneSidedWindow, dilations, causal } = bands[layer]!;
  const dilation = dilations[head]!;
  const near = 4 * dilation;
  const parts: [number, string][] = [
    [share((distance) => distance === null), 'to the global token, which sees all that is read'],
    [window((distance) => distance === 0), `to “${word.token}” itself`],
    [window((distance) => distance < 0 && distance >= -near), 'to the few tokens before'],
    [window((distance) => distance > 0 && distance <= near), 'to the few tokens after'],
    [window((distance) => distance < -near), 'farther back in its window'],
    [window((distance) => distance > near), 'farther on in its window'],
  ];
  const [first, second] = parts.sort(([a], [b]) => b - a);
  const sides = causal ? `the ${oneSidedWindow} before it` : `${oneSidedWindow} on each side`;
  const gaps = dilation > 1 ? `, every ${ordinal(dilation)} one: so it reaches ${oneSidedWindow * dilation} tokens far` : '';
  return `${percent(first![0])} of its attention goes ${first![1]}, ${percent(second![0])} ${second![1]}. It may look at ${sides}${gaps}.`;
}

const ordinal = (n: number): string => `${n}${['th', 'st', 'nd', 'rd'][n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? 'th'}`;
