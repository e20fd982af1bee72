// The build's promises: nothing is made twice, nothing half-made counts, nothing hangs, one build
// works at a time, no test is left out unseen.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const { DEMO_MODEL } = await import(`${root}scripts/demo-model.mjs`);
const { removeStale } = await import(`${root}scripts/lock.mjs`);
const { unlessFresh } = await import(`${root}scripts/fresh.mjs`);
const { asFunction } = await import(`${root}scripts/glue.mjs`);
const { attempt, run, Failure } = await import(`${root}scripts/step.mjs`);
const { counts, outcome, whatIsLeftOut } = await import(`${root}scripts/ts-tests.mjs`);
const { variants } = await import(`${root}scripts/variants.mjs`);
const { inputs } = await import(`${root}scripts/wasm.mjs`);

const FOLDER = '.cache/scripts-test';
const STAMP = '.cache/stamps/scripts-test.json';

function write(name: string, content: string): void {
  mkdirSync(dirname(`${root}${FOLDER}/${name}`), { recursive: true });
  writeFileSync(`${root}${FOLDER}/${name}`, content);
}

/** Makes `out/copy` of `in`; returns why, or undefined if nothing was to be done. */
async function copy(settings: object = { flags: 1 }, interrupt = false): Promise<string | undefined> {
  let why: string | undefined;
  const product = { product: 'scripts-test', inputs: [`${FOLDER}/in`], settings, output: `${FOLDER}/out` };
  await unlessFresh(product, (reason: string) => {
    why = reason;
    write('out/copy', readFileSync(`${root}${FOLDER}/in/file`, 'utf8'));
    if (interrupt) throw new Error('interrupted');
  });
  return why;
}

const stamps = suite('stamps');

stamps.before.each(async () => {
  rmSync(root + FOLDER, { recursive: true, force: true });
  rmSync(root + STAMP, { force: true });
  write('in/file', 'one');
  assert.is(await copy(), 'not built yet');
});

stamps.after(() => {
  rmSync(root + FOLDER, { recursive: true, force: true });
  rmSync(root + STAMP, { force: true });
});

stamps('let nothing be made twice', async () => {
  assert.is(await copy(), undefined);
});

stamps('go by content, not by time', async () => {
  utimesSync(`${root}${FOLDER}/in/file`, 2e9, 2e9);
  assert.is(await copy(), undefined);
  write('in/file', 'two');
  utimesSync(`${root}${FOLDER}/in/file`, 1e9, 1e9);
  assert.is(await copy(), `${FOLDER}/in/file changed`);
});

stamps('notice files that come and go', async () => {
  write('in/more', '');
  assert.is(await copy(), `${FOLDER}/in/more changed`);
  rmSync(`${root}${FOLDER}/in/more`);
  assert.is(await copy(), `${FOLDER}/in/more changed`);
});

stamps('notice other settings', async () => {
  assert.is(await copy({ flags: 2 }), 'flags changed');
});

stamps('notice what happened to the output', async () => {
  write('out/copy', 'edited');
  assert.is(await copy(), `${FOLDER}/out/copy changed`);
  rmSync(`${root}${FOLDER}/out`, { recursive: true });
  assert.is(await copy(), 'not built yet');
});

stamps('are not there after an interruption', async () => {
  write('in/file', 'two');
  try {
    await copy(undefined, true);
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'interrupted');
  }
  assert.not(existsSync(root + STAMP));
  assert.is(await copy(), 'not built yet');
});

stamps.run();

const programs = suite('programs');

programs('are ended with their children when their time is up', async () => {
  const start = Date.now();
  const { timedOut } = await attempt('sh', ['-c', 'sleep 60 & wait'], { seconds: 0.5 });
  assert.ok(timedOut);
  assert.ok(Date.now() - start < 20_000, 'the child of the child would have held its output open');
});

programs('that are missing are named', async () => {
  try {
    await run('no-such-program', []);
    assert.unreachable();
  } catch (error) {
    assert.ok(error instanceof Failure);
    assert.match((error as Error).message, /^no-such-program was not found/);
  }
});

programs('that fail show the end of what they said', async () => {
  try {
    await run('sh', ['-c', 'seq 1000; exit 3']);
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /^961\n962\n[^]*\n1000\n\nsh failed \(3\)$/);
  }
});

programs.run();

const tests = suite('tests');

tests('that would not run are found out', () => {
  const text = "const test = suite('a');\ntest('b', () => {});\n";
  assert.is(whatIsLeftOut(`${text}test.run();`), undefined);
  assert.match(whatIsLeftOut(text), /never run/);
  assert.match(whatIsLeftOut(`${text}const more = suite<{ a: 1 }>('c');\ntest.run();`), /never run/);
  assert.match(whatIsLeftOut(`${text}test.${'only'}('d', () => {});\ntest.run();`), /leaves out/);
});

