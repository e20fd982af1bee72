// Writes what README.md and the guides show of the results, and its pictures.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { withSection } from './readme.ts';
import { sections } from './sections.ts';

const folder = new URL('plots/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, { page, markdown, plots }] of Object.entries(sections)) {
  const file = new URL(`../${page}`, import.meta.url);
  for (const [plot, svg] of Object.entries(plots)) writeFileSync(new URL(plot, folder), svg);
  writeFileSync(file, withSection(page, readFileSync(file, 'utf8'), name, markdown));
  console.log(`${page}: ${name}; bench/plots: ${Object.keys(plots).join(', ')}`);
}
