// Dense attention in onnxruntime-web, through its interface, of the shape of attention.ts: longer and
// longer until it fails, each length in a process of its own. As MatMul, Softmax, MatMul; its fused
// MultiHeadAttention is no faster and fails at 4,096 tokens already.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createEngine } from '../dist/index.js';
import { reasonOf } from './failure.ts';
import { HEADS } from './kernel.ts';
import { Report } from './measure.ts';

const LENGTHS = [512, 1024, 2048, 4096, 8192, 9216, 10240, 16384]; // scores of 9,298 tokens take 4 GiB
const LIMIT_MS = 300_000;

const { version } = JSON.parse(await readFile(new URL('node_modules/onnxruntime-web/package.json', import.meta.url), 'utf8')) as { version: string };
const report = new Report('dense', `onnxruntime-web ${version}`);
const engine = await createEngine();
const { threads } = engine.info; // as many as ours
await engine.dispose();
for (const each of new Set([1, threads])) await untilItFails(each);
await report.keep();

async function untilItFails(threads: number): Promise<void> {
  for (const tokens of LENGTHS) {
    const result = await run(tokens, threads);
    if ('message' in result) {
      const scores = 4 * HEADS * tokens * tokens;
      report.add({ what: 'end', tokens, threads, why: result.why, 'scores bytes': scores, message: result.message });
      return;
    }
    const { best, median, memory, process } = result;
    report.add({ what: 'dense', tokens, threads, 'best ms': best, 'median ms': median, 'µs per token': (best * 1e3) / tokens, 'memory bytes': memory, 'process bytes': process });
  }
}

type Result = { best: number; median: number; memory: number; process: number } | { why: string; message: string };

async function run(tokens: number, threads: number): Promise<Result> {
  const args = ['--import', new URL('../scripts/ts-node.mjs', import.meta.url).href, fileURLToPath(new URL('dense-run.ts', import.meta.url)), String(tokens), String(threads)];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS, killSignal: 'SIGKILL', cwd: new URL('..', import.meta.url) });
    return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Result;
  } catch (error) {
    const { stderr = '', killed, signal, message } = error as Error & { stderr?: string; killed?: boolean; signal?: string };
    // The library's message names the file of its own source on its builder's disk.
    const said = /^\w*Error: (.+)$/m.exec(stderr)?.[1]?.replace(/\S*\/onnxruntime\//g, 'onnxruntime/');
    const what = killed ? `took more than ${LIMIT_MS / 1000} s` : said ?? (signal ? `was ended by ${signal}` : message);
    return { why: reasonOf(what, killed === true), message: what };
  }
}
