export { LongformerError, type ErrorCode } from './errors.ts';
export type { FileSource } from './files/source.ts';
export type { LongformerConfig } from './config.ts';
