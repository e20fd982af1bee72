// `longformer-wasm info`: what the numbers run on.

import { createEngine } from '../engine/engine.ts';
import { readArguments, readCount, type Command } from './command.ts';

export const info: Command = {
  summary: 'says what the engine runs on',
  usage: `Usage: longformer-wasm info [options]

  --threads N   threads that compute (default: by the cores)
  --json        as a line of JSON
`,
  async run(args, signal) {
    const { values } = readArguments(args, { threads: { type: 'string' }, json: { type: 'boolean' } });
    const engine = await createEngine({ signal, threads: readCount('threads', values.threads) });
    try {
      const lines = Object.entries(engine.info).map(([name, value]) => `${name.padEnd(12)} ${String(value)}`);
      process.stdout.write(values.json ? `${JSON.stringify(engine.info)}\n` : `${lines.join('\n')}\n`);
    } finally {
      await engine.dispose();
    }
  },
};
