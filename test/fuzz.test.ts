// Every parser of files from outside against thousands of malformed ones: see fuzz.ts.

import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { suite } from 'uvu';
import { LongformerError, Tokenizer } from 'longformer-wasm';
import { bandsOf, parseConfig, readConfig } from '../dist/config.js';
import { openCheckpoint } from '../dist/files/checkpoint.js';
import { contentLength, contentRange } from '../dist/files/download/http.js';
import { askForFile, getFile } from '../dist/files/download/hub.js';
import { openSource } from '../dist/files/open.js';
import { openBlob } from '../dist/files/blobs.js';
import { openSafetensors } from '../dist/files/safetensors.js';
import type { StoredTensors } from '../dist/files/tensors.js';
import type { Run } from '../dist/engine/services.js';
import { indexFile, openIndexFile, type KeptDocument } from '../dist/search/index-file.js';
import { JsonSection } from '../dist/tokenizer/json-section.js';
import { unchanged } from '../dist/tokenizer/normalized-text.js';
import { createPrecompiled } from '../dist/tokenizer/precompiled.js';
import { fuzz, mutateBytes, mutateJson, serveFuzz, type FuzzTarget, type Random } from './fuzz.ts';
import { hostilePickle, hostileZip } from './fuzz-pytorch.ts';

const test = suite('fuzz');

function text(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8');
}

const utf8 = new TextEncoder();

/** A source of one file that is the input, and others as they are. */
function sourceOf(name: string, input: Uint8Array, others: Record<string, Uint8Array | string> = {}) {
  const files: Record<string, Uint8Array | string> = { ...others, [name]: input };
  return {
    open: async (asked: string) => Object.hasOwn(files, asked) ? new Blob([files[asked] as Uint8Array<ArrayBuffer>]) : null,
  };
}

/** Either way of changing JSON. */
function changed(json: string, random: Random): Uint8Array {
  return random.once(5) ? mutateBytes(utf8.encode(json), random) : mutateJson(json, random);
}

// ---------------------------------------------------------------------------- weights

