// What README.md and the guide to speed show of a whole model beside others: the newest figures of model.ts.

import { charts, type Series } from './chart.ts';
import type { Line, Results } from './measure.ts';
import { linesOf as all, newest, newestOfEach, number, table } from './newest.ts';
import type { Section } from './readme.ts';
import type { ShapeName } from './shapes.ts';
import { ratios } from './targets.ts';

const PEERS = ['ours f32', 'ours f16', 'ours int8', 'ours f32 wide', 'ours int8 wide', 'onnxruntime-web f32', 'onnxruntime-web q8', 'HF Longformer', 'HF RoBERTa', 'onnxruntime fused'];
const OURS = PEERS.slice(0, 5);

const SHAPES = {
  base: 'The shape of longformer-base: 12 layers of 768, 12 heads, 3,072 between, a window of 512, one global token',
  minilm: 'The shape of MiniLM-L6, which people embed with: 6 layers of 384, 12 heads, 1,536 between, the same window',
};

/** What README.md has room for: one shape, some lengths. */
const SUMMARY = { peers: ['ours f32', 'ours int8', 'ours int8 wide', 'onnxruntime-web f32', 'onnxruntime-web q8', 'HF Longformer', 'onnxruntime fused'], lengths: [512, 4096, 8192] };

const PLOT = '![Time per token of a whole model over the length of the text](bench/plots/model.svg)';

export function modelSummary(folder = new URL('results/', import.meta.url)): Section {
  const results = newest('model', folder);
  return {
    markdown: [
      PLOT,
      `${SHAPES.base}; seconds, the median of a few rounds:`,
      timesOf(results, 'base', SUMMARY),
      `${results.cpu}, ${threadsOf(results)} threads of ${results.cores} cores, ${results.date}. onnxruntime-web, which transformers.js runs on, and onnxruntime, a native program, read with full attention; HF Longformer is PyTorch's; \`wide\` is \`simd: 'wide'\` in Node 24. An empty cell was not measured.`,
    ].join('\n\n'),
    plots: { 'model.svg': plot(results, shapesOf(results)) },
  };
}

/** Of each processor, as what is fast on one is not on another. */
export function modelSection(folder = new URL('results/', import.meta.url)): Section {
  const each = newestOfEach('model', folder);
  const markdown = each.flatMap((results, i) => onProcessor(results, i === 0 ? PLOT : '')).join('\n\n');
  return { markdown, plots: { 'model.svg': plot(each[0]!, shapesOf(each[0]!)) } };
}

const onProcessor = (results: Results, picture: string): string[] => [
  `### ${results.cpu}, ${results.date}`,
  picture,
  ...shapesOf(results).flatMap((shape) => [`${SHAPES[shape]}; seconds, the median of a few rounds:`, timesOf(results, shape)]),
  madeOn(results),
  ...targetsOf(results),
  memoryOf(results),
].filter((part) => part !== '');

const shapesOf = (results: Results): (keyof typeof SHAPES)[] =>
  (Object.keys(SHAPES) as (keyof typeof SHAPES)[]).filter((shape) => results.lines.some((line) => line.what === 'forward' && line['shape'] === shape));
const lengthsOf = (lines: Line[]): number[] => [...new Set(lines.map((line) => number(line, 'tokens')))].sort((a, b) => a - b);
const grouped = (value: number): string => value.toLocaleString('en');
const seconds = (ms: number): string => (ms < 10_000 ? Number((ms / 1000).toPrecision(ms < 100 ? 2 : 3)).toString() : (ms / 1000).toFixed(1));
const digits = (value: number): string => (value < 0.1 ? value.toFixed(3) : value.toFixed(2));
const threadsOf = (results: Results): number => Math.max(...all(results, 'forward').map((line) => number(line, 'threads')));

/** Of all peers and lengths beside the ceiling, or of some. */
function timesOf(results: Results, shape: string, some?: typeof SUMMARY): string {
  const lines = all(results, 'forward', { shape, threads: threadsOf(results) });
  const failed = all(results, 'failed', { shape, threads: threadsOf(results) });
  const peers = (some?.peers ?? PEERS).filter((peer) => [...lines, ...failed].some((line) => line['peer'] === peer));
  const ceilings = some === undefined ? ['f32 / C', 'int8 / C'] : [];
  return table([['tokens', ...peers, ...ceilings], ...(some?.lengths ?? lengthsOf(lines)).map((tokens) => {
    const cell = (peer: string): string => {
      const line = lines.find((each) => each['peer'] === peer && each['tokens'] === tokens);
      if (line) return seconds(number(line, 'median ms'));
      const end = failed.find((each) => each['peer'] === peer && number(each, 'tokens') <= tokens);
      return end === undefined ? '' : number(end, 'tokens') === tokens ? String(end['why']) : 'fails';
    };
    const [ceiling] = all(results, 'ceiling', { shape, tokens, threads: threadsOf(results) });
    return [grouped(tokens), ...peers.map(cell), ...ceilings.map((key) => number(ceiling, `ours ${key}`).toFixed(2))];
  })]);
}

