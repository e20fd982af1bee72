// The page from end to end, in one browser: `BROWSER` names it, `ISOLATED` says whether its host sends
// the headers for threads. Each test goes on where the one before it left the page.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { OUT, servePage } from '../../../scripts/page-build.mjs';
import { openPage } from './browser.js';
import { startHub } from './hub.js';
import { FACT, longDocument, QUESTION } from './long-document.js';

const { BROWSER: name = 'chromium', ISOLATED, SHOTS } = process.env;
const isolated = ISOLATED !== 'no';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const tests = suite(`page in ${name}${isolated ? '' : ', no headers'}`);
let host;
let hub;
let it;

/** Tasks of the page of 50 ms and more, and the tests that they were in. */
const slow = [];

/** A test that leaves a picture where it fails. */
function test(title, work) {
  tests(title, async () => {
    try {
      await work();
      slow.push(...(await it.longTasks()).map((task) => ({ what: title, ...task })));
    } catch (error) {
      await it.shot(`failed: ${title}`);
      throw error;
    }
  });
}

tests.before(async () => {
  host = await servePage({ isolated });
  hub = await startHub(process.env.PAGE_MODELS);
  it = await openPage(name, host.address, SHOTS, hub.port);
});

tests.after(async () => {
  await it?.browser.close();
  await host?.close();
  await hub?.close();
});

async function chooseOfHub(id) {
  await it.choose('From the Hugging Face Hub …');
  await it.page.$eval('#hub-id', (field) => { field.value = ''; });
  await it.page.type('#hub-id', id);
  await it.page.click('#hub button');
}

