// What README.md and the guides say of speed and of retrieval is what bench/results holds, and what fits and models are made of is right.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reasonOf } from '../bench/failure.ts';
import { line, spread } from '../bench/fit.ts';
import { inTurn, type Results } from '../bench/measure.ts';
import { modelSection } from '../bench/model-section.ts';
import { newest, newestOfEach } from '../bench/newest.ts';
import { denseAttention, matMul } from '../bench/onnx.ts';
import { Peer } from '../bench/peer.ts';
import { sharesOf } from '../bench/profile-parts.ts';
import { withSection } from '../bench/readme.ts';
import { retrievalSection } from '../bench/retrieval/section.ts';
import { sections } from '../bench/sections.ts';
import { summary } from '../bench/summary.ts';
import { ratios } from '../bench/targets.ts';

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

const shown = suite('benchmarks as shown');

shown('README.md, the guides and the plots are those of bench/results (else: npm run bench plots)', () => {
  for (const [name, { page, markdown, plots }] of Object.entries(sections)) {
    assert.is(withSection(page, read(page), name, markdown), read(page));
    for (const [plot, svg] of Object.entries(plots)) {
      assert.is(svg, read(`bench/plots/${plot}`), plot);
      assert.ok(markdown.includes(`(bench/plots/${plot})`), plot);
    }
  }
});

