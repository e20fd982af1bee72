/** The folder of all-MiniLM-L6-v2 if it is there already, or null. */
export function weightsInPlace(): string | null;
/** The folder of all-MiniLM-L6-v2, fetched if it is not there yet. */
export function fetchWeights(): Promise<string>;
