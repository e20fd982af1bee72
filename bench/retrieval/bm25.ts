// BM25 by MiniSearch: what words alone find.

import type { Scores } from './scores.ts';

/** What of the packages is used; the lints run without them. */
type MiniSearch = new (options: { fields: string[]; processTerm?: (term: string) => string }) => {
  addAll(documents: { id: number; text: string }[]): void;
  search(query: string): { id: number; score: number }[];
};

/** `stems`: words count as the same when their Porter stems are, as in "chunking" and "chunks". */
export async function bm25(questions: readonly string[], passages: readonly string[], { stems = false } = {}): Promise<Scores> {
  const { default: MiniSearch } = await peer('minisearch/dist/es/index.js') as { default: MiniSearch };
  const { stemmer } = await peer('stemmer/index.js') as { stemmer: (word: string) => string };
  const index = new MiniSearch({ fields: ['text'], ...(stems && { processTerm: (term) => stemmer(term.toLowerCase()) }) });
  index.addAll(passages.map((text, id) => ({ id, text })));
  return questions.map((question) => {
    const scores = new Float64Array(passages.length).fill(-Infinity);
    for (const { id, score } of index.search(question)) scores[id] = score;
    return scores;
  });
}

const peer = (path: string): Promise<unknown> => import(new URL(`../node_modules/${path}`, import.meta.url).href);
