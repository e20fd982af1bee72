// What is compared: each system scores all passages for each question.

import { bm25 } from './bm25.ts';
import { bySum, byRanks, cosines, fromChunks, spread, sum, type Scores } from './scores.ts';
import type { Reader } from './vectors.ts';

/** The index as it is: late and lone vectors of the model that `npm run demo` makes. */
export const DEFAULT = 'late 128 + alone';

export const WINDOWS = [64, 128, 256, 512] as const;
export const DILATIONS = ['none', 'upper layers'] as const;

/** Late chunking with an attention window and dilation, by its name in the results. */
export const late = (window: number, dilation: (typeof DILATIONS)[number]): string => `late ${window}${dilation === 'none' ? '' : ' dilated'}`;

export async function* systems(reader: Reader, questions: readonly string[], passages: readonly string[]): AsyncGenerator<[name: string, scores: Scores]> {
  const asked = await reader.questions(questions);
  const scored = (vectors: Float32Array): Scores => cosines(asked, vectors);
  const alone = await reader.alone();
  const both = scored(sum(await reader.late(128, 'plain'), alone));
  const words = await bm25(questions, passages);
  const stems = await bm25(questions, passages, { stems: true });

  yield [DEFAULT, both];
  yield ['alone', scored(alone)];
  yield ['BM25', words];
  yield ['BM25, stems', stems];
  yield ['late 128 + alone + BM25, by ranks', byRanks(both, words)];
  yield ['late 128 + alone + BM25, by sum', bySum(both, words)];
  yield ['late 128 + alone + BM25 stems, by ranks', byRanks(both, stems)];
  yield ['late 128 + alone + BM25 stems, by sum', bySum(both, stems)];
  yield ['alone + BM25, by sum', bySum(scored(alone), words)];

  const cut = spread(await reader.cut(), reader.passages);
  yield ['document cut at 512', scored(cut)];
  yield ['document cut at 512 + alone', scored(sum(cut, alone))];
  const chunks = await reader.chunks();
  yield ['chunks of 254 alone', fromChunks(scored(chunks.vectors), chunks.places, reader.passages)];
  const pieces = await reader.pieces();
  yield ['late in pieces of 512', scored(pieces)];
  yield ['late in pieces of 512 + alone', scored(sum(pieces, alone))];

  for (const dilation of DILATIONS) {
    for (const window of WINDOWS) {
      const vectors = await reader.late(window, dilation === 'none' ? 'plain' : 'dilated');
      yield [late(window, dilation), scored(vectors)];
      if (late(window, dilation) !== late(128, 'none')) yield [`${late(window, dilation)} + alone`, scored(sum(vectors, alone))];
    }
  }
}
