// Asking: the question, the places found, and what a model says of a document unasked.

import type { Entity } from 'longformer-wasm';
import { ask, desk, isReading, onChange, readAgain, type Opened } from '../desk';
import { clearMarks, jumpTo, mark, markNear, noteInMargin, type Mark } from '../document/view';
import { byId, make } from '../elements';
import { announce } from '../job';
import { mapDocument, tint, type Tint } from '../map';
import type { Place, Reading, Task } from '../reader';
import { isShown } from './tabs';
import { count, counted, duration, wordsOf } from '../words';

/** Places that are marked and listed. */
const SHOWN = 5;

/** Colours of entities, as style/marks.css has them. */
const KINDS = 6;

const ABILITIES: Record<Task, string> = {
  'search': 'Finds passages by what they mean.',
  'question-answering': 'Marks the words that answer a question.',
  'text-classification': 'Says what kind of text it is.',
  'token-classification': 'Marks names and other entities.',
  'causal-lm': 'Goes on with a text. It is asked nothing; “How it reads” shows what it looks at.',
};

const form = byId<HTMLFormElement>('ask');
const question = byId<HTMLInputElement>('question');
const said = byId('said');
const results = byId('results');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  forget();
  if (isReading()) said.textContent = 'Your question waits until the document is read.';
  const places = await ask(question.value);
  const { opened } = desk; // that which was asked
  if (places === undefined && results.childElementCount === 0) said.textContent = '';
  if (places !== undefined && opened !== null) showPlaces(opened, places);
});

/** Paints what was found, again after another panel has painted. */
let paint = (): void => {};

addEventListener('panel', () => {
  if (!isShown('ask')) return;
  clearMarks();
  tint([]);
  paint();
});

/** Takes away what was found. */
function forget(): void {
  paint = () => {};
  results.replaceChildren();
  said.replaceChildren();
  clearMarks();
  tint([]);
}

// ---------------------------------------------------------------------------- the document

let shown: Opened | null = null;
let shownReading: Reading | null = null;

onChange(() => {
  const { opened, reading, model } = desk;
  byId('ability').textContent = model === null ? '' : ABILITIES[model.task];
  form.hidden = model !== null && !['search', 'question-answering'].includes(model.task);
  if (opened !== shown) {
    shown = opened;
    forget();
    mapDocument(opened?.flow ?? null);
    byId('head').hidden = opened === null;
    byId('name').textContent = opened?.name ?? '';
  }
  if (reading !== shownReading) {
    shownReading = reading;
    forget();
    if (opened !== null && reading !== null) showReading(opened, reading);
  }
  if (opened !== null) showFacts(opened, reading);
});

function showFacts({ flow }: Opened, reading: Reading | null): void {
  const facts = byId('facts');
  const words = counted(wordsOf(flow.text), 'word');
  if (reading === null) facts.replaceChildren(`${words}, not read yet. `, make('button', { type: 'button', class: 'link', onclick: () => void readAgain() }, 'Read it'));
  else if (reading.tokens === 0) facts.replaceChildren(`${words}.${desk.model?.task === 'question-answering' ? ' It is read with each question.' : ''}`);
  else {
    const windows = reading.windows > 1 ? `, in ${count(reading.windows)} windows that overlap` : ', in one piece';
    const how = reading.unchanged ? 'read when you were here before' : `read in ${duration(desk.readMilliseconds)}`;
    facts.replaceChildren(`${words}, ${count(reading.tokens)} tokens, ${how}${windows}.`);
  }
}

// ---------------------------------------------------------------------------- places

