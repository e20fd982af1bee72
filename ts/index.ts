export { LongformerError, type ErrorCode } from './errors.ts';
export type { FileSource } from './files/source.ts';
export type { LongformerConfig } from './config.ts';
export { convertToLongformer, type Conversion, type ConversionOptions } from './convert.ts';
export type { Tensor } from './tensor.ts';
export type { Progress, LongCallOptions } from './progress.ts';
export type { AttentionInput } from './attention.ts';
export { createEngine, type Engine, type EngineOptions, type EngineInfo } from './engine/engine.ts';
export {
  LongformerModel, type LoadOptions, type Sequence, type ForwardOptions, type BaseModelOutput,
} from './longformer-model.ts';
export { Tokenizer, type Encoding, type EncodeOptions, type WindowOptions } from './tokenizer/tokenizer.ts';
export { SearchIndex, type SearchIndexOptions } from './search/search-index.ts';
export type { Document, FoundPassage, ReadDocument } from './search/services.ts';
