// The model classes that there are, by the names that Hugging Face gives them.

import { loadBaseModel, type BaseModelOutput } from './base-model.ts';
import { loadCausalLM, type CausalLMOutput } from './causal-lm.ts';

/** Loads what each adds to the encoder. */
export const heads = {
  LongformerModel: loadBaseModel,
  LongformerForCausalLM: loadCausalLM,
};

export type Architecture = keyof typeof heads;

/** What one of them makes of one sequence. */
export type ModelOutput = BaseModelOutput | CausalLMOutput;
