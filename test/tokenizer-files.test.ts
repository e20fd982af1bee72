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

/** A charsmap of that trie and those replacements, in base64. */
function charsMap(units: number[], replacements: number[], claimed = 4 * units.length): string {
  const trie = Uint32Array.from([claimed, ...units]);
  return btoa(String.fromCharCode(...new Uint8Array(trie.buffer), ...replacements));
}

/** What is changed in a good file, and what the refusal must name. */
const malformed: [name: string, change: (json: Json) => void, ...patterns: RegExp[]][] = [
  ['word-piece', (json) => { json.normalizer = { type: 'ByteLevel' }; }, /normalizer type "ByteLevel" is not supported/],
  ['word-piece', (json) => { json.normalizer = { type: 'Sequence', normalizers: [{ type: 'Else' }] }; }, /normalizers\[0\]/, /"Else"/],
  ['word-piece', (json) => { json.normalizer = { type: 'Sequence', normalizers: Array(33).fill(json.normalizer) }; }, /normalizers must have at most 32 entries, has 33/],
  ['word-piece', (json) => { json.normalizer = { type: 'Sequence', normalizers: [json.normalizer, { type: 'Sequence', normalizers: [] }] }; }, /normalizers\[1\]/],
  ['word-piece', (json) => { json.normalizer = 'NFD'; }, /normalizer must be an object, got "NFD"/],
  ['word-piece', (json) => { json.normalizer.lowercase = 'yes'; }, /normalizer\.lowercase must be true or false, got "yes"/],
  ['word-piece', (json) => { json.pre_tokenizer = { type: 'Split' }; }, /pre-tokenizer type "Split" is not supported/],
  ['word-piece', (json) => { json.pre_tokenizer = null; }, /pre_tokenizer must be an object, got null/],
  ['word-piece', (json) => { json.pre_tokenizer = { type: 'ByteLevel' }; }, /model type "WordPiece" is not supported with pre-tokenizer ByteLevel/],
  ['word-piece', (json) => { json.post_processor = { type: 'Else' }; }, /post-processor type "Else" is not supported/],
  ['word-piece', (json) => { json.decoder = { type: 'CTC' }; }, /decoder type "CTC" is not supported/],
  ['word-piece', (json) => { json.model.type = 'Unigram'; }, /model\.vocab must be a list/],
  ['word-piece', (json) => { json.model.type = 'WordLevel'; }, /model type "WordLevel" is not supported/],
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
  ['unigram', (json) => { json.model.vocab = []; }, /model\.vocab must not be empty/],
  ['unigram', (json) => { json.model.vocab = { a: 0 }; }, /model\.vocab must be a list/],
  ['unigram', (json) => { json.model.vocab[5] = 'a'; }, /model\.vocab\[5\] must be a token and its score, got "a"/],
  ['unigram', (json) => { json.model.vocab[5] = ['a', '-1']; }, /model\.vocab\[5\] must be a token and its score/],
  ['unigram', (json) => { json.model.vocab[5] = ['x\ud83d', -1]; }, /half of a surrogate pair/],
  ['unigram', (json) => { json.model.unk_id = null; }, /model\.unk_id must be a whole number from 0/, /got null/],
  ['unigram', (json) => { json.model.unk_id = json.model.vocab.length; }, /model\.unk_id/],
  ['unigram', (json) => { json.model.byte_fallback = 1; }, /model\.byte_fallback must be true or false/],
  ['unigram', (json) => { json.pre_tokenizer = { type: 'ByteLevel' }; }, /model type "Unigram" is not supported with pre-tokenizer ByteLevel/],
  ['unigram', (json) => { json.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'ByteLevel' }] }; }, /pretokenizers\[0\]\.type must not be "ByteLevel"/],
  ['unigram', (json) => { json.pre_tokenizer.replacement = '__'; }, /replacement must be one character/],
  ['unigram', (json) => { json.pre_tokenizer.prepend_scheme = 'last'; }, /prepend_scheme must be "always", "first" or "never", got "last"/],
  ['unigram', (json) => { json.pre_tokenizer.add_prefix_space = false; }, /prepend_scheme must be "never" where add_prefix_space is false/],
  ['unigram', (json) => { json.normalizer.normalizers[0].precompiled_charsmap = null; }, /precompiled_charsmap must be a string/],
  ['unigram', (json) => { json.normalizer.normalizers[0].precompiled_charsmap = 'AAA'; }, /must be base64/],
  ['unigram', (json) => { json.normalizer.normalizers[0].precompiled_charsmap = ''; }, /must hold the trie/],
  ['unigram', (json) => { json.normalizer.normalizers[0].precompiled_charsmap = charsMap([0], [0xff]); }, /must hold replacements in UTF-8/],
  ['unigram', (json) => { json.normalizer.normalizers[0].precompiled_charsmap = charsMap([0], Array(300).fill(0x61)); }, /at most 256 bytes/],
  ['unigram', (json) => { json.normalizer.normalizers[0].precompiled_charsmap = charsMap([0], [], 8); }, /must hold the trie/],
  ['unigram', (json) => { json.normalizer.normalizers[2].pattern = { Regex: '(a+)+$' }; }, /pattern\.Regex must be one of/],
  ['unigram', (json) => { json.normalizer.normalizers[2].pattern = { String: '' }; }, /pattern\.String must not be empty/],
  ['unigram', (json) => { json.normalizer.normalizers[2].content = 'x'.repeat(65); }, /content must have at most 64/],
  ['unigram', (json) => { json.decoder = { type: 'Strip', content: '', start: 0, stop: 0 }; }, /decoder\.content must be one character/],
];

