// Which keys a query sees, for pictures: the only place in TypeScript that says it. The numbers come
// from crate/src/band.rs; test/pattern.test.ts holds the two together, cell by cell.

/** The window of one head, and the tokens that are seen without it. */
export interface HeadPattern {
  /** Keys on each side of the query. */
  readonly oneSidedWindow: number;
  /** Distance between neighbouring keys; 1 = no gaps. */
  readonly dilation: number;
  /** No query sees a later key. */
  readonly causal: boolean;
  readonly globalTokens: ReadonlySet<number>;
}

/** Why a query sees a key. */
export type Sight = 'itself' | 'window' | 'global';

/** Why the query at one position sees the key at another, or null where it does not. */
export function sightOf({ oneSidedWindow, dilation, causal, globalTokens }: HeadPattern, query: number, key: number): Sight | null {
  if (causal && key > query) return null;
  if (key === query) return 'itself';
  if (globalTokens.has(query) || globalTokens.has(key)) return 'global';
  const distance = Math.abs(key - query);
  return distance % dilation === 0 && distance / dilation <= oneSidedWindow ? 'window' : null;
}
