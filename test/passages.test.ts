import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { passagesOf, type PassageRules, type TokenSpans } from '../dist/search/passages.js';

const test = suite('passages');

/** Words and signs, which is about what real tokenizers make of a text. */
function tokenize(text: string): TokenSpans {
  const words = [...text.matchAll(/\w+|[^\w\s]/gu)];
  return { starts: words.map(({ index }) => index!), ends: words.map(({ index, 0: word }) => index! + word.length) };
}

const rules = (options: Partial<PassageRules>): PassageRules => ({ by: 'paragraph', maxTokens: 40, overlap: 0, ...options });

/** The passages' texts, after a check of everything that holds for all of them. */
function split(text: string, options: Partial<PassageRules> = {}, tokens = tokenize(text)): string[] {
  const { maxTokens, overlap } = rules(options);
  const passages = passagesOf(text, tokens, rules(options));
  let end = 0;
  let lastToken = 0;
  for (const passage of passages) {
    const slice = text.slice(passage.start, passage.end);
    assert.is(slice, slice.trim(), 'no white space at the ends');
    if (overlap === 0) assert.ok(passage.start >= end && passage.firstToken >= lastToken, 'ascending, apart');
    if (passage.start > end) assert.is(text.slice(end, passage.start).trim(), '', 'nothing is left out');
    assert.ok(passage.end > end, 'ascending');
    const count = passage.endToken - passage.firstToken;
    assert.ok(count >= 1 && count <= maxTokens, `1 to ${maxTokens} tokens, has ${count}`);
    assert.ok(tokens.ends[passage.firstToken]! > passage.start && tokens.ends[passage.endToken - 1]! <= passage.end, 'the tokens are in the span');
    end = passage.end;
    lastToken = passage.endToken;
  }
  if (passages.length > 0) assert.is(text.slice(end).trim(), '', 'nothing is left out at the end');
  return passages.map(({ start, end }) => text.slice(start, end));
}

const words = (count: number, word = 'word'): string => Array.from({ length: count }, (_, i) => `${word}${i}`).join(' ');

test('are paragraphs', () => {
  const paragraphs = [words(20, 'a'), words(30, 'b'), words(12, 'c')];
  assert.equal(split(paragraphs.join('\n\n')), paragraphs);
  assert.equal(split(paragraphs.join('\r\n \t\r\n')), paragraphs);
  assert.equal(split(`\n\n  ${paragraphs.join('\n\n\n\n')}\n\n`), paragraphs);
});

test('join very short paragraphs with what follows, the last with what is before it', () => {
  assert.equal(split(`${words(3)}\n\n${words(20)}\n\n${words(20)}\n\n${words(2)}`), [`${words(3)}\n\n${words(20)}`, `${words(20)}\n\n${words(2)}`]);
  assert.equal(split('one\n\ntwo'), ['one\n\ntwo']);
});

test('do not join beyond the most tokens', () => {
  assert.equal(split(`${words(5)}\n\n${words(38)}`), [words(5), words(38)]);
});

test('take headings with what follows', () => {
  for (const heading of ['# Title', '## Title ##', 'Title\n=====', 'Title\n---', 'Title\n~~~~~', 'Title\n^^^^^']) {
    const text = `${words(20)}\n\n${heading}\n\n${words(15)}\n\n${words(16)}`;
    assert.equal(split(text), [words(20), `${heading}\n\n${words(15)}`, words(16)], heading);
  }
});

test('take a heading with what is before it where nothing follows', () => {
  assert.equal(split(`${words(20)}\n\n# End`), [`${words(20)}\n\n# End`]);
  assert.equal(split('# Nothing else'), ['# Nothing else']);
});

test('join an introduction under a heading with the first subsection, not with the next section', () => {
  assert.equal(split(`# A\n\nIn short.\n\n## B\n\n${words(15)}`), [`# A\n\nIn short.\n\n## B\n\n${words(15)}`]);
  assert.equal(split(`# A\n\nIn short.\n\n# B\n\n${words(15)}`), ['# A\n\nIn short.', `# B\n\n${words(15)}`]);
});

test('know a heading from a comment in code', () => {
  const code = `\`\`\`sh\n# ${words(8)}\n\nrun\n\`\`\``;
  assert.equal(split(`${words(11)}\n\n${code}`), [`${words(11)}\n\n${code}`]);
});

test('keep code with its explanation, and whole where it fits', () => {
  const code = `~~~\n${words(10)}\n\n${words(10)}\n~~~`;
  assert.equal(split(`${words(8)}:\n${code}\n\n${words(20)}`), [`${words(8)}:\n${code}`, words(20)]);
  assert.equal(split(`${words(30)}\n\n${code}`), [words(30), code]);
});

test('divide code that is too long at lines, into parts of about the same length', () => {
  const lines = Array.from({ length: 12 }, (_, i) => words(5, `l${i}_`));
  const parts = split(`\`\`\`\n${lines.join('\n')}\n\`\`\``);
  assert.is(parts.length, 2);
  assert.ok(parts[0]!.endsWith(lines[5]!), parts[0]);
});

test('read a fence that is never closed to the end', () => {
  assert.equal(split(`\`\`\`\n${words(10)}\n\n${words(10)}`), [`\`\`\`\n${words(10)}\n\n${words(10)}`]);
});

