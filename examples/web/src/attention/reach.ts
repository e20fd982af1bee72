// How far a word hears, layer by layer: each layer adds a window on both sides, and the global token
// brings news of the whole document from the second on.

import { make } from '../elements';
import { count } from '../words';
import { reachAfter } from './bands';
import type { Look } from './look';

const MILLISECONDS = 700;

/** `show` is told how many layers are counted, and how many tokens that is on each side. */
export function reachOf(look: Look, show: (layers: number, reach: number) => void): HTMLElement {
  const { bands } = look;
  const canvas = make('canvas', { class: 'reach', 'aria-hidden': 'true' });
  const slider = make('input', { type: 'range', min: 0, max: bands.length, value: 0, 'aria-label': 'Layers' });
  const said = make('p', {});
  const set = (layers: number): void => {
    slider.value = String(layers);
    const reach = reachAfter(bands, layers);
    said.textContent = sentence(look, layers, reach);
    requestAnimationFrame(() => draw(canvas, look, layers));
    show(layers, reach);
  };
  slider.addEventListener('input', () => set(Number(slider.value)));
  let timer = 0;
  const play = make('button', { type: 'button', onclick: () => {
    clearInterval(timer);
    set(0);
    timer = window.setInterval(() => (Number(slider.value) < bands.length ? set(Number(slider.value) + 1) : clearInterval(timer)), MILLISECONDS);
  } }, 'Play');
  slider.value = '1';
  said.textContent = sentence(look, 1, reachAfter(bands, 1));
  requestAnimationFrame(() => draw(canvas, look, 1));
  return make('div', { class: 'reaches' }, canvas, make('p', { class: 'row' }, slider, play), said);
}

function sentence({ word, tokens, bands }: Look, layers: number, reach: number): string {
  if (layers === 0) return `Before the first layer “${word.text}” knows only itself.`;
  const direct = Math.min(word.position, reach) + Math.min(tokens - 1 - word.position, reach);
  const heard = `After ${layers === 1 ? 'the first layer' : layers === bands.length ? `all ${layers} layers` : `${layers} layers`} “${word.text}” has heard of ${count(direct)} tokens around it`;
  return layers === 1 ? `${heard}, its window.` : `${heard}, from neighbours that heard of theirs, and of all ${count(tokens)} through the global token.`;
}

/** A row for each layer, the first at the bottom; as wide as the last layer's reach. */
function draw(canvas: HTMLCanvasElement, { bands, word, tokens }: Look, layers: number): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  [canvas.width, canvas.height] = [width * devicePixelRatio, height * devicePixelRatio];
  const context = canvas.getContext('2d')!;
  const style = getComputedStyle(canvas);
  context.scale(devicePixelRatio, devicePixelRatio);
  const widest = Math.max(reachAfter(bands, bands.length), 1) * 1.08;
  const x = (token: number): number => (token - word.position + widest) / (2 * widest) * width;
  const row = height / (bands.length + 1);
  for (let layer = 0; layer <= bands.length; layer++) {
    const y = height - (layer + 1) * row;
    const reach = reachAfter(bands, layer);
    const [left, right] = [x(Math.max(word.position - reach - 0.5, 0)), x(Math.min(word.position + reach + 0.5, tokens))];
    context.globalAlpha = layer <= layers ? 0.4 : 0.12;
    context.fillStyle = style.getPropertyValue('--line');
    context.fillRect(Math.max(x(0), 0), y, Math.min(x(tokens), width) - Math.max(x(0), 0), row - 2);
    context.globalAlpha = layer <= layers ? 1 : 0.18;
    context.fillStyle = style.getPropertyValue(layer === 0 ? '--itself' : '--window');
    context.fillRect(left, y, Math.max(right - left, 3), row - 2);
    if (layer < 2) continue;
    context.fillStyle = style.getPropertyValue('--global');
    context.fillRect(Math.max(x(0), 0), y + row - 5, Math.min(x(tokens), width) - Math.max(x(0), 0), 2);
  }
  context.globalAlpha = 1;
}
