/** Compiles ts/ into dist/. */

import { readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow, unlessFresh } from './fresh.mjs';
import { root, run, step } from './step.mjs';

export async function buildDist() {
  const typescript = join(root, 'node_modules', 'typescript');
  const settings = { TypeScript: JSON.parse(readFileSync(join(typescript, 'package.json'), 'utf8')).version };
  // The types of the crate's exports are generated; a change of the crate behind them changes nothing here.
  const generated = filesBelow('pkg').filter((path) => path.endsWith('.d.ts'));
  const inputs = ['ts', 'tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json', ...generated];

  await unlessFresh({ product: 'dist', inputs, settings, output: 'dist' }, (reason) =>
    step(`dist (${reason})`, async () => {
      const [output, partial] = [join(root, 'dist'), join(root, 'dist.partial')];
      rmSync(partial, { recursive: true, force: true });
      await run(process.execPath, [join(typescript, 'bin', 'tsc'), '-p', 'tsconfig.build.json', '--noEmitOnError', '--outDir', partial], { log: 'tsc' });
      rmSync(output, { recursive: true, force: true });
      renameSync(partial, output);
    }),
  );
}