function showPlaces({ flow }: Opened, places: readonly Place[]): void {
  const best = places.slice(0, SHOWN);
  results.replaceChildren(...best.map((place, i) => make('li', {}, make('button', { type: 'button', onclick: () => jumpTo(flow, place) },
    make('span', { class: 'score' }, make('b', {}, String(i + 1)), ` ${place.score.toFixed(2)}`), excerpt(flow.text, place)))));
  const shades = strengths(places);
  paint = () => {
    mark(flow, 'found', best.slice(1));
    mark(flow, 'best', best.slice(0, 1));
    noteInMargin(flow, best);
    tint(shades, best.map(({ start }) => start));
  };
  paint();
  said.textContent = places.length === 0 ? 'Nothing was found.' : '';
  announce(places.length === 0 ? 'Nothing was found.' : `${counted(best.length, 'place')} found. The best has a score of ${best[0]!.score.toFixed(2)}.`);
  if (best[0] !== undefined) jumpTo(flow, best[0]);
}

/** From the median up: half of a document is not about the question. */
function strengths(places: readonly Place[]): Tint[] {
  const scores = places.map(({ score }) => score).sort((a, b) => a - b);
  const [low, high] = [scores.length > 8 ? scores[scores.length >> 1]! : 0, scores.at(-1)!];
  return places.map(({ start, end, score }) => ({ start, end, strength: Math.max((score - low) / (high - low || 1), 0) ** 1.6 }));
}

/** What is around an answer of a few words, or a passage without the marks of Markdown. */
function excerpt(text: string, { start, end }: Place): Node {
  const words = (part: string): string => part.replace(/(^|\n)#+ (.*)/g, '$1$2 ·').replace(/(^|\n)(- |```)/g, '$1').replace(/\s+/g, ' ');
  // What is cut is cut between words.
  const head = (part: string, most: number): string => (part.length > most ? part.slice(0, most).replace(/\s+\S*$/, '\u00a0…') : part);
  const tail = (part: string, most: number): string => (part.length > most ? part.slice(-most).replace(/^\S*/, '…') : part);
  if (end - start > 80) return make('span', { dir: 'auto' }, head(words(text.slice(start, end)).trim(), 160));
  const [before, after] = [words(text.slice(Math.max(start - 200, 0), start)), words(text.slice(end, end + 200))];
  return make('span', { dir: 'auto' }, tail(before, 60), make('mark', {}, text.slice(start, end)), head(after, 60));
}

// ---------------------------------------------------------------------------- labels and entities

function showReading(opened: Opened, { tokens, labels, entities }: Reading): void {
  const read = `Read: ${counted(tokens, 'token')}.`;
  if (tokens > 0) announce(read);
  if (labels !== undefined) {
    said.textContent = 'The whole document:';
    results.replaceChildren(...labels.map(({ label, score }) => make('li', { class: 'label' },
      make('span', {}, label), make('meter', { min: 0, max: 1, value: score, 'aria-label': label }), make('span', { class: 'score' }, score.toFixed(2)))));
    announce(`${read} It is ${labels[0]!.label}, with a score of ${labels[0]!.score.toFixed(2)}.`);
  }
  if (entities !== undefined) {
    const kinds = [...new Set(entities.map(({ entity }) => entity))].sort();
    said.textContent = entities.length === 0 ? 'There are no entities in it.' : `${counted(entities.length, 'entity').replace(/ys$/, 'ies')}:`;
    const ownOf = (kind: string): Entity[] => entities.filter(({ entity }) => entity === kind);
    const colourOf = new Map(kinds.map((kind, i) => [kind, i % KINDS]));
    const marks = new Map(Array.from({ length: KINDS }, (_, colour) => [`kind-${colour}` as Mark, entities.filter(({ entity }) => colourOf.get(entity) === colour)]));
    results.replaceChildren(...kinds.map((kind, i) => {
      const own = ownOf(kind);
      let next = 0;
      return make('li', {}, make('button', { type: 'button', onclick: () => jumpTo(opened.flow, own[next++ % own.length]!) },
        make('span', { class: `swatch kind-${i % KINDS}` }), make('span', {}, `${kind} `, make('span', { class: 'quiet' }, `${count(own.length)} times; show the next`))));
    }));
    paint = () => {
      markNear(opened.flow, marks);
      tint(entities.map(({ start, end, entity }) => ({ start, end, strength: 0.8, colour: `--kind-${colourOf.get(entity)}` })));
    };
    paint();
    announce(`${read} ${said.textContent}`);
  }
}
