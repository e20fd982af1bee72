// From vectors and words to the scores of all passages for a question, and scores from scores.

import { HIDDEN_SIZE, type Place } from './vectors.ts';

/** For each question the score of each passage; -Infinity where it was not found. */
export type Scores = readonly Float64Array[];

/** Cosines, of vectors of length 1. */
export function cosines(questions: Float32Array, passages: Float32Array): Scores {
  const vectors = rows(passages);
  return rows(questions).map((question) => Float64Array.from(vectors, (passage) => {
    let sum = 0;
    for (let i = 0; i < HIDDEN_SIZE; i++) sum += question[i]! * passage[i]!;
    return sum;
  }));
}

/** The normalised sum, vector by vector, as the index has it. */
export function sum(a: Float32Array, b: Float32Array): Float32Array {
  const result = a.map((value, i) => value + b[i]!);
  for (const row of rows(result)) {
    const length = Math.hypot(...row);
    for (let i = 0; i < HIDDEN_SIZE; i++) row[i]! /= length;
  }
  return result;
}

/** Vectors of documents, given to each of their passages. */
export function spread(documents: Float32Array, passages: readonly Place[]): Float32Array {
  const vectors = rows(documents);
  const result = new Float32Array(passages.length * HIDDEN_SIZE);
  for (const [i, { index }] of passages.entries()) result.set(vectors[index]!, i * HIDDEN_SIZE);
  return result;
}

/** Scores of chunks, given to the passages: each has that of the chunk in which most of it lies. */
export function fromChunks(scores: Scores, chunks: readonly Place[], passages: readonly Place[]): Scores {
  const chunkOf = passages.map((passage) => chunks.reduce((best, chunk, i) => (overlap(chunk, passage) > overlap(chunks[best]!, passage) ? i : best), 0));
  return scores.map((row) => Float64Array.from(chunkOf, (chunk) => row[chunk]!));
}

/** Characters that both have. */
export function overlap(a: Place, b: Place): number {
  return a.index === b.index ? Math.max(0, Math.min(a.end, b.end) - Math.max(a.start, b.start)) : 0;
}

/** Reciprocal rank fusion, with the 60 of Cormack, Clarke and Büttcher (2009). */
export function byRanks(...systems: Scores[]): Scores {
  return combine(systems.map((scores) => scores.map((row) => {
    const order = [...row.keys()].filter((i) => row[i] !== -Infinity).sort((a, b) => row[b]! - row[a]!);
    const result = new Float64Array(row.length);
    for (const [rank, i] of order.entries()) result[i] = 1 / (60 + rank + 1);
    return result;
  })));
}

/** The sum of scores that go from 0 to 1 for each question. */
export function bySum(...systems: Scores[]): Scores {
  return combine(systems.map((scores) => scores.map((row) => {
    const found = row.filter((score) => score !== -Infinity);
    const low = found.length === row.length ? Math.min(...found) : 0; // what was not found has 0
    const high = Math.max(...found, low);
    return row.map((score) => (score === -Infinity || high === low ? 0 : (score - low) / (high - low)));
  })));
}

function combine(systems: readonly Scores[]): Scores {
  const [first, ...others] = systems as [Scores, ...Scores[]];
  return first.map((row, question) => row.map((score, i) => others.reduce((total, other) => total + other[question]![i]!, score)));
}

function rows(vectors: Float32Array): Float32Array[] {
  return Array.from({ length: vectors.length / HIDDEN_SIZE }, (_, i) => vectors.subarray(i * HIDDEN_SIZE, (i + 1) * HIDDEN_SIZE));
}
