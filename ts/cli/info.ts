// `longformer-wasm info`: what the numbers run on.

import { command } from './command.ts';
import { ENGINE_OPTIONS, JSON_OPTION } from './model-options.ts';
import { withEngine } from './session.ts';

export const info = command({
  name: 'info',
  summary: 'says what the engine runs on',
  synopsis: '[options]',
  about: '',
  options: { ...ENGINE_OPTIONS, ...JSON_OPTION },
  examples: [['info', 'runtime, build and threads']],
  operands: 'none',
  async run({ values, signal }) {
    await withEngine(values, signal, async ({ engine, print }) => {
      const lines = Object.entries(engine.info).map(([name, value]) => `${name.padEnd(12)} ${String(value)}`);
      print(values.json ? `${JSON.stringify(engine.info)}\n` : `${lines.join('\n')}\n`);
    });
  },
});