function madeOn(results: Results): string {
  const builds = [...new Set(all(results, 'forward').map((line) => `${line['build']} (${line['runtime']})`))];
  const rates = all(results, 'ceiling').map((line) => number(line, 'GFLOP/s of a thread'));
  return `${threadsOf(results)} threads of ${results.cores} cores; ${builds.join('; ')}. Random weights; each in a process of its own, in turn; results were verified first; an empty cell was not measured. onnxruntime-web and onnxruntime run a dense RoBERTa of the same shape: \`q8\` is \`quantize_dynamic\`, as transformers.js has it, \`fused\` the native program with fused attention; \`wide\` is ours with \`simd: \'wide\'\`. C is the time that the products would take at the rate of fused multiply-adds of 128 bits between registers, ${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)} GFLOP/s for each thread in these runs.`;
}

/** Of all that were timed on that day: long passes of different peers are not always of one run. */
function targetsOf(results: Results): string[] {
  const forwards = all(results, 'forward', { threads: threadsOf(results) });
  const targets = (Object.keys(SHAPES) as ShapeName[]).flatMap((shape) => lengthsOf(forwards).flatMap((tokens) => {
    const lines = forwards.filter((line) => line['shape'] === shape && line['tokens'] === tokens);
    const times = Object.fromEntries(lines.map((line) => [String(line['peer']), { best: number(line, 'best ms'), median: number(line, 'median ms') }]));
    return ratios(results.cpu, shape, tokens, times).filter(({ what }) => what === 'target');
  }));
  if (targets.length === 0) return [];
  const rows = targets.map((line) => [String(line['shape']), String(line['of']), String(line['to']), grouped(number(line, 'tokens')), digits(number(line, 'ratio')), String(line['target']), String(line['met'])]);
  return ['Our time as a share of another\'s, beside what it was meant to be at most:', table([['shape', 'of', 'to', 'tokens', 'share', 'target', 'met'], ...rows], 3)];
}

/** What a pass takes besides the weights: the WebAssembly memory over them, or what is resident over what was so before. */
function memoryOf(results: Results): string {
  const lines = all(results, 'forward', { shape: 'base', threads: threadsOf(results) });
  if (lines.length === 0) return '';
  const tokens = Math.max(...lengthsOf(lines).filter((length) => length <= 4096));
  const of = (peer: string): string[] => {
    const line = lines.find((each) => each['peer'] === peer && each['tokens'] === tokens);
    const bytes = number(line, OURS.includes(peer) ? 'over weights bytes' : 'over idle bytes');
    return Number.isNaN(bytes) ? [] : [`${peer} ${grouped(Math.round(bytes / 1e6))}`];
  };
  return `Memory over the weights at ${grouped(tokens)} tokens, in MB: ${PEERS.flatMap(of).join(', ')}. Ours is WebAssembly memory, theirs what was resident over what was so behind a pass of 16.`;
}

function plot(results: Results, shapes: string[]): string {
  const drawn: [peer: string, label: string, colour: Series['colour']][] = [
    ['ours f32', 'f32', 'window'], ['ours int8', 'int8', 'weight'], ['onnxruntime-web q8', 'onnxruntime-web q8', 'global'], ['HF Longformer', 'HF Longformer', 'itself'],
  ];
  return charts('Time per token of a whole model over the length of the text', shapes.map((shape) => {
    const lines = all(results, 'forward', { shape, threads: threadsOf(results) });
    const series = drawn.flatMap(([peer, label, colour]): Series[] => {
      const points = lines.filter((line) => line['peer'] === peer).map((line) => [number(line, 'tokens'), number(line, 'median ms') / number(line, 'tokens')] as const).sort(([a], [b]) => a - b);
      const [end] = all(results, 'failed', { shape, peer, threads: threadsOf(results) });
      return points.length === 0 ? [] : [{ label, colour, points, ...(end && { end: `${end['why']} at ${grouped(number(end, 'tokens'))}` }) }];
    });
    const times = series.flatMap(({ points }) => points.map(([, y]) => y));
    const [low, high] = [10 ** Math.floor(Math.log10(Math.min(...times))), 10 ** Math.ceil(Math.log10(Math.max(...times)))];
    const powers = Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i);
    return {
      title: `${shape}, ${threadsOf(results)} threads: time per token`,
      x: { label: 'tokens', scale: 'log' as const, ticks: lengthsOf(lines) }, y: { label: 'ms per token', scale: 'log' as const, ticks: powers }, series,
    };
  }), 640);
}
