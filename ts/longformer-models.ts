// The model classes, named as their counterparts in Hugging Face transformers.

import { LongformerError } from './errors.ts';
import type { FileSource } from './files/source.ts';
import type { LoadOptions } from './loading.ts';
import type { BaseModelOutput } from './models/base-model.ts';
import type { CausalLMOutput } from './models/causal-lm.ts';
import type { Architecture } from './models/heads.ts';
import type { MaskedLMOutput } from './models/masked-lm.ts';
import type { ChoiceOutput } from './models/multiple-choice.ts';
import type { QuestionAnsweringOutput } from './models/question-answering.ts';
import type { SequenceClassificationOutput } from './models/sequence-classification.ts';
import type { LayerOutputs } from './models/services.ts';
import type { TokenClassificationOutput } from './models/token-classification.ts';
import { loadInto, PretrainedModel, SequenceModel, type ForwardOptions, type Loaded, type Sequence } from './pretrained-model.ts';
import type { Tensor } from './tensor.ts';

/** A directory (a path, or a `file:` URL), an id of the Hugging Face Hub, a folder on a web server, or files at hand. */
export type ModelSource = string | URL | FileSource;

/**
 * The Longformer encoder.
 *
 * @example
 * ```js
 * import { LongformerModel, Tokenizer } from 'longformer-wasm';
 *
 * const tokenizer = await Tokenizer.fromPretrained('models/embedder');
 * const model = await LongformerModel.fromPretrained('models/embedder', { dtype: 'int8' });
 * const { inputIds } = tokenizer.encode('a b c');
 * const { lastHiddenState, poolerOutput } = await model.forward({ inputIds, globalTokens: [0] });
 * console.log(lastHiddenState.dims, model.maxTokens); // => [5, 16], 8192
 * await model.dispose();
 * ```
 */
export class LongformerModel extends SequenceModel<BaseModelOutput> {
  /**
   * Loads a checkpoint: config.json and model.safetensors or pytorch_model.bin, whole or in shards.
   *
   * @param source a directory (path or `file:` URL), an id of the Hugging Face Hub, a folder on a web
   * server (`http:` or `https:` URL), or files by name
   *
   * An engine does one thing after the other: with `engine`, its other calls wait until all is
   * downloaded and loaded.
   *
   * Rejects with `BAD_INPUT` for an option, `NOT_FOUND` for a missing directory, repository, file or
   * tensor, `BAD_FILE` for a malformed one, `DOWNLOAD` if one cannot be fetched, `OUT_OF_MEMORY` if the
   * weights do not fit.
   */
  static async fromPretrained(source: ModelSource, options: LoadOptions = {}): Promise<LongformerModel> {
    return new LongformerModel(await loadInto('LongformerModel', source, options));
  }
}

/**
 * A masked language model: what stands at each token, as logits over the vocabulary.
 *
 * @example
 * ```js
 * import { LongformerForMaskedLM, Tokenizer } from 'longformer-wasm';
 *
 * const tokenizer = await Tokenizer.fromPretrained('models/filler');
 * const model = await LongformerForMaskedLM.fromPretrained('models/filler');
 * const { inputIds } = tokenizer.encode('The license shall [MASK] with this term.');
 * const mask = inputIds.indexOf(tokenizer.specialTokens.mask.id);
 * const { logits } = await model.forward({ inputIds }, { positions: [mask] });
 * console.log(mask, logits.dims); // => 4, [1, 1505]
 * const best = tokenizer.tokenOf(logits.data.indexOf(Math.max(...logits.data)));
 * await model.dispose();
 * ```
 */
export class LongformerForMaskedLM extends SequenceModel<MaskedLMOutput> {
  /** As `LongformerModel.fromPretrained`. The decoder may be tied to the word embeddings. */
  static async fromPretrained(source: ModelSource, options: LoadOptions = {}): Promise<LongformerForMaskedLM> {
    return new LongformerForMaskedLM(await loadInto('LongformerForMaskedLM', source, options));
  }
}

