// What runs here, and how well: nothing is rounded in its own favour.

import { benchmark } from '../benchmark';
import { desk, engine, onChange, type Footprint } from '../desk';
import { byId, make } from '../elements';
import { run } from '../job';
import { mainThread } from '../long-tasks';
import { clearKept, keptBytes, threadsAfterReload } from '../offline';
import { bytes, count, counted, duration } from '../words';
import { isShown } from './tabs';

const panel = byId('panel-engine');
const facts = make('dl', { class: 'facts' });
const kept = make('div', { class: 'kept' });
const result = make('pre', { class: 'result', tabindex: 0, 'aria-label': 'Result of the benchmark' });
result.hidden = true;
const copy = make('button', { type: 'button', onclick: copyResult }, 'Copy');
copy.hidden = true;

panel.append(
  make('h2', {}, 'What runs here'), facts,
  make('h2', {}, 'How fast'),
  make('p', { class: 'quiet' }, 'Attention alone, and the model over 512 and 4,096 tokens. Numbers are verified before they are timed; the best of three rounds counts.'),
  make('p', { class: 'row' }, make('button', { type: 'button', id: 'bench', onclick: runBenchmark }, 'Run the benchmark'), copy),
  result,
  make('h2', {}, 'Kept in this browser'), kept,
);

async function runBenchmark(): Promise<void> {
  const lines = await run('Measuring', async (job) => benchmark(await engine(), desk.model, { signal: job.signal }));
  if (lines === undefined) return;
  result.textContent = lines;
  result.hidden = false;
  copy.hidden = !isSecureContext; // the clipboard is for others
  void refresh();
}

async function copyResult(): Promise<void> {
  await navigator.clipboard.writeText(result.textContent!);
  copy.textContent = 'Copied';
  setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
}

// ---------------------------------------------------------------------------- facts

let refreshes = 0;

async function refresh(): Promise<void> {
  if (!isShown('engine')) return;
  const own = ++refreshes;
  const { info } = await engine();
  const { footprint, pace } = desk;
  const rows: [string, string][] = [
    ['Runs in', info.runtime],
    ['Build', info.build],
    ['Threads', `${count(info.threads)} of ${count(navigator.hardwareConcurrency)} cores`],
    ['Why', info.reason],
    ['Memory of the engine', `${bytes(info.memoryBytes)} now, which is its peak: WebAssembly gives none back`],
    ['of which weights', weightsIn(footprint)],
    ['Memory of the page', await pageMemory()],
    ['Time per layer', pace?.perLayer ? `${pace.perLayer.toFixed(1)} ms for 1,000 tokens` : 'nothing was read yet'],
    ['Reading speed', pace?.tokensPerSecond ? `${count(pace.tokensPerSecond)} tokens/s` : 'nothing was read yet'],
    ['Longest task of this page', mainThread.longest === 0 ? 'below 50 ms' : duration(mainThread.longest) + (mainThread.isTold ? '' : ' (by its event loop)')],
  ];
  facts.replaceChildren(...rows.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
  const { models, document, all } = await keptBytes();
  if (own !== refreshes) return; // a later one knows better
  kept.replaceChildren(
    make('p', {}, !isSecureContext ? 'Nothing: this page is not served securely.' : `${bytes(models)} of models, ${bytes(document)} of your document and what was read of it; ${bytes(all)} with the page itself. With these it opens without a network${navigator.serviceWorker?.controller ? '' : ', once its service worker runs'}.`),
    make('button', { type: 'button', onclick: () => void clearKept().then(refresh), ...(models + document === 0 ? { disabled: true } : {}) }, 'Clear models and document'),
  );
}

function weightsIn(footprint: Footprint | null): string {
  if (footprint === null) return 'no model yet';
  const grown = footprint.loaded - footprint.empty;
  return `${grown > 0 ? bytes(grown) : 'in the place of those of the model before'}, kept as f16`;
}

/** Only Chromium tells. */
async function pageMemory(): Promise<string> {
  const { memory } = performance as { memory?: { usedJSHeapSize: number } };
  return memory === undefined ? 'this browser does not tell' : `${bytes(memory.usedJSHeapSize)} of JavaScript`;
}

/** In front of all tools: who has one thread should know why. */
function adviseOnThreads(): void {
  if (crossOriginIsolated) return;
  document.querySelector('.advice')?.remove();
  document.querySelector('[role=tablist]')!.after(adviceOnThreads());
}

function adviceOnThreads(): Node {
  if (!isSecureContext) return make('p', { class: 'advice' }, 'This page is not served securely, by https or from localhost: browsers give it no shared memory, so there is one thread, and no place to keep models and documents.');
  const why = 'This host sends no isolation headers, so there is no shared memory, and one thread. ';
  if (!threadsAfterReload) return make('p', { class: 'advice' }, why, 'The page’s service worker will add them.');
  return make('p', { class: 'advice' }, why, 'The page’s service worker now adds them: load the page again for ',
    counted(Math.min(navigator.hardwareConcurrency, 4), 'thread'), '. ', make('button', { type: 'button', onclick: () => location.reload() }, 'Load again'));
}

addEventListener('panel', () => void refresh());
addEventListener('offline-ready', adviseOnThreads);
adviseOnThreads();
onChange(() => void refresh());
