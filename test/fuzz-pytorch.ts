// Files of PyTorch that are well formed and hostile: pickles whose opcodes fit each other but not what
// they are for, zips whose fields contradict each other. Bytes changed at random seldom get that far.

import type { Random } from './fuzz.ts';
import { bytesOf, call, dict, global, int, list, pickle, repeated, storage, streamOf, text, tuple, uint, zipOf, type ZipPart } from './pytorch-files.ts';

/** What a number may be instead. */
const ODD_COUNTS = [0, 1, -1, 2, 64, 65, 255, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 62];

const ODD_NAMES = ['', 'a', '__proto__', 'state_dict', 'model', '../0', 'x'.repeat(300), '\0', '\ud800'];

const GLOBALS: [module: string, name: string][] = [
  ['torch', 'Size'], ['torch', 'FloatStorage'], ['torch', 'LongStorage'], ['collections', 'OrderedDict'],
  ['torch._utils', '_rebuild_tensor_v2'], ['torch._utils', '_rebuild_parameter'], ['os', 'system'],
];

const SIX = new Uint8Array(24);

/** A pickle of a state dict, or of something close to it. */
class HostilePickle {
  /** Places of the memo that are filled. */
  private readonly memo: number[] = [];
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  bytes(): Uint8Array {
    const { random } = this;
    const names = Array.from({ length: 1 + random.below(3) }, (_, i) => (random.once(12) ? random.pick(ODD_NAMES) : `layer.${i}`));
    const items = names.flatMap((name) => [random.once(20) ? this.value(0) : text(name), this.kept(random.once(20) ? this.value(0) : this.tensor())]);
    if (this.memo.length > 0 && random.once(3)) items.push(...this.crowd());
    if (random.once(60)) items.push(text('calls'), this.calls());
    const body = random.once(8) ? dict(text(random.pick(ODD_NAMES)), dict(...items)) : dict(...items);
    return pickle(body, random.once(20) ? this.value(0) : []);
  }

  /** One value under very many names. */
  private crowd(): Uint8Array[] {
    const at = this.random.pick(this.memo);
    return Array.from({ length: 1 + this.random.below(this.random.once(20) ? 2000 : 20) }, (_, i) => bytesOf(text(`tied.${i}`), 'j', uint(at, 4)));
  }

  /** Very many calls with one very long tuple. */
  private calls(): Uint8Array {
    const [long, callee, args] = [1000, 1001, 1002].map((at) => bytesOf('j', uint(at, 4))) as [Uint8Array, Uint8Array, Uint8Array];
    const put = (at: Uint8Array): Uint8Array => bytesOf('r', at.subarray(1));
    return tuple(
      bytesOf(tuple(repeated(bytesOf('K\x01'), 120_000)), put(long)),
      bytesOf(global('torch._utils', '_rebuild_tensor_v2'), put(callee)),
      bytesOf(tuple(storage('0', 6), int(0), long, long), put(args)),
      repeated(bytesOf(callee, args, 'R'), 45_000),
    );
  }

  private tensor(): Uint8Array {
    const { random } = this;
    const [shape, strides] = this.axes();
    const size = random.once(6) ? call(global('torch', 'Size'), this.tuple(shape)) : this.tuple(shape);
    const of = random.once(20) ? this.value(0) : storage(random.once(12) ? random.pick(ODD_NAMES) : '0', 6);
    const args = [of, this.count(0), this.kept(size), this.tuple(strides), bytesOf([0x89]), bytesOf(global('collections', 'OrderedDict'), ')R')];
    if (random.once(10)) args.splice(random.below(args.length), random.below(2), this.value(0));
    if (random.once(10)) args.push(this.value(0));
    const tensor = call(global('torch._utils', '_rebuild_tensor_v2'), ...args);
    return random.once(6) ? call(global('torch._utils', '_rebuild_parameter'), tensor, bytesOf([0x88])) : tensor;
  }

  private axes(): [shape: number[], strides: number[]] {
    const { random } = this;
    if (!random.once(4)) return random.once(2) ? [[2, 3], [3, 1]] : [[6], [1]];
    const length = random.pick([0, 1, 3, 64, 65, 1000]);
    return [Array<number>(length).fill(random.pick([0, 1, 1, 2])), Array<number>(length + (random.once(8) ? 1 : 0)).fill(random.pick([0, 1]))];
  }

  private tuple(counts: number[]): Uint8Array {
    return tuple(...counts.map((count) => this.count(count)));
  }

