// The command among others: pipes, signals, exit codes, completion.

import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { commands } from '../dist/cli/commands.js';
import { optionsOf, readArguments } from '../dist/cli/command.js';
import { didYouMean } from '../dist/cli/nearest.js';
import { choice, decimal, flag, number, numbers, size, text, texts } from '../dist/cli/option.js';
import { assertFails, interrupt, longformer, ownArgs, program } from './command.ts';

const fixture = fileURLToPath(new URL('./fixtures/tiny-bert', import.meta.url));
const exec = promisify(execFile);

const test = suite<{ root: string }>('command line');

test.before(async (context) => {
  context.root = await mkdtemp(join(tmpdir(), 'cli-shell-'));
  assert.is((await longformer(['convert', fixture, 'model', '--max-positions', '4096', '--attention-window', '8'], { cwd: context.root })).code, 0);
});

test.after(async ({ root }) => rm(root, { recursive: true }));

// ---------------------------------------------------------------------------- options

const OPTIONS = {
  model: text('MODEL', '', { short: 'm' }), top: number('N', ''), layers: numbers('N', '', { least: 0 }), json: flag(''),
  kind: choice(['one', 'two'], ''), text: texts('TEXT', ''), share: decimal('S', ''), memory: size('SIZE', ''),
};

test('options are read by their table', () => {
  const { values, operands } = readArguments(
    ['a', '-m', 'x', '--top=3', '--layers', '0,2', '--json', '--kind', 'two', '--text', 'b', '--text=-c', '--share', '.5', '--memory', '1.5GiB', '--', '--top'], OPTIONS);
  assert.equal(values, { model: 'x', top: 3, layers: [0, 2], json: true, kind: 'two', text: ['b', '-c'], share: 0.5, memory: 1.5 * 2 ** 30 });
  assert.equal(operands, ['a', '--top']);
  assert.is(readArguments(['--memory', '512MB'], OPTIONS).values.memory, 512e6);
});

test('what is wrong with an option is said', () => {
  const cases: [string[], RegExp][] = [
    [['--tpo', '3'], /^there is no option --tpo: did you mean --top\?$/],
    [['-x'], /^there is no option -x$/],
    [['--top'], /^--top needs a value: --top N$/],
    [['--top', '--json'], /^--top needs a value, got the option --json \(--top=--json/],
    [['--json=1'], /^--json takes no value, got "1"$/],
    [['--top', '0'], /^--top must be a whole number from 1, got "0"$/],
    [['--layers', '0,x'], /^--layers must be a whole number from 0, got "x"$/],
    [['--kind', 'three'], /^--kind must be one of one, two, got "three"$/],
    [['--share', 'half'], /^--share must be a number, got "half"$/],
    [['--memory', '12'], /^--memory must be a size like 512MB or 2GiB, got "12"$/],
  ];
  for (const [args, message] of cases) assert.throws(() => readArguments(args, OPTIONS), (error: Error) => message.test(error.message) || assert.unreachable(error.message));
});

test('what was meant is found', () => {
  const names = commands.map(({ name }) => name);
  for (const [word, meant] of [['serach', 'search'], ['clasify', 'classify'], ['atend', 'attend'], ['benchmark', ''], ['comp', 'completion'], ['xyz', '']] as const) {
    assert.is(didYouMean(word, names), meant === '' ? '' : `: did you mean ${meant}?`, word);
  }
});

// ---------------------------------------------------------------------------- pipes and signals

test('a reader that has seen enough ends the command quietly', async ({ root }) => {
  await writeFile(join(root, 'many.txt'), 'a b\n'.repeat(200));
  const { stdout, stderr } = await exec('bash', ['-c', `set -o pipefail; "$@" attend -m ./model --position 1 --global 1 --top 400 many.txt | head -n 3; echo $?`, 'bash', process.execPath, ...ownArgs, program], { cwd: root });
  assert.is(stderr, '');
  assert.is(stdout.trimEnd().split('\n').at(-1), '0');
});

/** The exit code of a command that gets a signal once its engine runs, and what it said. */
async function interrupted(cwd: string, args: string[], signal: NodeJS.Signals): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [program, ...args, '--device-info'], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { output += text; });
  child.stderr.once('data', () => setTimeout(() => interrupt(child, signal), 300));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, output };
}

