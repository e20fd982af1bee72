/** The TypeScript compiler, rustfmt and clippy. Each that complains is one failure. */

import { join } from 'node:path';
import { findRust } from './rust.mjs';
import { ask, attempt, root, step } from './step.mjs';
import { variantEnv, variants } from './variants.mjs';

export async function lint() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const checks = [
    { name: 'tsc', program: process.execPath, args: [tsc, '--noEmit'] },
    { name: 'tsc (examples/web)', program: process.execPath, args: [tsc, '-p', 'examples/web'] },
    ...(await rustChecks()),
  ];
  let failed = 0;
  for (const { name, program, args, env } of checks) {
    const { code, output } = await step(name, () => attempt(program, args, { env, seconds: 900 }));
    if (code === 0) continue;
    console.error(`${output}\n${name} failed (${code})`);
    failed += 1;
  }
  return { passed: 0, failed };
}

/** With the developer's own tool chain: the Rust that a build may have had to fetch comes without them. */
async function rustChecks() {
  const checks = [];
  if (await versionOf('fmt')) checks.push({ name: 'cargo fmt', program: 'cargo', args: ['fmt', '--all', '--check'] });
  else console.log('cargo fmt is not installed: skipped');

  const clippy = await versionOf('clippy');
  if (!clippy) {
    console.log('cargo clippy is not installed: skipped');
    return checks;
  }
  const deny = ['--', '-D', 'warnings'];
  checks.push({ name: 'cargo clippy', program: 'cargo', args: ['clippy', '--all-targets', '--features', 'threads', ...deny] });

  // Natively clippy sees neither the exports nor the SIMD, where the unsafe code is; two variants hold all of it.
  const rust = await findRust();
  const commit = /\((\w+) /.exec(clippy)?.[1];
  if (!rust.version.includes(`commit-hash: ${commit}`)) {
    console.log('cargo clippy is of another version than the Rust of the builds: skipped for WebAssembly');
    return checks;
  }
  for (const variant of variants.filter(({ memory, relaxed }) => (memory === 'threads') === relaxed)) {
    checks.push({
      name: `cargo clippy (${variant.name})`,
      program: rust.cargo,
      args: ['clippy', '--release', '--lib', '--target', 'wasm32-unknown-unknown', ...variant.cargoArgs, ...deny],
      env: { ...rust.env, ...variantEnv(variant) },
    });
  }
  return checks;
}

/** What `cargo TOOL --version` says, or undefined where it is not installed. */
async function versionOf(tool) {
  const { code, output } = await ask('cargo', [tool, '--version']);
  return code === 0 ? output : undefined;
}
