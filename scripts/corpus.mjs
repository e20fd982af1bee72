/**
 * `node scripts/corpus.mjs`: the documents of the retrieval benchmark.
 *
 * Long READMEs and manuals from npm packages of fixed versions, as npm keeps those for ever and
 * every machine with Node has npm. They are unpacked, never installed, into .cache.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attempt, cache, Failure, main, root, run, step } from './step.mjs';

const list = readFileSync(join(root, 'bench', 'retrieval', 'packages.json'), 'utf8');
const packages = JSON.parse(list);
const target = join(cache, `corpus-${createHash('sha256').update(list).digest('hex').slice(0, 12)}`);

/** Some 12 MB. */
const secondsToDownload = 600;

/** `{ id, path }` of all documents, or null where they were not fetched. */
export function corpusInPlace() {
  if (!existsSync(target)) return null;
  return packages.flatMap(({ package: name, files }) => files.map((file) => ({ id: `${name}/${file}`, path: join(target, name, file) })));
}

/** The same, fetched if they are not there yet. */
export async function fetchCorpus() {
  if (!corpusInPlace()) {
    mkdirSync(cache, { recursive: true });
    // Beside the target, so that the last step is a rename: what has the target's name is complete.
    const work = mkdtempSync(`${target}.partial-`);
    const discard = () => rmSync(work, { recursive: true, force: true });
    process.on('exit', discard); // Ctrl-C ends in it too
    try {
      await step(`download ${packages.length} npm packages`, () => download(work));
      await step('check and unpack them', () => unpack(work));
      renameSync(join(work, 'corpus'), target);
    } catch (error) {
      if (!existsSync(target)) throw error; // else another process was faster
    } finally {
      discard();
      process.off('exit', discard);
    }
  }
  return corpusInPlace();
}

async function download(folder) {
  const specs = packages.map((each) => each.package);
  const { code, output } = await attempt('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, ...specs], { seconds: secondsToDownload });
  if (code !== 0) throw new Failure(`${output.trim()}\n\nthe documents of the retrieval benchmark were not fetched: npm pack failed (${code}); is the registry within reach?`);
}

async function unpack(folder) {
  for (const { package: name, integrity, files } of packages) {
    const tarball = join(folder, `${name.replace(/^@/, '').replace('/', '-').replace('@', '-')}.tgz`);
    const actual = `sha512-${createHash('sha512').update(readFileSync(tarball)).digest('base64')}`;
    if (actual !== integrity) throw new Failure(`${name} must have integrity ${integrity}, the download has ${actual}`);
    const own = join(folder, 'corpus', name);
    mkdirSync(own, { recursive: true });
    await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1', ...files.map((file) => `package/${file}`)]);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(async () => console.log(dirname((await fetchCorpus())[0].path)));
}
