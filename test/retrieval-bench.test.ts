// What the retrieval benchmark is made of: its questions have answers, its figures are what they say.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readFileSync } from 'node:fs';
import { withoutHeadings } from '../bench/retrieval/markdown.ts';
import { interval, metricsOf, rankOf } from '../bench/retrieval/metrics.ts';
import { questionsOf, readCorpus, readQuestions } from '../bench/retrieval/questions.ts';
import { byRanks, bySum, fromChunks, overlap } from '../bench/retrieval/scores.ts';
import { corpusInPlace } from '../scripts/corpus.mjs';

const test = suite('the retrieval benchmark');

const scores = (...rows: number[][]): Float64Array[] => rows.map((row) => Float64Array.from(row));

test('a rank is that of the best right passage, of equal scores the first comes first', () => {
  assert.is(rankOf([0.1, 0.9, 0.5, 0.7], [2, 3]), 2);
  assert.is(rankOf([0.5, 0.5, 0.5, 0.5], [2, 1]), 2);
  assert.is(rankOf([0.2, -Infinity], [1]), Infinity);
});

test('recall counts ranks, MRR their reciprocals', () => {
  const { 'R@1': one, 'R@5': five, 'R@10': ten, MRR } = metricsOf([1, 2, 10, Infinity]);
  assert.equal([one, five, ten], [0.25, 0.5, 0.75]);
  assert.ok(Math.abs(MRR - (1 + 1 / 2 + 1 / 10) / 4) < 1e-12);
});

test('the interval of a difference is that of a binomial where differences are 0 or 1', () => {
  const ones = (count: number): number[] => Array.from({ length: 400 }, (_, i) => Number(i < count));
  const [low, high] = interval(ones(100), ones(0));
  const deviation = Math.sqrt(0.25 * 0.75 / 400);
  assert.ok(Math.abs(low - (0.25 - 1.96 * deviation)) < 0.005 && Math.abs(high - (0.25 + 1.96 * deviation)) < 0.005, `${low} ${high}`);
});

test('the interval is of pairs: equal answers leave no doubt, whatever they are', () => {
  const values = Array.from({ length: 100 }, (_, i) => (i * 37) % 11);
  assert.equal(interval(values, values), [0, 0]);
  assert.equal(interval(values.map((value) => value + 3), values), [3, 3]);
});

test('fusion by ranks looks at the order alone, and what was not found has nothing', () => {
  const [fused] = byRanks(scores([0.9, 0.8, 0.1]), scores([-Infinity, 5, 100]));
  const [first, second, third] = [1 / 61, 1 / 62, 1 / 63];
  assert.equal([...fused!], [first, second + second, third + first]);
});

test('fusion by sum gives each system scores from 0 to 1', () => {
  const [fused] = bySum(scores([0.5, 0.9, 0.7]), scores([-Infinity, 4, 2]));
  [0, 2, 1].forEach((expected, i) => assert.ok(Math.abs(fused![i]! - expected) < 1e-12));
  assert.equal([...bySum(scores([1, 1]))[0]!], [0, 0]);
});

test('a passage has the score of the chunk in which most of it lies', () => {
  const place = (index: number, start: number, end: number) => ({ index, start, end });
  assert.is(overlap(place(0, 0, 10), place(0, 6, 20)), 4);
  assert.is(overlap(place(0, 0, 10), place(1, 0, 10)), 0);
  const chunks = [place(0, 0, 10), place(0, 10, 30), place(1, 0, 30)];
  const given = fromChunks(scores([7, 8, 9]), chunks, [place(0, 0, 5), place(0, 6, 20), place(1, 6, 20)]);
  assert.equal([...given[0]!], [7, 8, 9]);
});

test('headings go, and all that repeats them; what stood under them stays where sections say', () => {
  const markdown = [
    '---', 'title: A title', '---', '# First *thing*', '', '- [Second](#second)', '- [elsewhere](https://example.org/)', '',
    'Under', '-----', 'one', '', '```sh', '# no heading', '```', '<a name="second"></a>', '## [Second](x.md) ##', 'two', '', '| a |', '|---|', '<h3 id="x">Third</h3>', '',
  ].join('\n');
  const { text, sections } = withoutHeadings(markdown);
  assert.equal(sections.map(({ heading }) => heading), ['First thing', 'Under', 'Second', 'Third']);
  assert.equal(sections.map(({ start, end }) => text.slice(start, end)),
    ['- [elsewhere](https://example.org/)', 'one\n\n```sh\n# no heading\n```', 'two\n\n| a |\n|---|', '']);
  assert.not.match(text, /title|Second|-----|Third/);
});

test('there are 400 questions and more, a good part written by hand, no two the same', () => {
  const questions = readQuestions();
  assert.ok(questions.length >= 400);
  assert.ok(questions.filter(({ part }) => part === 'written').length >= 150);
  assert.is(new Set(questions.map(({ question }) => question.toLowerCase())).size, questions.length);
  const named = new Set((JSON.parse(readFileSync(new URL('../bench/retrieval/packages.json', import.meta.url), 'utf8')) as { package: string; files: string[] }[])
    .flatMap(({ package: name, files }) => files.map((file) => `${name}/${file}`)));
  for (const { question, document, start, end } of questions) assert.ok(named.has(document) && start >= 0 && end > start, question);
});

const files = corpusInPlace();
if (files === null) console.log('the documents are not there (node scripts/corpus.mjs): their ranges are not compared');

(files === null ? test.skip : test)('questions are those of the documents, with ranges that exist', () => {
  const documents = readCorpus(files!);
  const questions = readQuestions();
  assert.equal(questions, questionsOf(documents));
  for (const { document, start, end, question } of questions) {
    const { text } = documents.find(({ id }) => id === document)!;
    assert.is(text.slice(start, end).trim().length, end - start, question);
  }
});

test.run();
