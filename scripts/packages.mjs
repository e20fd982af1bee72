/** Installs the npm packages of a folder's package-lock.json when its node_modules does not hold them. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, step } from './step.mjs';

export async function installPackages() {
  if (installed(root)) return;
  await step('npm ci', () => run('npm', ['ci', '--no-audit', '--no-fund'], { log: 'npm-ci' }));
}

/** What the benchmarks compare with; none of it runs a script to be installed. */
export const installPeers = () => installInto('bench');

/** What the package is taken through by its users. */
export const installConsumers = () => installInto('consumers');

/** What the page in examples/web is built and tested with. */
export const installPage = () => installInto('examples/web');

/** What the reference of the interface is made with. */
export const installDocs = () => installInto('docs');

async function installInto(name) {
  const folder = join(root, name);
  if (installed(folder)) return;
  await step(`npm ci --prefix ${name}`, () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, log: `npm-ci-${name.replaceAll('/', '-')}` }));
}

/** npm writes node_modules/.package-lock.json last, so it tells what was installed completely. */
function installed(folder) {
  const file = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(file)) return false;
  const present = JSON.parse(readFileSync(file, 'utf8')).packages;
  const { '': _project, ...wanted } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const there = present[path];
    if (!there) return optional === true; // of another platform
    return there.version === version && there.integrity === integrity && existsSync(join(folder, path));
  });
}
