// The window of one head, token by token: where it may look at all, and how much it does.

import { make } from '../elements';
import type { Glance, Look } from './look';

/** Pixels: of what it may look at, and left of the window for the global token. */
const [BASE, GAP] = [3, 10];

export function stripOf({ heads, bands, word }: Look, layer: number, head: number): HTMLElement {
  const { oneSidedWindow, dilations, causal } = bands[layer]!;
  const dilation = dilations[head]!;
  const reach = oneSidedWindow * dilation;
  const canvas = make('canvas', { class: 'strip', 'aria-hidden': 'true' });
  requestAnimationFrame(() => draw(canvas, heads[layer]![head]!, { oneSidedWindow, dilation, causal }));
  return make('div', {}, canvas, make('p', { class: 'ends', 'aria-hidden': 'true' },
    make('span', {}, `${reach} tokens back`), make('span', {}, `“${word.token}”`), make('span', {}, causal ? 'none ahead' : `${reach} ahead`)));
}

function draw(canvas: HTMLCanvasElement, glances: readonly Glance[], { oneSidedWindow, dilation, causal }: { oneSidedWindow: number; dilation: number; causal: boolean }): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  [canvas.width, canvas.height] = [width * devicePixelRatio, height * devicePixelRatio];
  const context = canvas.getContext('2d')!;
  const style = getComputedStyle(canvas);
  context.scale(devicePixelRatio, devicePixelRatio);
  const cell = (width - GAP) / (2 * oneSidedWindow * dilation + 1);
  const bar = (x: number, size: number, colour: string, thick = Math.max(cell * 0.8, 1)): void => {
    context.fillStyle = style.getPropertyValue(colour);
    context.fillRect(x, height - BASE - size, thick, size);
  };
  const x = (distance: number): number => GAP + (distance + oneSidedWindow * dilation) * cell;
  for (let step = -oneSidedWindow; step <= (causal ? 0 : oneSidedWindow); step++) {
    context.fillStyle = style.getPropertyValue('--quiet');
    context.globalAlpha = 0.45;
    context.fillRect(x(step * dilation), height - BASE + 1, Math.max(cell * 0.8, 1), BASE - 1);
  }
  context.globalAlpha = 1;
  const most = glances.reduce((most, { weight }) => Math.max(most, weight), 0);
  for (const { distance, weight } of glances) {
    const size = Math.sqrt(weight / most) * (height - BASE); // or small weights would not show
    if (distance === null) bar(0, size, '--global', GAP / 2);
    else bar(x(distance), size, distance === 0 ? '--itself' : '--window');
  }
}
