// Windows go through the model, as many together as fit; what the task keeps of each comes out.

import { bandsOf } from '../config.ts';
import type { Run } from '../engine/services.ts';
import { LongformerError } from '../errors.ts';
import { groupByTokens, startsOf } from '../models/groups.ts';
import type { EncoderInput } from '../models/longformer.ts';
import { modelOf } from '../models/services.ts';
import type { Runner } from './task.ts';
import type { Window } from './windows.ts';

/** A window, and what the task keeps of it once it was read. */
export interface Reading {
  readonly window: Window;
  output: unknown;
}

interface ReadingOptions {
  readonly attentionWindow: number | number[] | null;
  readonly maxBatchTokens: number;
  readonly options: unknown;
}

/** Reads all of them, in their order. Sequences have no padding: a batch costs what its tokens cost. */
export async function readWindows(
  run: Run, modelId: number, runner: Runner<unknown, unknown, unknown, unknown>, readings: readonly Reading[], rules: ReadingOptions,
): Promise<void> {
  const { encoder, head } = modelOf(modelId);
  const bands = bandsOf(encoder.config, rules.attentionWindow ?? undefined);
  const { num_hidden_layers: layers, type_vocab_size: types } = encoder.config;
  const sequences = readings.map((reading) => ({ reading, ...sequenceOf(reading.window, types, runner, head.globalTokens) }));
  const total = sequences.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
  let done = 0;
  for (const group of groupByTokens(sequences, rules.maxBatchTokens)) {
    const tokens = group.reduce((sum, { inputIds }) => sum + inputIds.length, 0);
    const hiddenStates = await encoder.forward(run, group, bands, (layer) => {
      run.progress({ stage: 'forward', done: done + Math.floor(tokens * layer / layers), total, unit: 'tokens' });
    });
    try {
      const starts = startsOf(group);
      for (const [i, { reading, inputIds: { length } }] of group.entries()) {
        const start = starts[i]!;
        const { window } = reading;
        const positions = runner.positions?.(window) ?? Uint32Array.from({ length }, (_, position) => position);
        const rows = { start, length, wanted: positions.map((position) => start + position) };
        if (runner.output !== undefined) reading.output = await runner.output(run, hiddenStates, rows, window, rules.options);
        else {
          const output = await head.output(run, hiddenStates, rows);
          reading.output = runner.reduce === undefined ? output : runner.reduce(output, window, rules.options);
        }
      }
    } finally {
      hiddenStates.free();
    }
    done += tokens;
  }
}

function sequenceOf(
  window: Window, types: number, runner: Runner<unknown, unknown, unknown, unknown>, chosen: ((inputIds: Uint32Array) => Uint32Array) | undefined,
): EncoderInput {
  const { inputIds, tokenTypeIds } = window;
  const largest = tokenTypeIds.reduce((most, type) => Math.max(most, type), 0);
  if (largest >= types) throw new LongformerError('BAD_FILE', 'the tokenizer', `must give token types below ${types}, the checkpoint's type_vocab_size, gives ${largest}`);
  const globalTokens = runner.globalTokens?.(window) ?? chosen?.(inputIds) ?? new Uint32Array();
  return { inputIds, tokenTypeIds, globalTokens, masked: new Uint32Array() };
}
