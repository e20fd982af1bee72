/**
 * `npm run bench:page`: the page of examples/web in Chromium, on a host with the headers for threads:
 * first paint, loading, reading against Node on the same machine, the longest task of the main thread,
 * memory after ten documents.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { longDocument } from '../examples/web/test/long-document.js';
import { openPage } from '../examples/web/test/browser.js';
import { build, demoModel } from './demo-model.mjs';
import { installPage } from './packages.mjs';
import { buildPage, servePage } from './page-build.mjs';
import { fetchRuntime, runtimes } from './runtimes.mjs';
import { cache, main, run, step } from './step.mjs';

const WORDS = 30_000;
const SHORT_WORDS = 1_500;
const DOCUMENTS = 10;

const round = (value) => Math.round(value).toLocaleString('en');

await main(async () => {
  await build();
  await installPage();
  const model = await demoModel();
  await step('vite build', buildPage);
  const host = await servePage();
  const shots = join(cache, 'page');
  mkdirSync(shots, { recursive: true });
  const it = await openPage('chromium', host.address, shots);
  const { page } = it;
  const read = async (text, name) => {
    await page.evaluate(() => performance.clearMeasures('read'));
    await it.drop([[name, text]]);
    await page.waitForFunction(() => performance.getEntriesByName('read').length > 0);
    await it.idle();
    return page.evaluate(() => performance.getEntriesByName('read').map(({ duration, detail }) => ({ duration, tokens: detail }))[0]);
  };
  const load = () => page.evaluate(() => performance.getEntriesByName('load')[0].duration);
  const memory = async () => {
    await page.click('#tab-engine');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const engine = /Memory of the engine\s+([\d.,]+ \wiB)/.exec(await it.text('#panel-engine'))[1];
    const session = await page.createCDPSession();
    await session.send('HeapProfiler.collectGarbage');
    const { JSHeapUsedSize } = await page.metrics();
    await page.click('#tab-ask');
    return `engine ${engine}, JavaScript ${(JSHeapUsedSize / 2 ** 20).toFixed(1)} MiB`;
  };
  try {
    // The first visit fetches everything, the second has it all in the browser.
    const paint = () => page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    await it.idle();
    const firstPaint = await paint();
    await read(longDocument(50), 'a.md');
    const firstLoad = await load();
    await page.reload();
    await it.idle();
    const secondPaint = await paint();
    await read(longDocument(50), 'a.md');
    const secondLoad = await load();
    console.log(`first paint ${round(firstPaint)} ms, when visited again ${round(secondPaint)} ms`);
    console.log(`model fetched and loaded ${round(firstLoad)} ms, from the browser's cache ${round(secondLoad)} ms`);

    const text = longDocument(WORDS);
    const inPage = await read(text, 'harbour.md');
    const inNode = await readInNode(model);
    const again = await read(`${text} The end.`, 'again.md');
    const rates = [inPage, again].map(({ duration, tokens }) => tokens / duration * 1000);
    const nodeRate = inNode.tokens / inNode.duration * 1000;
    console.log(`${round(WORDS)} words, ${round(inPage.tokens)} tokens, each read twice: ${rates.map(round).join(' and ')} tokens/s, ${inNode.runtime} ${round(nodeRate)} (both ${inNode.build}, ${inNode.threads} threads): ${rates.map((rate) => (rate / nodeRate).toFixed(2)).join(' and ')}`);

    await it.ask('Where is the spare key to the lighthouse hidden?');
    await page.evaluate(() => { // what a reader does meanwhile
      const sheet = document.getElementById('sheet');
      for (let i = 1; i <= 20; i++) setTimeout(() => { sheet.scrollTop = sheet.scrollHeight * i / 20; }, 100 * i);
    });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await page.click('#tab-engine');
    await new Promise((resolve) => setTimeout(resolve, 500));
    console.log(`longest task of the main thread: ${/Longest task of this page\s+(.*)/.exec(await it.text('#panel-engine'))[1]}`);

    const one = (await read(longDocument(SHORT_WORDS), '0.md'), await memory());
    for (let i = 1; i < DOCUMENTS; i++) await read(longDocument(SHORT_WORDS + i), `${i}.md`);
    console.log(`memory after one more document: ${one}; after ${DOCUMENTS}: ${await memory()}`);
  } finally {
    await it.browser.close();
    await host.close();
  }
});

/** In the newest Node, which has the same instructions as Chromium. */
async function readInNode(model) {
  const { program, args } = await fetchRuntime(runtimes.find(({ name }) => name === 'node-26'));
  return JSON.parse(await run(program, [...args, 'examples/web/test/read-in-node.js', model, String(WORDS)], { seconds: 300 }));
}
