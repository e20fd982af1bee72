// That something is refused, with the right code and words.

import { LongformerError, type ErrorCode } from 'longformer-wasm';

/** Throws unless `call` ends in a LongformerError of that code whose message matches every pattern. */
export async function assertRefuses(call: () => unknown, code: ErrorCode, ...patterns: RegExp[]): Promise<void> {
  let error: unknown;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) throw new Error(`nothing was refused, expected ${code} ${patterns.join(' ')}`);
  if (!(error instanceof LongformerError)) throw new Error(`expected a LongformerError, got ${String(error)}`, { cause: error });
  if (error.code !== code) throw new Error(`expected ${code}, got ${error.code}: ${error.message}`);
  for (const pattern of patterns) {
    if (!pattern.test(error.message)) throw new Error(`expected ${pattern} in: ${error.message}`);
  }
}
