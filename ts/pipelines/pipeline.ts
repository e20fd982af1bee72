// From text to answers: the caller's side. Arguments are checked here; texts, model and tokenizer are
// in the engine's worker (services.ts), one message for each call.

import { CALL_OPTIONS, checkCallOptions, checkChoice, checkCount, type Names } from '../arguments.ts';
import type { Engine } from '../engine/engine.ts';
import { LongformerError } from '../errors.ts';
import type { FileSource } from '../files/source.ts';
import { LOAD_OPTIONS, loadWith, modelSettings, unload, type LoadOptions } from '../loading.ts';
import type { LongCallOptions } from '../progress.ts';
import { quoted } from '../quoted.ts';
import { INDEX_OPTIONS, type SearchIndexOptions } from '../search/search-index.ts';
import type { FoundPassage } from '../search/services.ts';
import type { Tensor } from '../tensor.ts';
import type { Entity } from './entities.ts';
import type { FeatureExtractionOptions } from './feature-extraction.ts';
import type { FilledMask, FillMaskOptions } from './fill-mask.ts';
import type { MultipleChoiceInput, MultipleChoiceOptions, RatedChoice } from './multiple-choice.ts';
import type { Answer, QuestionAnsweringInput, QuestionAnsweringOptions } from './question-answering.ts';
import { openSearch, type SearchInput } from './search.ts';
import type { Pooling } from './sentence-modules.ts';
import type { PipelineRequest } from './services.ts';
import { aliases, tasks, type TaskName } from './tasks.ts';
import type { Classification, ClassificationInput, TextClassificationOptions } from './text-classification.ts';
import type { TokenClassificationOptions } from './token-classification.ts';
import type { Overflow, ReadInput } from './windows.ts';

/** Options of every call of a pipeline that reads texts. */
export interface PipelineCallOptions extends LongCallOptions {
  /**
   * What happens to a text with more tokens than the model has positions for: `error` refuses it,
   * `truncate` reads its beginning, `window` reads all of it in windows that overlap. Default `error`;
   * `window` for token-classification and question-answering.
   */
  overflow?: Overflow;
  /** Tokens of a text or window, special ones included. Default and most: as many as the model has positions for. */
  maxTokens?: number;
  /** Tokens that a window shares with the one before it. Default an eighth of those that a window has room for. */
  stride?: number;
  /** Texts and windows go through the layers together, up to this many tokens. Default 16384. */
  maxBatchTokens?: number;
}

/** A result, and what was read for it: one entry for each input. */
export interface Reported<Result> {
  result: Result;
  read: ReadInput[];
}

