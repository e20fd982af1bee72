// The model classes that there are, by the names that Hugging Face gives them.

import { loadBaseModel, type BaseModelOutput } from './base-model.ts';
import { loadCausalLM, type CausalLMOutput } from './causal-lm.ts';
import { loadMaskedLM, type MaskedLMOutput } from './masked-lm.ts';
import { loadMultipleChoice, type ChoiceOutput } from './multiple-choice.ts';
import { loadQuestionAnswering, type QuestionAnsweringOutput } from './question-answering.ts';
import { loadSequenceClassification, type SequenceClassificationOutput } from './sequence-classification.ts';
import { loadTokenClassification, type TokenClassificationOutput } from './token-classification.ts';

/** Loads what each adds to the encoder. */
export const heads = {
  LongformerModel: loadBaseModel,
  LongformerForMaskedLM: loadMaskedLM,
  LongformerForSequenceClassification: loadSequenceClassification,
  LongformerForTokenClassification: loadTokenClassification,
  LongformerForQuestionAnswering: loadQuestionAnswering,
  LongformerForMultipleChoice: loadMultipleChoice,
  LongformerForCausalLM: loadCausalLM,
};

export type Architecture = keyof typeof heads;

/** What one of them makes of one sequence. */
export type ModelOutput = BaseModelOutput | CausalLMOutput | MaskedLMOutput | SequenceClassificationOutput
  | TokenClassificationOutput | QuestionAnsweringOutput | ChoiceOutput;
