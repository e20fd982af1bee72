// One cache for Python's huggingface_hub and for this package: each finds what the other fetched.
//
// `PYTHON` names the interpreter, python3 by default; without huggingface_hub the tests are skipped.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openSource } from '../dist/files/open.js';
import { HubServer } from './hub-server.ts';

const ID = 'org/tiny';
const NAMES = ['config.json', 'model.safetensors', 'sub/vocab.txt', 'absent.json'];
const fixture = new URL('./fixtures/tiny-longformer/', import.meta.url);
const bytesOf = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(new URL(name, fixture)));
const files = new Map([
  ['config.json', { bytes: await bytesOf('config.json') }],
  ['model.safetensors', { bytes: await bytesOf('model.safetensors'), large: true }],
  ['sub/vocab.txt', { bytes: new TextEncoder().encode('a\nb\n') }],
]);

const script = fileURLToPath(new URL('./fixtures/hub/cache.py', import.meta.url));

async function python(args: string[], environment: Record<string, string> = {}): Promise<string> {
  const env = { ...process.env, HF_HUB_DISABLE_XET: '1', HF_HUB_DISABLE_TELEMETRY: '1', ...environment };
  const { stdout } = await promisify(execFile)(process.env['PYTHON'] ?? 'python3', [script, ...args], { env });
  return stdout.trim();
}

const version = await python(['version']).catch(() => null);
if (version === null) console.log('Python has no huggingface_hub: skipped');

const suited = suite<{ hub: HubServer; cacheDir: string }>('hub cache of Python');
const test = version === null ? suited.skip : suited;

suited.before.each(async (context) => {
  context.hub = await HubServer.start();
  context.hub.repos.set(ID, files);
  context.cacheDir = await realpath(await mkdtemp(join(tmpdir(), 'hub-')));
  process.env['HF_ENDPOINT'] = context.hub.endpoint;
  process.env['HF_HOME'] = join(context.cacheDir, 'home');
});

suited.after.each(async ({ hub, cacheDir }) => {
  await hub.stop();
  await rm(cacheDir, { recursive: true });
});

async function openAll(cacheDir: string, options = {}): Promise<void> {
  const source = await openSource(ID, { cacheDir, ...options });
  for (const name of NAMES) {
    const file = await source.open(name);
    assert.equal(file && await file.read(0, file.size), files.get(name)?.bytes ?? null, name);
    await file?.close();
  }
}

/** Every file and folder below, links with where they lead. */
async function layoutOf(cacheDir: string): Promise<string[]> {
  const paths = await readdir(join(cacheDir, 'models--org--tiny'), { recursive: true });
  return paths.map((path) => path.replaceAll('\\', '/')).sort();
}

test('Python finds what was fetched here', async ({ hub, cacheDir }) => {
  await openAll(cacheDir);
  const asked = hub.log.length;
  const found = JSON.parse(await python(['find', cacheDir, ID, ...NAMES], { HF_HUB_OFFLINE: '1' })) as Record<string, string | null>;
  for (const name of NAMES) assert.equal(found[name] && new Uint8Array(await readFile(found[name]!)), files.get(name)?.bytes ?? null, name);
  assert.is(hub.log.length, asked);
});

test('what Python fetched is found here, and both lay it out alike', async ({ hub, cacheDir }) => {
  await python(['download', cacheDir, ID, ...NAMES]);
  const byPython = await layoutOf(cacheDir);
  hub.asked();
  await openAll(cacheDir, { localFilesOnly: true });
  assert.equal(hub.asked(), []);
  await openAll(cacheDir);
  assert.equal(hub.asked(), ['HEAD hub main/config.json'], 'the rest is there');
  assert.equal(await layoutOf(cacheDir), byPython);
  const other = join(cacheDir, 'other');
  await openAll(other);
  assert.equal(await layoutOf(other), byPython);
});

suited.run();