tests('count as skipped only where they say so', () => {
  const ended = (total: number, passed: number, skipped: number, more: object = {}) => {
    const output = `\n  Total:     ${total}\n  Passed:    ${passed}\n  Skipped:   ${skipped}\n  Duration:  1.00ms\n\n`;
    return counts(outcome('a.test.ts', { code: 0, output, timedOut: false, ...more }));
  };
  assert.is(ended(3, 3, 0), '3 passed, 0 failed');
  assert.is(ended(3, 3, 1), '3 passed, 0 failed, 1 skipped');
  assert.is(ended(0, 0, 3), '0 passed, 0 failed, 3 skipped');
  assert.is(ended(0, 0, 0), '0 passed, 1 failed');
  assert.is(ended(3, 2, 0, { code: 1 }), '2 passed, 1 failed');
  assert.is(ended(0, 0, 3, { code: 1 }), '0 passed, 1 failed, 3 skipped');
  assert.is(ended(3, 3, 0, { timedOut: true, code: 'SIGKILL' }), '3 passed, 1 failed');
});

tests.run();

const locks = suite('locks');

const lock = `${root}${FOLDER}/build.lock`;
const DEAD = String(2 ** 22 + 1); // beyond the ids that systems give
const folderOfLocks = () => readdirSync(root + FOLDER).filter((name) => name.startsWith('build.lock'));

/** A process that takes the lock, runs `then` and ends. */
const takeLock = (then: string) => attempt(process.execPath, ['--input-type=module', '-e', `
  import { readFileSync, writeFileSync } from 'node:fs';
  import { lockBuild } from '${new URL('../scripts/lock.mjs', import.meta.url).href}';
  const lock = ${JSON.stringify(lock)};
  await lockBuild(lock);
  ${then}
`], { seconds: 20 });

locks.before.each(() => {
  rmSync(root + FOLDER, { recursive: true, force: true });
  mkdirSync(root + FOLDER, { recursive: true });
});
locks.after(() => rmSync(root + FOLDER, { recursive: true, force: true }));

locks('of a dead process are taken over, and given back', async () => {
  writeFileSync(lock, DEAD);
  const { code, output } = await takeLock("console.log(readFileSync(lock, 'utf8') === String(process.pid));");
  assert.equal([code, output], [0, 'true\n']);
  assert.equal(folderOfLocks(), []);
});

locks('of another process are not given back', async () => {
  assert.is((await takeLock("writeFileSync(lock, '1');")).code, 0);
  assert.is(readFileSync(lock, 'utf8'), '1');
});

locks('are left to the one who was faster to take over', () => {
  writeFileSync(lock, '1');
  removeStale(lock, DEAD);
  assert.is(readFileSync(lock, 'utf8'), '1');
  removeStale(lock, '1');
  removeStale(lock, '1');
  assert.equal(folderOfLocks(), []);
});

locks.run();

const builds = suite('builds');

builds('differ in memory and SIMD alone', () => {
  const named = Object.fromEntries(variants.map((variant: { name: string }) => [variant.name, variant]));
  for (const memory of ['threads', 'single']) {
    const [relaxed, plain] = [named[`${memory}-relaxed`], named[`${memory}-simd128`]];
    assert.equal(relaxed.rustFlags, plain.rustFlags, 'they share a standard library');
    assert.equal(relaxed.cargoArgs.slice(0, plain.cargoArgs.length), plain.cargoArgs);
  }
});

builds('are made again when the way to make them changes', () => {
  for (const script of ['scripts/wasm.mjs', 'scripts/variants.mjs']) assert.ok(inputs.includes(script), script);
});

builds('of the demo have one model per length and window, and the readme names it', () => {
  assert.match(DEMO_MODEL, /-8192-window-128$/);
  assert.ok(readFileSync(`${root}README.md`, 'utf8').includes(`.cache/models/${DEMO_MODEL}'`), DEMO_MODEL);
});

builds('make a function of the glue, or say that they cannot', () => {
  const glue = 'let wasm;\nexport class Handle {}\nfunction initSync(module) { wasm = module; }\n'
    + 'let __wbg_init_promise;\nasync function __wbg_init() { fetch(import.meta.url); }\nexport { initSync, __wbg_init as default };\n';
  const text: string = asFunction(glue);
  assert.match(text, /^export function instantiate\(module, memory\) \{$/m);
  assert.match(text, /^return \{ Handle \};$/m);
  assert.not.match(text, /import\.meta|fetch/);
  assert.throws(() => asFunction('export default class {}'), /another form/);
  assert.throws(() => asFunction(glue.replace('let __wbg_init_promise;', '')), /another form/);
});

builds.run();
