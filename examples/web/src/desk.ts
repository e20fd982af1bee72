// The state of the page: a document, a model, and what the model has read. Everything that takes long
// goes through here, so that one thing is done at a time and each is done once.

import { createEngine, LongformerError, type Engine, type FileSource } from 'longformer-wasm';
import { extract } from './document/extract';
import type { Flow } from './document/flow';
import { hideDocument, showDocument } from './document/view';
import { cancel, run, unlessLate, type Job } from './job';
import { forgetKept, keepDocument, keepReading, keptReading } from './kept-document';
import { storage } from './kept-files';
import type { Pace } from './pace';
import { openReader, taskOf, type Place, type Reader, type Reading, type Task } from './reader';
import type { Choice } from './sources';

export interface Opened {
  readonly name: string;
  readonly flow: Flow;
}

/** What the page reads of config.json. */
export interface Config {
  model_type?: string;
  architectures?: string[];
  num_hidden_layers: number;
  num_attention_heads: number;
  max_position_embeddings: number;
  pad_token_id?: number;
  attention_window: number | number[];
  attention_dilation?: number | (number | number[])[];
  autoregressive?: boolean;
}

/** What is known of a model before any of its weights are there. */
export interface Model {
  readonly choice: Choice;
  readonly task: Task;
  readonly config: Config;
  /** Without the Hub there is what the library has kept of it. */
  readonly options: { localFilesOnly?: boolean };
}

/** Bytes of the engine's memory, at the moments that tell something. */
export interface Footprint {
  empty: number;
  loaded: number;
}

const listeners: (() => void)[] = [];

export const desk = {
  opened: null as Opened | null,
  choice: null as Choice | null,
  model: null as Model | null,
  reading: null as Reading | null,
  footprint: null as Footprint | null,
  /** How long the last reading took, in milliseconds. */
  readMilliseconds: 0,
  /** How fast it was. */
  pace: null as Pace | null,
};

/** `listener` is called when anything of the desk has changed. */
export function onChange(listener: () => void): void {
  listeners.push(listener);
}

function change(parts: Partial<typeof desk>): void {
  Object.assign(desk, parts);
  for (const listener of listeners) listener();
}

// ---------------------------------------------------------------------------- the engine

let starting: Promise<Engine> | null = null;
let reader: Reader | null = null;

/** The engine of the page. One for all models: its memory is used again, and would not shrink. */
export function engine(): Promise<Engine> {
  starting ??= createEngine();
  starting.catch(() => { starting = null; });
  return starting;
}

/** A new one: what the old one held is gone. */
async function restartEngine(): Promise<void> {
  const old = starting;
  [starting, reader] = [null, null];
  await (await old?.catch(() => null))?.dispose();
  change({ reading: null, footprint: null });
}

// ---------------------------------------------------------------------------- what can be done

/** Shows a file and has it read; what cannot be shown leaves what is there. `isKept`: it is the one that was kept. */
export async function openDocument(file: File, { isKept = false } = {}): Promise<void> {
  await runReading('Opening', async (job) => {
    const html = await extract(file, job.signal);
    const flow = await showDocument(html, job.signal);
    change({ opened: { name: flow.title ?? file.name, flow }, reading: null });
    if (!isKept) await keepDocument(file);
    job.signal.throwIfAborted();
    if (desk.choice !== null) await readWith(job);
  });
}

/** Closes the document, and keeps it no longer. */
export async function forgetDocument(): Promise<void> {
  cancel();
  hideDocument();
  change({ opened: null, reading: null });
  await forgetKept();
}

/** Takes another model; what is open is read anew. */
export async function chooseModel(choice: Choice): Promise<void> {
  change({ choice, model: null, reading: null });
  await runReading('Loading the model', async (job) => {
    if (desk.opened === null) await modelFor(job); // says what it can do
    else await readWith(job);
  });
}

/** Asks the model, after reading what is not yet read. `undefined`: cancelled or failed, and said so. */
export async function ask(question: string): Promise<Place[] | undefined> {
  if (underway !== null && await underway === undefined) return undefined;
  return run('Looking for it', async (job) => {
    const reading = await readWith(job);
    job.say('Looking for it');
    return reading.ask?.(question, job.options); // the model may have become one that is asked nothing
  });
}

/** Reads the document, unless that was cancelled. */
export async function readAgain(): Promise<void> {
  await runReading('Reading', readWith);
}

let underway: Promise<true | undefined> | null = null;

/** Whether a question would have to wait. */
export const isReading = (): boolean => underway !== null;

/** Runs what reads the document: a question waits for it, as a reading that is aborted begins anew. */
async function runReading(what: string, work: (job: Job) => Promise<unknown>): Promise<void> {
  const own = underway = run(what, async (job) => {
    await work(job);
    return true as const;
  });
  await own;
  if (underway === own) underway = null;
}

// ---------------------------------------------------------------------------- how

