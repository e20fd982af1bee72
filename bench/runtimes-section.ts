// What the guide to speed shows of the runtimes side by side: the newest figures of runtimes.ts.

import { charts, type Series } from './chart.ts';
import type { Line } from './measure.ts';
import { linesOf, newest, number, table } from './newest.ts';
import type { Section } from './readme.ts';

const ORDER = ['node-20', 'node-24', 'node-26', 'deno', 'bun', 'chromium', 'firefox', 'webkit'];

const MODELS: [heading: string, more: Partial<Line>][] = [
  ['base 512, f32', { model: 'base', tokens: 512, dtype: 'f32' }], ['int8', { model: 'base', tokens: 512, dtype: 'int8' }],
  ['base 4,096, f32', { model: 'base', tokens: 4096, dtype: 'f32' }], ['int8', { model: 'base', tokens: 4096, dtype: 'int8' }],
  ['MiniLM 512, f32', { model: 'minilm', tokens: 512, dtype: 'f32' }], ['int8', { model: 'minilm', tokens: 512, dtype: 'int8' }],
  ['MiniLM 4,096, f32', { model: 'minilm', tokens: 4096, dtype: 'f32' }], ['int8', { model: 'minilm', tokens: 4096, dtype: 'int8' }],
];

export function runtimesSection(folder = new URL('results/', import.meta.url)): Section {
  const results = newest('runtimes', folder);
  const places = ORDER.filter((place) => linesOf(results, 'start', { place }).length > 0);
  const failed = linesOf(results, 'failed').map((line) => String(line['place']));
  const of = (place: string, what: string, more: Partial<Line>): Line | undefined => linesOf(results, what, { place, ...more })[0];
  const threads = Math.max(...linesOf(results, 'start').map((line) => number(line, 'threads')));
  const ms = (line: Line | undefined, key = 'median ms'): string => (Number.isNaN(number(line, key)) ? '' : number(line, key).toLocaleString('en', { maximumSignificantDigits: 3 }));
  const share = (line: Line | undefined, key: string): string => (Number.isNaN(number(line, key)) ? '' : `${number(line, key).toFixed(0)} %`);
  const kernels = table([
    ['runtime', 'version', 'build', 'tile, GFLOP/s', '512x768x768', '512x3072x768', `${threads} threads`, 'int8 over f32', 'spawn ms', 'attention 512, ms', '4,096'],
    ...places.map((place) => {
      const start = of(place, 'start', {});
      const product = (shape: string, each: number, dtype = 'f32'): Line | undefined => of(place, 'product', { shape, threads: each, dtype });
      const over = number(product('512x768x768', 1, 'int8'), 'GFLOP/s') / number(product('512x768x768', 1), 'GFLOP/s');
      return [place.split('-')[0]!, String(start!['version']), String(start!['build']), number(start, 'tile GFLOP/s').toFixed(1),
        ...['512x768x768', '512x3072x768'].map((shape) => share(product(shape, 1), 'of the tile %')), share(product('512x3072x768', threads), 'of the tile %'), over.toFixed(2),
        ms(start, 'spawn ms'), ms(of(place, 'attention', { tokens: 512 })), ms(of(place, 'attention', { tokens: 4096 }))];
    }),
  ], 3);
  const models = table([
    ['runtime', ...MODELS.map(([heading]) => heading), 'of the ceiling', 'load ms', 'first over steady'],
    ...places.map((place) => {
      const base = of(place, 'model', { model: 'base', tokens: 512, dtype: 'f32' });
      return [place, ...MODELS.map(([, more]) => ms(of(place, 'model', more))), share(of(place, 'model', { model: 'base', tokens: 4096, dtype: 'f32' }), 'of the ceiling %'),
        ms(base, 'load ms'), number(base, 'first over steady').toFixed(2)];
    }),
  ], 1);
  const markdown = [
    '![Time of a model on each runtime](bench/plots/runtimes.svg)',
    kernels, models,
    `${results.cpu}, ${threads} threads where a build has them, ${results.date}; milliseconds, the median of a few rounds, each verified first. Products are shares of the best tile of that runtime in the same run, on one thread but where it is said. Base: 4 of its 12 layers, as weights in halves, which is what loading starts from; share of the ceiling: of ${threads} threads multiplying and adding between registers, at 4,096 tokens in f32.${failed.length > 0 ? ` Not measured: ${failed.join(', ')}.` : ''}`,
  ].join('\n\n');
  return { markdown, plots: { 'runtimes.svg': plot(places, of) } };
}

function plot(places: string[], of: (place: string, what: string, more: Partial<Line>) => Line | undefined): string {
  const series = (dtype: string, colour: Series['colour']): Series => ({
    label: dtype, colour, points: places.map((place, i) => [i, number(of(place, 'model', { model: 'base', tokens: 4096, dtype }), 'median ms') / 1000] as const).filter(([, y]) => !Number.isNaN(y)),
  });
  const both = [series('f32', 'window'), series('int8', 'weight')];
  const most = Math.max(...both.flatMap(({ points }) => points.map(([, y]) => y)));
  const step = [0.5, 1, 2, 5, 10].find((each) => most / each <= 6) ?? most;
  return charts('Time of four layers of a base model at 4,096 tokens on each runtime', [{
    title: 'Base, 4 layers, 4,096 tokens',
    x: { label: 'runtime', scale: 'linear', ticks: [...places.keys()], format: (i) => places[i] ?? '' },
    y: { label: 's', scale: 'linear', ticks: Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => i * step) },
    series: both.map((each) => ({ ...each, as: 'marks' as const })),
  }], 720);
}
