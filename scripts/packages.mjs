/** Installs the npm packages of package-lock.json when node_modules does not hold them. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, step } from './step.mjs';

export async function installPackages() {
  if (installed()) return;
  await step('npm ci', () => run('npm', ['ci', '--no-audit', '--no-fund'], { log: 'npm-ci' }));
}

/** npm writes node_modules/.package-lock.json last, so it tells what was installed completely. */
function installed() {
  const file = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(file)) return false;
  const present = JSON.parse(readFileSync(file, 'utf8')).packages;
  const { '': _project, ...wanted } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
    const there = present[path];
    if (!there) return optional === true; // of another platform
    return there.version === version && there.integrity === integrity && existsSync(join(root, path));
  });
}
