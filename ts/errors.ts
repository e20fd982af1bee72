// The one error class of the package, and what its codes mean.

/**
 * What went wrong, for callers who have to tell it apart.
 *
 * - `BAD_INPUT`: an argument breaks a rule
 * - `BAD_FILE`: a file is malformed, truncated or does not fit its config
 * - `NOT_FOUND`: a file, directory or tensor that must be there is not
 * - `DOWNLOAD`: a transfer failed
 * - `OUT_OF_MEMORY`: the engine's memory cannot hold what was asked for
 * - `ENGINE_DEAD`: the engine was disposed, or one of its workers died
 */
export type ErrorCode =
  | 'BAD_INPUT' | 'BAD_FILE' | 'NOT_FOUND' | 'DOWNLOAD' | 'OUT_OF_MEMORY' | 'ENGINE_DEAD';

/**
 * An error with a code, and a message that names the subject, the rule and the offender.
 *
 * @example
 * ```js
 * import { LongformerError, pipeline } from 'longformer-wasm';
 *
 * try {
 *   await pipeline('feature-extraction', './no-such-folder');
 * } catch (error) {
 *   if (!(error instanceof LongformerError)) throw error;
 *   console.log(error.code, error.subject); // => 'NOT_FOUND', './no-such-folder'
 * }
 * ```
 */
export class LongformerError extends Error {
  override readonly name = 'LongformerError';
  readonly code: ErrorCode;
  /** What the error is about: a file, an argument, a tensor. */
  readonly subject: string;

  /** `problem` continues the sentence that `subject` begins: `must be even, got 511`. */
  constructor(code: ErrorCode, subject: string, problem: string, options?: ErrorOptions) {
    super(`${subject} ${problem}`, options);
    this.code = code;
    this.subject = subject;
  }
}
