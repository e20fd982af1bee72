// How it reads: the idea of the paper, told with the reader's own document and the model's own weights.

import { desk, onChange, type Opened } from '../desk';
import { clearMarks, mark, partInView, scrollToOffset, type Mark } from '../document/view';
import { offsetOf } from '../document/places';
import { byId, make } from '../elements';
import { isBusy, run } from '../job';
import { tint } from '../map';
import { isShown } from '../panels/tabs';
import { count } from '../words';
import { bandsOf } from './bands';
import { gridOf, inWords } from './grid';
import { lookFrom, type Look } from './look';
import { drawPattern, pairsOf, type Pattern } from './picture';
import { reachOf } from './reach';

const panel = byId('panel-lens');

const scale = make('canvas', { class: 'pattern', role: 'img' });
const scaleSaid = make('p', {});
const toy = make('canvas', { class: 'pattern', role: 'img' });
const toySaid = make('p', { class: 'quiet' });
const one = make('div', { class: 'one' });
const find = make('form', { id: 'find' },
  make('label', { for: 'word' }, 'A word of the document'),
  make('span', { class: 'row' }, make('input', { id: 'word', required: true, autocomplete: 'off', spellcheck: 'false' }), make('button', {}, 'Look from it')));

/** A slider of the toy picture. */
const slider = (label: string, min: number, max: number, value: number): HTMLInputElement =>
  make('input', { type: 'range', min, max, value, 'aria-label': label, oninput: drawToy });
const [windowSlider, gapSlider] = [slider('Window, tokens on each side', 0, 6, 2), slider('Distance between them', 1, 4, 1)];
const globalBox = make('input', { type: 'checkbox', checked: true, onchange: drawToy });

panel.append(
  make('h2', {}, 'The trouble with long texts'),
  make('p', {}, 'A transformer understands a word by looking at the words around it. Usually each looks at all others: twice the text is four times the work, and a book is out of reach. A Longformer’s words look at a window around them, and a few global tokens look at everything.'),
  make('figure', {}, scale, make('figcaption', {}, scaleSaid)),
  make('h2', {}, 'Try it on 24 words'),
  make('p', {}, 'Each row is a word, each filled cell one that it looks at: ', key('itself', 'itself'), ', ', key('window', 'its window'), ', ', key('global', 'a global token'), '.'),
  make('div', { class: 'toy' }, toy, make('div', {},
    make('label', {}, 'Window', windowSlider), make('label', {}, 'Gaps (dilation)', gapSlider), make('label', { class: 'row' }, globalBox, 'One global token'), toySaid)),
  make('h2', {}, 'Look from one word'),
  make('p', { class: 'quiet' }, 'Click a word of your document, or name one.'),
  find, one,
);

function key(name: string, words: string): HTMLElement {
  return make('span', { class: `key ${name}` }, words);
}

function drawToy(): void {
  const pattern: Pattern = { seqLen: 24, oneSidedWindow: Number(windowSlider.value), dilation: Number(gapSlider.value), globalTokens: globalBox.checked ? [0] : [] };
  drawPattern(toy, pattern);
  const { oneSidedWindow, dilation } = pattern;
  toySaid.textContent = `${count(pairsOf(pattern))} of ${24 * 24} cells. After two layers a word in the middle has heard of ${Math.min(4 * oneSidedWindow * dilation + 1, 24)} words in its reach${globalBox.checked ? ', and of all 24 through the global one' : ''}.`;
  toy.setAttribute('aria-label', toySaid.textContent);
}

// ---------------------------------------------------------------------------- to scale

function drawScale(): void {
  const { model, reading, opened } = desk;
  const figure = scale.parentElement!;
  figure.hidden = model === null || opened === null || !reading?.tokens;
  if (figure.hidden) return;
  const [{ oneSidedWindow, dilations }] = bandsOf(model!.config) as [ReturnType<typeof bandsOf>[number]];
  const { max_position_embeddings, pad_token_id = 1 } = model!.config;
  const seqLen = Math.min(reading!.tokens, max_position_embeddings - pad_token_id - 1);
  const pattern: Pattern = { seqLen, oneSidedWindow, dilation: dilations[0]!, globalTokens: [0] };
  drawPattern(scale, pattern);
  const share = pairsOf(pattern) / seqLen ** 2;
  const part = reading!.windows > 1 ? `one of the ${count(reading!.windows)} windows in which your document was read, ${count(seqLen)} tokens` : `your document of ${count(seqLen)} tokens`;
  scaleSaid.textContent = `To scale, for ${part}: the grey square is every token looking at every other, ${count(seqLen ** 2 / 1e6)} million looks in each layer. The line is what this model does: ${(share * 100).toFixed(1)} % of them.`;
  scale.setAttribute('aria-label', scaleSaid.textContent);
}

// ---------------------------------------------------------------------------- from one word

const WEIGHTS = 5; // shades of a mark

