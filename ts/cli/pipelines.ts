// A pipeline over the texts of a command line: some at a time, each result shown as soon as it is there.

import { LongformerError } from '../errors.ts';
import { pipeline, type PipelineCallOptions, type Pipelines } from '../pipelines/pipeline.ts';
import type { ReadInput } from '../pipelines/windows.ts';
import type { Input } from './inputs.ts';
import { MODEL_OPTIONS, readModel } from './model-options.ts';
import { choice, number, type Values } from './option.ts';
import { withEngine, type Session } from './session.ts';
import { count, printable } from './terminal.ts';

/** How texts are read that are longer than the model reads at once. `preset`: what holds if nothing is said. */
export function readingOptions(preset: 'error' | 'window') {
  return {
    overflow: choice(['error', 'truncate', 'window'], 'what happens to a text longer than the model reads at once: it is refused, its beginning is read, or all of it in parts', { preset }),
    'max-tokens': number('N', 'tokens that are read at once', { preset: "all the model's positions" }),
    stride: number('N', 'with --overflow window: tokens that neighbouring parts share', { least: 0, preset: 'an eighth' }),
  };
}

type ReadingValues = Values<ReturnType<typeof readingOptions>>;

export function readReading({ overflow, 'max-tokens': maxTokens, stride }: ReadingValues): PipelineCallOptions {
  return { ...(overflow !== undefined && { overflow }), ...(maxTokens !== undefined && { maxTokens }), ...(stride !== undefined && { stride }) };
}

/** Loads a pipeline, and does a command's work with it. */
export async function withPipeline<Name extends keyof Pipelines>(
  task: Name, values: Values<typeof MODEL_OPTIONS>, signal: AbortSignal, work: (run: Pipelines[Name], session: Session) => Promise<void>,
): Promise<void> {
  const { model, load } = readModel(values);
  await withEngine(values, signal, async (session) => {
    await work(await pipeline(task, model, { ...load, engine: session.engine, ...session.watched }), session);
  });
}

/** So many texts and so many UTF-16 units go to the engine at once, one text at least: they run side by side there. */
const MOST_TEXTS = 32;
const MOST_UNITS = 2 ** 16;

export function batchesOf(inputs: readonly Input[]): Input[][] {
  const batches: Input[][] = [];
  let units = Infinity;
  for (const input of inputs) {
    units += input.text.length;
    if (units > MOST_UNITS || batches.at(-1)!.length === MOST_TEXTS) {
      batches.push([]);
      units = input.text.length;
    }
    batches.at(-1)!.push(input);
  }
  return batches;
}

/** Errors of a call name a text by its file, not by its place in the call. */
export async function naming<Result>(batch: readonly Input[], call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const place = error instanceof LongformerError ? /^input(?:\[(\d+)\])?(?:\.\w+)?$/.exec(error.subject) : null;
    if (place === null) throw error;
    const { code, subject, message } = error as LongformerError;
    // Options of a call have other names here; the hint says them.
    const problem = message.slice(subject.length + 1).replace(/: overflow: '.*$/, '');
    throw new LongformerError(code, printable(batch[Number(place[1] ?? 0)]!.path), problem, { cause: error });
  }
}

/** What was not read as it stands, on standard error. */
export function sayWhatWasRead({ path, text }: Input, { tokens, windows, complete, readUntil }: ReadInput): void {
  const name = printable(path);
  if (!complete) process.stderr.write(`${name}: read until line ${text.slice(0, readUntil).split('\n').length}, ${count(tokens)} tokens; the rest was left out\n`);
  else if (windows > 1) process.stderr.write(`${name}: ${count(tokens)} tokens, more than are read at once: read in ${count(windows)} overlapping parts\n`);
}

/** The report without the place in a call, for lines of JSON. */
export function readJson({ index: _, ...read }: ReadInput): Omit<ReadInput, 'index'> {
  return read;
}
