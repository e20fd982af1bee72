// What the guide to speed shows of bench/results: the newest figures of attention by itself, and those of
// dense attention on the same machine, as pictures and a table.

import { readdirSync, readFileSync } from 'node:fs';
import { charts, type Series } from './chart.ts';
import type { Line, Results } from './measure.ts';
import type { Section } from './readme.ts';

export function summary(folder = new URL('results/', import.meta.url)): Section {
  const [attention, dense] = newest(folder);
  return { markdown: markdown(attention, dense), plots: { 'length.svg': lengthPlot(attention, dense), 'window.svg': windowPlot(attention) } };
}

/** The newest results of attention.ts, and the newest of dense.ts from the same processor and runtime, if there are any. */
function newest(folder: URL): [Results, Results | undefined] {
  const of = (name: string): Results[] => readdirSync(folder).filter((file) => file.endsWith(`_${name}.json`)).sort() // by their dates
    .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Results);
  const attention = of('attention').at(-1);
  if (!attention) throw new Error('bench/results must have results of attention');
  return [attention, of('dense').filter(({ cpu, runtime }) => cpu === attention.cpu && runtime === attention.runtime).at(-1)];
}

const number = (line: Line | undefined, key: string): number => {
  const value = line?.[key];
  if (typeof value !== 'number') throw new Error(`results must have ${key}: run npm run bench`);
  return value;
};
const lines = (results: Results | undefined, what: string, more: Partial<Line> = {}): Line[] =>
  (results?.lines ?? []).filter((line) => line.what === what && Object.entries(more).every(([key, value]) => line[key] === value));
const only = (results: Results, what: string, more: Partial<Line> = {}): Line => {
  const [line] = lines(results, what, more);
  if (!line) throw new Error(`results must have a line of ${what}: run npm run bench`);
  return line;
};

const grouped = (value: number): string => value.toLocaleString('en');
const digits = (value: number): string => grouped(Number(value.toPrecision(value < 10 ? 2 : 3)));
const percent = (value: number): string => `${value.toFixed(Math.abs(value) < 10 ? 1 : 0)} %`;
/** What something costs; less than the clock can tell is said so. */
const costs = (value: number): string => (value < 0.5 ? 'less than 0.5 %' : percent(value));
const mebibytes = (bytes: number): string => `${grouped(Math.round(bytes / 2 ** 20))} MiB`;
const seconds = (ms: number): string => (ms < 1000 ? `${digits(ms)} ms` : `${digits(ms / 1000)} s`);

function markdown(attention: Results, dense: Results | undefined): string {
  const flat = only(attention, 'flat');
  const line = only(attention, 'line');
  const proportional = only(attention, 'proportional');
  const cost = only(attention, 'dilation cost');
  const ofWindow = (window: number, key: string): string => `${number(only(attention, 'window', { window }), key).toFixed(1)} %`;
  return [
    '![Time per token over the length of the text](bench/plots/length.svg)',
    table(attention, dense),
    `${attention.cpu}, ${attention.cores} cores, ${attention.runtime}, ${attention.date}; 12 heads of 64, a window of 512, one global token; the best of a few rounds through \`engine.attention\`, copies of inputs and result included.${dense ? ` Dense: MatMul, Softmax and MatMul in ${dense.build}. Memory is the WebAssembly memory with one thread.` : ''}`,
    `![Time over the window, and its share of the product's rate](bench/plots/window.svg)`,
    [
      `- From ${grouped(number(flat, 'from'))} to ${grouped(number(flat, 'to'))} tokens, time per token inside the engine varies by ${percent(number(flat, 'time per token, spread %'))}. Memory is at most ${percent(number(flat, 'memory above what must be there %'))} above inputs and result. The public interface adds at most ${costs(number(flat, 'public interface over inside, most %'))}.`,
      `- From a window of ${number(line, 'from')} to ${grouped(number(line, 'to'))}, time is ${digits(number(line, 'a ms'))} ms + ${digits(number(line, 'b ms per key'))} ms for each key of the window, to ${percent(number(line, 'largest deviation %'))} (${grouped(number(line, 'tokens'))} tokens); time per key of the window varies by ${percent(number(proportional, 'time per window, spread %'))} from ${number(proportional, 'from')} on.`,
      `- In the build ${attention.build} it reaches ${ofWindow(512, 'of the product %')} of the rate of plain matrix products as deep and as long at a window of 512, ${ofWindow(1024, 'of the product %')} at 1,024 and ${ofWindow(2048, 'of the product %')} at 2,048: softmax, the ends of the band and memory are the rest. One global token, whose rows and columns are products of their own, adds ${ofWindow(512, 'a global token costs %')} at 512.`,
      `- Dilation costs ${costs(number(cost, 'uniform over none %'))}, a dilation for each head ${costs(number(cost, 'by head over uniform %'))} over the same for all.`,
    ].join('\n'),
  ].join('\n\n');
}

