// Which files make a tokenizer, and what is refused of malformed ones.

import { readFile } from 'node:fs/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Tokenizer, type FileSource } from 'longformer-wasm';
import { assertRefuses } from './rejects.ts';

const test = suite('tokenizer files');
const fixtures = new URL('fixtures/tokenizer/', import.meta.url);

type Json = Record<string, any>;

/** A source of the given files; objects become JSON. */
function files(contents: Record<string, unknown>): FileSource {
  return {
    open: async (name) => {
      const content = contents[name];
      return content === undefined ? null : new Blob([typeof content === 'string' ? content : JSON.stringify(content)]);
    },
  };
}

async function text(name: string): Promise<string> {
  return readFile(new URL(name, fixtures), 'utf8');
}

/** The tokenizer.json of a fixture after `change`. */
async function changed(name: string, change: (json: Json) => void): Promise<FileSource> {
  const json = JSON.parse(await text(`${name}/tokenizer.json`)) as Json;
  change(json);
  return files({ 'tokenizer.json': json });
}

test('no tokenizer is NOT_FOUND', async () => {
  await assertRefuses(() => Tokenizer.fromPretrained(files({})), 'NOT_FOUND', /tokenizer\.json/, /merges\.txt/, /vocab\.txt/);
  await assertRefuses(() => Tokenizer.fromPretrained(files({ 'vocab.json': {} })), 'NOT_FOUND', /merges\.txt/);
});

test('an abort before the files are read rejects with its reason', async () => {
  const reason = new Error('enough');
  try {
    await Tokenizer.fromPretrained(files({}), { signal: AbortSignal.abort(reason) });
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  }
});

test('vocab.txt keeps case and accents where tokenizer_config.json says so', async () => {
  const vocab = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'É', 'é', 'e', '中', '##文', '中文'].join('\r\n');
  const plain = await Tokenizer.fromPretrained(files({ 'vocab.txt': vocab }));
  assert.equal(plain.encode('É 中文').tokens, ['[CLS]', 'e', '中', '[UNK]', '[SEP]']);
  const cased = await Tokenizer.fromPretrained(files({
    'vocab.txt': vocab, 'tokenizer_config.json': { do_lower_case: false, tokenize_chinese_chars: false },
  }));
  assert.equal(cased.encode('É 中文').tokens, ['[CLS]', 'É', '中文', '[SEP]']);
  const accents = await Tokenizer.fromPretrained(files({ 'vocab.txt': vocab, 'tokenizer_config.json': { strip_accents: false } }));
  assert.equal(accents.encode('É').tokens, ['[CLS]', 'é', '[SEP]']);
});

test('vocab.txt may hold any word, and the last of two counts', async () => {
  const tokenizer = await Tokenizer.fromPretrained(files({ 'vocab.txt': '[PAD]\n[UNK]\n[CLS]\n[SEP]\ndog\n__proto__\nconstructor\ndog\n' }));
  assert.is(tokenizer.idOf('dog'), 7);
  assert.is(tokenizer.idOf('__proto__'), 5);
  assert.is(tokenizer.idOf('toString'), undefined);
  assert.equal([...tokenizer.encode('constructor toString').inputIds], [2, 6, 1, 3]);
});

test('ids do not depend on the Unicode of the runtime', async () => {
  // Younger than the library's tables: a character with a decomposition, and a punctuation mark.
  const tokenizer = await Tokenizer.fromPretrained(files({ 'vocab.txt': '[UNK]\n[CLS]\n[SEP]\n\u{11938}\na\u1b4eb\n' }));
  assert.equal([...tokenizer.encode('\u{11938} a\u1b4eb').inputIds], [1, 3, 4, 2]);
});

test('a word may have a hundred characters of two units', async () => {
  const tokenizer = await Tokenizer.fromPretrained(files({ 'vocab.txt': '[UNK]\n[CLS]\n[SEP]\n\u{1d400}\n##\u{1d400}\n' }));
  assert.is(tokenizer.encode('\u{1d400}'.repeat(100)).inputIds.length, 102);
  assert.equal([...tokenizer.encode('\u{1d400}'.repeat(101)).inputIds], [1, 0, 2]);
});

