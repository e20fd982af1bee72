// The document on the page: shown, marked, jumped to.

import { byId, make } from '../elements';
import { inSlices } from '../slices';
import type { Place } from '../reader';
import { flowOf, type Flow } from './flow';
import { offsetOf, rangeOf } from './places';

const text = byId('text');
const sheet = byId('sheet');

/** Shows HTML of unknown origin in the place of what was shown, once all of it is there and has text. */
export async function showDocument(html: string, signal: AbortSignal): Promise<Flow> {
  const made = make('div');
  const flow = await inSlices(flowOf(html, made), signal);
  if (flow.text.trim() === '') throw new Error('There is no text in this document.');
  byId('empty').hidden = true;
  clearMarks();
  text.replaceChildren(...made.childNodes);
  sheet.scrollTop = 0;
  return flow;
}

export function hideDocument(): void {
  clearMarks();
  text.replaceChildren();
  byId('empty').hidden = false;
}

// ---------------------------------------------------------------------------- marks

/** Names of marks, as `::highlight(name)` in style/marks.css has them. */
export type Mark = 'found' | 'best' | 'here' | 'word' | `kind-${number}` | `weight-${number}` | 'reach';

/** Marks places, in the place of those that had this mark. Nothing of the document changes: the browser paints them. */
export function mark(flow: Flow, name: Mark, places: readonly { start: number; end: number }[]): void {
  const ranges = places.map(({ start, end }) => rangeOf(flow, start, end)).filter((range) => range !== null);
  if (ranges.length === 0) CSS.highlights.delete(name);
  else CSS.highlights.set(name, new Highlight(...ranges));
}

/** Characters before and after what is in view. */
const AROUND = 6_000;

/**
 * Marks more places than can be painted at once: those around what is in view, others as the reader comes
 * near, until marks are cleared. Places of a mark are in the order of the text.
 */
export function markNear(flow: Flow, marks: ReadonlyMap<Mark, readonly { start: number; end: number }[]>): void {
  unwatch();
  let [from, to] = [0, 0]; // what is marked
  const refresh = (): void => {
    const { start, end } = partInView(flow);
    if (start >= from && end <= to) return;
    [from, to] = [start - AROUND, end + AROUND];
    for (const [name, places] of marks) mark(flow, name, places.filter((place) => place.end > from && place.start < to));
  };
  sheet.addEventListener('scroll', refresh, { passive: true });
  const sizes = new ResizeObserver(refresh); // more may come into view without a scroll
  sizes.observe(sheet);
  unwatch = () => {
    sheet.removeEventListener('scroll', refresh);
    sizes.disconnect();
  };
  refresh();
}

let unwatch = (): void => {};

export function clearMarks(): void {
  unwatch();
  CSS.highlights.clear();
  for (const note of text.querySelectorAll('.note')) note.remove();
}

/** Writes the rank and the score of places into the margin. */
export function noteInMargin(flow: Flow, places: readonly Place[]): void {
  for (const note of text.querySelectorAll('.note')) note.remove();
  for (const [i, { start, end, score }] of places.entries()) {
    const block = blockAt(flow, start, end);
    block?.prepend(make('span', { class: 'note', title: `Place ${i + 1}, score ${score.toFixed(3)}` }, make('b', {}, String(i + 1)), ` ${score.toFixed(2)}`));
  }
}

const BLOCK = 'p, h1, h2, h3, h4, h5, h6, pre, li, td, th, blockquote, dt, dd';

function blockAt(flow: Flow, start: number, end: number): Element | null {
  return rangeOf(flow, start, end)?.startContainer.parentElement?.closest(BLOCK) ?? null;
}

// ---------------------------------------------------------------------------- places

/** Brings a place into view, and says so to who does not see it. */
export function jumpTo(flow: Flow, place: { start: number; end: number }): void {
  const block = blockAt(flow, place.start, place.end);
  if (block === null) return;
  mark(flow, 'here', [place]);
  // Twice: the first brings pages near that were not laid out yet, and of which only a guess was known.
  block.scrollIntoView({ block: 'start' });
  requestAnimationFrame(() => block.scrollIntoView({ block: 'start' }));
}

/** Which part of the text is in view, as offsets. */
export function partInView(flow: Flow): { start: number; end: number } {
  const pages = [...text.children];
  const { top, bottom } = sheet.getBoundingClientRect();
  const offsetAt = (y: number): number => {
    let page = pages.findIndex((each) => each.getBoundingClientRect().bottom > y);
    if (page < 0) return flow.text.length;
    const box = pages[page]!.getBoundingClientRect();
    const [start, end] = [startOf(flow, pages[page]!), page + 1 < pages.length ? startOf(flow, pages[page + 1]!) : flow.text.length];
    return start + (end - start) * Math.min(Math.max((y - box.top) / (box.height || 1), 0), 1);
  };
  return { start: offsetAt(top), end: offsetAt(bottom) };
}

const starts = new WeakMap<Element, number>();

function startOf(flow: Flow, page: Element): number {
  const known = starts.get(page);
  if (known !== undefined) return known;
  const walker = document.createTreeWalker(page, NodeFilter.SHOW_TEXT, (node) => (node.parentElement!.closest('.note') ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
  const first = walker.nextNode();
  const start = first === null ? 0 : offsetOf(flow, first, 0) ?? 0;
  starts.set(page, start);
  return start;
}

/** Scrolls to where the text has that offset. */
export function scrollToOffset(flow: Flow, offset: number): void {
  blockAt(flow, offset, offset + 1)?.scrollIntoView({ block: 'center' });
}