const header = JSON.stringify({
  __metadata__: { format: 'pt', other: 'x' },
  'encoder.weight': { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  'encoder.bias': { dtype: 'F16', shape: [3], data_offsets: [24, 30] },
  empty: { dtype: 'U8', shape: [0, 4], data_offsets: [30, 30] },
  scalar: { dtype: 'I64', shape: [], data_offsets: [30, 38] },
});

/** The format's layout around a header; the length is right unless told. */
function safetensorsOf(json: Uint8Array, claimed = BigInt(json.length)): Uint8Array {
  const bytes = new Uint8Array(8 + json.length + 38);
  new DataView(bytes.buffer).setBigUint64(0, claimed, true);
  bytes.set(json, 8);
  return bytes;
}

const LENGTHS = [0n, 7n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];

async function readAll(file: StoredTensors): Promise<void> {
  try {
    for (const name of file.tensors.keys()) await file.read(name);
  } finally {
    await file.close();
  }
}

const weightMap = { 'encoder.weight': 'a.safetensors', 'encoder.bias': 'a.safetensors', scalar: 'b/c.safetensors' };
const indexes = [weightMap, { ...weightMap, empty: '\ud800.safetensors' }, { ...weightMap, '\udc00': 'a.safetensors' }]
  .map((weight_map) => JSON.stringify({ metadata: { total_size: 38 }, weight_map }));

const pickles = ['kinds.bin', 'kinds-stream.bin'].map((name) => new Uint8Array(readFileSync(new URL(`fixtures/pytorch/${name}`, import.meta.url))));

async function useBin(input: Uint8Array): Promise<void> {
  await readAll(await openCheckpoint(await openSource(sourceOf('pytorch_model.bin', input))));
}

// ---------------------------------------------------------------------------- tokenizers

const maps = JSON.parse(text('tokenizer/clusters.json')) as { map: string }[];

/** tokenizer.json of a fixture, with a map of characters of a few kilobytes. */
const tokenizers = ['word-piece', 'byte-level-prefix', 'unigram'].map((name) => {
  const json = JSON.parse(text(`tokenizer/${name}/tokenizer.json`)) as { normalizer: { normalizers?: { precompiled_charsmap?: string }[] } | null };
  const first = json.normalizer?.normalizers?.[0];
  if (first?.precompiled_charsmap !== undefined) first.precompiled_charsmap = maps[0]!.map;
  return JSON.stringify(json);
});

const stages = (JSON.parse(text('tokenizer/variants.json')) as { variants: { tokenizer: string; field: string; value: unknown }[] }).variants
  .filter(({ tokenizer, field }) => tokenizer === 'unigram' && field !== 'model');

/** The Unigram one with a stage of the variants. */
function tokenizerJson(random: Random): string {
  const json = random.pick(tokenizers);
  if (json !== tokenizers[2] || random.once(4)) return json;
  const { field, value } = random.pick(stages);
  return JSON.stringify({ ...JSON.parse(json) as object, [field]: value });
}

const SAMPLE = 'The quick <mask> brown  fox, Ŝtraße 中文 e\u0301\u200d™ 👍🏽 <0x41>\n';

/** What reads is used as well. */
async function useTokenizer(source: Parameters<typeof Tokenizer.fromPretrained>[0]): Promise<void> {
  const tokenizer = await Tokenizer.fromPretrained(source);
  const { inputIds } = tokenizer.encode(SAMPLE, { pair: 'x', maxLength: 300, overflow: 'truncate' });
  tokenizer.decode(inputIds);
  tokenizer.decode(inputIds, { skipSpecialTokens: true });
}

const bert = {
  'vocab.txt': text('tokenizer/word-piece-vocab/vocab.txt'),
  'tokenizer_config.json': JSON.stringify({ do_lower_case: true, strip_accents: null, sep_token: '[SEP]', mask_token: { content: '[MASK]', lstrip: true }, added_tokens_decoder: { 700: { content: '<new>', special: true } } }),
  'special_tokens_map.json': JSON.stringify({ cls_token: { content: '[CLS]' }, unk_token: '[UNK]' }),
  'added_tokens.json': JSON.stringify({ '<one>': 701 }),
};

const roberta = {
  'vocab.json': text('tokenizer/byte-level-vocab/vocab.json'),
  'merges.txt': text('tokenizer/byte-level-vocab/merges.txt'),
  'special_tokens_map.json': text('tokenizer/byte-level-vocab/special_tokens_map.json'),
};

/** A file of a set, named in its first bytes: `name\n`. */
function oneOf(files: Record<string, string>, random: Random): Uint8Array {
  const name = random.pick(Object.keys(files));
  const input = name.endsWith('.json') ? changed(files[name]!, random) : mutateBytes(utf8.encode(files[name]), random);
  return Uint8Array.from([...utf8.encode(`${name}\n`), ...input]);
}

async function useFiles(files: Record<string, string>, input: Uint8Array): Promise<void> {
  const end = input.indexOf(0x0a);
  await useTokenizer(sourceOf(new TextDecoder().decode(input.subarray(0, end)), input.slice(end + 1), files));
}

// ---------------------------------------------------------------------------- answers of the Hub

const COMMIT = '0123456789abcdef'.repeat(3).slice(0, 40);

/** Heads of answers: a status, then headers. */
const heads = [
  `200\nX-Repo-Commit: ${COMMIT}\nETag: "${COMMIT}"\nContent-Length: 600`,
  `302\nX-Repo-Commit: ${COMMIT}\nX-Linked-ETag: "${'0123abcd'.repeat(8)}"\nX-Linked-Size: 1000\nETag: "x"\nLocation: https://storage.example/file?signature=x`,
  `307\nX-Repo-Commit: ${COMMIT}\nETag: W/"abc"\nLocation: /org/name/resolve/main/config.json`,
  '206\nContent-Range: bytes 0-9/20\nContent-Length: 10\nETag: "x"\nContent-Encoding: gzip',
  '429\nRetry-After: 100000\nX-Error-Message: too many',
  '403\nX-Error-Code: GatedRepo',
  `404\nX-Error-Code: EntryNotFound\nX-Repo-Commit: ${COMMIT}`,
].map((head) => utf8.encode(head));

/** What `fetch` makes of it; what it would not let through is left out. */
function responseOf(head: Uint8Array): Response {
  const [status, ...lines] = Array.from(head, (byte) => String.fromCharCode(byte)).join('').split('\n');
  const headers = new Headers();
  for (const line of lines) {
    try {
      headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1));
    } catch {}
  }
  const number = Number(status);
  return new Response(null, { status: number >= 200 && number < 600 ? number : 200, headers });
}

async function useAnswer(head: Uint8Array): Promise<void> {
  globalThis.fetch = async () => responseOf(head);
  const hub = { endpoint: 'https://hub.example', token: 'secret' };
  const repo = { id: 'org/name', revision: 'main' };
  const { headers } = await getFile(hub, repo, 'config.json', { start: 5, validator: '"x"', signal: undefined }).catch(refusal);
  contentRange(headers);
  contentLength(headers);
  const found = await askForFile(hub, repo, 'config.json', { retries: 0 });
  if ('etag' in found && /[/\\]|^\./.test(found.etag)) throw new Error(`${found.etag} is no name of a file`);
}

/** A refusal is as good an answer. */
function refusal(error: unknown): { headers: Headers } {
  if (error instanceof LongformerError) return { headers: new Headers() };
  throw error;
}

// ---------------------------------------------------------------------------- all of them

const configs = [
  text('tiny-longformer/config.json'), text('char-lm/config.json'),
  JSON.stringify({ model_type: 'longformer', attention_window: [4, 8], num_hidden_layers: 2, num_attention_heads: 2, hidden_size: 8, attention_dilation: [[1, 2], 1] }),
];

// ---------------------------------------------------------------------------- kept indexes

const HIDDEN = 4;

/** Vectors as the engine has them, without an engine. */
const vectorsOf = (data: Float32Array): KeptDocument['vectors'] => ({ read: () => data, free() {} }) as unknown as KeptDocument['vectors'];

