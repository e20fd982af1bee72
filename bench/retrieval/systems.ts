// What is compared: each system scores all passages for each question.

import { bm25 } from './bm25.ts';
import { bySum, byRanks, cosines, fromChunks, spread, sum, type Scores } from './scores.ts';
import type { Reader } from './vectors.ts';

/** The index as it is: late and lone vectors of the model that `npm run demo` makes. */
export const DEFAULT = 'late 128 + alone';

/** Tokens on both sides together; the default's, the ends, and what is between. */
const WINDOWS = [128, 64, 512, 256] as const;

/** Late chunking with an attention window, by its name in the results. */
export const late = (window: number, dilated = false): string => `late ${window}${dilated ? ' dilated' : ''}`;

/** In an order in which a run that is interrupted has the most to say. */
export async function* systems(reader: Reader, questions: readonly string[], passages: readonly string[]): AsyncGenerator<[name: string, scores: Scores]> {
  const asked = await reader.questions(questions);
  const scored = (vectors: Float32Array): Scores => cosines(asked, vectors);
  const alone = await reader.alone();
  const lateAndAlone = scored(sum(await reader.late(128, false), alone));
  const words = await bm25(questions, passages);
  const stems = await bm25(questions, passages, { stems: true });

  yield [DEFAULT, lateAndAlone];
  yield ['alone', scored(alone)];
  yield ['BM25', words];
  yield ['BM25 of stems', stems];
  yield [`${DEFAULT} + BM25 by ranks`, byRanks(lateAndAlone, words)];
  yield [`${DEFAULT} + BM25`, bySum(lateAndAlone, words)];
  yield [`${DEFAULT} + BM25 of stems`, bySum(lateAndAlone, stems)];
  yield ['alone + BM25', bySum(scored(alone), words)];
  const cut = spread(await reader.cut(), reader.passages);
  yield ['document cut at 512', scored(cut)];
  yield ['document cut at 512 + alone', scored(sum(cut, alone))];

  for (const dilated of [false, true]) {
    for (const window of WINDOWS) {
      const name = late(window, dilated);
      const vectors = await reader.late(window, dilated);
      yield [name, scored(vectors)];
      if (`${name} + alone` !== DEFAULT) yield [`${name} + alone`, scored(sum(vectors, alone))];
    }
    if (!dilated) yield* withFullAttention(reader, scored, alone);
  }
}

/** What the model does as it is, with its 512 positions. */
async function* withFullAttention(reader: Reader, scored: (vectors: Float32Array) => Scores, alone: Float32Array): AsyncGenerator<[name: string, scores: Scores]> {
  const chunks = await reader.chunks();
  yield ['chunks of 254 alone', fromChunks(scored(chunks.vectors), chunks.places, reader.passages)];
  const pieces = await reader.pieces();
  yield ['late in pieces of 512', scored(pieces)];
  yield ['late in pieces of 512 + alone', scored(sum(pieces, alone))];
}
