/**
 * `npm run docs`: the reference of the public interface and the guides of docs/guides as pages, in
 * .cache/docs. A link that leads nowhere, or a type that is used and not exported, is a failure.
 */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installDocs, installPackages } from './packages.mjs';
import { Failure, attempt, cache, main, root, step } from './step.mjs';

await main(async () => {
  await installPackages();
  await installDocs();
  const typedoc = join(root, 'docs', 'node_modules', 'typedoc', 'bin', 'typedoc');
  const { code, output } = await step('typedoc', () => attempt(process.execPath, [typedoc, '--options', 'docs/typedoc.json'], { seconds: 300 }));
  if (code !== 0) throw new Failure(output.trim());
  console.log(pathToFileURL(join(cache, 'docs', 'index.html')).href);
});
