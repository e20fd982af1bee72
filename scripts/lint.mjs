/** rustfmt, clippy and the TypeScript compiler. Each that complains is one failure. */

import { join } from 'node:path';
import { Failure, attempt, root, step } from './step.mjs';

export async function lint() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const results = [
    await check('tsc', process.execPath, [tsc, '--noEmit']),
    ...(await rustLints()),
  ];
  return { passed: results.filter(Boolean).length, failed: results.filter((passed) => !passed).length };
}

/** With the developer's own tools, since the Rust of the builds may come without them. */
async function rustLints() {
  const results = [];
  if (await exists('cargo', ['fmt', '--version'])) results.push(await check('cargo fmt', 'cargo', ['fmt', '--all', '--check']));
  else console.log('cargo fmt is not installed: skipped');
  if (await exists('cargo', ['clippy', '--version'])) {
    const deny = ['--', '-D', 'warnings'];
    results.push(await check('cargo clippy', 'cargo', ['clippy', '--all-targets', '--features', 'threads', ...deny]));
  } else console.log('cargo clippy is not installed: skipped');
  return results;
}

async function exists(program, args) {
  try {
    return (await attempt(program, args, { seconds: 20 })).code === 0;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

async function check(name, program, args, env) {
  const { code, output } = await step(name, () => attempt(program, args, { env, seconds: 900 }));
  if (code !== 0) console.error(`${output}\n${name} failed (${code})`);
  return code === 0;
}