/**
 * Labels for a whole sequence, read off its first token, which is global.
 *
 * @example
 * ```js
 * import { LongformerForSequenceClassification, Tokenizer } from 'longformer-wasm';
 *
 * const tokenizer = await Tokenizer.fromPretrained('models/classifier');
 * const model = await LongformerForSequenceClassification.fromPretrained('models/classifier');
 * const { logits } = await model.forward(tokenizer.encode('Bob pays the rent.'));
 * console.log(logits.dims); // => [4]
 * const label = model.config.id2label[logits.data.indexOf(Math.max(...logits.data))];
 * await model.dispose();
 * ```
 */
export class LongformerForSequenceClassification extends SequenceModel<SequenceClassificationOutput> {
  /** As `LongformerModel.fromPretrained`; there are as many labels as config.json's `id2label` or `num_labels` says. */
  static async fromPretrained(source: ModelSource, options: LoadOptions = {}): Promise<LongformerForSequenceClassification> {
    return new LongformerForSequenceClassification(await loadInto('LongformerForSequenceClassification', source, options));
  }
}

/**
 * Labels for each token.
 *
 * @example
 * ```js
 * import { LongformerForTokenClassification, Tokenizer } from 'longformer-wasm';
 *
 * const tokenizer = await Tokenizer.fromPretrained('models/tagger');
 * const model = await LongformerForTokenClassification.fromPretrained('models/tagger');
 * const { inputIds, offsets } = tokenizer.encode('Ann lives in Rome.');
 * const { logits } = await model.forward({ inputIds });
 * console.log(logits.dims[0] === offsets.length, logits.dims[1]); // => true, 7
 * await model.dispose();
 * ```
 */
export class LongformerForTokenClassification extends SequenceModel<TokenClassificationOutput> {
  /** As `LongformerForSequenceClassification.fromPretrained`. */
  static async fromPretrained(source: ModelSource, options: LoadOptions = {}): Promise<LongformerForTokenClassification> {
    return new LongformerForTokenClassification(await loadInto('LongformerForTokenClassification', source, options));
  }
}

/**
 * Where the answer to a question starts and ends in a text. A sequence is a pair, the question first; its tokens are global.
 *
 * @example
 * ```js
 * import { LongformerForQuestionAnswering, Tokenizer } from 'longformer-wasm';
 *
 * const text = 'Bob pays the rent. Ann pays for repairs.';
 * const tokenizer = await Tokenizer.fromPretrained('models/reader');
 * const model = await LongformerForQuestionAnswering.fromPretrained('models/reader');
 * const { inputIds, tokenTypeIds, offsets, sequenceIds } = tokenizer.encode('Who pays for repairs?', { pair: text });
 * const { startLogits, endLogits } = await model.forward({ inputIds, tokenTypeIds });
 * const best = ({ data }, from) => data.reduce((top, x, i) => (i >= from && sequenceIds[i] === 1 && !(data[top] >= x) ? i : top), -1);
 * const start = best(startLogits, 0);
 * const end = best(endLogits, start);
 * console.log(text.slice(offsets[start][0], offsets[end][1])); // => 'the rent. Ann pay'
 * await model.dispose();
 * ```
 */
export class LongformerForQuestionAnswering extends SequenceModel<QuestionAnsweringOutput> {
  /** As `LongformerModel.fromPretrained`. */
  static async fromPretrained(source: ModelSource, options: LoadOptions = {}): Promise<LongformerForQuestionAnswering> {
    return new LongformerForQuestionAnswering(await loadInto('LongformerForQuestionAnswering', source, options));
  }
}

/** How well each choice answers a question. */
export interface MultipleChoiceOutput {
  /** `[choices]` */
  logits: Tensor;
  /** What was asked for besides, for each choice. */
  choices?: LayerOutputs[];
}

