/**
 * All that `import ... from 'longformer-wasm'` gives: start with `pipeline`, `SearchIndex`, or `LongformerModel` and `Tokenizer`.
 *
 * @module Reference
 */

export { LongformerError, type ErrorCode } from './errors.ts';
export type { FileSource } from './files/source.ts';
export { convertToLongformer, type Conversion, type ConversionOptions } from './convert.ts';
export type { Tensor } from './tensor.ts';
export type { Progress, LongCallOptions } from './progress.ts';
export type { AttentionInput } from './attention.ts';
export { patternSvg, type PatternPicture } from './pattern-svg.ts';
export { createEngine } from './engine/create-engine.ts';
export type { Engine, EngineInfo } from './engine/engine.ts';
export type { EngineOptions } from './engine/options.ts';
export {
  LongformerModel, LongformerForMaskedLM, LongformerForSequenceClassification, LongformerForTokenClassification,
  LongformerForQuestionAnswering, LongformerForMultipleChoice, LongformerForCausalLM, loadModel,
  type AnyModel, type MultipleChoiceOutput,
} from './longformer-models.ts';
export type { ModelSource } from './longformer-models.ts';
export type { Simd, SimdWish } from './engine/builds.ts';
export type { SpecialToken, SpecialTokens } from './tokenizer/special-tokens.ts';
export { tokensInRanges, type CharacterRange } from './tokens-in-ranges.ts';
export type { LoadOptions } from './loading.ts';
export type { HubOptions, SourceOptions } from './files/source-options.ts';
export type { Plan, PlanRequest } from './plan.ts';
export type { Dtype } from './dtype.ts';
export type { PretrainedModel, SequenceModel, Sequence, ForwardOptions, AttentionOptions } from './pretrained-model.ts';
export type { BaseModelOutput } from './models/base-model.ts';
export type { CausalLMOutput } from './models/causal-lm.ts';
export type { MaskedLMOutput } from './models/masked-lm.ts';
export type { SequenceClassificationOutput } from './models/sequence-classification.ts';
export type { TokenClassificationOutput } from './models/token-classification.ts';
export type { QuestionAnsweringOutput } from './models/question-answering.ts';
export type { LayerOutputs } from './models/services.ts';
export { Tokenizer, type Encoding, type EncodeOptions, type WindowOptions } from './tokenizer/tokenizer.ts';
export { SearchIndex, type KeptIndexOptions, type SearchIndexOptions } from './search/search-index.ts';
export type { Document, DocumentSummary, FoundPassage, ReadDocument } from './search/services.ts';
export {
  pipeline, type AnyPipeline, type FeatureExtractionPipeline, type Pipeline, type PipelineCallOptions, type Pipelines,
  type QuestionAnsweringPipeline, type Reported, type SearchPipeline,
} from './pipelines/pipeline.ts';
export type { Overflow, ReadInput } from './pipelines/windows.ts';
export type { Aggregation, Entity } from './pipelines/entities.ts';
export type { Answer, QuestionAnsweringInput, QuestionAnsweringOptions } from './pipelines/question-answering.ts';
export type { TokenClassificationOptions } from './pipelines/token-classification.ts';
export type { FeatureExtractionOptions } from './pipelines/feature-extraction.ts';
export type { FilledMask, FillMaskOptions } from './pipelines/fill-mask.ts';
export type { MultipleChoiceInput, MultipleChoiceOptions, RatedChoice } from './pipelines/multiple-choice.ts';
export type { SearchInput } from './pipelines/search.ts';
export type { Pooling } from './pipelines/sentence-modules.ts';
export type { Classification, ClassificationInput, TextClassificationOptions } from './pipelines/text-classification.ts';