test('Ctrl-C ends a command with 130 and SIGTERM with 143, and leaves nothing', async ({ root }) => {
  const letters = 'abcdefghijklmnopqrstuvwxy';
  await writeFile(join(root, 'huge.txt'), Array.from({ length: 240_000 }, (_, i) => `${letters[i % 25]} ${letters[(i * 7) % 25]} ${letters[(i * i) % 25]}`).join('\n'));
  for (const [signal, expected] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
    const { code, output } = await interrupted(root, ['search', '-m', './model', 'a b', 'huge.txt'], signal);
    assert.is(code, expected, output);
    assert.match(output, /^(node|deno|bun) [^\n]*\n$/); // what it runs on, and no more
  }
  for (const args of [['search', '-m', './model', '--index', 'kept.index', 'a b', 'huge.txt'], ['embed', '-m', './model', '--overflow', 'window', '-o', 'vectors.npy', 'huge.txt']]) {
    const { code, output } = await interrupted(root, args, 'SIGINT');
    assert.is(code, 130, output);
  }
  const { code, output } = await interrupted(root, ['bench', '--threads', '1', '--only', 'attention', '--tokens', '60000'], 'SIGINT');
  assert.is(code, 130, output);
  assert.equal((await readdir(root)).sort(), ['huge.txt', 'many.txt', 'model']);
});

test('--verbose says where an error comes from', async ({ root }) => {
  const args = ['search', '-m', './nowhere', 'a b', 'many.txt'];
  assertFails(await longformer(args, { cwd: root }), 1, /nowhere/);
  const { code, stderr } = await longformer([...args, '--verbose'], { cwd: root });
  assert.is(code, 1);
  assert.match(stderr, /^ +at .*\.js:\d+/m);
});

test('--device-info says on standard error what it runs on', async ({ root }) => {
  const { stdout, stderr } = await longformer(['attend', '-m', './model', '--position', '1', '--device-info', '--threads', '1', '--json', 'many.txt'], { cwd: root });
  assert.match(stderr, /^(node|deno|bun) [\d.]+, \w+-\w+, 1 thread: .+\n$/);
  assert.is((JSON.parse(stdout) as { tokens: number }).tokens, 402);
});

test('--max-memory is the engine\'s limit', async ({ root }) => {
  assertFails(await longformer(['bench', '--only', 'attention', '--tokens', '40000', '--max-memory', '64MB', '--threads', '1'], { cwd: root }), 1, /memory/i, /\n  longformer-wasm plan .*--max-memory/);
  assertFails(await longformer(['info', '--max-memory', '1MB']), 1, /maxMemoryBytes/);
});

// ---------------------------------------------------------------------------- completion

test('completion scripts are scripts, and know every option', async ({ root }) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await longformer(['completion', shell]);
    assert.is(code, 0);
    for (const command of commands) {
      for (const option of Object.keys(optionsOf(command))) assert.ok(stdout.includes(shell === 'fish' ? `-l ${option} ` : `--${option}`), `${shell} ${command.name} ${option}`);
    }
    await writeFile(join(root, 'script'), stdout);
    const check = shell === 'fish' ? '--no-execute' : '-n';
    await exec(shell, [check, join(root, 'script')]).catch((error: NodeJS.ErrnoException) => { if (error.code !== 'ENOENT') throw error; }); // not every machine has all
    await rm(join(root, 'script'));
  }
  assertFails(await longformer(['completion', 'fsih']), 2, /did you mean fish\?/);
  assertFails(await longformer(['completion']), 2, /one shell must be given/);
});

test('bash completes commands, options and their values', async ({ root }) => {
  const { stdout } = await longformer(['completion', 'bash']);
  const complete = async (...words: string[]): Promise<string[]> => {
    const script = `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _longformer_wasm; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (await exec('bash', ['-c', script, 'bash', 'longformer-wasm', ...words], { cwd: root })).stdout.split('\n').filter((word) => word !== '');
  };
  assert.equal(await complete('comp'), ['completion']);
  assert.equal(await complete('attend', '--to'), ['--token', '--top']);
  assert.equal(await complete('search', '--dtype', ''), ['f32', 'f16', 'int8']);
  assert.equal(await complete('search', '--top', ''), []);
  assert.equal(await complete('completion', ''), ['bash', 'zsh', 'fish']);
  assert.equal(await complete('help', 'sea'), ['search']);
  assert.equal(await complete('search', '-m', 'mo'), ['model']);
  assert.ok((await complete('search', 'question', '')).includes('many.txt'));
});

test.run();
