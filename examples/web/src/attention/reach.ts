// How far a word hears, layer by layer: each layer adds a window on both sides, or behind where none
// looks ahead, and a global token brings news of all that is read from the second layer on.

import { make } from '../elements';
import { count } from '../words';
import { reachAfter, type Reach } from './bands';
import type { Look } from './look';

const MILLISECONDS = 700;

/** `show` is told how far that is, when it changes. */
export function reachOf(look: Look, show: (reach: Reach) => void): HTMLElement {
  const { bands } = look;
  const canvas = make('canvas', { class: 'reach', 'aria-hidden': 'true' });
  const slider = make('input', { type: 'range', min: 0, max: bands.length, value: 1, 'aria-label': 'Layers' });
  const said = make('p', { 'aria-live': 'polite' }, sentence(look, 1));
  const set = (layers: number): void => {
    slider.value = String(layers);
    said.textContent = sentence(look, layers);
    requestAnimationFrame(() => draw(canvas, look, layers));
    show(reachAfter(bands, layers));
  };
  slider.addEventListener('input', () => set(Number(slider.value)));
  let timer = 0;
  const play = make('button', { type: 'button', onclick: () => {
    clearInterval(timer);
    set(0);
    timer = window.setInterval(() => (slider.isConnected && Number(slider.value) < bands.length ? set(Number(slider.value) + 1) : clearInterval(timer)), MILLISECONDS);
  } }, 'Play');
  requestAnimationFrame(() => draw(canvas, look, 1));
  return make('div', { class: 'reaches' }, canvas, make('p', { class: 'row' }, slider, play), said);
}

function sentence({ word, read, bands, hasGlobal }: Look, layers: number): string {
  if (layers === 0) return `Before the first layer “${word.token}” knows only itself.`;
  const { back, ahead } = reachAfter(bands, layers);
  const after = layers === 1 ? 'After the first layer' : layers === bands.length ? `After all ${layers} layers` : `After ${layers} layers`;
  const far = ahead === 0 ? `from up to ${count(back)} tokens before it` : `from up to ${count(back)} tokens on each side`;
  const how = layers === 1 ? ', its window' : ': its neighbours had heard of theirs';
  const global = hasGlobal && layers > 1 ? ` Through the global token it has heard of all ${count(read.to - read.from)} that are read, in a summary.` : '';
  return `${after} “${word.token}” has heard ${far}${how}.${global}`;
}

/** Pixels beside the rows, for the number of the layer and how far it reaches. */
const [LEFT, RIGHT] = [16, 42];

/** A row for each layer, the first at the bottom; as wide as the last layer's reach. */
function draw(canvas: HTMLCanvasElement, { bands, word, tokens, read, hasGlobal }: Look, layers: number): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  [canvas.width, canvas.height] = [width * devicePixelRatio, height * devicePixelRatio];
  const context = canvas.getContext('2d')!;
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name);
  context.scale(devicePixelRatio, devicePixelRatio);
  const widest = reachAfter(bands, bands.length);
  const margin = Math.max((widest.back + widest.ahead) * 0.04, 1);
  const [first, last] = [-widest.back - margin, widest.ahead + margin];
  const x = (token: number): number => LEFT + Math.min(Math.max((token - word.position - first) / (last - first), 0), 1) * (width - LEFT - RIGHT);
  const row = height / (bands.length + 1);
  const size = Math.min(row * 0.72, 11);
  context.font = `${size}px ${style.fontFamily}`;
  context.textBaseline = 'middle';
  for (let layer = 0; layer <= bands.length; layer++) {
    const y = height - (layer + 1) * row;
    const { back, ahead } = reachAfter(bands, layer);
    const isReached = layer <= layers;
    const line = (from: number, to: number, top: number, thick: number, name: string, alpha: number): void => {
      context.globalAlpha = alpha;
      context.fillStyle = colour(name);
      context.fillRect(x(from), top, Math.max(x(to) - x(from), 3), thick);
    };
    line(0, tokens, y, row - 2, '--line', isReached ? 0.4 : 0.15);
    line(Math.max(word.position - back - 0.5, 0), Math.min(word.position + ahead + 0.5, tokens), y, row - 2, layer === 0 ? '--itself' : '--window', isReached ? 1 : 0.18);
    if (hasGlobal && layer >= 2) line(read.from, read.to, y + row - 5, 2, '--global', isReached ? 1 : 0.18);
    context.globalAlpha = 1;
    context.fillStyle = colour('--quiet');
    if (layer === 0) continue;
    context.fillText(String(layer), 0, y + row / 2);
    context.fillText(ahead === 0 ? `−${count(back)}` : `±${count(back)}`, width - RIGHT + 6, y + row / 2);
  }
}
