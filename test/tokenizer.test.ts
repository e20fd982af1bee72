import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tokenizer } from 'longformer-wasm';
import { windowRanges } from '../dist/tokenizer/windows.js';
import { assertRefuses } from './rejects.ts';

const test = suite('tokenizer');
const fixtures = new URL('fixtures/tokenizer/', import.meta.url);

const wordPiece = await Tokenizer.fromPretrained(new URL('word-piece/', fixtures));
const cased = await Tokenizer.fromPretrained(new URL('word-piece-cased/', fixtures));
const byteLevel = await Tokenizer.fromPretrained(new URL('byte-level/', fixtures));
const unigram = await Tokenizer.fromPretrained(new URL('unigram/', fixtures));

/** What each token of the text covers, special tokens left out. */
function covered(tokenizer: Tokenizer, text: string): string[] {
  const { offsets, sequenceIds } = tokenizer.encode(text);
  return offsets.filter((_, i) => sequenceIds[i] === 0).map(([start, end]) => text.slice(start, end));
}

const texts: Record<string, string> = {
  English: 'The quick brown fox isn\'t lazy, is it?',
  German: 'Fußgängerübergänge über größeren Straßen – ÜBERALL!',
  Chinese: '我能吞下玻璃而不伤身体。𠀀𪚥',
  'emoji with modifiers': 'Hi 👋🏽, 👩‍👩‍👧‍👦 and 🏳️‍🌈!',
  'combining accents': 'Cafe\u0301 e\u0323\u0301 q\u0307\u0323 Z\u0337\u0344algo',
  'control characters': 'a\u0000b\u200bc\u00add\u0085e \u0007f\tg',
};

