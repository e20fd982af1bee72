// Hostile files by the thousand: good ones with something changed, each case known by its number, so
// that a failure can be looked at again.
//
// A target is tried in a worker whose heap is small, watched from outside: a parser may give a result or
// throw a LongformerError, and neither hang nor ask for memory that its input does not account for.
//
//     LONGFORMER_FUZZ_SECONDS=600     for each target, 4 by default
//     LONGFORMER_FUZZ_CASE=1234       the first case, 0 by default

import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { LongformerError } from 'longformer-wasm';

/** One parser of files from outside. */
export interface FuzzTarget {
  /** The bytes of a case. */
  input(random: Random): Uint8Array;
  /** Reads them, and may use what it has read. */
  parse(input: Uint8Array): unknown;
}

// ---------------------------------------------------------------------------- the loop

const SECONDS = Number(process.env.LONGFORMER_FUZZ_SECONDS ?? 4);
const FIRST_CASE = Number(process.env.LONGFORMER_FUZZ_CASE ?? 0);

/** A case of a few kilobytes takes milliseconds; a machine that does many other things may stop for seconds. */
const HANG_SECONDS = 15;
const HEAP_MEGABYTES = 256;

/** Buffers, for each byte of the input and besides: tables of all of Unicode are 2 MB. */
const BYTES_PER_BYTE = 64;
const BYTES_BESIDES = 4 * 2 ** 20;

interface Outcome {
  cases: number;
  /** Cases that gave a result. */
  read: number;
  failure: string | null;
}

/**
 * Tries `name` of `targets` in a worker that runs `file`, which must call `serveFuzz(targets)` there.
 * Throws with the number of the case that broke the rules.
 */
export async function fuzz(file: string, name: string): Promise<Outcome> {
  const at = new Int32Array(new SharedArrayBuffer(4)); // the case that is being tried
  const worker = new Worker(new URL(file), { workerData: { name, at }, resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES } });
  const told = new Promise<Outcome>((resolve, reject) => {
    let last = -1;
    const watch = setInterval(() => {
      if (at[0] === last) reject(new Error(`${name}: case ${last} takes more than ${HANG_SECONDS} s`));
      last = at[0]!;
    }, HANG_SECONDS * 1000);
    worker.once('message', resolve);
    worker.once('error', (cause) => reject(new Error(`${name}: case ${at[0]} ended the worker: ${cause.message}`, { cause })));
    worker.once('exit', () => clearInterval(watch));
  });
  try {
    const outcome = await told;
    if (outcome.failure !== null) throw new Error(`${name}: ${outcome.failure}`);
    return outcome;
  } finally {
    await worker.terminate();
  }
}

/** In a worker: tries the target that it was started for. In the main thread nothing. */
export async function serveFuzz(targets: Record<string, FuzzTarget>): Promise<void> {
  if (isMainThread) return;
  const { name, at } = workerData as { name: string; at: Int32Array };
  const { input, parse } = targets[name]!;
  const asked = watchBuffers();
  const outcome: Outcome = { cases: 0, read: 0, failure: null };
  const end = performance.now() + SECONDS * 1000;
  for (let number = FIRST_CASE; outcome.failure === null && performance.now() < end; number++) {
    at[0] = number;
    const bytes = input(new Random(number));
    const refuse = (what: string): void => { outcome.failure = `case ${number} ${what}: ${shown(bytes)}`; };
    asked.largest = 0;
    try {
      await parse(bytes);
      outcome.read++;
    } catch (error) {
      if (!(error instanceof LongformerError)) refuse(`threw ${error instanceof Error ? error.stack : String(error)}`);
    }
    if (asked.largest > BYTES_PER_BYTE * bytes.length + BYTES_BESIDES) refuse(`asked for a buffer of ${asked.largest} bytes`);
    outcome.cases++;
  }
  parentPort!.postMessage(outcome);
}

function shown(bytes: Uint8Array): string {
  return `${bytes.length} bytes, ${JSON.stringify(new TextDecoder().decode(bytes.subarray(0, 600)))}`;
}