for (const [name, change, ...patterns] of malformed) {
  test(`refuses ${name} with ${/\{ (.*) \}/.exec(String(change))?.[1] ?? String(change)}`, async () => {
    const source = await changed(name, change);
    await assertRefuses(() => Tokenizer.fromPretrained(source), 'BAD_FILE', /tokenizer\.json/, ...patterns);
  });
}

test('a charsmap that leads out of itself leads nowhere', async () => {
  // Its first unit points far away, its second to a value that is none.
  for (const units of [[0x3fffff << 10], [1 << 10, ...Array<number>(0x61).fill(0), 0x61 | 1 << 8, 0x7fffffff]]) {
    const source = await changed('unigram', (json) => {
      json.normalizer = { type: 'Precompiled', precompiled_charsmap: charsMap(units, [0x62, 0]) };
    });
    const tokenizer = await Tokenizer.fromPretrained(source);
    assert.is(tokenizer.decode(tokenizer.encode('aé', { addSpecialTokens: false }).inputIds), 'aé');
  }
});

test('stages that multiply each other are stopped before they fill the memory', async () => {
  const ten = { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(10) };
  const growing = await Tokenizer.fromPretrained(await changed('unigram', (json) => { json.normalizer = { type: 'Sequence', normalizers: Array(32).fill(ten) }; }));
  await assertRefuses(() => growing.encode('a'), 'BAD_FILE', /normalizer must not make a text more than 64 times as long/);
  const decoding = await Tokenizer.fromPretrained(await changed('unigram', (json) => { json.decoder = { type: 'Sequence', decoders: Array(32).fill(ten) }; }));
  await assertRefuses(() => decoding.decode(decoding.encode('a').inputIds), 'BAD_FILE', /decoder must not make a text more than 64 times as long/);
});

test('one stage is stopped as well, and before its text is there', async () => {
  // `a` becomes 200 characters.
  const units = [1 << 10, ...Array<number>(0x5f).fill(0), 0x61 | 1 << 8 | 1 << 10, 0x80000000];
  const map = charsMap(units, [...Array<number>(200).fill(0x62), 0]);
  const growing = await Tokenizer.fromPretrained(await changed('unigram', (json) => { json.normalizer = { type: 'Precompiled', precompiled_charsmap: map }; }));
  assert.ok(growing.encode('a').inputIds.length > 100);
  await assertRefuses(() => growing.encode('a'.repeat(100)), 'BAD_FILE', /normalizer must not make a text more than 64 times as long/);

  // Written out it would be longer than any string.
  const widest = { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(64) };
  const decoding = await Tokenizer.fromPretrained(await changed('unigram', (json) => { json.decoder = { type: 'Sequence', decoders: [{ type: 'Fuse' }, widest, widest] }; }));
  const { inputIds } = decoding.encode('a', { addSpecialTokens: false });
  const ids = Array<number>(2 ** 29 / 64 ** 2 + 100).fill(inputIds.at(-1)!);
  await assertRefuses(() => decoding.decode(ids), 'BAD_FILE', /decoder must not make a text more than 64 times as long/);
});