for (const [name, text] of Object.entries(texts)) {
  test(`slices of ${name} are in order and cut no character`, () => {
    for (const tokenizer of [wordPiece, cased, byteLevel, unigram]) {
      const { offsets, tokens, sequenceIds } = tokenizer.encode(text);
      let last = 0;
      offsets.forEach(([start, end], i) => {
        if (sequenceIds[i] === null) return;
        // A lone space is trimmed to nothing.
        assert.ok(start >= last && end >= start + (tokens[i] === 'Ġ' ? 0 : 1) && end <= text.length, `${tokens[i]} at ${start}..${end}`);
        assert.not.match(text.slice(start, end), /\p{Surrogate}/u);
        last = start;
      });
    }
  });

  test(`tokens of ${name} spell their slices`, () => {
    const { offsets, tokens, sequenceIds } = wordPiece.encode(text);
    offsets.forEach(([start, end], i) => {
      if (sequenceIds[i] === null || tokens[i] === '[UNK]') return;
      // By independent means: what BERT's normalization is, said in JavaScript's terms.
      const source = text.slice(start, end).normalize('NFD').replace(/[\p{Mn}\p{Cf}\p{Cc}]/gu, '').toLowerCase();
      assert.is(source, tokens[i]!.replace(/^##/, ''));
    });
  });

  test(`byte-level tokens of ${name} cover all of it but spaces`, () => {
    const { offsets } = byteLevel.encode(text);
    const seen = new Uint8Array(text.length);
    for (const [start, end] of offsets) seen.fill(1, start, end);
    assert.is(text.split('').filter((unit, i) => seen[i] === 0 && unit !== ' ').join(''), '');
    assert.is(byteLevel.decode(byteLevel.encode(text, { addSpecialTokens: false }).inputIds), text);
  });
}

test('tokens that share a character share its span', () => {
  const { offsets, sequenceIds } = byteLevel.encode('x𝔘y');
  const ofText = offsets.filter((_, i) => sequenceIds[i] === 0);
  assert.ok(ofText.length > 3);
  assert.is(ofText.filter(([start, end]) => start === 1 && end === 3).length, ofText.length - 2);
});

test('half of a surrogate pair counts as U+FFFD and keeps its place', () => {
  for (const tokenizer of [wordPiece, byteLevel, unigram]) {
    for (const half of ['\ud83d', '\udc4d']) {
      const text = `the ${half} fox ${half}`;
      const expected = tokenizer.encode(text.replaceAll(half, '\ufffd'));
      assert.equal(tokenizer.encode(text), expected);
    }
  }
});

test('the mask takes the space before it in, and its span leaves it out', () => {
  const { tokens, offsets } = byteLevel.encode('a <mask> b');
  assert.equal(tokens, ['<s>', 'a', '<mask>', 'Ġb', '</s>']);
  assert.equal(offsets, [[0, 0], [0, 1], [2, 8], [9, 10], [0, 0]]);
});

/** A Unigram tokenizer of those tokens and scores, behind an unknown one, and nothing around it. */
async function unigramOf(vocab: [string, number][], more: object = {}): Promise<Tokenizer> {
  const json = { model: { type: 'Unigram', unk_id: 0, vocab: [['<unk>', 0], ...vocab] }, ...more };
  return Tokenizer.fromPretrained({ open: async (name) => name === 'tokenizer.json' ? new Blob([JSON.stringify(json)]) : null });
}

test('an unknown character costs ten more than the worst token', async () => {
  for (const [score, tokens] of [[9.5, ['a', 'bc']], [10.5, ['ab', '<unk>']]] as const) {
    const tokenizer = await unigramOf([['a', 0], ['ab', score], ['bc', -7]]);
    assert.equal(tokenizer.encode('abc').tokens, tokens);
  }
});

test('of ways that score the same the one with the longer last token is taken', async () => {
  const tokenizer = await unigramOf([['a', -1], ['b', -1], ['c', -1], ['ab', -2], ['bc', -2]]);
  assert.equal(tokenizer.encode('abc').tokens, ['a', 'bc']);
});

test('spaces are trimmed of what is unknown as the text has it', async () => {
  const tokenizer = await unigramOf([['a', -1]], { post_processor: { type: 'ByteLevel', trim_offsets: true, add_prefix_space: false } });
  assert.equal(tokenizer.encode('a\u3000\nb').offsets, [[0, 1], [3, 4]]);
});

test('unknown characters in a row are one token, and bytes where there is a fallback', async () => {
  const { tokens, offsets } = unigram.encode('the ჲჳ');
  assert.equal(tokens, ['<s>', '▁the', '▁', '<unk>', '</s>']);
  assert.equal(offsets[3], [4, 6]);
  const json = JSON.parse(await readFile(new URL('unigram/tokenizer.json', fixtures), 'utf8')) as { model: object; decoder: object };
  json.model = { ...json.model, byte_fallback: true };
  json.decoder = { type: 'Sequence', decoders: [json.decoder, { type: 'ByteFallback' }] };
  const falling = await Tokenizer.fromPretrained({ open: async (name) => name === 'tokenizer.json' ? new Blob([JSON.stringify(json)]) : null });
  const encoding = falling.encode('the ჲჳ', { addSpecialTokens: false });
  assert.equal(encoding.tokens.slice(2, 4), ['<0xE1>', '<0x83>']);
  assert.equal(encoding.offsets.slice(2), Array(6).fill([4, 6]));
  assert.is(falling.decode(encoding.inputIds), 'the ჲჳ');
});

test('a text that is too long is refused with both lengths', async () => {
  const length = wordPiece.encode('one two three').inputIds.length;
  await assertRefuses(() => wordPiece.encode('one two three', { maxLength: 4 }), 'BAD_INPUT', /^text /, /maxLength = 4/, new RegExp(`has ${length}`));
  await assertRefuses(() => wordPiece.encode('one', { pair: 'two three four', maxLength: 5 }), 'BAD_INPUT', /^pair /, /maxLength = 5/);
  assert.is(wordPiece.encode('one two three', { maxLength: length }).inputIds.length, length);
});

test('truncation leaves out the end of the text, and says where it stopped', () => {
  const text = 'The quick brown fox jumps over the lazy dog.';
  for (const tokenizer of [wordPiece, byteLevel]) {
    const whole = tokenizer.encode(text);
    const cut = tokenizer.encode(text, { maxLength: 8, overflow: 'truncate' });
    assert.equal([...cut.inputIds.slice(0, 7)], [...whole.inputIds.slice(0, 7)]);
    assert.is(cut.inputIds.length, 8);
    assert.is(cut.inputIds.at(-1), whole.inputIds.at(-1));
    assert.is(cut.readUntil, whole.offsets[6]![1]);
    assert.is('readUntil' in tokenizer.encode(text, { maxLength: whole.inputIds.length, overflow: 'truncate' }), false);
  }
});

test('of two texts the second is cut, the first never', async () => {
  const cut = byteLevel.encode('What is it?', { pair: 'It is a dog and no fox.', maxLength: 14, overflow: 'truncate' });
  const first = byteLevel.encode('What is it?', { addSpecialTokens: false });
  assert.is(cut.inputIds.length, 14);
  assert.is(cut.sequenceIds.filter((id) => id === 0).length, first.inputIds.length);
  assert.is(cut.readUntil, cut.offsets[12]![1]);
  await assertRefuses(() => byteLevel.encode('What is it?', { pair: 'x', maxLength: first.inputIds.length + 4, overflow: 'truncate' }), 'BAD_INPUT', /^pair /);
});

test('windows overlap by the stride, hold every token and end with the text', () => {
  const text = texts.English!.repeat(20);
  const whole = wordPiece.encode(text);
  const windows = wordPiece.encodeWindows(text, { maxLength: 50, stride: 10 });
  const tokens = windows.flatMap((window, i) => [...window.inputIds.slice(i === 0 ? 1 : 11, -1)]);
  assert.equal(tokens, [...whole.inputIds.slice(1, -1)]);
  assert.equal(windows.at(-1)!.offsets.at(-2), whole.offsets.at(-2));
  assert.equal(windows[1]!.offsets.slice(1, 11), windows[0]!.offsets.slice(-11, -1));
  assert.ok(windows.every((window) => window.inputIds.length <= 50 && !('readUntil' in window)));
});

test('a token has the same span in every window, behind a prefix space too', async () => {
  const prefixing = await Tokenizer.fromPretrained(new URL('byte-level-prefix/', fixtures));
  const text = texts.English!;
  const spans = prefixing.encode(text).offsets.slice(1, -1);
  prefixing.encodeWindows(text, { maxLength: 3, stride: 0 }).forEach((window, i) => assert.equal(window.offsets[1], spans[i]));
});

test('a text that fits, or is empty, is one window', () => {
  assert.equal(wordPiece.encodeWindows('', { maxLength: 4, stride: 1 }), [wordPiece.encode('')]);
  assert.equal(wordPiece.encodeWindows('a', { maxLength: 3, stride: 0 }), [wordPiece.encode('a')]);
  assert.equal(wordPiece.encodeWindows('a', { pair: '', maxLength: 9, stride: 1 }), [wordPiece.encode('a', { pair: '' })]);
});

test('windows without room are refused', async () => {
  await assertRefuses(() => wordPiece.encodeWindows('a b', { maxLength: 2, stride: 0 }), 'BAD_INPUT', /^text /, /maxLength = 2/);
  await assertRefuses(() => wordPiece.encodeWindows('a b', { maxLength: 10, stride: 8 }), 'BAD_INPUT', /^stride /, /below the 8/, /got 8/);
  await assertRefuses(() => wordPiece.encodeWindows('a b c', { pair: 'd', maxLength: 6, stride: 0 }), 'BAD_INPUT', /^pair /, /\(6\)/);
  await assertRefuses(() => wordPiece.encodeWindows('a', { maxLength: 10, stride: -1 }), 'BAD_INPUT', /^stride /);
  await assertRefuses(() => wordPiece.encodeWindows('a', { maxLength: NaN, stride: 0 }), 'BAD_INPUT', /^maxLength /);
});

test('arguments of another type are refused', async () => {
  await assertRefuses(() => wordPiece.encode(null as unknown as string), 'BAD_INPUT', /^text must be a string/);
  await assertRefuses(() => wordPiece.encode('a', { pair: 7 as unknown as string }), 'BAD_INPUT', /^pair must be a string/);
  await assertRefuses(() => wordPiece.encode('a', { maxLength: 2.5 }), 'BAD_INPUT', /^maxLength /);
  await assertRefuses(() => wordPiece.encode('a', { overflow: 'window' as 'error' }), 'BAD_INPUT', /^overflow /, /"window"/);
  await assertRefuses(() => wordPiece.decode([0, 10 ** 6]), 'BAD_INPUT', /^ids\[1\] /, /1000000/);
});

test('decoding keeps special tokens unless told to skip them', () => {
  const { inputIds } = byteLevel.encode('It <mask> a dog');
  assert.is(byteLevel.decode(inputIds), '<s>It<mask> a dog</s>');
  assert.is(byteLevel.decode(inputIds, { skipSpecialTokens: true }), 'It a dog');
  assert.is(byteLevel.decode([]), '');
});

test('tells the tokens that play a role, and the rows an embedding table needs', async () => {
  const bert = await Tokenizer.fromPretrained(new URL('word-piece-vocab/', fixtures));
  assert.equal(bert.specialTokens.mask, { token: '[MASK]', id: bert.idOf('[MASK]') });
  assert.is(bert.specialTokens.bos, undefined);
  const roberta = await Tokenizer.fromPretrained(new URL('byte-level-vocab/', fixtures));
  assert.equal(roberta.specialTokens, {
    bos: { token: '<s>', id: 0 }, eos: { token: '</s>', id: 2 }, unk: { token: '<unk>', id: 3 }, sep: { token: '</s>', id: 2 },
    pad: { token: '<pad>', id: 1 }, cls: { token: '<s>', id: 0 }, mask: { token: '<mask>', id: roberta.idOf('<mask>') },
  });
  assert.is(roberta.tokenOf(roberta.vocabSize - 1) !== undefined && roberta.tokenOf(roberta.vocabSize) === undefined, true);
});

test('takes time in proportion to the text, whatever it is', () => {
  // A quadratic stage takes minutes for these; a loaded machine does not take a quarter of one.
  const length = 2 ** 18;
  const hard = [
    'a'.repeat(length), 'ab'.repeat(length / 2), ' '.repeat(length), '\n '.repeat(length / 2),
    '\u0301\u0323'.repeat(length / 4), ' <mask>'.repeat(length / 8), '<'.repeat(length / 2), 'abcdefghij'.repeat(7).concat(' ').repeat(length / 71),
  ];
  for (const tokenizer of [wordPiece, byteLevel, unigram]) {
    for (const text of hard) {
      const start = performance.now();
      tokenizer.encode(text);
      const seconds = (performance.now() - start) / 1000;
      if (seconds > 15) throw new Error(`${JSON.stringify(text.slice(0, 20))} took ${seconds} s`);
    }
  }
});

test('covered parts of a sentence read like its words', () => {
  assert.equal(covered(cased, 'Contributor, You'), ['Contributor', ',', 'You']);
});

test('windows that do not get on are refused', async () => {
  for (const stride of [-1, 4, 5, NaN]) await assertRefuses(() => windowRanges(20, 4, stride), 'BAD_INPUT', /stride must be from 0 to below 4/);
});

test.run();
