// Pipelines in the engine's worker: texts are tokenized here, read by the model, and what the task
// makes of it goes back in one message.

import type { Run } from '../engine/services.ts';
import { LongformerError } from '../errors.ts';
import type { Location } from '../files/source-options.ts';
import type { Source } from '../files/source.ts';
import { disposeModel, loadModelFrom, type ModelSettings } from '../models/services.ts';
import { quoted } from '../quoted.ts';
import { loadTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts';
import { readWindows, type Reading } from './reading.ts';
import type { Runner } from './task.ts';
import { tasks, type TaskName } from './tasks.ts';
import { reportOf, windowsOf, type OpenPart, type ReadingRules, type ReadInput } from './windows.ts';

/** What the caller's side keeps of a pipeline. */
export interface LoadedPipeline {
  id: number;
  /** Tokens of the longest text that the model has positions for. */
  maxTokens: number;
}

/** One call, checked by the caller's side. */
export interface PipelineRequest {
  inputs: readonly unknown[];
  /** Whether the caller gave one input rather than a list. */
  single: boolean;
  /** What errors call each input. */
  subjects: readonly string[];
  options: unknown;
  reading: Omit<ReadingRules, 'maxTokens'> & { maxTokens: number | null; maxBatchTokens: number };
}

interface Pipeline {
  modelId: number;
  tokenizer: Tokenizer;
  runner: Runner<unknown, unknown, unknown, unknown>;
  attentionWindow: number | number[] | null;
  maxTokens: number;
}

const pipelines = new Map<number, Pipeline>();
let lastId = 0;

/** Loads the model that a task needs and the tokenizer of a checkpoint. `location` as for `loadModel`. */
export async function createPipeline(run: Run, name: TaskName, location: Location | null, settings: ModelSettings): Promise<LoadedPipeline> {
  const source = await run.open(location); // once: all files are of one commit
  const tokenizer = await loadTokenizer(source);
  const { id: modelId, config, maxTokens } = await loadFor(run, name, source, settings);
  try {
    if (tokenizer.vocabSize > config.vocab_size) {
      throw new LongformerError('BAD_FILE', 'the tokenizer', `must fit the checkpoint's ${config.vocab_size} word embeddings, has ${tokenizer.vocabSize} ids`);
    }
    const runner = await tasks[name].load({ source, config, tokenizer });
    const id = ++lastId;
    pipelines.set(id, { modelId, tokenizer, runner, attentionWindow: settings.attentionWindow, maxTokens });
    run.onEnd(() => pipelines.delete(id));
    return { id, maxTokens };
  } catch (error) {
    disposeModel(run, modelId);
    throw error;
  }
}

/** What a call gives, and what was read for it. */
export async function runPipeline(run: Run, id: number, request: PipelineRequest): Promise<{ result: unknown; read: ReadInput[] }> {
  const { modelId, tokenizer, runner, attentionWindow, maxTokens } = pipelineOf(id);
  const { inputs, single, subjects, options, reading } = request;
  const rules = { ...reading, maxTokens: checkMaxTokens(reading.maxTokens, maxTokens) };
  const opened = await openAll(run, inputs.map((input, i) => runner.parts(input, subjects[i]!, options)), tokenizer, rules);
  runner.check?.(opened, options);
  const readings = opened.flatMap((parts) => parts.flatMap(({ windows }) => windows.map((window): Reading => ({ window, output: undefined }))));
  await readWindows(run, modelId, runner, readings, { attentionWindow, maxBatchTokens: reading.maxBatchTokens, options });
  let next = 0;
  const results = inputs.map((input, i) => runner.result(input, opened[i]!.map(({ windows }) => {
    const outputs = readings.slice(next, next += windows.length).map(({ output }) => output);
    return { windows, outputs };
  }), options, run));
  return {
    result: runner.collect?.(results, single, options) ?? (single ? results[0] : results),
    read: opened.map((parts, i) => reportOf(i, parts)),
  };
}

export function disposePipeline(run: Run, id: number): void {
  const pipeline = pipelines.get(id);
  if (pipeline === undefined) return;
  disposeModel(run, pipeline.modelId);
  pipelines.delete(id);
}

function pipelineOf(id: number): Pipeline {
  const pipeline = pipelines.get(id);
  if (pipeline === undefined) throw new LongformerError('BAD_INPUT', 'the pipeline', 'was disposed');
  return pipeline;
}

/** Says which task wants the tensors that a checkpoint of another class lacks. */
async function loadFor(run: Run, name: TaskName, source: Source, settings: ModelSettings): ReturnType<typeof loadModelFrom> {
  const { architecture } = tasks[name];
  try {
    return await loadModelFrom(run, architecture, source, settings);
  } catch (error) {
    if (!(error instanceof LongformerError && error.code === 'NOT_FOUND' && error.subject.startsWith('the tensor '))) throw error;
    throw new LongformerError('NOT_FOUND', error.subject,
      `must be in the checkpoint for ${name}, is not: ${source.label} must hold a ${architecture}, and its tensors`, { cause: error });
  }
}

async function openAll(
  run: Run, inputs: readonly ReturnType<Pipeline['runner']['parts']>[], tokenizer: Tokenizer, rules: ReadingRules,
): Promise<OpenPart[][]> {
  const sizes = inputs.map((parts) => parts.reduce((sum, { text, pair = '' }) => sum + new TextEncoder().encode(text + pair).length, 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let done = 0;
  const opened: OpenPart[][] = [];
  for (const [i, parts] of inputs.entries()) {
    await run.pause();
    opened.push(parts.map((part) => windowsOf(tokenizer, part, rules)));
    done += sizes[i]!;
    run.progress({ stage: 'tokenize', done, total, unit: 'bytes' });
  }
  return opened;
}

function checkMaxTokens(wanted: number | null, positions: number): number {
  if (wanted === null || wanted <= positions) return wanted ?? positions;
  throw new LongformerError('BAD_INPUT', 'maxTokens', `must be at most the ${positions} tokens that the model has positions for, got ${quoted(wanted)}`);
}
