// The page in a real browser, driven from outside: Chromium by its own protocol, Firefox by WebDriver BiDi.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { browsers, findBrowser } from '../../../scripts/browsers.mjs';

/** For everything that waits for a model: a busy machine reads slowly. */
const SECONDS = 300;

/** Opens `address` in the browser of that name. `shots`: the folder for pictures; `proxy`: a port of this machine that all else goes through. */
export async function openPage(name, address, shots, proxy = null) {
  const { program } = await findBrowser(browsers.find((browser) => browser.name === name));
  const browser = await puppeteer.launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome', executablePath: program, headless: true, protocolTimeout: SECONDS * 1000,
    args: name === 'firefox' ? [] : ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...(proxy === null ? [] : [`--proxy-server=127.0.0.1:${proxy}`])],
    acceptInsecureCerts: proxy !== null,
    extraPrefsFirefox: proxy === null ? {} : { 'network.proxy.type': 1, 'network.proxy.ssl': '127.0.0.1', 'network.proxy.ssl_port': proxy },
  });
  mkdirSync(shots, { recursive: true });
  const complaints = []; // of the page: errors, and what its policy forbids
  const requests = [];
  const newTab = async () => {
    const page = await browser.newPage();
    page.setDefaultTimeout(SECONDS * 1000);
    await page.setViewport({ width: 1280, height: 800 });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.evaluateOnNewDocument(watchTasks);
    await page.goto(address);
    return page;
  };
  let page = await newTab();
  const driven = (work, ...args) => page.evaluate(`performance.mark('driver'); Promise.resolve((${work})(...${JSON.stringify(args)})).finally(() => performance.measure('driver', 'driver'))`);
  return {
    browser, complaints, requests,
    get page() { return page; },
    /** Goes on in another tab: a page that becomes isolated gets another process, and the driver may lose sight of it. */
    async changeTabs() {
      const old = page;
      page = await newTab();
      await old.close();
    },
    shot: (file) => page.screenshot({ path: join(shots, `${file}.png`) }),
    text: (selector) => page.$eval(selector, (element) => element.innerText),
    /** Nothing runs any more. */
    idle: () => page.waitForFunction(() => document.getElementById('job').hidden),
    /** Tasks of the page's main thread that took 50 ms or more, since it was asked last or loaded; those of the driver are none of it. */
    longTasks: () => page.evaluate(() => globalThis.longTasks()),
    /** Runs `work` in the page: what it takes is not the page's. */
    driven,
    /** Drops files `[name, content]`, as a hand would. */
    drop: (files) => driven((files) => {
      const dataTransfer = new DataTransfer();
      for (const [name, content] of files) dataTransfer.items.add(new File([typeof content === 'string' ? content : new Uint8Array(content)], name));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, files),
    dropFolder: (path) => name === 'firefox' ? driven(dropEntries, basename(path), contentOf(path)) : dropPath(page, path),
    async ask(question) {
      await page.$eval('#question', (field) => { field.value = ''; });
      await page.type('#question', question);
      await page.click('#ask button');
      await page.waitForFunction(() => document.getElementById('job').hidden);
      await page.waitForSelector('#results li');
    },
    choose: (label) => page.evaluate((label) => {
      const select = document.getElementById('model');
      select.value = [...select.options].find(({ text }) => text === label).value;
      select.dispatchEvent(new Event('change'));
    }, label),
    /** The words under a mark. */
    marked: (mark) => page.evaluate((mark) => [...CSS.highlights.get(mark) ?? []].map((place) => {
      const range = new Range();
      range.setStart(place.startContainer, place.startOffset);
      range.setEnd(place.endContainer, place.endOffset);
      return range.toString();
    }), mark),
  };
}

/** In the page, before anything of it: `longTasks()`, from the first paint on, as before there is nothing to touch. Firefox does not tell of them. */
function watchTasks() {
  const seen = [];
  if (PerformanceObserver.supportedEntryTypes.includes('longtask')) {
    new PerformanceObserver((list) => seen.push(...list.getEntries())).observe({ type: 'longtask', buffered: true });
  }
  globalThis.longTasks = () => {
    const driver = performance.getEntriesByName('driver', 'measure');
    const [{ startTime: firstPaint = 0 } = {}] = performance.getEntriesByName('first-contentful-paint');
    const isOurs = (task) => task.startTime < firstPaint || driver.some(({ startTime, duration }) => task.startTime < startTime + duration && startTime < task.startTime + task.duration);
    return seen.splice(0).filter((task) => !isOurs(task)).map(({ startTime, duration }) => ({ milliseconds: Math.round(duration), at: Math.round(startTime) }));
  };
}

/** A folder of the disk, let go over the page. */
async function dropPath(page, path) {
  const session = await page.createCDPSession();
  const data = { items: [], files: [path], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, x: 640, y: 400, data });
  await session.detach();
}

const contentOf = (path) => readdirSync(path).map((file) => [file, [...readFileSync(join(path, file))]]);

/** In the page: the same where no driver can drag, with entries as the standard describes them, few at a time. */
function dropEntries(folder, files) {
  const entries = files.map(([name, content]) => ({
    isFile: true, isDirectory: false, name, fullPath: `/${folder}/${name}`, file: (resolve) => resolve(new File([new Uint8Array(content)], name)),
  }));
  const directory = {
    isFile: false, isDirectory: true, name: folder, fullPath: `/${folder}`,
    createReader: () => ({ readEntries: (resolve) => resolve(entries.splice(0, 2)) }),
  };
  const dataTransfer = { items: [{ webkitGetAsEntry: () => directory }], files: [new File([], folder)], types: ['Files'] };
  document.body.dispatchEvent(Object.defineProperty(new Event('drop', { bubbles: true, cancelable: true }), 'dataTransfer', { value: dataTransfer }));
}
