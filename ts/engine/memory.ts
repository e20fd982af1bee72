// The memory of an engine: as large a limit as the platform grants.

import { LongformerError } from '../errors.ts';

/** Bytes of a page of WebAssembly memory. */
const PAGE = 65536;

/** What every build asks for at least, with little to spare: what is there from the start is never given to anybody. */
const FIRST_PAGES = 20;

/** WebAssembly has no more than 4 GiB in 32 bits. */
export const MOST_MEMORY = 2 ** 32;

/** Below this, little more than the tables of a vocabulary would fit. */
const LEAST_BY_DEFAULT = 2 ** 28;

/**
 * Makes it. Platforms that reserve a shared memory's whole limit may refuse a large one (Safari
 * does on phones), so where the caller set none it is halved until it is granted.
 *
 * Throws `OUT_OF_MEMORY` if the limit that the caller set, or any, is refused.
 */
export function takeMemory(
  limit: number | null, shared: boolean,
  make = (descriptor: WebAssembly.MemoryDescriptor): WebAssembly.Memory => new WebAssembly.Memory(descriptor),
): { memory: WebAssembly.Memory; maxMemoryBytes: number } {
  for (let bytes = limit ?? MOST_MEMORY; ; bytes /= 2) {
    try {
      return { memory: make({ initial: FIRST_PAGES, maximum: Math.floor(bytes / PAGE), shared }), maxMemoryBytes: bytes };
    } catch (cause) {
      if (limit === null && bytes > LEAST_BY_DEFAULT) continue;
      throw new LongformerError('OUT_OF_MEMORY', limit === null ? 'the engine' : 'maxMemoryBytes',
        `must be granted by this runtime, which refuses ${shared ? 'shared ' : ''}memory of up to ${bytes} bytes: ${(cause as Error).message}`, { cause });
    }
  }
}
