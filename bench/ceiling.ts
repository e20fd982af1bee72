// What 128-bit instructions can do here: loops whose every instruction is chosen by hand, in modules of
// a hundred bytes that are made on the spot. Nothing of the crate is in them, and no compiler's order:
// what a kernel reaches is told as a share of these, measured in the same run.

/** Multiply-adds fused into one instruction, which relaxed SIMD has, or apart. */
type Arithmetic = 'fma' | 'mul+add';

/** A loop and what one round of it computes. */
interface Loop {
  name: string;
  /** Floating-point operations of a round; a multiplication and an addition are two. */
  flops: number;
  /** Locals besides the parameters. */
  integers: number;
  vectors: number;
  body: number[];
}

const LANES = 4;

/** Steps of a tile: its panel and rows lie in a first-level cache of 32 KiB. */
const DEPTH = 256;

/** Rates of one thread in GFLOP/s, the best of some calls. */
export interface Ceilings {
  /** Of arithmetic between registers alone: what the processor can do. */
  registers: number;
  /** Of the best tile whose operands come from the first-level cache: what a product can do. */
  tile: number;
  /** Which one that is. */
  tileName: string;
}

export async function ceilings(): Promise<Ceilings> {
  const arithmetic: Arithmetic = runs(chain('fma')) ? 'fma' : 'mul+add';
  const registers = await rate(chain(arithmetic));
  // More sums than these do not fit 15 registers beside what they are made of.
  const shapes = arithmetic === 'fma' ? [[6, 2], [5, 2], [4, 2]] as const : [[4, 2], [2, 4]] as const;
  const tiles = shapes.flatMap(([rows, vectors]) => [1, 4].map((unroll) => tile(arithmetic, rows, vectors, unroll)));
  let best = { rate: 0, name: '' };
  for (const each of tiles) {
    const reached = await rate(each);
    if (reached > best.rate) best = { rate: reached, name: each.name };
  }
  return { registers: Math.max(registers, best.rate), tile: best.rate, tileName: best.name };
}

/** Twelve sums of their own, so that none waits for another. */
function chain(arithmetic: Arithmetic): Loop {
  const sums = Array.from({ length: 12 }, (_, i) => FIRST_LOCAL + i);
  const [x, y] = [FIRST_LOCAL + 12, FIRST_LOCAL + 13];
  const once = sums.flatMap((sum) => (arithmetic === 'fma'
    ? [...get(x), ...get(y), ...get(sum), ...RELAXED_MADD, ...set(sum)]
    : [...get(sum), ...get(x), ...MUL, ...get(y), ...ADD, ...set(sum)])); // x * y would be computed once for all
  return {
    name: `registers ${arithmetic}`, flops: 2 * 2 * LANES * sums.length, integers: 0, vectors: 14,
    body: [...get(1), ...SPLAT, ...set(x), ...get(2), ...SPLAT, ...set(y), ...again([...once, ...once])],
  };
}

/** `rows` rows times `vectors` vectors of columns, as in crate/src/gemm/tile.rs, `unroll` steps between two jumps. */
function tile(arithmetic: Arithmetic, rows: number, vectors: number, unroll: number): Loop {
  const [panel, steps, firstRow] = [FIRST_LOCAL, FIRST_LOCAL + 1, FIRST_LOCAL + 2];
  const integers = 2 + rows;
  const sum = (row: number, vector: number): number => FIRST_LOCAL + integers + row * vectors + vector;
  const column = (vector: number): number => FIRST_LOCAL + integers + rows * vectors + vector;
  const x = column(vectors);
  const each = <T>(count: number, of: (i: number) => T[]): T[] => Array.from({ length: count }, (_, i) => of(i)).flat();
  const step = (number: number): number[] => [
    ...each(vectors, (v) => [...get(panel), ...load(16 * (vectors * number + v)), ...set(column(v))]),
    ...each(rows, (row) => [
      ...get(firstRow + row), ...loadSplat(4 * number), ...set(x),
      ...each(vectors, (v) => (arithmetic === 'fma'
        ? [...get(x), ...get(column(v)), ...get(sum(row, v)), ...RELAXED_MADD, ...set(sum(row, v))]
        : [...get(x), ...get(column(v)), ...MUL, ...get(sum(row, v)), ...ADD, ...set(sum(row, v))])),
    ]),
  ];
  const unrolled = [
    ...each(unroll, step), ...each(rows, (row) => advance(firstRow + row, 4 * unroll)), ...advance(panel, 16 * vectors * unroll),
  ];
  const panelBytes = DEPTH * 16 * vectors;
  return {
    name: `${rows}x${LANES * vectors} ${arithmetic}${unroll > 1 ? `, ${unroll} steps` : ''}`, flops: 2 * LANES * rows * vectors * DEPTH, integers, vectors: rows * vectors + vectors + 1,
    body: again([
      ...constant(0), ...set(panel), ...each(rows, (row) => [...constant(panelBytes + row * DEPTH * 4), ...set(firstRow + row)]),
      ...constant(DEPTH), ...set(steps),
      0x03, 0x40, ...unrolled, ...advance(steps, -unroll), ...get(steps), 0x0d, 0, 0x0b,
    ]),
  };
}