/** Notes the largest buffer that anything in this thread asks for, in bytes. */
function watchBuffers(): { largest: number } {
  const asked = { largest: 0 };
  const types = [
    ArrayBuffer, Uint8Array, Int8Array, Uint8ClampedArray, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array,
  ] as const;
  for (const type of types) {
    const size = 'BYTES_PER_ELEMENT' in type ? type.BYTES_PER_ELEMENT : 1;
    const watched: typeof type = new Proxy(type, {
      construct(target, args: [unknown], newTarget): object {
        if (typeof args[0] === 'number') asked.largest = Math.max(asked.largest, size * args[0]);
        return Reflect.construct(target, args, newTarget === watched ? target : newTarget) as object;
      },
    });
    Object.assign(globalThis, { [type.name]: watched });
  }
  return asked;
}

// ---------------------------------------------------------------------------- chance

/** Numbers that follow from a seed (mulberry32). */
export class Random {
  #state: number;

  constructor(state: number) {
    this.#state = state;
  }

  /** From 0 to below `count`, a whole number. */
  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count);
  }

  pick<T>(list: ArrayLike<T>): T {
    return list[this.below(list.length)]!;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }
}

// ---------------------------------------------------------------------------- bytes

const ODD_BYTES = [0, 1, 0x22, 0x2c, 0x30, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xbf, 0xc0, 0xed, 0xf4, 0xff];

/** The bytes with one to four things changed: flipped, set, cut, put in, repeated, or taken from `others`. */
export function mutateBytes(bytes: Uint8Array, random: Random, others: readonly Uint8Array[] = [bytes]): Uint8Array {
  let changed = bytes;
  for (let changes = 1 + random.below(4); changes > 0; changes--) changed = changeOne(changed, random, others);
  return changed;
}

function changeOne(bytes: Uint8Array, random: Random, others: readonly Uint8Array[]): Uint8Array {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.below(random.once(4) ? bytes.length + 1 : 8));
  const put = (middle: ArrayLike<number>, until: number): Uint8Array => {
    const joined = new Uint8Array(at + middle.length + bytes.length - until);
    joined.set(bytes.subarray(0, at));
    joined.set(middle, at);
    joined.set(bytes.subarray(until), at + middle.length);
    return joined;
  };
  switch (random.below(8)) {
    case 0: return put([(bytes[at] ?? 0) ^ (1 << random.below(8))], Math.min(at + 1, bytes.length));
    case 1: return put([random.pick(ODD_BYTES)], Math.min(at + 1, bytes.length));
    case 2: return bytes.slice(0, at);
    case 3: return put([], end);
    case 4: return put(Array.from({ length: 1 + random.below(8) }, () => random.below(256)), at);
    case 5: return put(bytes.slice(at, end), at);
    case 6: { // a number of 32 bits
      const number = random.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff, bytes.length, random.below(2 ** 32)]);
      return put(new Uint8Array(Uint32Array.of(number).buffer), Math.min(at + 4, bytes.length));
    }
    default: {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return put(other.slice(from, from + 1 + random.below(other.length)), end);
    }
  }
}

// ---------------------------------------------------------------------------- JSON

/** JSON that can hold what JavaScript's values cannot: a key twice, `__proto__`, numbers and depths of any kind. */
type Node = { text: string } | { list: Node[] } | { entries: [key: string, value: Node][] };

const ODD_KEYS = ['__proto__', 'constructor', 'toString', 'length', 'type', '', '\\ud800', '0'];

const ODD_VALUES = [
  'null', 'true', 'false', '0', '-0', '-1', '0.5', '1e999', '-1e999', '1e-999', '16777215', '2147483647', '2147483648', '4294967296', '9007199254740993', '9'.repeat(400),
  '""', '" "', '"\\u0000"', '"\\ud800"', '"\\udc00x"', '"__proto__"', '"\\ud83d\\ude00"', `"${'x'.repeat(1000)}"`, '[]', '{}', '[[]]', '[null]', '{"__proto__":{}}',
  '[0,0]', '["a","b"]',
];

const DEPTHS = [10, 1000, 20000];

/** Longer ones say no more, and take the memory that the worker does not have. */
const MAX_CASE = 2 ** 20; // bytes