test('added tokens stay short when they are normalized', async () => {
  const withTokens = (contents: string[], normalizer: Json) => changed('word-piece', (json) => {
    json.normalizer = normalizer;
    json.added_tokens.push(...contents.map((content, i) => ({ id: 5000 + i, content, special: false })));
  });
  const widening = { type: 'Replace', pattern: { String: 'a' }, content: 'b'.repeat(52) };
  await Tokenizer.fromPretrained(await withTokens(['a'.repeat(9)], widening));
  await assertRefuses(async () => Tokenizer.fromPretrained(await withTokens(['a'.repeat(10)], widening)), 'BAD_FILE',
    /added_tokens must have at most 512 characters when they are normalized, "aaaaaaaaaa" has 520/);
});

// Pages cannot see their memory.
(globalThis.process ? test : test.skip)('long added tokens take little memory', async () => {
  const contents = Array.from({ length: 10_000 }, (_, i) => `${i}`.padEnd(500, 'x'));
  const source = await changed('word-piece', (json) => {
    json.added_tokens.push(...contents.map((content, i) => ({ id: 5000 + i, content, special: false })));
  });
  const before = process.memoryUsage();
  const tokenizer = await Tokenizer.fromPretrained(source);
  const after = process.memoryUsage();
  const growth = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  assert.ok(growth < 20 * 500 * contents.length, `${growth} bytes`);
  assert.ok([...tokenizer.encode(`a ${contents[77]!} b`).inputIds].includes(5077));
});

test('of added tokens that start at one place the longest counts, of equal ones the first', async () => {
  const tokenizer = await Tokenizer.fromPretrained(await changed('word-piece', (json) => {
    json.normalizer = { type: 'Lowercase' };
    json.added_tokens.push(...['Ab', 'AB', 'abab', 'ababa'].map((content, i) => ({ id: 5000 + i, content, special: false })));
  }));
  const { inputIds } = tokenizer.encode('aBaB AB AbAbA', { addSpecialTokens: false });
  assert.equal([...inputIds].filter((id) => id >= 5000), [5002, 5000, 5003]);
});

test('the switch before there was a scheme still counts', async () => {
  const tokenizer = await Tokenizer.fromPretrained(await changed('unigram', (json) => {
    json.pre_tokenizer = { type: 'Metaspace', replacement: '▁', str_rep: '▁', add_prefix_space: false };
  }));
  assert.is(tokenizer.encode('the').tokens[1]!.startsWith('▁'), false);
});

test('files without a type of model are known by their vocabulary', async () => {
  for (const name of ['word-piece', 'byte-level', 'unigram']) {
    const typed = await Tokenizer.fromPretrained(new URL(`${name}/`, fixtures));
    const untyped = await Tokenizer.fromPretrained(await changed(name, (json) => { delete json.model.type; }));
    assert.equal(untyped.encode('The license'), typed.encode('The license'));
  }
});

test('of equal tokens in a list the last counts', async () => {
  const tokenizer = await Tokenizer.fromPretrained(await changed('unigram', (json) => { json.model.vocab[1300] = ['▁the', -1]; }));
  assert.is(tokenizer.idOf('▁the'), 1300);
  assert.equal([...tokenizer.encode('the', { addSpecialTokens: false }).inputIds], [1300]);
});

test('a Sentencepiece model alone is refused, with the way to a tokenizer.json', async () => {
  for (const name of ['sentencepiece.bpe.model', 'spiece.model']) {
    await assertRefuses(() => Tokenizer.fromPretrained(files({ [name]: 'x' })), 'NOT_FOUND', /tokenizer\.json must be there/, new RegExp(name), /save_pretrained/);
  }
});

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