/** What a screen reader, or who sees little, would stumble over. */
async function findBarriers() {
  await it.driven(`() => { ${axe} }`);
  return it.driven(async () => (await axe.run(document, { resultTypes: ['violations'] })).violations
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 120)} ${failureSummary.split('\n')[1] ?? ''}`)));
}

test('opens, and says what it can do', async () => {
  await it.idle();
  await it.shot('1-empty');
  assert.is(await it.text('#ability'), 'Finds passages by what they mean.');
  assert.equal(await findBarriers(), []);
});

if (!isolated) {
  test('says why there is one thread, and gets more from its service worker', async () => {
    await it.page.click('#tab-engine');
    await it.page.waitForSelector('.advice button');
    await it.page.waitForFunction(() => document.getElementById('panel-engine').innerText.includes('the page is not cross-origin isolated: one thread'));
    await it.shot('2-one-thread');
    assert.is(await it.page.evaluate(() => crossOriginIsolated), false);
    await it.page.click('.advice button');
    await it.changeTabs();
    await it.idle();
    assert.is(await it.page.evaluate(() => crossOriginIsolated), true);
    await it.page.click('#tab-engine');
    await it.page.waitForFunction(() => /threads-/.test(document.getElementById('panel-engine').innerText));
    await it.page.click('#tab-ask');
  });
}

test('is at home below a folder of any name', () => {
  const listeners = {};
  const scope = 'https://host/models/page/';
  const self = { registration: { scope }, addEventListener: (type, listener) => { listeners[type] = listener; } };
  runInNewContext(readFileSync(join(OUT, 'service-worker.js'), 'utf8'), { self, location: new URL(scope), URL, caches: { open: () => new Promise(() => {}) } });
  const isAnswered = (path) => {
    let answered = false;
    listeners.fetch({ request: { method: 'GET', url: new URL(path, scope).href }, respondWith: () => { answered = true; } });
    return answered;
  };
  assert.equal(['./', 'assets/index.js', 'models/a/config.json', 'models.json'].map(isAnswered), [true, true, false, false]);
});

test('shows a document of 30,000 words and reads it, layer by layer', async () => {
  await it.drop([['harbour.md', longDocument(30_000)]]);
  await it.page.waitForFunction(() => /layer \d of 6 · [\d,]+ of [\d,]+ tokens · [\d,]+ tokens\/s · \d/.test(document.getElementById('job-detail').textContent));
  await it.shot('3-reading');
  assert.is(await it.text('#name'), 'The log of the harbour');
  assert.match(await it.text('#facts'), /^30,\d{3} words, not read yet/);
});

test('is cancelled by a key, and keeps the document', async () => {
  await it.page.keyboard.press('Escape');
  await it.idle();
  await it.shot('4-cancelled');
  assert.match(await it.text('#facts'), /not read yet/);
  assert.ok((await it.text('#text')).length > 1000);
});

test('finds the passage that answers, and shows it where it stands', async () => {
  await it.ask(QUESTION);
  await it.shot('5-asked');
  assert.match(await it.text('#results li'), new RegExp(FACT.slice(0, 40)));
  const [best] = await it.marked('best');
  assert.ok(best.includes(FACT), best);
  assert.is((await it.marked('found')).length, 4);
  assert.is((await it.page.$$('.note')).length, 5);
  await it.page.waitForFunction(() => {
    const [{ startContainer }] = CSS.highlights.get('best');
    const { top } = startContainer.parentElement.getBoundingClientRect();
    return top > 0 && top < innerHeight;
  });
  assert.match(await it.text('#facts'), /tokens, read in .*, in \d+ windows that overlap\./);
});

test('asks again without reading again, and jumps to another place', async () => {
  const facts = await it.text('#facts');
  await it.ask('Who argued about the price of coal?');
  assert.is(await it.text('#facts'), facts);
  assert.not.ok((await it.marked('best'))[0].includes(FACT));
  await (await it.page.$$('#results button'))[3].click();
  const [here] = await it.marked('here');
  assert.ok((await it.marked('found')).includes(here));
  await it.shot('6-asked-again');
});

test('is as it was when it is loaded again, and reads nothing twice', async () => {
  await it.page.reload();
  await it.page.waitForFunction(() => / tokens, read when you were here before, in \d+ windows/.test(document.getElementById('facts').textContent));
  await it.idle();
  assert.is(await it.text('#name'), 'The log of the harbour');
  await it.ask(QUESTION);
  assert.ok((await it.marked('best'))[0].includes(FACT));
  await it.shot('7-loaded-again');
});

test('colours the map by relevance', async () => {
  const colours = await it.page.$eval('#map', (map) => {
    const { data } = map.getContext('2d').getImageData(map.width >> 1, 0, 1, map.height);
    return new Set(Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 3])).size;
  });
  assert.ok(colours > 10, `${colours} shades`);
});

test('shows what each head looks at, from a word', async () => {
  await it.page.click('#tab-lens');
  await it.page.waitForSelector('.heads');
  await it.idle();
  await it.shot('8-how-it-reads');
  assert.is((await it.page.$$('.heads button')).length, 6 * 12);
  await it.page.$eval('#word', (field) => { field.value = 'Merriweather'; });
  await it.page.click('#find button');
  await it.page.waitForFunction(() => document.querySelector('.one').innerText.includes('“Merriweather”'));
  await it.idle();
  assert.equal(await it.marked('word'), ['Merriweather']);
  await it.page.focus('.heads button[aria-pressed=true]');
  await it.page.keyboard.press('ArrowUp');
  await it.page.keyboard.press('ArrowRight');
  await it.page.waitForFunction(() => /Layer 2, head 2\. \d+\s% of its attention/.test(document.querySelector('.one').innerText));
  const seen = (await Promise.all([2, 3, 4, 5].map((shade) => it.marked(`weight-${shade}`)))).flat();
  assert.ok(seen.length > 0 && seen.length <= 128, `${seen.length} tokens are seen`);
  await it.page.$eval('.heads', (heads) => heads.scrollIntoView({ block: 'center' }));
  await it.shot('9-one-head');
  assert.equal(await findBarriers(), []);
});

test('counts the cells that it draws', async () => {
  const wrong = await it.driven(() => {
    const [window, gap] = document.querySelectorAll('.toy input[type=range]');
    const [global, causal] = document.querySelectorAll('.toy input[type=checkbox]');
    const canvas = document.querySelector('.toy canvas');
    const drawn = () => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const middle = (i) => Math.floor((i + 0.4) * canvas.width / 24);
      return Array.from({ length: 24 ** 2 }, (_, i) => data[4 * (middle(Math.floor(i / 24)) * canvas.width + middle(i % 24)) + 3]).filter((alpha) => alpha === 255).length;
    };
    const wrong = [];
    for (const hasGlobal of [false, true]) {
      for (const isCausal of [true, false]) {
        [global.checked, causal.checked] = [hasGlobal, isCausal];
        for (const [size, distance] of [[0, 1], [2, 1], [3, 2], [6, 1], [6, 4]]) {
          [window.value, gap.value] = [size, distance];
          window.dispatchEvent(new Event('input'));
          const said = document.querySelector('.toy + p').textContent;
          if (drawn() !== Number(/^\d+/.exec(said)[0])) wrong.push({ hasGlobal, isCausal, size, distance, drawn: drawn(), said });
        }
      }
    }
    return wrong;
  });
  assert.equal(wrong, []);
});

test('shows how far a word hears, layer by layer', async () => {
  const reach = async (layers) => {
    await it.page.$eval('.reaches input', (slider, layers) => {
      slider.value = layers;
      slider.dispatchEvent(new Event('input'));
    }, layers);
    return (await it.marked('reach')).join('').length;
  };
  const [first, third] = [await reach(1), await reach(3)];
  assert.ok(first > 0 && Math.abs(third / first - 3) < 0.2, `${first}, ${third} characters`);
  await it.page.$eval('.reaches', (reaches) => reaches.scrollIntoView({ block: 'end' }));
  await it.shot('10-reach');
  await it.page.click('#tab-ask');
  assert.is((await it.marked('reach')).length, 0);
  assert.is((await it.marked('best')).length, 1);
});

test('shows how a model reads that looks back only, some heads with gaps', async () => {
  await it.page.click('#tab-lens');
  await it.choose('tiny-causal-dilated');
  await it.page.waitForFunction(() => document.querySelectorAll('.heads button').length === 6 * 4);
  await it.idle();
  await it.page.$eval('#word', (field) => { field.value = 'barometer'; });
  await it.page.click('#find button');
  await it.page.waitForFunction(() => document.querySelector('.one').innerText.includes('“barometer” (its first token, “b”)'));
  await it.idle();
  await it.page.click('.heads button[aria-label^="Layer 6, head 4:"]');
  assert.match(await it.text('.one'), /It may look at the 64 before it, every 4th one: so it reaches 256 tokens far\./);
  const distances = await it.page.evaluate(() => { // of one page of the document, in characters
    const [{ startContainer: node, startOffset: from }] = CSS.highlights.get('word');
    return [2, 3, 4, 5].flatMap((shade) => [...CSS.highlights.get(`weight-${shade}`) ?? []])
      .filter(({ startContainer }) => startContainer === node).map(({ startOffset }) => startOffset - from);
  });
  assert.ok(distances.length > 3 && distances.every((distance) => distance < 0 && distance % 4 === 0), `${distances}`);
  await it.page.$eval('.heads', (heads) => heads.scrollIntoView({ block: 'center' }));
  await it.shot('11-gaps');
  const reaches = [];
  for (const layers of [1, 2, 3, 4, 5, 6]) {
    await it.page.$eval('.reaches input', (slider, layers) => {
      slider.value = layers;
      slider.dispatchEvent(new Event('input'));
    }, layers);
    reaches.push(Number(/from up to (\d+) tokens before it/.exec(await it.text('.reaches'))[1]));
    const [heard] = await it.marked('reach');
    assert.ok(heard.endsWith('barometer') && Math.abs(heard.length - reaches.at(-1) - 9) < 0.1 * reaches.at(-1) + 6, `${heard.length} characters`);
  }
  assert.equal(reaches, [8, 16, 32, 64, 160, 416]); // its windows, on one side, times the widest gaps
  await it.page.$eval('.reaches', (reaches) => reaches.scrollIntoView({ block: 'end' }));
  await it.shot('12-gaps-reach');
  await it.page.evaluate(() => document.querySelector('#panel-lens').scrollIntoView());
  assert.match(await it.text('.scale'), /the 512 tokens that the model reads at once/);
  assert.match(await it.text('.one'), /the model reads 512 of the document’s [\d,]+ tokens anew, those around the word, as if they were all\./);
  assert.equal(await findBarriers(), []);
  await it.page.click('#tab-ask');
  assert.is(await it.page.$eval('#ask', (form) => form.hidden), true);
  await it.choose(await it.page.$eval('#model', ({ options }) => options[0].text));
  await it.page.waitForFunction(() => /read when you were here before/.test(document.getElementById('facts').textContent));
  await it.ask('Who argued about the price of coal?');
});

test('fits a phone', async () => {
  await it.page.setViewport({ width: 390, height: 844 });
  await it.page.click('#results button');
  await it.shot('13-phone');
  assert.is(await it.page.evaluate(() => document.documentElement.scrollWidth), 390);
  assert.equal(await findBarriers(), []);
  await it.page.click('#tab-lens');
  await it.page.waitForSelector('.heads');
  await it.idle();
  await it.page.$eval('.heads', (heads) => heads.scrollIntoView({ block: 'center' }));
  await it.shot('13-phone-how-it-reads');
  assert.is(await it.page.evaluate(() => document.documentElement.scrollWidth), 390);
  await it.page.click('#tab-ask');
  await it.page.setViewport({ width: 1280, height: 800 });
});

if (name === 'chromium') {
  test('has a dark side', async () => {
    await it.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
    await it.page.click('#results button');
    await it.shot('14-dark');
    assert.equal(await findBarriers(), []);
    await it.page.click('#tab-lens');
    await it.page.waitForSelector('.heads');
    await it.idle();
    await it.shot('15-dark-how-it-reads');
    assert.equal(await findBarriers(), []);
    await it.page.click('#tab-ask');
    await it.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
  });
}

test('switches to a model that sorts texts', async () => {
  await it.choose('tiny-classifier');
  await it.page.waitForSelector('#results .label');
  await it.idle();
  await it.shot('16-labels');
  assert.is((await it.page.$$('#results .label')).length, 4);
  assert.is(await it.page.$eval('#ask', (form) => form.hidden), true);
});

test('switches to a model that marks entities', async () => {
  await it.choose('tiny-tagger');
  await it.page.waitForFunction(() => document.getElementById('ability').textContent.startsWith('Marks names'));
  await it.idle();
  await it.page.waitForSelector('#results .swatch');
  await it.shot('17-entities');
  const marks = await it.page.evaluate(() => CSS.highlights.get('kind-0').size);
  assert.ok(marks > 0);
  await it.page.setViewport({ width: 1280, height: 6000 }); // more of it is in view, without a scroll
  await it.page.waitForFunction((marks) => CSS.highlights.get('kind-0').size > marks, {}, marks);
  await it.page.setViewport({ width: 1280, height: 800 });
});

test('switches to a model that answers, and marks the words', async () => {
  await it.choose('tiny-question-answering');
  await it.page.waitForFunction(() => document.getElementById('ability').textContent.startsWith('Marks the words'));
  await it.idle();
  await it.ask(QUESTION);
  await it.shot('18-answers');
  const [answer] = await it.marked('best');
  assert.ok(answer.length > 0 && longDocument(30_000).replace(/\s+/g, ' ').includes(answer.replace(/\s+/g, ' ').replace(/#+ /g, '')), answer);
  assert.ok((await it.text('#results mark')).length > 0);
});

test('takes a model from files that are dropped', async () => {
  const folder = join(process.env.PAGE_MODELS, 'tiny-classifier');
  const files = ['config.json', 'tokenizer.json', 'model.safetensors.index.json', 'encoder.safetensors', 'classifier.safetensors'];
  await it.drop(files.map((file) => [file, [...readFileSync(join(folder, file))]]));
  await it.page.waitForFunction(() => document.getElementById('model').selectedOptions[0].text === 'model from files');
  await it.page.waitForSelector('#results .label');
  await it.idle();
});

test('takes a model from a folder that is dropped', async () => {
  await it.dropFolder(join(process.env.PAGE_MODELS, 'tiny-tagger'));
  await it.page.waitForFunction(() => document.getElementById('model').selectedOptions[0].text === 'tiny-tagger from a folder');
  await it.page.waitForSelector('#results .swatch');
  await it.idle();
});

if (name === 'chromium') { // no driver of Firefox chooses folders
  test('takes a model from a folder that is chosen', async () => {
    await (await it.page.$('#folder')).uploadFile(join(process.env.PAGE_MODELS, 'tiny-classifier'));
    await it.page.waitForFunction(() => document.getElementById('model').selectedOptions[0].text === 'tiny-classifier from a folder');
    await it.page.waitForSelector('#results .label');
    await it.idle();
  });
}

test('takes a model of the Hub by its id, and says where there is none', async () => {
  await chooseOfHub('tests/nothing');
  await it.page.waitForSelector('#problem:not([hidden])');
  assert.is(await it.text('#problem'), 'The Hugging Face Hub has no public model “tests/nothing” with a config.json (404).');
  await chooseOfHub('tests/tiny-classifier');
  await it.page.waitForSelector('#results .label');
  await it.idle();
  await it.shot('19-hub');
  assert.is((await it.page.$$('#results .label')).length, 4);
  for (const file of ['config.json', 'tokenizer.json', 'encoder.safetensors', 'classifier.safetensors']) {
    assert.ok(hub.asked.includes(`GET /tests/tiny-classifier/resolve/main/${file}`), file);
  }
});

test('takes what it has of the Hub where that has no time', async () => {
  hub.refuse(429);
  await chooseOfHub('tests/tiny-tagger');
  await it.page.waitForSelector('#problem:not([hidden])');
  assert.is(await it.text('#problem'), 'The Hugging Face Hub cannot be reached (429), and tests/tiny-tagger is not kept in this browser.');
  await chooseOfHub('tests/tiny-classifier');
  await it.page.waitForSelector('#results .label');
  await it.idle();
  hub.refuse(null);
});

test('runs nothing of an HTML document, and fetches nothing for it', async () => {
  await it.drop([['page.html', `<!doctype html><title>t</title><nav>Menu</nav><h1 onclick="x()">Safe</h1><p>One <b>bold</b> <a href="javascript:alert(1)">link</a>.
    <img src="https://example.org/spy.png" onerror="document.title='run'"><script>document.title = 'run'</script><ul><li>first<li>second</ul><pre>  code
    here</pre><div>loose <span>words</span></div><form>In a form<button>Send</button></form><iframe src="https://example.org/"></iframe>`]]);
  await it.page.waitForFunction(() => document.getElementById('name').textContent === 'Safe');
  await it.idle();
  assert.is(await it.text('#text'), 'Safe\n\nOne bold link.\n\nfirst\nsecond\n  code\n    here\n\nloose words\n\nIn a form');
  assert.is(await it.page.$('#text [onclick], #text img, #text script, #text iframe, #text a'), null);
  assert.is(await it.page.title(), 'Longformer, in this tab');
});

test('keeps the lines of what is no Markdown', async () => {
  const program = '# not a heading\ndef f(x):\n    # One\n    return x * 2 * 3\n\n    print(x)';
  await it.drop([['f.py', program]]);
  await it.page.waitForFunction(() => document.getElementById('name').textContent === 'f.py');
  await it.idle();
  assert.is((await it.text('#text')).replace(/\n{2,}/g, '\n\n'), program);
});

test('reads a PDF', async () => {
  await it.drop([['a.pdf', [...Buffer.from(pdfOf(['The ferry leaves at noon.', 'Nobody waits for it.']))]]]);
  await it.page.waitForFunction(() => /The ferry leaves at noon\.\s+Nobody waits for it\./.test(document.getElementById('text').innerText));
  await it.idle();
});

test('says what is wrong with a file, and goes on', async () => {
  await it.drop([['picture.png', [137, 80, 78, 71, 13, 10, 26, 10, 0, 255]]]);
  await it.page.waitForSelector('#problem:not([hidden])');
  assert.match(await it.text('#problem'), /This file cannot be shown: it is not UTF-8 text, HTML or PDF\./);
  await it.drop([['empty.txt', '']]);
  await it.page.waitForFunction(() => document.getElementById('problem').textContent === 'There is no text in this document.');
  assert.is(await it.text('#name'), 'a.pdf');
  assert.match(await it.text('#text'), /The ferry leaves at noon/);
  assert.match(await it.text('#facts'), / tokens, read in /);
});

test('times itself in the panel of the engine', async () => {
  await it.page.click('#tab-engine');
  await it.page.click('#bench');
  await it.page.waitForSelector('.result:not([hidden])');
  await it.page.evaluate(() => document.querySelector('#panel-engine').scrollIntoView());
  await it.shot('20-engine');
  assert.match(await it.text('.result'), /attention alone, .*: \d+ ms\n/);
  assert.equal(await findBarriers(), []);
});

test('opens without a network, with its document, and models of its host and of the Hub', async () => {
  await host.close();
  await hub.close();
  await it.page.reload();
  await it.page.waitForSelector('#results .label'); // what was chosen last, of the Hub, has read what was open last
  assert.is(await it.page.$eval('#model', ({ selectedOptions: [{ text }] }) => text), 'tests/tiny-classifier');
  assert.match(await it.text('#text'), /The ferry leaves at noon/);
  await it.idle();
  await it.choose(await it.page.$eval('#model', ({ options }) => options[0].text));
  await it.drop([['harbour.md', longDocument(2_000)]]);
  await it.page.waitForFunction(() => / tokens, read in /.test(document.getElementById('facts').textContent));
  await it.ask(QUESTION);
  await it.shot('21-offline');
  assert.match(await it.text('#results li'), new RegExp(FACT.slice(0, 40)));
  await it.page.click('#tab-engine');
  await it.page.waitForFunction(() => /\d{2,} MiB of models, \d+ KiB of your document/.test(document.getElementById('panel-engine').innerText));
  await it.page.click('#tab-ask');
  await chooseOfHub('tests/tiny-tagger');
  await it.page.waitForSelector('#problem:not([hidden])');
  assert.is(await it.text('#problem'), 'The Hugging Face Hub cannot be reached, and tests/tiny-tagger is not kept in this browser.');
  await it.shot('22-no-hub');
});

test('reads the document that is open, though the one before it was read to the end', async () => {
  await it.choose(await it.page.$eval('#model', ({ options }) => options[0].text));
  await it.idle();
  await it.drop([['before.md', longDocument(1_500).replaceAll(FACT, '')]]);
  await it.page.waitForFunction(() => document.getElementById('job-what').textContent === 'Reading');
  await it.driven((text) => { // the page hears that it was read when another is open
    const until = performance.now() + 4000;
    while (performance.now() < until);
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([text], 'harbour.md'));
    document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  }, longDocument(2_000));
  await it.page.waitForFunction(() => /^2,\d{3} words, .* tokens, read in /.test(document.getElementById('facts').textContent));
  await it.idle();
  await it.ask(QUESTION);
  assert.match(await it.text('#results li'), new RegExp(FACT.slice(0, 40)));
});

test('gives back what the browser keeps', async () => {
  await it.page.click('#tab-engine');
  await it.page.evaluate(() => [...document.querySelectorAll('button')].find(({ innerText }) => innerText === 'Clear models and document').click());
  await it.page.waitForFunction(() => /^0 KiB of models, 0 KiB of your document/m.test(document.getElementById('panel-engine').innerText));
  await it.shot('23-cleared');
  assert.equal(await it.page.evaluate(() => Object.keys(localStorage)), []);
  await it.page.click('#tab-ask');
  // Another model that makes an index: that has the text of the document in it, which was cleared.
  const folder = join(process.env.PAGE_MODELS, 'tiny-classifier');
  const config = { ...JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')), architectures: ['LongformerModel'] };
  const files = [['tokenizer.json', 'tokenizer.json'], ['model.safetensors', 'encoder.safetensors']].map(([name, file]) => [name, [...readFileSync(join(folder, file))]]);
  await it.drop([['config.json', JSON.stringify(config)], ...files]);
  await it.page.waitForFunction(() => / tokens, read in /.test(document.getElementById('facts').textContent));
  await it.idle();
  assert.is(await it.page.evaluate(async () => (await (await caches.open('document')).keys()).length), 0);
  await it.page.reload();
  await it.idle();
  assert.is(await it.page.$eval('#empty', (empty) => empty.hidden), false);
});

test('forgets a document where it is shown', async () => {
  await it.drop([['short.md', 'The ferry leaves at noon.']]);
  await it.page.waitForFunction(() => document.getElementById('name').textContent === 'short.md');
  await it.idle();
  await it.page.waitForFunction(async () => (await (await caches.open('document')).keys()).length > 0);
  await it.page.click('#forget');
  await it.page.waitForFunction(async () => (await (await caches.open('document')).keys()).length === 0);
  assert.is(await it.page.$eval('#empty', (empty) => empty.hidden), false);
  assert.is(await it.text('#text'), '');
  await it.shot('24-forgotten');
});

// Milliseconds are the machine's and whatever else runs there: `npm run bench:page` tells the longest. A page
// that stands still shows anywhere. Firefox does not tell.
if (name === 'chromium') {
  test('never stood still', () => {
    for (const each of slow) console.log(`  ${each.what}: a task of ${each.milliseconds} ms, ${each.at} ms after loading`);
    assert.equal(slow.filter(({ milliseconds }) => milliseconds >= 250), []);
  });
}

test('asks nobody but its own host, and the Hub for the model', () => {
  const others = it.requests.filter((url) => !url.startsWith(host.address) && !/^(blob|data):/.test(url) && !url.startsWith('https://huggingface.co/tests/'));
  assert.equal(others, []);
});

test('nothing went wrong on the way', () => {
  // Files that are looked for and not there; the host that was closed; what the HTML document tried.
  const expected = /Failed to load resource|ERR_CONNECTION_REFUSED|NetworkError|inline event handler|script-src-attr|Cross-Origin Request Blocked/;
  assert.equal(it.complaints.filter((line) => !expected.test(line)), []);
});

tests.run();

/** The smallest PDF with lines of text. */
function pdfOf(lines) {
  const content = `BT /F1 12 Tf 50 700 Td 14 TL ${lines.map((line) => `(${line}) Tj T*`).join(' ')} ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`, '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let pdf = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const at = pdf.length;
    pdf += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const xref = pdf.length;
  pdf += `xref\n0 6\n0000000000 65535 f \n${offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('')}`;
  return `${pdf}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${xref}\n%%EOF\n`;
}