/** The model, and the document in it: what is missing of both is done. */
async function readWith(job: Job): Promise<Reader> {
  const { opened } = desk;
  if (opened === null) throw new Error('There is no document yet: open one first.');
  const ready = await readerFor(job);
  if (desk.reading === null) {
    const start = performance.now();
    const reading = await ready.read(opened.flow.text, job.options);
    job.signal.throwIfAborted(); // a call that was done before it heard of that: what it read may be closed by now
    const { duration } = performance.measure('read', { start, detail: reading.tokens }); // for whoever profiles the page
    change({ reading, readMilliseconds: duration, pace: job.pace });
    if (ready.keep !== null && !reading.unchanged) {
      const kept = await ready.keep(job.options);
      job.signal.throwIfAborted();
      await keepReading(desk.choice!.label, kept);
    }
  }
  return ready;
}

async function readerFor(job: Job): Promise<Reader> {
  const model = await modelFor(job);
  if (reader !== null && readerOf === model) return reader;
  const running = await livingEngine();
  job.signal.throwIfAborted();
  const old = reader;
  reader = null; // before waiting: another job may have one by then
  await old?.dispose();
  const empty = running.info.memoryBytes;
  const start = performance.now();
  const open = (kept: Blob | null): Promise<Reader> =>
    openReader(model.task, model.choice.open(job.options), { engine: running, dtype: 'f16', ...model.options, ...job.options }, kept);
  const kept = model.task === 'search' ? await keptReading(model.choice.label) : null;
  reader = await unlessLate(job.signal, unlessBad(model.choice, open(kept).catch((error: unknown) => {
    if (kept === null || job.signal.aborted) throw error;
    return open(null); // it was of another model of that name
  })));
  performance.measure('load', { start });
  readerOf = model;
  change({ reading: null, footprint: { empty, loaded: running.info.memoryBytes } });
  return reader;
}

/** Files that are no good may be mended where they came from: they are not kept. */
async function unlessBad<Result>(choice: Choice, work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof LongformerError && ['BAD_FILE', 'NOT_FOUND'].includes(error.code)) await choice.forget?.();
    throw error;
  }
}

/** Whose model `reader` is. */
let readerOf: Model | null = null;

async function livingEngine(): Promise<Engine> {
  const running = await engine();
  try {
    await running.attention({ query: ONE, key: ONE, value: ONE, seqLen: 1, numHeads: 1, headDim: 1, oneSidedWindow: 0 });
    return running;
  } catch { // it died of something that an error has told of before
    await restartEngine();
    return engine();
  }
}

const ONE = new Float32Array(1);

async function modelFor(job: Job): Promise<Model> {
  const { choice } = desk;
  if (choice === null) throw new Error('There is no model yet: choose one first.');
  if (desk.model?.choice !== choice) {
    const { config, options } = await unlessBad(choice, configOf(choice.open(job.options), job));
    job.signal.throwIfAborted();
    if (config.model_type !== 'longformer') {
      await choice.forget?.();
      throw new Error(`${choice.label} is no Longformer: its config.json says “${config.model_type ?? 'nothing'}”.`);
    }
    change({ model: { choice, config, task: taskOf(config), options } });
  }
  const model = desk.model!;
  job.expectLayers(model.config.num_hidden_layers);
  return model;
}

/** config.json, which is small, says what the rest is. */
async function configOf(source: string | FileSource, { signal }: Job): Promise<{ config: Config; options: Model['options'] }> {
  if (typeof source === 'string') return configFromHub(source, signal);
  const blob = await source.open('config.json');
  if (blob === null) throw new Error('There is no config.json: that is no model.');
  const text = await blob.text();
  try {
    return { config: JSON.parse(text) as Config, options: {} };
  } catch (cause) {
    throw new LongformerError('BAD_FILE', 'config.json', `must be JSON: ${(cause as Error).message}`);
  }
}

async function configFromHub(id: string, signal: AbortSignal): Promise<{ config: Config; options: Model['options'] }> {
  const url = `https://huggingface.co/${id}/resolve/main/config.json`;
  const reply = await fetch(url, { signal }).catch(() => null);
  signal.throwIfAborted();
  const isReached = reply !== null && reply.status !== 429 && reply.status < 500; // it is there, and has time
  const found = isReached ? reply : await storage?.match(url); // where the library puts it
  if (found === undefined) throw new Error(`The Hugging Face Hub cannot be reached${reply === null ? '' : ` (${reply.status})`}, and ${id} is not kept in this browser.`);
  if ([401, 403, 404].includes(found.status)) throw new Error(`The Hugging Face Hub has no public model “${id}” with a config.json (${found.status}).`);
  if (!found.ok) throw new Error(`The Hugging Face Hub does not give the config.json of ${id} (${found.status}).`);
  return { config: await found.json() as Config, options: { localFilesOnly: !isReached } };
}
