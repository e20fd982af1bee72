// An engine, a progress bar and standard output, for as long as a command computes.

import { createEngine } from '../engine/create-engine.ts';
import type { Engine, EngineInfo } from '../engine/engine.ts';
import type { LongCallOptions } from '../progress.ts';
import { readEngine, type ENGINE_OPTIONS } from './model-options.ts';
import type { Values } from './option.ts';
import { ProgressBar } from './progress-bar.ts';
import { plural } from './terminal.ts';

export interface Session {
  readonly engine: Engine;
  /** Options of every long call: Ctrl-C, and the bar. */
  readonly watched: Required<LongCallOptions>;
  /** Writes on standard output. The bar goes first, both may be on one terminal. */
  print(text: string): void;
}

/** Does a command's work with an engine, and ends it. */
export async function withEngine<Result>(
  values: Values<typeof ENGINE_OPTIONS>, signal: AbortSignal, work: (session: Session) => Promise<Result>,
): Promise<Result> {
  return withBar(signal, async (watched, print) => {
    const engine = await createEngine({ ...readEngine(values), signal });
    try {
      if (values['device-info']) process.stderr.write(`${deviceOf(engine.info)}: ${engine.info.reason}\n`);
      return await work({ engine, watched, print });
    } finally {
      await engine.dispose();
    }
  });
}

/** The same without an engine. */
export async function withBar<Result>(
  signal: AbortSignal, work: (watched: Session['watched'], print: Session['print']) => Promise<Result>,
): Promise<Result> {
  const bar = new ProgressBar(process.stderr);
  const print = (text: string): void => {
    bar.clear();
    process.stdout.write(text);
  };
  try {
    return await work({ signal, onProgress: (progress) => bar.show(progress) }, print);
  } finally {
    bar.end();
  }
}

/** `node 24.21.0, threads-relaxed, 2 threads` */
export function deviceOf({ runtime, build, simd, threads }: EngineInfo): string {
  return `${runtime}, ${build}${simd === 'wide' ? ' (256 bits)' : ''}, ${plural(threads, 'thread')}`;
}