test('vocab.json and merges.txt take the space before the mask in unless told otherwise', async () => {
  const given = { 'vocab.json': await text('byte-level-vocab/vocab.json'), 'merges.txt': await text('byte-level-vocab/merges.txt') };
  const usual = await Tokenizer.fromPretrained(files(given));
  assert.equal(usual.encode('a <mask>').tokens, ['<s>', 'a', '<mask>', '</s>']);
  const map = { mask_token: { content: '<mask>', lstrip: false } };
  const told = await Tokenizer.fromPretrained(files({ ...given, 'special_tokens_map.json': map }));
  assert.equal(told.encode('a <mask>').tokens, ['<s>', 'a', 'Ġ', '<mask>', '</s>']);
  const prefixing = await Tokenizer.fromPretrained(files({ ...given, 'tokenizer_config.json': { add_prefix_space: true } }));
  assert.equal(prefixing.encode('a').tokens, ['<s>', 'Ġa', '</s>']);
});

test('tokens added beside the vocabulary are found', async () => {
  const given = { 'vocab.json': await text('byte-level-vocab/vocab.json'), 'merges.txt': await text('byte-level-vocab/merges.txt') };
  const next = (await Tokenizer.fromPretrained(files(given))).vocabSize;
  const tokenizer = await Tokenizer.fromPretrained(files({
    ...given,
    'added_tokens.json': { '<one>': next },
    'tokenizer_config.json': { added_tokens_decoder: { [next + 1]: { content: '<two>', special: true, rstrip: true } } },
  }));
  assert.equal(tokenizer.encode('<one> <two> b').tokens, ['<s>', '<one>', 'Ġ', '<two>', 'b', '</s>']);
  assert.is(tokenizer.vocabSize, next + 2);
});

test('roles come from tokenizer_config.json, then from special_tokens_map.json, then by their usual names', async () => {
  const json = JSON.parse(await text('byte-level/tokenizer.json')) as Json;
  const tokenizer = await Tokenizer.fromPretrained(files({
    'tokenizer.json': json,
    'tokenizer_config.json': { sep_token: '<pad>', unk_token: null },
    'special_tokens_map.json': { sep_token: '</s>', cls_token: { content: '<ent>' }, pad_token: '<not there>' },
  }));
  const { sep, cls, pad, mask, unk } = tokenizer.specialTokens;
  assert.equal([sep?.token, cls?.token, pad, mask?.token, unk?.token], ['<pad>', '<ent>', undefined, '<mask>', '<unk>']);
});