async function lookAt(opened: Opened, offset: number): Promise<void> {
  const { model } = desk;
  if (model === null) return;
  const look = await run('Looking', async (job) => {
    job.expectLayers(model.config.num_hidden_layers);
    return lookFrom(opened, model, offset, job);
  });
  if (look !== undefined && desk.opened === opened) showLook(opened, look);
}

function showLook({ flow }: Opened, look: Look): void {
  clearMarks();
  const said = make('p', { 'aria-live': 'polite' });
  byId<HTMLInputElement>('word').value = look.word.text;
  const grid = gridOf(look, (layer, head) => {
    said.replaceChildren(make('strong', {}, `Layer ${layer + 1}, head ${head + 1}. `), inWords(look, layer, head));
    repaint = () => {
      mark(flow, 'word', [look.word]);
      paint(flow, look, layer, head);
    };
    repaint();
  });
  one.replaceChildren(
    make('p', {}, `What “${look.word.text}” looks at: a column for each head, a row for each layer, the first at the bottom. Bars are the words of its window from left to right; `, key('global', 'on the left'), ' the global token. Choose one: what it looks at is painted into the document.'),
    grid, said,
    make('h2', {}, 'How far it hears'),
    reachOf(look, (_layers, reach) => showReach(flow, look, reach)),
  );
}

/** What was painted last, for when another panel has painted over it. */
let repaint = (): void => {};

/** A head's weights as shades of the words. */
function paint(flow: Opened['flow'], look: Look, layer: number, head: number): void {
  mark(flow, 'reach', []);
  const glances = look.heads[layer]![head]!.filter(({ distance }) => distance !== null && distance !== 0);
  const most = glances.reduce((most, { weight }) => Math.max(most, weight), 0);
  const shadeOf = (weight: number): number => Math.ceil(Math.sqrt(weight / most) * WEIGHTS);
  for (let shade = 1; shade <= WEIGHTS; shade++) {
    mark(flow, `weight-${shade}` as Mark, shade === 1 ? [] : glances.filter(({ weight }) => shadeOf(weight) === shade));
  }
  tint(glances.map(({ start, end, weight }) => ({ start, end, strength: shadeOf(weight) / WEIGHTS, colour: '--window' })), [look.word.start]);
}

function showReach(flow: Opened['flow'], { word, tokens }: Look, reach: number): void {
  for (let shade = 1; shade <= WEIGHTS; shade++) mark(flow, `weight-${shade}` as Mark, []);
  const perToken = flow.text.length / tokens; // near enough for a shade of whole paragraphs
  const place = { start: Math.max(Math.round(word.start - reach * perToken), 0), end: Math.min(Math.round(word.end + reach * perToken), flow.text.length) };
  mark(flow, 'reach', [place]);
  tint([{ ...place, strength: 0.8, colour: '--window' }], [word.start]);
}

// ---------------------------------------------------------------------------- which word

byId('text').addEventListener('click', ({ clientX, clientY }) => {
  const { opened } = desk;
  if (!isShown('lens') || opened === null) return;
  const caret = document.caretPositionFromPoint(clientX, clientY);
  const offset = caret === null ? null : offsetOf(opened.flow, caret.offsetNode, caret.offset);
  if (offset !== null) void lookAt(opened, Math.min(offset, opened.flow.text.length - 1));
});

find.addEventListener('submit', (event) => {
  event.preventDefault();
  const { opened } = desk;
  if (opened === null) return;
  const word = byId<HTMLInputElement>('word').value.trim();
  const offset = opened.flow.text.search(new RegExp(word.replace(/[\\^$.|?*+()[\]{}/-]/g, '\\$&'), 'i'));
  if (offset < 0) one.replaceChildren(make('p', {}, `“${word}” is not in this document.`));
  else {
    scrollToOffset(opened.flow, offset);
    void lookAt(opened, offset);
  }
});

// ---------------------------------------------------------------------------- when

let shown: Opened | null = null;
/** The document of which a word was looked from unasked, once. */
let begun: Opened | null = null;

function refresh(): void {
  if (desk.opened !== shown) {
    shown = desk.opened;
    one.replaceChildren();
    repaint = () => {};
  }
  if (!isShown('lens')) return;
  drawToy();
  drawScale();
  if (shown === null || shown === begun || desk.reading === null || isBusy()) return;
  begun = shown;
  void lookAt(shown, firstLongWord(shown));
}

/** To begin with something. */
function firstLongWord({ flow }: Opened): number {
  const view = partInView(flow);
  const start = view.start + (view.end - view.start) / 3;
  const found = flow.text.slice(Math.floor(start)).search(/(?<![\p{L}])\p{L}{6,}/u);
  return found < 0 ? 0 : Math.floor(start) + found;
}

addEventListener('panel', () => {
  if (!isShown('lens')) return;
  clearMarks();
  tint([]);
  repaint();
  refresh();
});
onChange(refresh);
new ResizeObserver(refresh).observe(panel);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refresh);
