// How soon a model answers: an engine's start, a checkpoint of 630 MB from a warm cache of the disk, and
// the first pass beside the ones behind it, in a new process each time, as code that is compiled stays.

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createEngine } from '../dist/index.js';
import { modelsOf } from './checkpoints.ts';
import { Report, summaryOf } from './measure.ts';
import { Peer } from './peer.ts';

const ROUNDS = 5;
const STEADY = 3;
const TOKENS = 512;
const LIMIT_MS = 60_000;

const folder = await modelsOf('base', process.env['PYTHON']);
const { size } = await stat(join(folder, 'model.safetensors'));
const engine = await createEngine();
const { threads: all, build } = engine.info;
await engine.dispose();
const report = new Report('load', build);
for (const threads of new Set([1, all])) {
  for (const dtype of ['f32', 'f16', 'int8']) {
    const [spawns, loads, firsts, steady]: number[][] = [[], [], [], []];
    for (let round = 0; round < ROUNDS; round++) {
      const script = fileURLToPath(new URL('peer-ours.ts', import.meta.url));
      const peer = new Peer(process.execPath, ['--import', new URL('../scripts/ts-node.mjs', import.meta.url).href, script, folder, dtype, String(threads)], LIMIT_MS);
      try {
        const { spawnSeconds, loadSeconds } = await peer.ready();
        spawns!.push(spawnSeconds! * 1000);
        loads!.push(loadSeconds * 1000);
        firsts!.push((await peer.run(TOKENS)).seconds * 1000);
        for (let i = 0; i < STEADY; i++) steady!.push((await peer.run(TOKENS)).seconds * 1000);
      } finally {
        await peer.end();
      }
    }
    const [spawn, load, first, then] = [spawns!, loads!, firsts!, steady!].map(summaryOf);
    report.add({
      what: 'load', dtype, threads, 'file bytes': size, 'best ms': load!.best, 'median ms': load!.median, 'GB/s': size / load!.median / 1e6,
      'spawn median ms': spawn!.median, tokens: TOKENS, 'first ms': first!.median, 'steady ms': then!.median, 'first over steady': first!.median / then!.median,
    });
  }
}
await report.keep();