/**
 * One of several answers. A sequence is a pair of the question and one choice, whose tokens are global.
 *
 * @example
 * ```js
 * import { LongformerForMultipleChoice, Tokenizer } from 'longformer-wasm';
 *
 * const tokenizer = await Tokenizer.fromPretrained('models/chooser');
 * const model = await LongformerForMultipleChoice.fromPretrained('models/chooser');
 * const { logits } = await model.forward(['a dog', 'a long book'].map((pair) => tokenizer.encode('It reads one', { pair })));
 * console.log(logits.dims); // => [2]
 * await model.dispose();
 * ```
 */
export class LongformerForMultipleChoice extends PretrainedModel<ChoiceOutput> {
  /** As `LongformerModel.fromPretrained`; the checkpoint must have a pooler. */
  static async fromPretrained(source: ModelSource, options: LoadOptions = {}): Promise<LongformerForMultipleChoice> {
    return new LongformerForMultipleChoice(await loadInto('LongformerForMultipleChoice', source, options));
  }

  /** The choices of one question. */
  async forward(choices: Sequence | readonly Sequence[], options: ForwardOptions = {}): Promise<MultipleChoiceOutput> {
    const sequences = Array.isArray(choices) ? choices as readonly Sequence[] : [choices as Sequence];
    if (sequences.length === 0) throw new LongformerError('BAD_INPUT', 'the choices', 'must be one at least, are none');
    const outputs = await this.run(sequences, options);
    const logits = { dims: [outputs.length], data: Float32Array.from(outputs, ({ logits: { data } }) => data[0]!) };
    const besides = outputs.map(({ logits: _, ...layers }): LayerOutputs => layers);
    return { logits, ...(besides.some((layers) => Object.keys(layers).length > 0) && { choices: besides }) };
  }
}

/**
 * A causal language model, as the paper's character models are: `logits` of what follows each
 * token. config.json says `autoregressive: true`, and `norm_first: true` where layer norm comes
 * before attention and feed-forward.
 *
 * Global tokens are seen by later tokens only, and see earlier ones only.
 *
 * @example
 * ```js
 * import { LongformerForCausalLM } from 'longformer-wasm';
 * import { readFile } from 'node:fs/promises';
 *
 * const ids = JSON.parse(await readFile('models/characters/vocab.json', 'utf8'));
 * const model = await LongformerForCausalLM.fromPretrained('models/characters');
 * const inputIds = Array.from('The object is called with the argumen', (character) => ids[character]);
 * const { logits } = await model.forward({ inputIds }, { positions: [inputIds.length - 1] });
 * const next = Object.keys(ids)[logits.data.indexOf(Math.max(...logits.data))];
 * console.log(next); // => 't'
 * await model.dispose();
 * ```
 */
export class LongformerForCausalLM extends SequenceModel<CausalLMOutput> {
  /** As `LongformerModel.fromPretrained`; rejects with `BAD_FILE` also for a config that is not `autoregressive`. */
  static async fromPretrained(source: ModelSource, options: LoadOptions = {}): Promise<LongformerForCausalLM> {
    return new LongformerForCausalLM(await loadInto('LongformerForCausalLM', source, options));
  }
}

const classes = {
  LongformerModel, LongformerForMaskedLM, LongformerForSequenceClassification, LongformerForTokenClassification,
  LongformerForQuestionAnswering, LongformerForMultipleChoice, LongformerForCausalLM,
} satisfies Record<Architecture, new (loaded: Loaded) => unknown>;

/** A model of one of the classes; `instanceof` tells which. */
export type AnyModel = InstanceType<(typeof classes)[Architecture]>;

/**
 * Loads a checkpoint as the class that config.json names first in `architectures`; as `LongformerModel`
 * where it names none.
 *
 * Rejects as `fromPretrained` of that class does, and with `BAD_FILE` for a class that is not among these.
 *
 * @example
 * ```js
 * import { LongformerForTokenClassification, loadModel } from 'longformer-wasm';
 *
 * const model = await loadModel('models/tagger');
 * console.log(model instanceof LongformerForTokenClassification); // => true
 * await model.dispose();
 * ```
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<AnyModel> {
  const loaded = await loadInto(null, source, options);
  return new classes[loaded.architecture](loaded);
}