test('divide prose that is too long at sentences, which may run over several lines', () => {
  const sentences = Array.from({ length: 4 }, (_, i) => `S${i} ${words(8)}\n${words(5)}.`);
  assert.equal(split(sentences.join(' ')), [sentences.slice(0, 2).join(' '), sentences.slice(2).join(' ')]);
});

test('divide a sentence that is too long at words', () => {
  const parts = split(words(100));
  assert.is(parts.length, 3);
  assert.is(parts.join(' '), words(100));
});

test('divide what has no spaces between characters', () => {
  const text = 'Ωß'.repeat(50);
  const characters = [...text];
  const starts = characters.map((_, i) => i);
  assert.equal(split(text, {}, { starts, ends: starts.map((start) => start + 1) }).map(({ length }) => length), [40, 40, 20]);
});

test('never divide a character that is several tokens', () => {
  const text = '🙂'.repeat(40); // three tokens each, with the same span
  const starts = Array.from({ length: 120 }, (_, i) => 2 * Math.floor(i / 3));
  for (const part of split(text, { maxTokens: 16 }, { starts, ends: starts.map((start) => start + 2) })) {
    assert.is(part, '🙂'.repeat(part.length / 2));
  }
});

test('are sentences', () => {
  const text = `# A title of its own\n\nThe first sentence has more than eight words\nand goes on. Does the second one have as many words too? Yes.\n\n- One item of a list of more than eight words\n- The other item of the list of eight words`;
  assert.equal(split(text, { by: 'sentence' }), [
    '# A title of its own\n\nThe first sentence has more than eight words\nand goes on.',
    'Does the second one have as many words too? Yes.',
    '- One item of a list of more than eight words',
    '- The other item of the list of eight words',
  ]);
});

test('do not let a heading run into its first sentence', () => {
  const [title, sentence] = ['# A title that has no less than eight words', 'A sentence that has no less than eight words.'];
  assert.equal(split(`${title}\n${sentence}`, { by: 'sentence' }), [title, sentence]);
});

test('are so many tokens, with an overlap', () => {
  const all = words(50).split(' ');
  const parts = (options: Partial<PassageRules>) => split(words(50), { by: 'tokens', maxTokens: 20, ...options });
  assert.equal(parts({}), [all.slice(0, 20), all.slice(20, 40), all.slice(40)].map((part) => part.join(' ')));
  assert.equal(parts({ overlap: 5 }), [all.slice(0, 20), all.slice(15, 35), all.slice(30)].map((part) => part.join(' ')));
});

test('of tokens start where words start', () => {
  // Every word is two tokens.
  const text = words(30, 'xxxx');
  const spans = [...text.matchAll(/xx|xx\d+/g)];
  const tokens = { starts: spans.map(({ index }) => index!), ends: spans.map(({ index, 0: part }) => index! + part.length) };
  for (const part of split(text, { by: 'tokens', maxTokens: 17 }, tokens)) assert.match(part, /^xxxx/);
});

test('are none where there are no tokens', () => {
  for (const text of ['', ' \n\n ', '\u200b\n\n\u200b']) assert.equal(split(text, {}, { starts: [], ends: [] }), []);
});

test('take what has no tokens along', () => {
  const text = `\u200b\n\n${words(20)}\n\n\u200b\n\n${words(40)}\n\n\u200b`;
  assert.equal(split(text, {}, tokenize(text.replaceAll('\u200b', ' '))).map((part) => tokenize(part.replaceAll('\u200b', ' ')).starts.length), [20, 40]);
});

test('of real texts and of any mixture hold everything', () => {
  const texts = [readFileSync('LICENSE', 'utf8'), readFileSync('crate/src/lib.rs', 'utf8')];
  const parts = ['# H', '## H', '===', '---', '~~~', '```', '|a|b|', '- x', '1. y', 'Word word.', 'é🙂', '\u200b', ' ', '\n', '\n\n', '\r\n', '\t', '> q', words(30), 'x'.repeat(90)];
  let seed = 1;
  const random = (limit: number): number => (seed = (seed * 48271) % 2147483647) % limit;
  for (let i = 0; i < 300; i++) texts.push(Array.from({ length: random(40) }, () => parts[random(parts.length)]).join(random(2) ? '\n' : ''));
  for (const text of texts) {
    for (const by of ['paragraph', 'sentence', 'tokens'] as const) {
      split(text, { by });
      split(text, { by, maxTokens: 16 });
    }
  }
});

test('take time in proportion to the text', () => {
  const size = 300_000;
  for (const part of ['a', ' ', '\n', '\r', '#', '# \n', '```\n', '~', '|\n', 'a\n---\n', 'a. ', '- ', '\t\n', 'a\r\n', '\u200b\n\n', '(a) ']) {
    const text = part.repeat(size / part.length);
    const tokens = tokenize(text);
    for (const by of ['paragraph', 'sentence', 'tokens'] as const) {
      const start = performance.now();
      passagesOf(text, tokens, rules({ by }));
      assert.ok(performance.now() - start < 10_000, `${JSON.stringify(part)} by ${by}: ${performance.now() - start} ms`);
    }
  }
});

test.run();