function table(attention: Results, dense: Results | undefined): string {
  const threads = [...new Set(lines(attention, 'public').map((line) => number(line, 'threads')))];
  const tokens = [...new Set([...lines(attention, 'length'), ...lines(dense, 'dense'), ...lines(dense, 'end')].map((line) => number(line, 'tokens')))].sort((a, b) => a - b);
  const cells = (results: Results | undefined, what: string, length: number): string[] => {
    const of = (threads: number): Line | undefined => lines(results, what, { tokens: length, threads })[0];
    const end = (threads: number): string => String(lines(results, 'end', { tokens: length, threads })[0]?.['why'] ?? '');
    return [...threads.map((each) => (of(each) ? seconds(number(of(each), 'best ms')) : end(each))), of(1) ? mebibytes(number(of(1), 'memory bytes')) : ''];
  };
  const names = threads.map((each) => (each === 1 ? '1 thread' : `${each} threads`));
  const heads = ['tokens', ...names, 'memory', ...(dense ? [...names.map((name) => `dense, ${name}`), 'dense, memory'] : [])];
  return [heads, heads.map(() => '--:'), ...tokens.map((length) => [grouped(length), ...cells(attention, 'public', length), ...(dense ? cells(dense, 'dense', length) : [])])]
    .map((row) => `| ${row.join(' | ')} |`).join('\n');
}

const points = (of: Line[], x: string, y: string): [number, number][] => of.map((line) => [number(line, x), number(line, y)]);
const powers = (from: number, to: number, factor: number): number[] => (from >= to ? [to] : [from, ...powers(from * factor, to, factor)]);

function lengthPlot(attention: Results, dense: Results | undefined): string {
  const ours = points(lines(attention, 'public', { threads: 1 }), 'tokens', 'µs per token');
  const theirs = points(lines(dense, 'dense', { threads: 1 }), 'tokens', 'µs per token');
  const [end] = lines(dense, 'end', { threads: 1 });
  const series: Series[] = [{ label: 'longformer-wasm, window 512', colour: 'window', points: ours }];
  if (theirs.length > 0) series.push({ label: 'dense, onnxruntime-web', colour: 'global', points: theirs, ...(end && { end: `${end['why']} at ${grouped(number(end, 'tokens'))} tokens` }) });
  const all = [...ours, ...theirs];
  const tokens = all.map(([x]) => x);
  const times = all.map(([, y]) => y);
  return charts('Time per token over the length of the text, with a window and dense', [{
    title: 'Attention, one thread: time per token',
    x: { label: 'tokens', scale: 'log', ticks: powers(Math.min(...tokens), Math.max(...tokens), 4) },
    y: { label: 'µs per token', scale: 'log', ticks: powers(10 ** Math.floor(Math.log10(Math.min(...times))), 10 ** Math.ceil(Math.log10(Math.max(...times))), 10) },
    series,
  }], 640);
}

function windowPlot(attention: Results): string {
  const windows = lines(attention, 'window');
  const times = points(windows, 'window', 'best ms');
  const line = only(attention, 'line');
  const [a, b] = [number(line, 'a ms'), number(line, 'b ms per key')];
  const xs = times.map(([x]) => x);
  const most = Math.max(...times.map(([, y]) => y));
  const step = [100, 200, 500, 1000, 2000, 5000, 10000].find((step) => most / step <= 6) ?? most;
  return charts("Time over the window, a straight line, and its share of the rate of plain matrix products", [
    {
      title: `Time over the window, ${grouped(number(line, 'tokens'))} tokens`,
      x: { label: 'keys of the window', scale: 'linear', ticks: powers(256, 2048, 2).reduce((ticks, tick) => [...ticks, tick], [0]) },
      y: { label: 'ms', scale: 'linear', ticks: Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step) },
      series: [
        { label: `${digits(a)} ms + ${digits(b)} ms · window`, colour: 'window', as: 'line', points: [0, Math.max(...xs)].map((x) => [x, a + b * x]) },
        { label: '', colour: 'itself', as: 'marks', points: times },
      ],
    },
    {
      title: "Share of the product's rate",
      x: { label: 'keys of the window', scale: 'log', ticks: xs },
      y: { label: '% of the rate of matrix products of the same shapes', scale: 'linear', ticks: [0, 25, 50, 75, 100] },
      series: [{ label: 'softmax included', colour: 'window', points: points(windows, 'window', 'of the product %') }],
    },
  ], 430);
}
