// The whole document on one strip: how near each passage is to the question, and where the reader is.

import { byId } from './elements';
import type { Flow } from './document/flow';
import { partInView, scrollToOffset } from './document/view';

/** A part of the text, as strong as it shows: 0 to 1. */
export interface Tint {
  start: number;
  end: number;
  strength: number;
  /** A CSS variable; default: that of what was found. */
  colour?: string;
}

const canvas = byId<HTMLCanvasElement>('map');
const sheet = byId('sheet');
const context = canvas.getContext('2d')!;

let flow: Flow | null = null;
let tints: readonly Tint[] = [];
let notches: readonly number[] = [];
let isWaiting = false;

/** Shows a document without colours. */
export function mapDocument(shown: Flow | null): void {
  [flow, tints, notches] = [shown, [], []];
  redraw();
}

/** Colours parts of it; `marked` are the offsets that get a notch. */
export function tint(parts: readonly Tint[], marked: readonly number[] = []): void {
  [tints, notches] = [parts, marked];
  redraw();
}

/** Once for all that changes within a frame. */
function redraw(): void {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    draw();
  });
}

function draw(): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio;
  if (canvas.width !== width * scale || canvas.height !== height * scale) [canvas.width, canvas.height] = [width * scale, height * scale];
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  if (flow === null || flow.text.length === 0) return;
  const style = getComputedStyle(canvas);
  const y = (offset: number): number => offset / flow!.text.length * height;
  const colours = new Map([...new Set(tints.map(({ colour = '--found' }) => colour))].map((name) => [name, style.getPropertyValue(name)]));
  const drawn = new Map<string, number>();
  for (const { start, end, strength, colour = '--found' } of tints) {
    const row = Math.round(y(start));
    if (drawn.get(colour + strength) === row) continue; // thousands of entities lie on a few hundred pixels
    drawn.set(colour + strength, row);
    context.fillStyle = colours.get(colour)!;
    context.globalAlpha = strength;
    context.fillRect(6, y(start), width - 6, Math.max(y(end) - y(start), 1.5));
  }
  context.globalAlpha = 1;
  context.fillStyle = style.getPropertyValue('--ink');
  for (const offset of notches) context.fillRect(0, y(offset) - 1, 5, 3);
  const view = partInView(flow);
  context.globalAlpha = 0.14;
  context.fillRect(6, y(view.start), width - 6, Math.max(y(view.end) - y(view.start), 3));
  context.globalAlpha = 0.5;
  context.strokeStyle = style.getPropertyValue('--ink');
  context.strokeRect(6.5, y(view.start) + 0.5, width - 7, Math.max(y(view.end) - y(view.start) - 1, 2));
  context.globalAlpha = 1;
}

function goTo(event: PointerEvent): void {
  const { top, height } = canvas.getBoundingClientRect();
  if (flow !== null) scrollToOffset(flow, Math.min(Math.max((event.clientY - top) / height, 0), 0.9999) * flow.text.length);
}

canvas.addEventListener('pointerdown', (event) => {
  canvas.setPointerCapture(event.pointerId);
  goTo(event);
});
canvas.addEventListener('pointermove', (event) => event.buttons > 0 && goTo(event));
sheet.addEventListener('scroll', redraw, { passive: true });
addEventListener('scroll', redraw, { passive: true });
new ResizeObserver(redraw).observe(canvas);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