/** What is changed in a good file, and what the refusal must name. */
const malformed: [name: string, change: (json: Json) => void, ...patterns: RegExp[]][] = [
  ['word-piece', (json) => { json.normalizer = { type: 'Precompiled' }; }, /normalizer type "Precompiled" is not supported/],
  ['word-piece', (json) => { json.normalizer = { type: 'Sequence', normalizers: [{ type: 'NFKC' }] }; }, /normalizers\[0\]/, /"NFKC"/],
  ['word-piece', (json) => { json.normalizer = { type: 'Sequence', normalizers: [json.normalizer, { type: 'Sequence', normalizers: [] }] }; }, /normalizers\[1\]/],
  ['word-piece', (json) => { json.normalizer = 'NFD'; }, /normalizer must be an object, got "NFD"/],
  ['word-piece', (json) => { json.normalizer.lowercase = 'yes'; }, /normalizer\.lowercase must be true or false, got "yes"/],
  ['word-piece', (json) => { json.pre_tokenizer = { type: 'Metaspace' }; }, /pre-tokenizer type "Metaspace" is not supported/],
  ['word-piece', (json) => { json.pre_tokenizer = null; }, /pre_tokenizer must be an object, got null/],
  ['word-piece', (json) => { json.pre_tokenizer = { type: 'ByteLevel' }; }, /model type "WordPiece" is not supported with pre-tokenizer ByteLevel/],
  ['word-piece', (json) => { json.post_processor = { type: 'Else' }; }, /post-processor type "Else" is not supported/],
  ['word-piece', (json) => { json.decoder = { type: 'CTC' }; }, /decoder type "CTC" is not supported/],
  ['word-piece', (json) => { json.model.type = 'Unigram'; }, /model type "Unigram" is not supported/],
  ['word-piece', (json) => { delete json.model; }, /model must be an object/],
  ['word-piece', (json) => { delete json.model.vocab; }, /model\.vocab must be an object/],
  ['word-piece', (json) => { json.model.vocab = {}; }, /model\.vocab must not be empty/],
  ['word-piece', (json) => { json.model.vocab = [['a', 0]]; }, /model\.vocab must be an object/],
  ['word-piece', (json) => { json.model.vocab.the = -1; }, /model\.vocab\.the must be a whole number from 0/, /got -1/],
  ['word-piece', (json) => { json.model.vocab.the = 2 ** 40; }, /model\.vocab\.the must be a whole number/, /got 1099511627776/],
  ['word-piece', (json) => { json.model.vocab.the = 1.5; }, /got 1\.5/],
  ['word-piece', (json) => { json.model.vocab.the = '7'; }, /got "7"/],
  ['word-piece', (json) => { json.model.vocab.the = json.model.vocab.a; }, /one token/],
  ['word-piece', (json) => { json.model.vocab['x'.repeat(600)] = 9000; }, /at most 512 characters/],
  ['word-piece', (json) => { json.model.vocab['x\ud83d'] = 9000; }, /half of a surrogate pair/],
  ['word-piece', (json) => { json.model.unk_token = '[NO]'; }, /model\.unk_token must be in the vocabulary, got "\[NO\]"/],
  ['word-piece', (json) => { json.model.max_input_chars_per_word = -5; }, /max_input_chars_per_word/],
  ['word-piece', (json) => { json.added_tokens[0].content = ''; }, /added_tokens\[0\]\.content/],
  ['word-piece', (json) => { json.added_tokens[1].id = 1e9; }, /added_tokens\[1\]\.id/],
  ['word-piece', (json) => { json.added_tokens[1].id = 77; }, /added_tokens must give a token one id/, /"\[UNK\]"/],
  ['word-piece', (json) => { json.added_tokens.push({ content: '<new>', id: 3 }); }, /one token/, /<new>/],
  ['word-piece', (json) => { json.added_tokens = {}; }, /added_tokens must be a list/],
  ['word-piece', (json) => { json.added_tokens[0].lstrip = 1; }, /lstrip must be true or false/],
  ['word-piece', (json) => { json.post_processor.single = [{ SpecialToken: { id: '[CLS]', type_id: 0 } }]; }, /single must hold sequence A once/],
  ['word-piece', (json) => { json.post_processor.pair.push({ Sequence: { id: 'B', type_id: 0 } }); }, /pair must hold the sequences A and B once/],
  ['word-piece', (json) => { json.post_processor.single[0].SpecialToken.id = '[X]'; }, /special_tokens\["\[X\]"\] must be an object/],
  ['word-piece', (json) => { json.post_processor.special_tokens['[CLS]'].ids = [99999]; }, /ids must be ids of the vocabulary/],
  ['byte-level', (json) => { json.post_processor.cls = ['<s>', 99999]; }, /post_processor\.cls must be a token and its id/],
  ['byte-level', (json) => { json.post_processor.sep = '</s>'; }, /post_processor\.sep must be a list/],
  ['byte-level', (json) => { delete json.model.merges; }, /model\.merges must be a list/],
  ['byte-level', (json) => { json.model.merges[5] = ['a']; }, /model\.merges\[5\] must be two tokens/],
  ['byte-level', (json) => { json.model.merges[5] = 'a b c'; }, /model\.merges\[5\] must be two tokens/],
  ['byte-level', (json) => { json.model.merges[5] = 7; }, /model\.merges\[5\] must be two tokens, got 7/],
  ['byte-level', (json) => { json.model.merges[5] = ['q', 'zzz']; }, /model\.merges\[5\] must be two tokens of the vocabulary that make one/],
  ['byte-level', (json) => { json.model.merges[5] = ['q', 'x']; }, /model\.merges\[5\] .* that make one of the vocabulary/],
  ['byte-level', (json) => { delete json.model.vocab['Ġ']; }, /256 byte symbols/, /byte 32/],
  ['byte-level', (json) => { json.model.dropout = 0.1; }, /model\.dropout/],
  ['byte-level', (json) => { json.model.byte_fallback = true; }, /model\.byte_fallback/],
  ['byte-level', (json) => { json.model.end_of_word_suffix = '</w>'; }, /model\.end_of_word_suffix/],
];