/** The best of calls of a few milliseconds. */
async function rate(loop: Loop): Promise<number> {
  const { run } = new WebAssembly.Instance(new WebAssembly.Module(moduleOf(loop))).exports as { run(rounds: number, x: number, y: number): number };
  const call = (rounds: number): number => {
    const start = performance.now();
    run(rounds, 0.999, 0.001);
    return performance.now() - start;
  };
  let rounds = 1000;
  while (call(rounds) < 4) rounds *= 2;
  await new Promise((resolve) => setTimeout(resolve, 30)); // until it is compiled well
  let best = Infinity;
  for (let i = 0; i < 12; i++) best = Math.min(best, call(rounds) / rounds);
  rounds = Math.ceil(6 / best);
  for (let i = 0; i < 20; i++) best = Math.min(best, call(rounds) / rounds);
  return loop.flops / best / 1e6;
}

const runs = (loop: Loop): boolean => WebAssembly.validate(moduleOf(loop));

// ---------------------------------------------------------------------------- WebAssembly, byte by byte

/** Parameters: rounds, x, y. */
const FIRST_LOCAL = 3;

const MUL = [0xfd, 0xe6, 0x01];
const ADD = [0xfd, 0xe4, 0x01];
const RELAXED_MADD = [0xfd, 0x85, 0x02];
const SPLAT = [0xfd, 0x13];
const loadSplat = (offset: number): number[] => [0xfd, 0x09, 2, ...unsigned(offset)];
const load = (offset: number): number[] => [0xfd, 0x00, 4, ...unsigned(offset)];
const get = (local: number): number[] => [0x20, ...unsigned(local)];
const set = (local: number): number[] => [0x21, ...unsigned(local)];
const constant = (value: number): number[] => [0x41, ...signed(value)];
const advance = (local: number, by: number): number[] => [...get(local), ...constant(by), 0x6a, ...set(local)];

/** `body` as many times as the first parameter says. */
const again = (body: number[]): number[] => [0x03, 0x40, ...body, ...get(0), ...constant(1), 0x6b, 0x22, 0, 0x0d, 0, 0x0b];

/** `run(rounds: i32, x: f32, y: f32) -> f32`, a sum of all vectors, so that none of them can be left out. */
function moduleOf({ integers, vectors, body }: Loop): Uint8Array<ArrayBuffer> {
  const [I32, F32, V128] = [0x7f, 0x7d, 0x7b];
  const first = FIRST_LOCAL + integers;
  const total = Array.from({ length: vectors - 1 }, (_, i) => [...get(first + 1 + i), ...ADD]).flat();
  const code = [...sized([2, ...unsigned(integers), I32, ...unsigned(vectors), V128], false), ...body, ...get(first), ...total, 0xfd, 0x1f, 0, 0x0b];
  return Uint8Array.from([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    1, ...sized([1, 0x60, 3, I32, F32, F32, 1, F32]),
    3, ...sized([1, 0]),
    5, ...sized([1, 0, 1]), // a memory of one page
    7, ...sized([1, 3, ...new TextEncoder().encode('run'), 0, 0]),
    10, ...sized([1, ...sized(code)]),
  ]);
}

const sized = (bytes: number[], withSize = true): number[] => (withSize ? [...unsigned(bytes.length), ...bytes] : bytes);

function unsigned(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >> 7)];
}

function signed(value: number): number[] {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
