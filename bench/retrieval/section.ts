// What the guide to search shows of the retrieval benchmark: the newest results as a table and a picture, and
// what of it is certain.

import { readdirSync, readFileSync } from 'node:fs';
import { charts, type Series } from '../chart.ts';
import type { Results } from '../measure.ts';
import type { Section } from '../readme.ts';
import { DEFAULT, late } from './systems.ts';

const WINDOWS = [64, 128, 256, 512] as const;

/** A run takes long and may have been interrupted; what it has not got to must be said. */
const TO_BE_MEASURED = [...[false, true].flatMap((dilated) => WINDOWS.map((window) => late(window, dilated))), 'chunks of 254 alone', 'late in pieces of 512'];

type Part = 'all' | 'headings' | 'written';

export function retrievalSection(folder: URL = new URL('../results/', import.meta.url)): Section {
  const file = readdirSync(folder).filter((name) => name.endsWith('_retrieval.json')).sort().at(-1); // by their dates
  if (file === undefined) throw new Error('bench/results must have results of retrieval');
  const results = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Results;
  return { markdown: new Words(results).markdown, plots: { 'retrieval.svg': plot(results) } };
}

const number = (results: Results, system: string, part: Part, key: string): number => {
  const value = results.lines.find((line) => line.what === 'system' && line['system'] === system && line['part'] === part)?.[key];
  if (typeof value !== 'number') throw new Error(`results of ${system} must have ${key}: run npm run bench retrieval`);
  return value;
};
const systemsOf = (results: Results): string[] => [...new Set(results.lines.flatMap((line) => (line.what === 'system' ? [String(line['system'])] : [])))];
const short = (value: number): string => value.toFixed(3);
const signed = (value: number): string => (value < 0 ? '−' : '+') + short(Math.abs(value));
const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.map((name) => `\`${name}\``).join(', '));

class Words {
  constructor(private readonly results: Results) {}

  get markdown(): string {
    const corpus = this.results.lines.find(({ what }) => what === 'corpus')!;
    const count = (key: string): string => Number(corpus[key]).toLocaleString('en');
    const written = number(this.results, DEFAULT, 'written', 'questions');
    const missing = TO_BE_MEASURED.filter((name) => !systemsOf(this.results).includes(name));
    return [
      '![MRR over the attention window](bench/plots/retrieval.svg)',
      this.table(),
      `${count('questions')} questions over ${count('documents')} documents of ${count('tokens')} tokens, cut into ${count('passages')} passages of at most 200 tokens: all but ${written} are headings that were taken out of the text, ${written} are written by hand about places behind the first third. all-MiniLM-L6-v2, converted, not trained further. R@k: share of questions with a right passage among the first k. MRR: mean of 1 / rank of the first right one. "More": than the default, \`${DEFAULT}\`, with the bounds of 95 % of 10,000 paired bootstrap samples. ${this.results.date}, ${this.results.runtime}.`,
      [
        `- Better than the default, zero outside of the bounds of MRR: ${list(this.beyond(1))}.`,
        `- Worse: ${list(this.beyond(-1))}.`,
        `- Not to be told from it: ${list(this.beyond(0))}.`,
        ...(missing.length === 0 ? [] : [`- Not measured yet, nor together with \`alone\`: ${list(missing)}.`]),
      ].join('\n'),
    ].join('\n\n');
  }

  /** Systems whose MRR is certainly more (1) or less (-1) than the default's, or neither (0). */
  private beyond(sign: number): string[] {
    return systemsOf(this.results).filter((system) => {
      const [least, most] = (['least', 'most'] as const).map((bound) => number(this.results, system, 'all', `MRR more, ${bound}`)) as [number, number];
      return system !== DEFAULT && (least > 0 ? 1 : most < 0 ? -1 : 0) === sign;
    });
  }

  private table(): string {
    const heads = ['', 'R@1', 'R@5', 'R@10', 'MRR', 'MRR more', 'R@1 more', 'MRR of headings', 'of written'];
    const mrr = (system: string): number => number(this.results, system, 'all', 'MRR');
    const rows = systemsOf(this.results).sort((a, b) => mrr(b) - mrr(a)).map((system) => {
      const of = (key: string, part: Part = 'all'): number => number(this.results, system, part, key);
      const more = (key: string): string => (system === DEFAULT ? '' : `${signed(of(`${key} more`))} (${signed(of(`${key} more, least`))} to ${signed(of(`${key} more, most`))})`);
      return [system === DEFAULT ? `**${system}**` : system, ...['R@1', 'R@5', 'R@10', 'MRR'].map((key) => short(of(key))), more('MRR'), more('R@1'), short(of('MRR', 'headings')), short(of('MRR', 'written'))];
    });
    return [heads, heads.map((_, i) => (i === 0 ? '--' : '--:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  }
}

function plot(results: Results): string {
  const known = new Set(systemsOf(results));
  const points = (name: (window: number) => string): [number, number][] =>
    WINDOWS.filter((window) => known.has(name(window))).map((window) => [window, number(results, name(window), 'all', 'MRR')]);
  const level = (name: string): [number, number][] => [WINDOWS[0], WINDOWS.at(-1)!].map((window) => [window, number(results, name, 'all', 'MRR')]);
  const series: Series[] = [
    { label: 'late + alone', colour: 'window', points: points((window) => `${late(window)} + alone`) },
    { label: 'late', colour: 'global', points: points((window) => late(window)) },
    { label: '', colour: 'itself', points: level('alone'), as: 'line' },
    { label: 'BM25', colour: 'weight', points: level('BM25'), as: 'line' },
  ];
  const values = series.flatMap((each) => each.points.map(([, mrr]) => mrr));
  const [low, high] = [Math.floor(Math.min(...values) * 20), Math.ceil(Math.max(...values) * 20)];
  return charts('MRR over the attention window', [{
    title: 'Mean reciprocal rank; the flat line above: alone', // its label would lie on another
    x: { label: 'attention window, both sides', scale: 'log', ticks: WINDOWS },
    y: { label: 'MRR', scale: 'linear', ticks: Array.from({ length: high - low + 1 }, (_, i) => (low + i) / 20) },
    series,
  }], 640);
}
