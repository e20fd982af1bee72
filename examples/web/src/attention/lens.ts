// How it reads: the idea of the paper, told with the reader's own document and the model's own weights.

import { desk, onChange, type Model, type Opened } from '../desk';
import { clearMarks, mark, partInView, scrollToOffset, type Mark } from '../document/view';
import { offsetOf } from '../document/places';
import { byId, make } from '../elements';
import { isBusy, run } from '../job';
import { tint } from '../map';
import { isShown } from '../panels/tabs';
import { count } from '../words';
import { bandsOf, type Reach } from './bands';
import { gridOf, inWords } from './grid';
import { GLOBAL_FIRST, lookFrom, type Look } from './look';
import { drawPattern, pairsOf, type Pattern } from './picture';
import { reachOf } from './reach';
import { stripOf } from './strip';

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
const box = (isChecked: boolean): HTMLInputElement => make('input', { type: 'checkbox', checked: isChecked, onchange: drawToy });
const [globalBox, causalBox] = [box(true), box(false)];

panel.append(
  make('h2', {}, 'Why a book is too long for most models'),
  make('p', {}, 'A transformer understands a word by looking at other words. Usually each looks at all others: twice the text is four times the work, and a book is out of reach.'),
  make('p', {}, 'A Longformer’s words look at a window around them, and a few global tokens look at everything. Twice the text is twice the work.'),
  make('figure', { class: 'scale' }, scale, make('figcaption', {}, scaleSaid)),
  make('h2', {}, 'Try it on 24 words'),
  make('p', {}, 'Each row is a word, each filled cell one that it looks at: ', key('itself', 'itself'), ', ', key('window', 'its window'), ', ', key('global', 'a global token'), '.'),
  make('div', { class: 'toy' }, toy, make('div', {},
    make('label', {}, 'Window', windowSlider), make('label', {}, 'Gaps (dilation)', gapSlider),
    make('label', { class: 'row' }, globalBox, 'One global token'), make('label', { class: 'row' }, causalBox, 'None looks ahead'))),
  toySaid,
  make('h2', {}, 'Look from one word'),
  make('p', { class: 'quiet' }, 'Click a word of your document, or name one. What a model reads are tokens: words, or pieces of them.'),
  find, one,
);

function key(name: string, words: string): HTMLElement {
  return make('span', { class: `key ${name}` }, words);
}

const TOY_WORDS = 24;

function drawToy(): void {
  const causal = causalBox.checked;
  const pattern: Pattern = {
    seqLen: TOY_WORDS, oneSidedWindow: Number(windowSlider.value), dilation: Number(gapSlider.value), causal, hasGlobal: globalBox.checked && !causal,
  };
  globalBox.disabled = causal; // it would carry news back from ahead
  drawPattern(toy, pattern);
  const { oneSidedWindow, dilation } = pattern;
  const heard = (layers: number): number => Math.min((causal ? 1 : 2) * layers * oneSidedWindow * dilation + 1, TOY_WORDS);
  toySaid.textContent = `${count(pairsOf(pattern))} of ${TOY_WORDS ** 2} cells are filled: that is the work. A word in the middle reaches over ${heard(1)} words in one layer, over ${heard(2)} in two and ${heard(3)} in three, as its neighbours have looked at theirs${pattern.hasGlobal ? '; through the global one it hears of all' : ''}.`;
  toy.setAttribute('aria-label', toySaid.textContent);
}

// ---------------------------------------------------------------------------- to scale

/** The head whose pattern is drawn to scale. */
let chosen = { layer: 0, head: 0 };
/** What was looked at last, in the document and by the model that are there. */
let look: Look | null = null;

function drawScale(): void {
  const { model, reading, opened } = desk;
  const figure = scale.parentElement!;
  const tokens = reading?.tokens || look?.tokens || 0;
  figure.hidden = model === null || opened === null || tokens === 0;
  if (figure.hidden) return;
  const bands = bandsOf(model!.config);
  const { layer, head } = chosen;
  const { oneSidedWindow, dilations, causal } = bands[layer]!;
  const { max_position_embeddings, pad_token_id = 1 } = model!.config;
  const most = max_position_embeddings - pad_token_id - 1;
  const seqLen = Math.min(tokens, most);
  const pattern: Pattern = { seqLen, oneSidedWindow, dilation: dilations[head]!, causal, hasGlobal: look?.hasGlobal ?? GLOBAL_FIRST.has(model!.task) };
  drawPattern(scale, pattern);
  const share = pairsOf(pattern) / seqLen ** 2;
  const part = tokens > most ? `a part of your document, the ${count(most)} tokens that the model reads at once` : `your document of ${count(seqLen)} tokens`;
  const isAlike = bands.every((band) => band.oneSidedWindow === oneSidedWindow && band.dilations.every((dilation) => dilation === dilations[head]));
  const whose = isAlike ? 'every head' : `head ${head + 1} of layer ${layer + 1}`;
  scaleSaid.textContent = `To scale, for ${part}: the grey square is every token looking at every other, ${amount(seqLen ** 2)} looks. The coloured line is what ${whose} of this model does: ${(share * 100).toFixed(1)}\u00a0% of them.`;
  scale.setAttribute('aria-label', scaleSaid.textContent);
}

