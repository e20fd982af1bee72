/**
 * Where the test files run: on every runtime, and in pages of every browser, once with the headers
 * that give a page shared memory and once without.
 *
 * A place has a `name`, `keptOut(file)`, the reason why a file does not run there, and `open()`, which
 * sets it up: `{ version, start, close }`. `start(file, seconds)` is like `attempt` of a program.
 */

import { browsers, findBrowser, openBrowser } from './browsers.mjs';
import { keptOutOfPages, keptOutOfRuntimes } from './kept-out.mjs';
import { servePages } from './page-server.mjs';
import { fetchRuntime, runtimes } from './runtimes.mjs';
import { attempt } from './step.mjs';

export const places = [
  ...runtimes.map((runtime) => ({ name: runtime.name, keptOut: keptOutOfRuntimes, open: () => openRuntime(runtime) })),
  ...[true, false].flatMap((isolated) => browsers.map((browser) => ({
    name: isolated ? browser.name : `${browser.name}-unisolated`, keptOut: keptOutOfPages, open: () => openPages(browser, isolated),
  }))),
];

async function openRuntime(runtime) {
  const { program, args } = await fetchRuntime(runtime);
  return {
    version: runtime.version,
    start: (file, seconds) => attempt(program, [...args, file], { seconds }),
    close() {},
  };
}

async function openPages(browser, isolated) {
  const { program, version } = await findBrowser(browser);
  const server = await servePages({ isolated });
  let window;
  const closeWindow = async () => {
    await window?.stop();
    window = undefined;
  };
  return {
    version,
    async start(file, seconds) {
      const report = server.report();
      const address = server.show(file);
      window ??= openBrowser(browser, program, address);
      let timer;
      const late = new Promise((resolve) => { timer = setTimeout(() => resolve({ ...server.soFar(), timedOut: true }), seconds * 1000); });
      const outcome = await Promise.race([report, late]);
      clearTimeout(timer);
      if (outcome.timedOut) await closeWindow(); // the next file gets a new one
      return { timedOut: false, ...outcome };
    },
    async close() {
      await closeWindow();
      server.close();
    },
  };
}
