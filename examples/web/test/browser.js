// The page in a real browser, driven from outside: Chromium by its own protocol, Firefox by WebDriver BiDi.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { browsers, findBrowser } from '../../../scripts/browsers.mjs';

/** For everything that waits for a model: a busy machine reads slowly. */
const SECONDS = 300;

/** Opens `address` in the browser of that name. `shots`: the folder for pictures. */
export async function openPage(name, address, shots) {
  const { program } = await findBrowser(browsers.find((browser) => browser.name === name));
  const browser = await puppeteer.launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome', executablePath: program, headless: true, protocolTimeout: SECONDS * 1000,
    args: name === 'firefox' ? [] : ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
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
    await page.goto(address);
    return page;
  };
  let page = await newTab();
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
    /** Drops files `[name, content]`, as a hand would. */
    drop: (files) => page.evaluate((files) => {
      const dataTransfer = new DataTransfer();
      for (const [name, content] of files) dataTransfer.items.add(new File([typeof content === 'string' ? content : new Uint8Array(content)], name));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    }, files),
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