const amount = (looks: number): string => (looks < 2e6 ? count(looks) : `${count(looks / 1e6)} million`);

// ---------------------------------------------------------------------------- from one word

const WEIGHTS = 5; // shades of a mark

async function lookAt(opened: Opened, offset: number): Promise<void> {
  const { model } = desk;
  if (model === null) return;
  const found = await run('Looking', async (job) => {
    job.expectLayers(model.config.num_hidden_layers);
    return lookFrom(opened, model, offset, job);
  });
  if (found === undefined || desk.opened !== opened || desk.model !== model) return;
  look = found;
  showLook(opened, found);
}

function showLook({ flow }: Opened, look: Look): void {
  clearMarks();
  const said = make('p', { 'aria-live': 'polite' });
  const strip = make('div');
  byId<HTMLInputElement>('word').value = look.word.text;
  const grid = gridOf(look, (layer, head) => {
    chosen = { layer, head };
    drawScale();
    said.replaceChildren(make('strong', {}, `Layer ${layer + 1}, head ${head + 1}. `), inWords(look, layer, head));
    strip.replaceChildren(stripOf(look, layer, head));
    repaint = () => {
      mark(flow, 'word', [look.word]);
      paint(flow, look, layer, head);
    };
    repaint();
  });
  const { text, token } = look.word;
  const piece = text === token ? '' : ` (its first token, “${token}”)`;
  one.replaceChildren(
    make('p', {}, `What “${text}”${piece} looks at. A model reads in layers, and each has heads that look for different things: a row for each layer, the first at the bottom, a column for each head. Bars are the tokens of the window from left to right, `,
      key('itself', 'itself'), ' in the middle', ...(look.hasGlobal ? ['; ', key('global', 'at the left'), ' the global token'] : []), '. Choose one: what it looks at is painted into the document.'),
    ...(look.read.to - look.read.from < look.tokens ? [make('p', { class: 'quiet' }, partOf(look))] : []),
    grid, strip, said,
    make('h2', {}, 'How far it hears'),
    make('p', { class: 'quiet' }, 'A token looks no farther than its window. But what it looks at had looked around before, a layer below.'),
    reachOf(look, (reach) => showReach(flow, look, reach)),
  );
}

/** What a look reads is not what was read of the document, and its weights may differ from those a little. */
function partOf({ read: { from, to }, tokens, hasGlobal }: Look): string {
  return `For this picture the model reads ${count(to - from)} of the document’s ${count(tokens)} tokens anew, those around the word, as if they were all${hasGlobal ? ': its global token sees these alone' : ''}.`;
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

function showReach(flow: Opened['flow'], { word, tokens }: Look, { back, ahead }: Reach): void {
  for (let shade = 1; shade <= WEIGHTS; shade++) mark(flow, `weight-${shade}` as Mark, []);
  const perToken = flow.text.length / tokens; // near enough for a shade of whole paragraphs
  const place = { start: Math.max(Math.round(word.start - back * perToken), 0), end: Math.min(Math.round(word.end + ahead * perToken), flow.text.length) };
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

let shown: { opened: Opened | null; model: Model | null } = { opened: null, model: null };
/** Of which a word was looked from unasked, once. */
let begun: typeof shown | null = null;

function refresh(): void {
  const { opened, model, reading } = desk;
  if (opened !== shown.opened || model !== shown.model) {
    shown = { opened, model };
    [look, chosen] = [null, { layer: 0, head: 0 }];
    causalBox.checked = model?.config.autoregressive === true;
    one.replaceChildren();
    repaint = () => {};
  }
  if (!isShown('lens')) return;
  drawToy();
  drawScale();
  if (opened === null || shown === begun || reading === null || isBusy()) return;
  begun = shown;
  void lookAt(opened, firstLongWord(opened));
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
addEventListener('idle', refresh);
new ResizeObserver(refresh).observe(panel);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', refresh);
