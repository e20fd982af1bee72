// The model classes, named as their counterparts in Hugging Face transformers.

import type { FileSource } from './files/source.ts';
import type { LoadOptions } from './loading.ts';
import type { BaseModelOutput } from './models/base-model.ts';
import type { CausalLMOutput } from './models/causal-lm.ts';
import { loadInto, PretrainedModel } from './pretrained-model.ts';

/** The Longformer encoder. */
export class LongformerModel extends PretrainedModel<BaseModelOutput> {
  /**
   * Loads a checkpoint: config.json and model.safetensors or pytorch_model.bin, whole or in shards.
   *
   * @param source a directory (path or `file:` URL), or files by name
   *
   * Rejects with `NOT_FOUND` for a missing directory, file or tensor, `BAD_FILE` for a malformed
   * one, `OUT_OF_MEMORY` if the weights do not fit.
   */
  static async fromPretrained(source: string | URL | FileSource, options: LoadOptions = {}): Promise<LongformerModel> {
    return new LongformerModel(await loadInto('LongformerModel', source, options));
  }
}

/**
 * A causal language model, as the paper's character models are: `logits` of what follows each
 * token. config.json says `autoregressive: true`, and `norm_first: true` where layer norm comes
 * before attention and feed-forward.
 *
 * Global tokens are seen by later tokens only, and see earlier ones only.
 */
export class LongformerForCausalLM extends PretrainedModel<CausalLMOutput> {
  /** As `LongformerModel.fromPretrained`; rejects with `BAD_FILE` also for a config that is not `autoregressive`. */
  static async fromPretrained(source: string | URL | FileSource, options: LoadOptions = {}): Promise<LongformerForCausalLM> {
    return new LongformerForCausalLM(await loadInto('LongformerForCausalLM', source, options));
  }
}
