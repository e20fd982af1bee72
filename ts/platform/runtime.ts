// What this runtime calls itself, and how many cores it has.

import { builtin } from './node.ts';

/** E.g. `node 24.21.0`, `deno 2.9.6`, `bun 1.4.5`, `chromium 156`, `firefox 153`. */
export function runtimeName(): string {
  const { process, navigator } = globalThis as {
    process?: { versions?: Record<string, string | undefined> };
    navigator?: { userAgent?: string; userAgentData?: { brands?: { brand: string; version: string }[] } };
  };
  if (navigator?.userAgent === 'Cloudflare-Workers') return 'cloudflare-workers'; // it may name a Node that it is like
  for (const name of ['bun', 'deno', 'node']) { // the first two have Node's number as well
    const version = process?.versions?.[name];
    if (version !== undefined) return `${name} ${version}`;
  }
  const chromium = navigator?.userAgentData?.brands?.find(({ brand }) => brand === 'Chromium');
  return chromium !== undefined ? `chromium ${chromium.version}` : browserName(navigator?.userAgent ?? '');
}

/** By the user agent's line, in which browsers also name those that they want to be taken for. */
export function browserName(userAgent: string): string {
  const known: [name: string, version: RegExp][] = [
    ['firefox', /Firefox\/(\d+)/], ['chromium', /Chrom(?:e|ium)\/(\d+)/], ['safari', /Version\/(\d+(?:\.\d+)?).* Safari\//],
  ];
  for (const [name, pattern] of known) {
    const version = pattern.exec(userAgent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return userAgent === '' ? 'an unknown runtime' : userAgent.slice(0, 100);
}

/**
 * Whether a worker can be ended while it waits in WebAssembly for other threads. In Deno 2.9 it cannot,
 * and what it holds is never given back.
 */
export function endsWaitingWorkers(): boolean {
  return !runtimeName().startsWith('deno ');
}

/** Cores, as far as the runtime tells. */
export function availableCores(): number {
  return builtin('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1;
}
