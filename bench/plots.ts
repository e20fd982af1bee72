// Writes what README.md shows of the results, and its pictures.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { modelSection } from './model-section.ts';
import { productSection } from './product-section.ts';
import { withSection, type Section } from './readme.ts';
import { retrievalSection } from './retrieval/section.ts';
import { runtimesSection } from './runtimes-section.ts';
import { summary } from './summary.ts';

const sections: Record<string, Section> = {
  attention: summary(), model: modelSection(), product: productSection(), runtimes: runtimesSection(), retrieval: retrievalSection(),
};
const folder = new URL('plots/', import.meta.url);
mkdirSync(folder, { recursive: true });
const readme = new URL('../README.md', import.meta.url);
for (const [name, { markdown, plots }] of Object.entries(sections)) {
  for (const [file, svg] of Object.entries(plots)) writeFileSync(new URL(file, folder), svg);
  writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), name, markdown));
  console.log(`README.md: ${name}; bench/plots: ${Object.keys(plots).join(', ')}`);
}
