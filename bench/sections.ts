// What `npm run bench` writes of its results, and the page that each section stands on.

import { modelSection, modelSummary } from './model-section.ts';
import { productSection } from './product-section.ts';
import { profileSection } from './profile-section.ts';
import type { Section } from './readme.ts';
import { retrievalSection } from './retrieval/section.ts';
import { runtimesSection } from './runtimes-section.ts';
import { summary } from './summary.ts';

const SPEED = 'docs/guides/speed.md';

export const sections: Record<string, Section & { page: string }> = {
  speed: { page: 'README.md', ...modelSummary() },
  model: { page: SPEED, ...modelSection() },
  attention: { page: SPEED, ...summary() },
  product: { page: SPEED, ...productSection() },
  profile: { page: SPEED, ...profileSection() },
  runtimes: { page: SPEED, ...runtimesSection() },
  retrieval: { page: 'docs/guides/search.md', ...retrievalSection() },
};