shown('the newest figures count, and dense ones of the same machine alone', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const write = (name: string, more: Partial<Results>): void => {
      const all = { date: '2030-01-01', cpu: 'A', cores: 2, runtime: 'node 24.0.0', build: 'single-relaxed', lines: [], ...more };
      writeFileSync(join(folder, `${all.date}_${all.cpu}_${name}.json`), JSON.stringify(all));
    };
    const timed = (what: string, tokens: number) => ({ what, tokens, threads: 1, 'best ms': tokens, 'µs per token': 1000, 'memory bytes': 2 ** 20 });
    const lines = (ms: number): Results['lines'] => [
      ...[512, 1024, 2048].map((window) => ({ what: 'window', window, 'best ms': (ms * window) / 512, 'of the product %': 80, 'a global token costs %': 3 })),
      { what: 'line', from: 512, to: 2048, tokens: 8, 'a ms': 0, 'b ms per key': 1, 'largest deviation %': 2 },
      { what: 'proportional', from: 512, to: 2048, 'time per window, spread %': 3 },
      { what: 'dilation cost', 'uniform over none %': -0.1, 'by head over uniform %': 1.2 },
      timed('length', 512), { ...timed('public', 512), 'best ms': ms }, timed('length', 1024), timed('public', 1024),
      { what: 'flat', from: 512, to: 1024, 'time per token, spread %': 1, 'memory above what must be there %': 2, 'public interface over inside, most %': 3 },
    ];
    write('attention', { date: '2029-01-01', lines: lines(111) });
    write('attention', { lines: lines(222) });
    write('dense', { cpu: 'B', lines: [{ ...timed('dense', 512), 'best ms': 777 }] });
    const url = new URL(pathToFileURL(`${folder}/`).href);
    assert.match(summary(url).markdown, /\| 512 \| 222 ms \| 1 MiB \|\n/);
    assert.match(summary(url).markdown, /Dilation costs less than 0\.5 %, a dilation for each head 1\.2 %/);
    write('dense', { lines: [timed('dense', 512), { what: 'end', tokens: 2048, threads: 1, why: 'out of memory' }] });
    const { markdown, plots } = summary(url);
    assert.match(markdown, /\| 512 \| 222 ms \| 1 MiB \| 512 ms \| 1 MiB \|\n/);
    assert.match(markdown, /\| 2,048 \|  \|  \| out of memory \|  \|\n/);
    assert.match(plots['length.svg']!, />dense, onnxruntime-web<.*\n.*>out of memory at 2,048 tokens</);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

shown('of a model there is a table for each processor, the newest first', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const url = new URL(pathToFileURL(`${folder}/`).href);
    assert.throws(() => newest('model', url), /must have results of model/);
    const write = (date: string, cpu: string, ms: number): void => {
      const forward = { what: 'forward', shape: 'base', peer: 'ours f32', tokens: 512, threads: 2, build: 'b', runtime: 'r', 'median ms': ms, 'over weights bytes': 5e6 };
      const ceiling = { what: 'ceiling', shape: 'base', tokens: 512, threads: 2, 'GFLOP/s of a thread': 50, 'ours f32 / C': 1.1 };
      writeFileSync(join(folder, `${date}_${cpu}_model.json`), JSON.stringify({ date, cpu, cores: 2, runtime: 'r', build: 'b', lines: [forward, ceiling] }));
    };
    write('2030-01-01', 'A', 1000);
    write('2030-01-02', 'B', 2000);
    write('2030-01-03', 'A', 3000);
    assert.equal(newestOfEach('model', url).map(({ cpu, date }) => [cpu, date]), [['A', '2030-01-03'], ['B', '2030-01-02']]);
    assert.is(newest('model', url).date, '2030-01-03');
    const { markdown } = modelSection(url);
    assert.match(markdown, /^### A, 2030-01-03\n\n!\[[^\n]*\n\n[^#]*\| 512 \| 3 \|[^#]*### B, 2030-01-02\n\n[^!#]*\| 512 \| 2 \|[^#]*$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

shown('what is better or worse than the default is so beyond its bounds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  try {
    const system = (name: string, mrr: number, least: number, most: number): Results['lines'] => ['all', 'headings', 'written'].map((part) => ({
      what: 'system', system: name, part, questions: 9, 'R@1': 0.5, 'R@5': 0.5, 'R@10': 0.5, MRR: mrr,
      'MRR more': mrr - 0.6, 'MRR more, least': least, 'MRR more, most': most, 'R@1 more': 0, 'R@1 more, least': -0.01, 'R@1 more, most': 0.01,
    }));
    const lines = [
      { what: 'corpus', documents: 2, tokens: 3000, passages: 40, questions: 20 },
      ...system('late 128 + alone', 0.6, 0, 0), ...system('alone', 0.7, 0.05, 0.15), ...system('BM25', 0.5, -0.2, -0.01), ...system('late 64', 0.61, -0.02, 0.04), ...system('late 128', 0.55, -0.1, 0.01),
    ];
    writeFileSync(join(folder, '2030-01-01_A_retrieval.json'), JSON.stringify({ date: '2030-01-01', cpu: 'A', cores: 2, runtime: 'node 24.0.0', build: '', lines }));
    const { markdown, plots } = retrievalSection(new URL(pathToFileURL(`${folder}/`).href));
    assert.match(markdown, /^- Better .*: `alone`\.\n- Worse: `BM25`\.\n- Not to be told from it: `late 64`, `late 128`\.\n- Not measured yet, [^:]*: `late 256`, `late 512`, `late 64 dilated`/m);
    assert.match(markdown, /\| BM25 \| 0\.500 \| 0\.500 \| 0\.500 \| 0\.500 \| −0\.100 \(−0\.200 to −0\.010\) \|/);
    assert.match(plots['retrieval.svg']!, />late \+ alone</);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

shown.run();

const parts = suite('benchmarks');

parts('fit a line by relative distances', () => {
  const { a, b, deviation } = line([[1, 5], [2, 7], [10, 23]]);
  assert.ok(Math.abs(a - 3) < 1e-9 && Math.abs(b - 2) < 1e-9 && deviation < 1e-9, `${a} ${b} ${deviation}`);
  // At 100 the least sum of ((100 - v) / 100)² + ((200 - v) / 200)², which is at 120; its 200 is 2/3 off.
  const uneven = line([[0, 1], [100, 100], [100, 200]]);
  assert.ok(Math.abs(uneven.a + 100 * uneven.b - 120) < 1e-9 && Math.abs(uneven.deviation - 200 / 3) < 1e-9);
  assert.ok(Math.abs(spread([4, 5, 4.4]) - 25) < 1e-9);
});

parts('take turns, and leave rounds uncounted', async () => {
  const order: string[] = [];
  const { a } = await inTurn({ a: () => order.push('a'), b: () => order.push('b') }, { rounds: 2, uncounted: 1 });
  assert.is(order.join(''), 'ababab');
  assert.ok(a.best <= a.median);
});

parts('say why a run ended by what it said', () => {
  assert.is(reasonOf('ERROR_MESSAGE: SafeIntOnOverflow() Integer overflow', false), 'too large');
  for (const message of ['std::bad_alloc', 'Out of memory', 'Array buffer allocation failed']) assert.is(reasonOf(message, false), 'out of memory');
  assert.is(reasonOf('took more than 300 s', true), 'took too long');
  for (const message of ['was ended by SIGKILL', 'context[3] is off by 0.2']) assert.is(reasonOf(message, false), 'failed');
});

parts('write the protobuf that onnxruntime reads', () => {
  const text = Buffer.from(denseAttention(12, 64)).toString('latin1');
  // A node: its inputs, its output, its operator, each with field, kind and length in front.
  assert.ok(text.includes('\n\x06scores\n\x05scale\x12\x06scaled"\x03Mul'));
  assert.is(text.slice(0, 3), '\x08\x08:'); // ir_version 8, then the graph
  assert.is(text.slice(-4), 'B\x02\x10\x11'); // opset 17
});

parts('write weights into the protobuf as they are', () => {
  const bytes = Uint8Array.from({ length: 3 * 50 }, (_, i) => i);
  const text = Buffer.from(matMul('q8', 3, 50, bytes)).toString('latin1');
  assert.ok(text.includes(`\x4a\x96\x01${Buffer.from(bytes).toString('latin1')}`)); // raw_data, 150 bytes
  assert.ok(text.includes('"\x15DynamicQuantizeMatMul:\rcom.microsoft'));
});

parts('of a profile are told by names and callers', () => {
  // Each under the one before that has a smaller indent; a sample of 1 µs for each leaf.
  const tree: [depth: number, name: string, url?: string][] = [
    [0, 'forward', 'file:///model.js'], [0, 'js-to-wasm:i:i'],
    [1, 'l[12]::attention::attention'], [2, 'l[12]::gemm::transposed::multiply_transposed'], [3, 'l[12]::gemm::transposed::tile::<0, 6>'],
    [2, 'l[12]::linear::Linear::apply_part'], [3, 'l[12]::gemm::tile::tile::<6>'],
    [2, 'l[12]::gemm::pack_half'], [2, 'l[12]::softmax::exp2'],
    [1, 'l[12]::attention::global::attend'], [2, 'l[12]::linear::Linear::apply'], [3, 'l[12]::gemm::tile::tile::<1>'],
    [1, 'l[12]::feed_forward::feed_forward'], [2, 'l[12]::gemm::int8::rows::quantize_row'], [2, 'memcpy'],
  ];
  const nodes = tree.map(([, functionName, url = 'wasm://l'], id) => ({ id, callFrame: { functionName, url, scriptId: '', lineNumber: 0, columnNumber: 0 }, children: [] as number[] }));
  tree.forEach(([depth], id) => {
    const caller = tree.slice(0, id).map(([other]) => other).lastIndexOf(depth - 1);
    if (caller >= 0) nodes[caller]!.children.push(id);
  });
  const samples = nodes.filter(({ children, callFrame }) => children.length === 0 || callFrame.functionName === 'forward').map(({ id }) => id);
  const shares = sharesOf({ nodes, startTime: 0, endTime: 1, samples, timeDeltas: samples.map(() => 1) });
  const once = 100 / 7; // the one in JavaScript does not count
  const expected = { 'products of attention': once, 'linear layers': once, packing: once, softmax: once, 'global rows': once, quantising: once, GELU: once };
  for (const [part, share] of Object.entries(shares)) assert.ok(Math.abs(share - ((expected as Record<string, number>)[part] ?? 0)) < 1e-9, `${part}: ${share}`);
});

parts('say which targets are met, of those that were measured', () => {
  const time = (median: number) => ({ best: median, median });
  const lines = ratios('AMD EPYC', 'base', 4096, { 'ours f32': time(3), 'ours int8': time(2), 'HF Longformer': time(3.5) });
  assert.equal(lines.filter(({ what }) => what === 'target').map(({ of, to, met }) => [of, to, met]), [
    ['ours f32', 'HF Longformer', 'no'], ['ours int8', 'HF Longformer', 'no'], ['ours int8', 'ours f32', 'no'],
  ]);
  assert.is(ratios('AMD EPYC', 'base', 4096, { 'ours f32': time(2.9), 'HF Longformer': time(3.5) }).at(-1)!['met'], 'yes');
  assert.equal(ratios('AMD EPYC', 'base', 4096, { 'ours f32': time(3) }), []);
  // Where native code is twice as fast, more is allowed beside it.
  assert.is(ratios('Intel(R) Xeon(R) Processor', 'base', 4096, { 'ours f32': time(3.5), 'HF Longformer': time(3.5) }).at(-1)!['met'], 'yes');
});

parts('ask a process in lines, and say what ended it', async () => {
  const answering = (line: string): string => `console.log('{"ready":true,"build":"b"}'); require('readline').createInterface(process.stdin).on('line', (asked) => { ${line} })`;
  const peer = new Peer(process.execPath, ['-e', answering("console.log('a library speaks'); console.log(JSON.stringify({ seconds: JSON.parse(asked).tokens / 10 }))")], 20_000);
  const failing = new Peer(process.execPath, ['-e', answering("throw new Error('std::bad_alloc')")], 20_000);
  const stuck = new Peer(process.execPath, ['-e', answering('')], 1000);
  try {
    assert.is((await peer.ready()).build, 'b');
    assert.is((await peer.run(5)).seconds, 0.5);
    assert.is((await peer.run(7)).seconds, 0.7); // it was stopped in between
    await failing.ready();
    const why = (error: Error): string => error.message;
    assert.match(await failing.run(1).then(String, why), /bad_alloc/);
    await stuck.ready();
    assert.is(await stuck.run(1).then(String, why), 'took more than 1 s');
  } finally {
    await Promise.all([peer, failing, stuck].map((each) => each.end()));
  }
});

parts.run();
