// Does a search find the right passage? Questions with known answers over long documents
// (retrieval/), late chunking with windows and dilations beside what else one could do with the
// same model, and beside BM25. Differences to the default come with their intervals.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEngine, SearchIndex, type Engine } from '../dist/index.js';
import { corpusInPlace } from '../scripts/corpus.mjs';
import { weightsInPlace } from '../scripts/weights.mjs';
import { Report } from './measure.ts';
import { interval, mean, metricsOf, rankOf } from './retrieval/metrics.ts';
import { questionsOf, readCorpus, readQuestions, type CorpusDocument, type Question } from './retrieval/questions.ts';
import { cosines, overlap, sum } from './retrieval/scores.ts';
import { DEFAULT, systems } from './retrieval/systems.ts';
import { Reader, type Place } from './retrieval/vectors.ts';

const [files, weights] = [corpusInPlace(), weightsInPlace()];
if (files === null || weights === null) throw new Error('documents and weights must be there: npm run bench retrieval fetches them');
const documents = readCorpus(files);
const questions = readQuestions();
if (JSON.stringify(questions) !== JSON.stringify(questionsOf(documents))) throw new Error('questions.json must be what bench/retrieval/questions.ts writes');

const work = await mkdtemp(join(tmpdir(), 'retrieval-'));
try {
  await using engine = await createEngine({ threads: 2 });
  const report = new Report('retrieval', engine.info.build);
  const reader = await Reader.open(engine, weights, documents, work);
  await verify(engine, reader, documents[0]!, questions[0]!.question);
  const texts = reader.passages.map(({ index, start, end }) => documents[index]!.text.slice(start, end));
  report.add({ what: 'corpus', documents: documents.length, tokens: reader.tokens, passages: texts.length, questions: questions.length });
  await compare(report, reader, texts);
} finally {
  await rm(work, { recursive: true });
}

async function compare(report: Report, reader: Reader, texts: readonly string[]): Promise<void> {
  const right = questions.map((question) => rightPassages(question, reader.passages));
  let standard: number[] = [];
  for await (const [system, scores] of systems(reader, questions.map(({ question }) => question), texts)) {
    const ranks = scores.map((row, i) => rankOf(row, right[i]!));
    if (system === DEFAULT) standard = ranks;
    const found = scores.map((row, i) => documents[reader.passages[row.indexOf(Math.max(...row))]!.index]!.id === questions[i]!.document);
    for (const part of ['all', 'headings', 'written'] as const) {
      const of = <T>(values: readonly T[]): T[] => values.filter((_, i) => part === 'all' || questions[i]!.part === part);
      const [own, other] = [of(ranks), of(standard)];
      const first = (list: readonly number[]): number[] => list.map((rank) => Number(rank === 1));
      const reciprocal = (list: readonly number[]): number[] => list.map((rank) => 1 / rank);
      const [least, most] = interval(reciprocal(own), reciprocal(other));
      const [leastFirst, mostFirst] = interval(first(own), first(other));
      report.add({
        what: 'system', system, part, ...metricsOf(own), 'right document': mean(of(found).map(Number)),
        'MRR more': metricsOf(own).MRR - metricsOf(other).MRR, 'MRR more, least': least, 'MRR more, most': most,
        'R@1 more': metricsOf(own)['R@1'] - metricsOf(other)['R@1'], 'R@1 more, least': leastFirst, 'R@1 more, most': mostFirst,
      });
    }
    await report.keep(); // what there is already: a run goes on where it was interrupted
  }
}

/** Passages that lie in the answer for the most part, or hold most of it. */
function rightPassages({ document, start, end }: Question, passages: readonly Place[]): number[] {
  const answer = { index: documents.findIndex(({ id }) => id === document), start, end };
  const right = [...passages.keys()].filter((i) => {
    const passage = passages[i]!;
    return overlap(passage, answer) * 2 >= Math.min(passage.end - passage.start, end - start);
  });
  if (right.length === 0) throw new Error(`no passage of ${document} holds characters ${start} to ${end}`);
  return right;
}

/** The index itself must give the scores that are measured here. */
async function verify(engine: Engine, reader: Reader, { id, text }: CorpusDocument, question: string): Promise<void> {
  await using index = await SearchIndex.create(join(work, 'plain'), { engine });
  await index.add([{ id, text }]);
  const vectors = sum(await reader.late(128, false), await reader.alone());
  const scores = cosines(await reader.questions([question]), vectors)[0]!;
  for (const { start, score } of await index.search(question, { topK: 1000 })) {
    const passage = reader.passages.findIndex((each) => each.index === 0 && each.start === start);
    if (!(Math.abs(score - scores[passage]!) < 1e-4)) throw new Error(`the passage from ${start} must score ${score} as in the index, got ${scores[passage]}`);
  }
}
