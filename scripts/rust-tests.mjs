/**
 * The crate's tests: as native code with the thread pool (allocations without it), and inside WebAssembly in both
 * single-threaded builds, where the SIMD of the browser runs. (A pool inside WebAssembly needs
 * the engine's workers; the TypeScript tests cover it.)
 */

import { findRust } from './rust.mjs';
import { attempt, step } from './step.mjs';
import { hasRelaxedSimd, variantEnv, variants } from './variants.mjs';
import { wasmTools } from './wasm-tools.mjs';

/** A deadlock must not hold up the run; the slowest set of tests takes a tenth of it. */
const LIMIT_SECONDS = 600;

export async function nativeTests(pattern) {
  const { cargo, rustc, env } = await findRust();
  const native = { PATH: env.PATH, RUSTC: rustc };
  const kernels = await cargoTest('native', cargo, ['--tests', '--features', 'threads'], native, pattern);
  // A pool's threads would ask for memory themselves.
  const { passed, failed } = pattern ? { passed: 0, failed: 0 } : await cargoTest('native, one thread', cargo, ['--test', 'allocations'], native);
  return add(kernels.passed, kernels.failed, { passed, failed });
}

export async function wasmTests(pattern) {
  const rust = await findRust();
  const tools = await wasmTools(rust);
  const total = { passed: 0, failed: 0 };
  for (const variant of variants.filter(({ memory }) => memory === 'single')) {
    const env = {
      ...tools.env,
      ...variantEnv(variant),
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: 'wasm-bindgen-test-runner',
      // Node 20 has them behind a flag.
      ...(variant.relaxed && !hasRelaxedSimd() && { NODE_ARGS: '--experimental-wasm-relaxed-simd' }),
    };
    // panic-abort-tests: tests would else be built to unwind, and the standard library once more with them.
    const args = ['--tests', '--release', '--target', 'wasm32-unknown-unknown', '-Z', 'panic-abort-tests', ...variant.cargoArgs];
    const { passed, failed } = await cargoTest(variant.name, rust.cargo, args, env, pattern);
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

async function cargoTest(name, cargo, args, env, pattern) {
  const test = ['test', '--package', 'longformer', '--no-fail-fast', ...args];
  const built = await step(`compile the tests (${name})`, () => attempt(cargo, [...test, '--no-run'], { env, seconds: 2 * LIMIT_SECONDS }));
  if (built.code !== 0) return failure(built, `the crate's tests (${name}) do not compile`);

  const ran = await step(`run them`, () =>
    attempt(cargo, [...test, ...(pattern ? [pattern] : [])], { env, seconds: LIMIT_SECONDS }),
  );
  const results = [...ran.output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed;/gm)];
  const [passed, failed] = [1, 2].map((group) => results.reduce((sum, result) => sum + Number(result[group]), 0));
  console.log(`  ${passed} passed, ${failed} failed`);
  if (ran.timedOut) {
    const file = [...ran.output.matchAll(/^ +Running (\S+ ?\S*)/gm)].at(-1)?.[1];
    return add(passed, failed, failure(ran, `${file} (${name}) was ended after ${LIMIT_SECONDS} s`));
  }
  if (failed > 0) console.error(ran.output);
  else if (ran.code !== 0) return add(passed, failed, failure(ran, `cargo test (${name}) failed (${ran.code})`));
  else if (passed === 0) return add(passed, failed, failure(ran, `cargo test (${name}) ran no test`));
  return { passed, failed };
}

function failure({ output }, what) {
  console.error(`${output}\n${what}`);
  return { passed: 0, failed: 1 };
}

const add = (passed, failed, more) => ({ passed: passed + more.passed, failed: failed + more.failed });