/** What all pipelines have. */
export interface AnyPipeline {
  readonly task: keyof Pipelines;
  readonly engine: Engine;
  /** Frees the model, and ends the engine if it is the pipeline's own. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A pipeline that makes a `Result` of an `Input`, and a list of them of a list. Results come in the order of their inputs. */
export interface Pipeline<Input, Options, Result> extends AnyPipeline {
  /** Tokens of the longest text that is read at once, special ones included. */
  readonly maxTokens: number;
  (input: Input, options?: Options & PipelineCallOptions): Promise<Result>;
  (inputs: readonly Input[], options?: Options & PipelineCallOptions): Promise<Result[]>;
  /** The same, with a report of what was read. */
  withReport(input: Input, options?: Options & PipelineCallOptions): Promise<Reported<Result>>;
  withReport(inputs: readonly Input[], options?: Options & PipelineCallOptions): Promise<Reported<Result[]>>;
}

type OneVector = Omit<FeatureExtractionOptions, 'pooling'> & { pooling?: Pooling } & PipelineCallOptions;
type AllVectors = Omit<FeatureExtractionOptions, 'pooling'> & { pooling: 'none' } & PipelineCallOptions;

/** Vectors `[texts, hidden_size]`, of one text as well; with `pooling: 'none'` `[tokens, hidden_size]` of each text. */
export interface FeatureExtractionPipeline extends AnyPipeline {
  /** Tokens of the longest text that is read at once, special ones included. */
  readonly maxTokens: number;
  (text: string, options: AllVectors): Promise<Tensor>;
  (texts: readonly string[], options: AllVectors): Promise<Tensor[]>;
  (input: string | readonly string[], options?: OneVector): Promise<Tensor>;
  (input: string | readonly string[], options?: FeatureExtractionOptions & PipelineCallOptions): Promise<Tensor | Tensor[]>;
  /** The same, with a report of what was read. */
  withReport(text: string, options: AllVectors): Promise<Reported<Tensor>>;
  withReport(texts: readonly string[], options: AllVectors): Promise<Reported<Tensor[]>>;
  withReport(input: string | readonly string[], options?: OneVector): Promise<Reported<Tensor>>;
  withReport(input: string | readonly string[], options?: FeatureExtractionOptions & PipelineCallOptions): Promise<Reported<Tensor | Tensor[]>>;
}

/** Passages of documents, nearest to a question in meaning. Nothing is cut: long documents are read in windows. */
export interface SearchPipeline extends AnyPipeline {
  (input: SearchInput, options?: LongCallOptions): Promise<FoundPassage[]>;
  /** The same, with a report of what was read: one entry for each document. */
  withReport(input: SearchInput, options?: LongCallOptions): Promise<Reported<FoundPassage[]>>;
}

/** The best answer, or a list where `topK` is given, with the input or with the call. */
export type QuestionAnsweringPipeline =
  & Pipeline<QuestionAnsweringInput & { topK?: undefined }, QuestionAnsweringOptions & { topK?: undefined }, Answer>
  & Pipeline<QuestionAnsweringInput, QuestionAnsweringOptions & { topK: number }, Answer[]>
  & Pipeline<QuestionAnsweringInput & { topK: number }, QuestionAnsweringOptions, Answer[]>;

/** The pipeline of each task. */
export interface Pipelines {
  'feature-extraction': FeatureExtractionPipeline;
  /** One list for each mask of a text. */
  'fill-mask': Pipeline<string, FillMaskOptions, FilledMask[][]>;
  'multiple-choice': Pipeline<MultipleChoiceInput, MultipleChoiceOptions, RatedChoice[]>;
  'question-answering': QuestionAnsweringPipeline;
  'search': SearchPipeline;
  'text-classification': Pipeline<ClassificationInput, TextClassificationOptions, Classification[]>;
  'token-classification': Pipeline<string, TokenClassificationOptions, Entity[]>;
  /** As transformers.js also calls text-classification. */
  'sentiment-analysis': Pipelines['text-classification'];
  /** As transformers.js also calls token-classification. */
  'ner': Pipelines['token-classification'];
}

/**
 * Loads what a task needs from a checkpoint: config.json, the weights and the files of the tokenizer.
 *
 * @param source as of `LongformerModel.fromPretrained`
 * @param options the same; for search those of `SearchIndex.create`
 * @returns a function from texts to results; `dispose` gives its memory back
 *
 * Rejects with `BAD_INPUT` for a task that is not known, and as `fromPretrained` does; with `NOT_FOUND`
 * also for a checkpoint without the task's head.
 *
 * @example Vectors of texts
 * ```js
 * import { pipeline } from 'longformer-wasm';
 *
 * const embed = await pipeline('feature-extraction', 'models/embedder');
 * const { dims, data } = await embed(['a b c', 'a b d', 'x y'], { pooling: 'mean', normalize: true });
 * console.log(dims, data.length); // => [3, 16], 48
 * await embed.dispose();
 * ```
 *
 * @example An answer in its text
 * ```js
 * import { pipeline } from 'longformer-wasm';
 *
 * const context = 'Bob pays the rent. Ann pays for repairs.';
 * const ask = await pipeline('question-answering', 'models/reader');
 * const { answer, start, end, score } = await ask({ question: 'Who pays for repairs?', context });
 * console.log(answer === context.slice(start, end)); // => true
 * const three = await ask({ question: 'Who pays the rent?', context }, { topK: 3 });
 * console.log(three.length); // => 3
 * await ask.dispose();
 * ```
 *
 * @example Labels, and what was read for them
 * ```js
 * import { pipeline } from 'longformer-wasm';
 *
 * const classify = await pipeline('text-classification', 'models/classifier');
 * const { result, read } = await classify.withReport('Ann pays for repairs. '.repeat(60), { topK: null, overflow: 'window' });
 * console.log(result.length, read[0].windows > 1, read[0].complete); // => 4, true, true
 * await classify.dispose();
 * ```
 *
 * @example Entities
 * ```js
 * import { pipeline } from 'longformer-wasm';
 *
 * const text = 'Ann lives in Rome.';
 * const tag = await pipeline('token-classification', 'models/tagger');
 * const [{ entity, word, start, end }] = await tag(text, { aggregation: 'first' });
 * console.log(entity, word, text.slice(start, end)); // => 'PER', 'ann', 'Ann'
 * await tag.dispose();
 * ```
 *
 * @example Words for masks, and choices
 * ```js
 * import { pipeline } from 'longformer-wasm';
 *
 * const fill = await pipeline('fill-mask', 'models/filler');
 * const [firstMask] = await fill('The [MASK] ends.', { topK: 2 });
 * console.log(firstMask.length, Object.keys(firstMask[0])); // => 2, ['token', 'tokenStr', 'score', 'sequence', 'start', 'end']
 * await fill.dispose();
 *
 * const choose = await pipeline('multiple-choice', 'models/chooser');
 * const [best] = await choose({ prompt: 'It reads one', choices: ['a dog', 'a long book'] });
 * console.log(Object.keys(best)); // => ['choice', 'index', 'score']
 * await choose.dispose();
 * ```
 *
 * @example Passages
 * ```js
 * import { pipeline } from 'longformer-wasm';
 *
 * const search = await pipeline('search', 'models/embedder');
 * const documents = [{ id: 'letters', text: 'a b c\n\nd e f' }, { id: 'more', text: 'x y' }];
 * const found = await search({ query: 'x y', documents, topK: 1 });
 * console.log(found[0].id, found[0].text); // => 'more', 'x y'
 * await search.dispose();
 * ```
 */
export async function pipeline<Name extends keyof Pipelines>(
  task: Name, source: string | URL | FileSource, options: Name extends 'search' ? SearchIndexOptions : LoadOptions = {},
): Promise<Pipelines[Name]> {
  checkCallOptions<LoadOptions>('pipeline', options, task === 'search' ? INDEX_OPTIONS : LOAD_OPTIONS);
  if (task === 'search') return searchPipeline(source, options) as Promise<Pipelines[Name]>;
  const name = Object.hasOwn(aliases, task) ? aliases[task]! : task;
  if (Object.hasOwn(tasks, name)) return textPipeline(name as TaskName, source, options) as Promise<Pipelines[Name]>;
  throw new LongformerError('BAD_INPUT', 'task', `must be one of ${[...Object.keys(tasks), 'search'].join(', ')}, got ${quoted(task)}`);
}

async function searchPipeline(source: string | URL | FileSource, options: SearchIndexOptions): Promise<SearchPipeline> {
  const { index, search } = await openSearch(source, options);
  const withReport = async (input: SearchInput, options: LongCallOptions = {}): Promise<Reported<FoundPassage[]>> => {
    checkCallOptions('search', options, CALL_OPTIONS);
    return search(input, options);
  };
  const run = async (input: SearchInput, options?: LongCallOptions): Promise<FoundPassage[]> => (await withReport(input, options)).result;
  const dispose = (): Promise<void> => index.dispose();
  return Object.assign(run, { task: 'search' as const, engine: index.engine, withReport, dispose, [Symbol.asyncDispose]: dispose });
}

async function textPipeline(task: TaskName, source: string | URL | FileSource, options: LoadOptions): Promise<AnyPipeline> {
  const { loaded: { id, maxTokens }, ...host } = await loadWith(source, options, (engine, location, given) =>
    engine.call('createPipeline', [task, location, modelSettings(options)], given));
  const withReport = async (input: unknown, options: Given = {}): Promise<Reported<unknown>> =>
    host.engine.call('runPipeline', [id, requestOf(task, input, options)], options);
  const run = async (input: unknown, options?: Given): Promise<unknown> => (await withReport(input, options)).result;
  const dispose = (): Promise<void> => unload(host, 'disposePipeline', id);
  return Object.assign(run, { task, maxTokens, engine: host.engine, withReport, dispose, [Symbol.asyncDispose]: dispose });
}

type Given = LongCallOptions & Record<string, unknown>;

const READING: Names<PipelineCallOptions> = { overflow: true, maxTokens: true, stride: true, maxBatchTokens: true, ...CALL_OPTIONS };

function requestOf(name: TaskName, input: unknown, given: Given): PipelineRequest {
  const task = tasks[name];
  const single = !Array.isArray(input);
  const all: unknown[] = single ? [input] : input;
  const subjects = all.map((_, i) => single ? 'input' : `input[${i}]`);
  // Before options: of (question, context), as transformers.js has it, the fields are what to tell.
  const inputs = all.map((one, i) => task.input(one, subjects[i]!) as unknown);
  checkCallOptions(name, given, { ...task.options, ...READING });
  const { overflow = task.overflow, maxTokens, stride, maxBatchTokens } = given;
  return {
    inputs,
    single,
    subjects,
    options: Object.fromEntries(Object.keys(task.options).map((option) => [option, task.options[option]!(given[option], option)])),
    reading: {
      overflow: checkChoice(overflow, 'overflow', ['error', 'truncate', 'window']),
      maxTokens: maxTokens === undefined ? null : checkCount(maxTokens, 'maxTokens'),
      stride: stride === undefined ? null : checkCount(stride, 'stride', 0),
      maxBatchTokens: maxBatchTokens === undefined ? 16384 : checkCount(maxBatchTokens, 'maxBatchTokens'),
    },
  };
}
