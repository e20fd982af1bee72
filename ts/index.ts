export { LongformerError, type ErrorCode } from './errors.ts';
