// Whether an error says that memory was lacking.

/**
 * Whether JavaScript had no memory for an array, such as that of a result. Its other RangeErrors
 * (reads beyond a buffer, endless recursion, sizes that no array has) are mistakes in the code.
 */
export function saysMemoryLacks(error: unknown): boolean {
  return error instanceof RangeError && /^(Array buffer allocation failed|Out of memory)$/.test(error.message); // V8, JavaScriptCore
}
