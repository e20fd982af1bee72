// everywhere.ts on every runtime and in every browser that can be had. `runtimes.ts [node-24|deno|...]`:
// what others gave stays.

import { places } from '../scripts/places.mjs';
import { Report } from './measure.ts';

const SECONDS = 290;

const words = process.argv.slice(2);
const known = places.filter(({ name }) => !name.endsWith('-unisolated') && name !== 'node-22');
const unknown = words.find((word) => !known.some(({ name }) => name === word));
if (unknown !== undefined) throw new Error(`the bench "runtimes" takes ${known.map(({ name }) => name).join(', ')}, not "${unknown}"`);

const report = new Report('runtimes', 'each that is named');
const measured = known.filter(({ name }) => words.length === 0 || words.includes(name));
for (const { name, open } of measured) {
  try {
    const place = await open();
    try {
      const { output } = await place.start('bench/everywhere.ts', SECONDS);
      const line = /^\{"runtime".*\}$/m.exec(output)?.[0];
      if (line === undefined) throw new Error(output.trim().split('\n').slice(-5).join('\n') || `it took more than ${SECONDS} s`);
      const { runtime, build, threads, lines } = JSON.parse(line) as { runtime: string; build: string; threads: number; lines: Record<string, string | number>[] };
      for (const { what, ...figures } of lines) report.add({ what: String(what), place: name, version: place.version, engine: runtime, build, threads, ...figures });
    } finally {
      await place.close();
    }
  } catch (error) {
    report.add({ what: 'failed', place: name, message: (error as Error).message });
  }
  await report.keep(({ place }) => String(place));
}
process.exit(); // a browser may leave something open
