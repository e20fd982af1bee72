// What a task is: which model it needs, what it takes, and what it makes of a text's tokens and of
// what the model says about them. The frame around it (services.ts) tokenizes, cuts into windows and
// runs the model; pipeline.ts is the caller's side.

import type { LongformerConfig } from '../config.ts';
import type { Run } from '../engine/services.ts';
import type { Source } from '../files/source.ts';
import type { SequenceRows } from '../models/head.ts';
import type { Architecture, ModelOutput } from '../models/heads.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { OpenPart, Overflow, Part, Window } from './windows.ts';
import type { HiddenStates } from '../../pkg/threads-simd128/longformer.js';

/** A part as it was read: its windows, and what the model said of each. */
export interface ReadPart<Output> {
  readonly windows: readonly Window[];
  readonly outputs: readonly Output[];
}

/** An open checkpoint and its tokenizer. */
export interface TaskFiles {
  readonly source: Source;
  readonly config: LongformerConfig;
  readonly tokenizer: Tokenizer;
}

/** A task with a checkpoint, in the engine's worker. */
export interface Runner<Input, Options, Output, Result> {
  /** The texts to read for an input; `subject` is what errors call the input. */
  parts(input: Input, subject: string, options: Options): Part[];
  /** Refuses inputs by their tokens, before anything is read. */
  check?(inputs: readonly (readonly OpenPart[])[], options: Options): void;
  /** Global tokens of a window. Default: those that the model's head chooses. */
  globalTokens?(window: Window): Uint32Array;
  /** Tokens of a window whose rows of the head's output are wanted. Default: all. */
  positions?(window: Window): Uint32Array;
  /** What is kept of a window. Default: what the model's head gives. */
  output?(run: Run, hiddenStates: HiddenStates, rows: SequenceRows, window: Window, options: Options): Output | Promise<Output>;
  /** The same, made smaller: `headOutput` is what the model's head gives. */
  reduce?(headOutput: ModelOutput, window: Window, options: Options): Output;
  /** The result of one input. */
  result(input: Input, parts: readonly ReadPart<Output>[], options: Options, run: Run): Result;
  /** What a call gives for the results of its inputs. Default: the only result of a single input, else the list. */
  collect?(results: Result[], single: boolean, options: Options): unknown;
}

/** A task, as both sides know it. */
export interface Task<Input, Options extends object, Output, Result> {
  readonly architecture: Architecture;
  /** What happens to long texts where the caller does not say. */
  readonly overflow: Overflow;
  /** Options of the task's own: each checks a value, and makes the default of `undefined`. */
  readonly options: { readonly [Name in keyof Options]-?: (value: unknown, name: string) => Options[Name] };
  /** Refuses an input that breaks a rule, and gives what of it is wanted. */
  input(value: unknown, subject: string): Input;
  load(files: TaskFiles): Promise<Runner<Input, Options, Output, Result>> | Runner<Input, Options, Output, Result>;
}
