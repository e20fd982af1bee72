// Writes what README.md shows of the results, and its pictures.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { summary, withSummary } from './summary.ts';

const result = summary();
const folder = new URL('plots/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, svg] of Object.entries(result.plots)) writeFileSync(new URL(name, folder), svg);
const readme = new URL('../README.md', import.meta.url);
writeFileSync(readme, withSummary(readFileSync(readme, 'utf8'), result));
console.log(`\nREADME.md, bench/plots: ${Object.keys(result.plots).join(', ')}`);
