// Python's pickle, as far as a state dict needs it: protocol 2, and no code.
//
// A pickle is a program for a small stack machine. Python's own runs whatever function a file names;
// this one knows the globals that it is given and refuses every other by its name, so that a file can
// build numbers, strings, tuples, lists, dicts and what those globals make of them, and nothing else.
// No opcode makes more of a file than is in it: values hold references, strings are cut from the
// file. A value may stand in many places by way of the memo, so this file walks none but the arguments
// that it takes off the stack, and a callable must not walk what may be long.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';

/** What a value of a pickle is here: null, boolean, number (bigint beyond 2^53), string, a tuple as an array, or one of these. */
export class List {
  readonly items: unknown[] = [];
}

export class Dict {
  readonly entries = new Map<string | number, unknown>();
}

/** A dict that takes attributes, such as the `_metadata` of a state dict. They are dropped. */
export class OrderedDict extends Dict {}

/** A function or class that a pickle may call. */
export class Callable {
  /** `call` throws a string that says what the arguments must be. Its time must have a limit: a pickle calls some 10^5 times. */
  constructor(readonly call: (args: readonly unknown[]) => unknown) {}
}

interface PickleRules {
  /** What the pickle may name, as `module.name`. */
  readonly globals: ReadonlyMap<string, unknown>;
  /** What stands for a persistent id; throws a string that says what the id must be. */
  persistent(id: unknown): unknown;
}

/** Some 35 make a tensor. Each makes one small object at most, which bounds the memory to 60 MB. */
const MAX_OPERATIONS = 2 ** 18;

/** Thrown where the bytes end before the pickle does. */
const CUT_OFF = Symbol('cut off');

/**
 * Reads the pickle that begins at `bytes[0]`; null if they end before it does. `end`: the bytes that
 * it takes.
 *
 * Throws `BAD_FILE` about `subject` for what is no pickle of protocol 2, names other globals, or
 * misuses the stack.
 */