for (const [name, change, ...patterns] of malformed) {
  test(`refuses ${name} with ${/\{ (.*) \}/.exec(String(change))?.[1] ?? String(change)}`, async () => {
    const source = await changed(name, change);
    await assertRefuses(() => Tokenizer.fromPretrained(source), 'BAD_FILE', /tokenizer\.json/, ...patterns);
  });
}

test('refuses what is no JSON, or no object', async () => {
  await assertRefuses(() => Tokenizer.fromPretrained(files({ 'tokenizer.json': '{"model": ' })), 'BAD_FILE', /tokenizer\.json must be JSON/);
  for (const content of ['[]', '3', '"x"']) {
    await assertRefuses(() => Tokenizer.fromPretrained(files({ 'tokenizer.json': content })), 'BAD_FILE', /tokenizer\.json must be an object/);
  }
});

test('refuses malformed files beside tokenizer.json, and says which', async () => {
  const good = { 'vocab.txt': '[UNK]\n[CLS]\n[SEP]\na\n' };
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ ...good, 'tokenizer_config.json': [] }, /tokenizer_config\.json must be an object/],
    [{ ...good, 'tokenizer_config.json': { do_lower_case: 'no' } }, /tokenizer_config\.json: do_lower_case must be true or false/],
    [{ ...good, 'tokenizer_config.json': { sep_token: 7 } }, /tokenizer_config\.json: sep_token must be an object/],
    [{ ...good, 'special_tokens_map.json': { cls_token: '<cls>' } }, /vocab\.txt must hold the cls token "<cls>"/],
    [{ ...good, 'added_tokens.json': { x: 'y' } }, /added_tokens\[3\]\.id must be a whole number/],
    [{ ...good, 'tokenizer_config.json': { added_tokens_decoder: { one: { content: 'x' } } } }, /added_tokens\[3\]\.id/],
    [{ 'vocab.txt': 'a\nb\n' }, /vocab\.txt must hold the sep token "\[SEP\]"/],
    [{ 'vocab.json': ['a'], 'merges.txt': '' }, /vocab\.json must be an object/],
    [{ 'vocab.json': await text('byte-level-vocab/vocab.json'), 'merges.txt': '#version: 0.2\nab\n' }, /merges\[0\] must be two tokens, got "ab"/],
  ];
  for (const [contents, pattern] of cases) await assertRefuses(() => Tokenizer.fromPretrained(files(contents)), 'BAD_FILE', pattern);
});

test('hostile nesting is refused, not followed', async () => {
  const deep = '{"type":"Sequence","normalizers":['.repeat(50_000) + ']}'.repeat(50_000);
  const json = (await text('word-piece/tokenizer.json')).replace(/"normalizer":\{[^}]*\}/, () => `"normalizer":${deep}`);
  await assertRefuses(() => Tokenizer.fromPretrained(files({ 'tokenizer.json': json })), 'BAD_FILE');
  for (const field of ['"type":"BertNormalizer"', '"lowercase":true']) {
    const lists = `${field.split(':')[0]!}:${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const nested = (await text('word-piece/tokenizer.json')).replace(field, lists);
    await assertRefuses(() => Tokenizer.fromPretrained(files({ 'tokenizer.json': nested })), 'BAD_FILE', /normalizer/);
  }
});

test('a field that is too long for a message is cut', async () => {
  const source = await changed('word-piece', (json) => { json.model.vocab['y'.repeat(10 ** 6)] = 'x'.repeat(10 ** 6); });
  try {
    await Tokenizer.fromPretrained(source);
    assert.unreachable();
  } catch (error) {
    assert.ok((error as Error).message.length < 500);
  }
});

test.run();