const keptIndex = await (async (): Promise<Uint8Array> => {
  const document = (text: string, ...spans: number[]): KeptDocument =>
    ({ text, version: 'v', tokens: 9, windows: 1, spans: Uint32Array.from(spans), vectors: vectorsOf(new Float32Array(spans.length / 2 * HIDDEN)) });
  const { chunks } = await indexFile(
    { checkpoint: { source: 'org/name', revision: null }, passages: { by: 'paragraph', maxTokens: 200, overlap: 0 }, vectors: 'both', attentionWindow: [8, 8], dtype: 'f32', modulesToNotConvert: [] },
    HIDDEN, new Float32Array(HIDDEN), new Map([['a', document('one two', 0, 3, 4, 7)], ['b', document('')], ['ü', document('\u{1f600} x', 0, 4)]]));
  const pieces: Uint8Array[] = [];
  for await (const chunk of chunks) pieces.push(chunk);
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
})();

async function useIndex(input: Uint8Array): Promise<void> {
  const wasm = { UnitVectors: { restore: (_: number, data: Float32Array) => vectorsOf(data) } };
  const run = { wasm, async pause() {}, progress() {} } as unknown as Run;
  const file = await openIndexFile(openBlob('index', new Blob([input as Uint8Array<ArrayBuffer>])));
  await file.probe();
  for await (const [, { text, spans }] of file.documents(run)) for (let i = 0; i < spans.length; i += 2) text.slice(spans[i], spans[i + 1]);
}

const targets: Record<string, FuzzTarget> = {
  'kept index': { input: (random) => mutateBytes(keptIndex, random), parse: useIndex },
  'safetensors header': {
    input: (random) => {
      if (random.once(4)) return mutateBytes(safetensorsOf(utf8.encode(header)), random);
      const json = changed(header, random);
      return random.once(8) ? safetensorsOf(json, random.pick(LENGTHS)) : safetensorsOf(json);
    },
    parse: async (input) => {
      const read = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => input.slice(start, end);
      await readAll(await openSafetensors({ name: 'fuzz.safetensors', size: input.length, read, close: async () => {} }));
    },
  },
  'index of shards': {
    input: (random) => changed(random.pick(indexes), random),
    parse: async (input) => {
      const shard = safetensorsOf(utf8.encode(header));
      const source = sourceOf('model.safetensors.index.json', input, { 'a.safetensors': shard, 'b/c.safetensors': shard });
      await readAll(await openCheckpoint(await openSource(source)));
    },
  },
  'pytorch_model.bin': {
    input: (random) => mutateBytes(random.pick(pickles), random, pickles),
    parse: useBin,
  },
  'pytorch_model.bin of hostile opcodes': { input: hostilePickle, parse: useBin },
  'pytorch_model.bin of hostile fields': { input: hostileZip, parse: useBin },
  'config.json': {
    input: (random) => changed(random.pick(configs), random),
    parse: async (input) => {
      const config = await readConfig(await openSource(sourceOf('config.json', input)));
      bandsOf(config);
      parseConfig(config.json, 'what was read');
    },
  },
  'tokenizer.json': {
    input: (random) => changed(tokenizerJson(random), random),
    parse: (input) => useTokenizer(sourceOf('tokenizer.json', input)),
  },
  'map of characters': {
    input: (random) => {
      const bytes = maps.map(({ map }) => Uint8Array.from(atob(map), (unit) => unit.charCodeAt(0)));
      if (random.once(2)) return mutateBytes(random.pick(bytes), random, bytes);
      // Most units are unused: one that is used becomes any other.
      const map = random.pick(bytes).slice();
      const view = new DataView(map.buffer);
      const used = Array.from({ length: (map.length - 2) >>> 2 }, (_, i) => 4 * i).filter((at) => view.getUint32(at, true) !== 0);
      view.setUint32(random.pick(used), random.once(2) ? random.below(2 ** 32) : 1 << random.below(32), true);
      return map;
    },
    parse: (input) => {
      const map = btoa(Array.from(input, (byte) => String.fromCharCode(byte)).join(''));
      const normalize = createPrecompiled(new JsonSection('fuzz', { precompiled_charsmap: map }));
      normalize(unchanged(SAMPLE + '\u0915\u1161\u0301'.repeat(3), 0));
    },
  },
  'answer of the Hub': { input: (random) => mutateBytes(random.pick(heads), random, heads), parse: useAnswer },
  'vocab.txt and its companions': { input: (random) => oneOf(bert, random), parse: (input) => useFiles(bert, input) },
  'vocab.json, merges.txt and their companions': { input: (random) => oneOf(roberta, random), parse: (input) => useFiles(roberta, input) },
};

await serveFuzz(targets);

if (isMainThread) {
  for (const name of Object.keys(targets)) {
    test(`${name}: malformed files are refused by a LongformerError`, async () => {
      const { cases, read } = await fuzz(import.meta.url, name);
      // A mutation that leaves nothing to read, or changes nothing, would try nothing.
      if (read === 0 || read === cases) throw new Error(`${name}: of ${cases} cases ${read} were read`);
      console.log(`${name}: ${cases} cases, ${read} read`);
    });
  }
  test.run();
}