/** The JSON with one to four things changed in its structure, and sometimes bytes of it. */
export function mutateJson(json: string, random: Random): Uint8Array {
  let node = nodeOf(JSON.parse(json));
  for (let changes = 1 + random.below(4); changes > 0; changes--) node = changeNode(node, random);
  const bytes = new TextEncoder().encode(written(node));
  return (random.once(8) ? mutateBytes(bytes, random) : bytes).subarray(0, MAX_CASE);
}

function nodeOf(value: unknown): Node {
  if (Array.isArray(value)) return { list: value.map(nodeOf) };
  if (typeof value === 'object' && value !== null) return { entries: Object.entries(value).map(([key, entry]) => [JSON.stringify(key).slice(1, -1), nodeOf(entry)]) };
  return { text: JSON.stringify(value) };
}

function written(node: Node): string {
  if ('text' in node) return node.text;
  if ('list' in node) return `[${node.list.map(written).join(',')}]`;
  return `{${node.entries.map(([key, value]) => `"${key}":${written(value)}`).join(',')}}`;
}

/** Goes down some way, and changes what is there. */
function changeNode(node: Node, random: Random): Node {
  if ('list' in node && node.list.length > 0 && !random.once(4)) {
    const at = random.below(node.list.length);
    node.list[at] = changeNode(node.list[at]!, random);
    return node;
  }
  if ('entries' in node && node.entries.length > 0 && !random.once(6)) {
    const entry = random.pick(node.entries);
    entry[1] = changeNode(entry[1], random);
    return node;
  }
  return changedHere(node, random);
}

function changedHere(node: Node, random: Random): Node {
  if (random.once(3)) return oddValue(random, node);
  if ('text' in node) return { text: changedText(node.text, random) };
  const parts: unknown[] = 'list' in node ? node.list : node.entries;
  const at = random.below(parts.length);
  const other = random.below(parts.length);
  const kind = parts.length === 0 ? 3 : random.below(5);
  if (kind === 0) parts.splice(at, 1 + random.below(3));
  if (kind === 1) parts.splice(other, 0, ...Array<unknown>(random.once(4) && isShort(node, at) ? 200 : 1).fill(parts[at]));
  if (kind === 2) [parts[at], parts[other]] = [parts[other], parts[at]];
  if (kind === 3) parts.push('list' in node ? oddValue(random, { list: [] }) : [random.pick(ODD_KEYS), oddValue(random, { list: [] })]);
  if (kind === 4 && 'entries' in node) node.entries[at]![0] = random.once(2) ? random.pick(ODD_KEYS) : node.entries[other]![0];
  return node;
}

/** Whether many copies of a part are no large file yet. */
function isShort(node: { list: Node[] } | { entries: [string, Node][] }, at: number): boolean {
  return written('list' in node ? node.list[at]! : node.entries[at]![1]).length < 100;
}

/** Something else, or `node` inside of something. */
function oddValue(random: Random, node: Node): Node {
  if (random.once(12)) return nested(random.pick(DEPTHS), random.once(2));
  if (random.once(8)) return random.once(2) ? { list: [node] } : { entries: [['type', node]] };
  return { text: random.pick(ODD_VALUES) };
}

function nested(depth: number, inObjects: boolean): Node {
  return { text: inObjects ? `${'{"a":'.repeat(depth)}0${'}'.repeat(depth)}` : '['.repeat(depth) + ']'.repeat(depth) };
}

function changedText(text: string, random: Random): string {
  if (!text.startsWith('"')) {
    const number = Number(text);
    return String(random.pick([number + 1, number - 1, -number, number * 2 ** 31, number / 2, number * 1e300]));
  }
  const content = text.slice(1, -1);
  const at = random.below(content.length + 1);
  const odd = random.pick(['', ' ', '\\ud800', '\\u0000', '\\u2581', '\\ud83d\\ude00', 'x'.repeat(600), '__proto__', '<0x41>', '##', '../']);
  // A cut escape makes it no JSON, which is a case as well.
  return `"${content.slice(0, at)}${odd}${random.once(2) ? content.slice(at) : ''}"`;
}