  private count(usual: number): Uint8Array {
    if (!this.random.once(60)) return int(usual);
    return bytesOf([0x8a, 8], uint(this.random.pick(ODD_COUNTS), 8));
  }

  /** Put into the memo on the way, now and then. */
  private kept(value: Uint8Array): Uint8Array {
    if (!this.random.once(3)) return bytesOf(value);
    const at = this.random.pick([this.memo.length, this.memo.length, 255, 2 ** 32 - 1]);
    this.memo.push(at);
    return bytesOf(value, 'r', uint(at, 4));
  }

  /** Anything. */
  private value(depth: number): Uint8Array {
    const { random } = this;
    const inner = (): Uint8Array[] => Array.from({ length: random.below(4) }, () => this.value(depth + 1));
    switch (random.below(depth > 4 ? 6 : 13)) {
      case 0: return bytesOf(random.pick(['N', ')', ']', '}']));
      case 1: return this.count(random.pick([0, 1, 6]));
      case 2: return text(random.pick(ODD_NAMES));
      case 3: return bytesOf(global(...random.pick(GLOBALS)));
      case 4: return bytesOf('j', uint(this.memo.length === 0 || random.once(8) ? 77 : random.pick(this.memo), 4));
      case 5: return bytesOf([0x8a, 255], new Uint8Array(255).fill(random.below(256)));
      case 6: return tuple(...inner());
      case 7: return list(...inner());
      case 8: return dict(...inner().flatMap((value, i) => [random.once(4) ? this.value(depth + 1) : text(`${i}`), value]));
      case 9: return call(global(...random.pick(GLOBALS)), ...inner());
      case 10: return bytesOf(this.value(depth + 1), 'Q');
      case 11: return bytesOf(global('collections', 'OrderedDict'), ')R', this.value(depth + 1), 'b');
      default: return this.kept(this.value(depth + 1));
    }
  }
}

/** In a stream or a zip that are as they should be. */
export function hostilePickle(random: Random): Uint8Array {
  const object = new HostilePickle(random).bytes();
  if (random.once(2)) return streamOf(object, { 0: SIX });
  return zipOf([{ name: 'any/data.pkl', data: object }, { name: 'any/data/0', data: SIX }]);
}

/** A zip of a good pickle, some of its fields changed and the others fixed up. */
export function hostileZip(random: Random): Uint8Array {
  const view = bytesOf(storage('0', 6), int(0), tuple(int(2), int(3)), tuple(int(3), int(1)), bytesOf([0x89]), 'N');
  const parts: ZipPart[] = [
    { name: 'any/data.pkl', data: pickle(dict(text('a'), bytesOf(global('torch._utils', '_rebuild_tensor_v2'), '(', view, 'tR'))) },
    { name: 'any/byteorder', data: bytesOf('little') },
    { name: 'any/data/0', data: SIX },
    { name: 'any/version', data: bytesOf('3\n') },
  ];
  const wide = random.once(2);
  for (let changes = random.below(3); changes > 0; changes--) changePart(parts, random, wide);
  const count = random.once(10) ? random.pick([0, 1, 65535]) : parts.length;
  const zip = zipOf(parts, { wide, count, comment: random.once(20) ? 'PK\x05\x06' : '' });
  if (random.once(3)) zip.set(uint(random.pick([...ODD_COUNTS, zip.length]), random.pick([2, 4, 8])), random.below(zip.length - 8));
  return zip;
}

function changePart(parts: ZipPart[], random: Random, wide: boolean): void {
  const at = random.below(parts.length);
  const part = parts[at]!;
  const odd = (): number => {
    const number = Math.abs(random.pick([...ODD_COUNTS, part.data.length + 1, part.data.length + 7]));
    return wide ? number : number % 2 ** 32;
  };
  switch (random.below(8)) {
    case 0: part.size = odd(); break;
    case 1: part.start = odd(); break;
    case 2: part.method = random.pick([1, 8, 65535]); break;
    case 3: part.flags = random.pick([0, 1, 8, 0xffff]); break;
    case 4: part.localName = random.pick([...ODD_NAMES, 'any/data/1']); break;
    case 5: part.name = random.pick([...ODD_NAMES, ...parts.map(({ name }) => name)]); break;
    case 6: parts.push(random.once(2) ? part : { ...part, data: bytesOf(part.data, part.data) }); break;
    default: parts.splice(at, 1, ...(parts.length > 1 ? [] : [part]));
  }
}
