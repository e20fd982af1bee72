// What the guide to speed shows of matrix products: the newest figures of product.ts.

import { charts } from './chart.ts';
import type { Results } from './measure.ts';
import { linesOf, newestOfEach, number, table } from './newest.ts';
import type { Section } from './readme.ts';

const PLOT = '![Rate of products, as a share of the tile that lies in the cache](bench/plots/product.svg)';

/** Of each processor; the picture is of the newest. */
export function productSection(folder = new URL('results/', import.meta.url)): Section {
  const each = newestOfEach('product', folder);
  const markdown = each.flatMap((results, i) => [`### Products on ${results.cpu}, ${results.date}`, ...(i === 0 ? [PLOT] : []), ...onProcessor(results)]).join('\n\n');
  return { markdown, plots: { 'product.svg': plot(each[0]!) } };
}

function onProcessor(results: Results): string[] {
  const ceilings = linesOf(results, 'ceiling');
  const shapes = shapesOf(results);
  const hasWide = linesOf(results, 'product', { dtype: 'f32 wide' }).length > 0;
  const row = (shape: string, threads: number): string[] => {
    const rate = (what: string, dtype: string): number => number(linesOf(results, what, { shape, dtype, threads })[0], 'GFLOP/s');
    const [f32, int8, webF32, webQ8] = [rate('product', 'f32'), rate('product', 'int8'), rate('peer', 'f32'), rate('peer', 'q8')];
    const tile = number(ceilings.find((line) => line['threads'] === threads), 'tile GFLOP/s');
    const wide = ['f32 wide', 'int8 wide'].map((dtype) => linesOf(results, 'product', { shape, dtype, threads })[0]);
    const wides = hasWide ? wide.map((line) => number(line, 'GFLOP/s').toFixed(1)) : [];
    return [shape, String(threads), f32.toFixed(1), `${((100 * f32) / tile).toFixed(0)} %`, int8.toFixed(1), (int8 / f32).toFixed(2), ...wides, webF32.toFixed(1), webQ8.toFixed(1), (f32 / webF32).toFixed(2), (int8 / webQ8).toFixed(2)];
  };
  const threads = ceilings.map((line) => number(line, 'threads'));
  const most = Math.max(...threads);
  const rows = shapes.flatMap((shape) => threads.map((each) => row(shape, each)));
  const gain = (dtype: string): string => {
    const gains = shapes.map((shape) => {
      const of = (each: number): number => number(linesOf(results, 'product', { shape, dtype, threads: each })[0], 'GFLOP/s');
      return of(most) / of(1);
    });
    return `${Math.min(...gains).toFixed(2)} to ${Math.max(...gains).toFixed(2)}`;
  };
  const peers = [...new Set(linesOf(results, 'peer').map((line) => String(line['build'])))].join(', ');
  const builds = [...new Set(ceilings.map((line) => String(line['build'])))].join(', ');
  return [
    table([['rows x columns x depth', 'threads', 'f32', 'of the tile', 'int8', 'over f32', ...(hasWide ? ['f32 wide', 'int8 wide'] : []), 'onnxruntime-web f32', 'q8', 'f32 over it', 'int8 over q8'], ...rows], 1),
    `${results.runtime}, ${builds}; ${peers}. GFLOP/s, GOP/s in 8 bits, by medians. The tile is the best of some loops put together by hand, whose operands lie in the first-level cache: ${ceilings.map((line) => `${number(line, 'tile GFLOP/s').toFixed(1)} (${line['tile']}) on ${line['threads']} ${line['threads'] === 1 ? 'thread' : 'threads'}`).join(', ')}; between registers alone ${ceilings.map((line) => number(line, 'registers GFLOP/s').toFixed(1)).join(', ')}. Rows are quantised inside the time in both.${most > 1 ? ` ${most} threads are ${gain('f32')} times as fast as one in f32, ${gain('int8')} in int8.` : ''}`,
  ];
}

function plot(results: Results): string {
  const ceilings = linesOf(results, 'ceiling');
  const shapes = shapesOf(results);
  const threads = ceilings.map((line) => number(line, 'threads'));
  const share = (each: number): [number, number][] => shapes.map((shape, i) => [i, (100 * number(linesOf(results, 'product', { shape, dtype: 'f32', threads: each })[0], 'GFLOP/s')) / number(ceilings.find((line) => line['threads'] === each), 'tile GFLOP/s')]);
  return charts('Rate of products of single precision, as a share of the best tile', [{
    title: 'f32: rate as a share of the best tile',
    x: { label: 'rows x columns x depth', scale: 'linear', ticks: [...shapes.keys()], format: (i) => shapes[i] ?? '' },
    y: { label: '%', scale: 'linear', ticks: [0, 25, 50, 75, 100] },
    series: threads.map((each, i) => ({ label: `${each} ${each === 1 ? 'thread' : 'threads'}`, colour: i === 0 ? 'window' as const : 'global' as const, points: share(each) })),
  }], 640);
}

function shapesOf(results: Results): string[] {
  return [...new Set(linesOf(results, 'product').map((line) => String(line['shape'])))];
}