export function unpickle(bytes: Uint8Array, subject: string, rules: PickleRules): { value: unknown; end: number } | null {
  try {
    return new Machine(bytes, subject, rules).run();
  } catch (thrown) {
    if (thrown === CUT_OFF) return null;
    throw thrown;
  }
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #subject: string;
  readonly #rules: PickleRules;
  readonly #stack: unknown[] = [];
  /** Heights of the stack: nothing below the last one may be taken. */
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;

  constructor(bytes: Uint8Array, subject: string, rules: PickleRules) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#subject = subject;
    this.#rules = rules;
  }

  run(): { value: unknown; end: number } {
    for (let count = 0; count < MAX_OPERATIONS; count++) {
      const opcode = this.#byte();
      if (count === 0 && opcode !== PROTO) throw this.#refuse('must begin with a pickle of protocol 2');
      if (opcode === STOP) {
        const value = this.#pop();
        if (this.#stack.length + this.#marks.length > 0) throw this.#refuse('must leave one value on the stack of its pickle');
        return { value, end: this.#at };
      }
      this.#step(opcode);
    }
    throw this.#refuse(`must have at most ${MAX_OPERATIONS} operations in its pickle`);
  }

  #step(opcode: number): void {
    const stack = this.#stack;
    switch (opcode) {
      case PROTO: {
        const protocol = this.#byte();
        if (protocol !== 2) throw this.#refuse(`must be a pickle of protocol 2, is of ${protocol}`);
        return;
      }
      case MARK: return void this.#marks.push(stack.length);

      case NONE: return void stack.push(null);
      case NEWTRUE: return void stack.push(true);
      case NEWFALSE: return void stack.push(false);
      case BININT: return void stack.push(this.#view.getInt32(this.#take(4), true));
      case BININT1: return void stack.push(this.#byte());
      case BININT2: return void stack.push(this.#view.getUint16(this.#take(2), true));
      case LONG1: return void stack.push(this.#long(this.#byte()));
      case BINFLOAT: return void stack.push(this.#view.getFloat64(this.#take(8), false));
      case BINUNICODE: return void stack.push(this.#string(this.#uint32()));

      case EMPTY_TUPLE: return void stack.push([]);
      case TUPLE: return void stack.push(this.#popMark());
      case TUPLE1: return void stack.push(this.#pops(1));
      case TUPLE2: return void stack.push(this.#pops(2));
      case TUPLE3: return void stack.push(this.#pops(3));
      case EMPTY_LIST: return void stack.push(new List());
      case APPEND: return this.#append(this.#pops(1));
      case APPENDS: return this.#append(this.#popMark());
      case EMPTY_DICT: return void stack.push(new Dict());
      case SETITEM: return this.#setItems(this.#pops(2));
      case SETITEMS: return this.#setItems(this.#popMark());

      case BINPUT: return void this.#memo.set(this.#byte(), this.#top());
      case LONG_BINPUT: return void this.#memo.set(this.#uint32(), this.#top());
      case BINGET: return void stack.push(this.#remembered(this.#byte()));
      case LONG_BINGET: return void stack.push(this.#remembered(this.#uint32()));

      case GLOBAL: return void stack.push(this.#global());
      case REDUCE: return this.#reduce();
      case BUILD: return this.#build();
      case BINPERSID: {
        const id = this.#pop();
        return void stack.push(this.#saying('a persistent id', () => this.#rules.persistent(id)));
      }
      case INST: this.#global(); // names a class to be made: its name says more than the opcode
    }
    throw this.#refuse(`must be a state dict, its pickle has the opcode 0x${opcode.toString(16).padStart(2, '0')}`);
  }

  // -------------------------------------------------------------------------- containers and calls

  #append(items: unknown[]): void {
    const list = this.#top();
    if (!(list instanceof List)) throw this.#refuse('must append to lists only in its pickle');
    for (const item of items) list.items.push(item);
  }

  #setItems(items: unknown[]): void {
    const dict = this.#top();
    if (!(dict instanceof Dict)) throw this.#refuse('must set items of dicts only in its pickle');
    if (items.length % 2 !== 0) throw this.#refuse('must set items in pairs in its pickle');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== 'string' && typeof key !== 'number') throw this.#refuse('must have strings and numbers as keys in its pickle');
      if (dict.entries.has(key)) throw this.#refuse(`must have every key of a dict once in its pickle, has ${quoted(key)} twice`);
      dict.entries.set(key, items[i + 1]);
    }
  }

  #global(): unknown {
    const name = `${this.#line()}.${this.#line()}`;
    const value = this.#rules.globals.get(name);
    if (value !== undefined) return value;
    throw this.#refuse(`must name tensors and storages only in its pickle, names ${shown(name)}`);
  }

  #reduce(): void {
    const [callable, args] = this.#pops(2);
    if (!(callable instanceof Callable)) throw this.#refuse('must call functions only in its pickle');
    if (!Array.isArray(args)) throw this.#refuse('must call functions with tuples in its pickle');
    this.#stack.push(this.#saying('a call', () => callable.call(args)));
  }

  #build(): void {
    this.#pop();
    if (!(this.#top() instanceof OrderedDict)) throw this.#refuse('must give attributes to an OrderedDict only in its pickle');
  }

  #saying<T>(what: string, work: () => T): T {
    try {
      return work();
    } catch (rule) {
      if (typeof rule === 'string') throw this.#refuse(`has ${what} in its pickle that must be ${rule}`);
      throw rule;
    }
  }

  // -------------------------------------------------------------------------- stack and memo

  #pops(count: number): unknown[] {
    if (this.#stack.length - count < this.#floor()) throw this.#refuse('must not take from an empty stack in its pickle');
    return this.#stack.splice(this.#stack.length - count);
  }

  #pop(): unknown {
    return this.#pops(1)[0];
  }

  #popMark(): unknown[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.#refuse('must set every mark of its pickle that it uses');
    return this.#stack.splice(mark);
  }

  #top(): unknown {
    if (this.#stack.length <= this.#floor()) throw this.#refuse('must not take from an empty stack in its pickle');
    return this.#stack.at(-1);
  }

  #floor(): number {
    return this.#marks.at(-1) ?? 0;
  }

  #remembered(index: number): unknown {
    if (!this.#memo.has(index)) throw this.#refuse(`must put into the memo of its pickle what it gets, gets ${index}`);
    return this.#memo.get(index);
  }

  // -------------------------------------------------------------------------- bytes

  /** The place of the next `count` bytes, which are passed. */
  #take(count: number): number {
    const at = this.#at;
    if (count > this.#bytes.length - at) throw CUT_OFF;
    this.#at += count;
    return at;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A number in two's complement, little-endian. */
  #long(length: number): number | bigint {
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value << 8n | BigInt(this.#bytes[start + i]!);
    value = BigInt.asIntN(8 * length, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }

  #string(length: number): string {
    const start = this.#take(length);
    try {
      return UTF8.decode(this.#bytes.subarray(start, start + length));
    } catch (cause) {
      throw this.#refuse('must have strings in UTF-8 in its pickle', cause);
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(LINE_BREAK, this.#at);
    if (end < 0) throw CUT_OFF;
    const line = this.#string(end - this.#at);
    this.#take(1);
    return line;
  }

  #refuse(problem: string, cause?: unknown): LongformerError {
    return new LongformerError('BAD_FILE', this.#subject, problem, { cause });
  }
}

/** A name as it is where it is one, quoted where it is something else. */
function shown(name: string): string {
  return /^[\w.]{1,80}$/.test(name) ? name : quoted(name);
}

const LINE_BREAK = 0x0a;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// Names of Python's pickletools; the others are no part of a state dict.
const [MARK, STOP] = [0x28, 0x2e];
const [PROTO, NONE, NEWTRUE, NEWFALSE] = [0x80, 0x4e, 0x88, 0x89];
const [BININT, BININT1, BININT2, LONG1, BINFLOAT, BINUNICODE] = [0x4a, 0x4b, 0x4d, 0x8a, 0x47, 0x58];
const [EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3] = [0x29, 0x74, 0x85, 0x86, 0x87];
const [EMPTY_LIST, APPEND, APPENDS] = [0x5d, 0x61, 0x65];
const [EMPTY_DICT, SETITEM, SETITEMS] = [0x7d, 0x73, 0x75];
const [BINGET, LONG_BINGET, BINPUT, LONG_BINPUT] = [0x68, 0x6a, 0x71, 0x72];
const [GLOBAL, REDUCE, BUILD, BINPERSID, INST] = [0x63, 0x52, 0x62, 0x51, 0x69];
