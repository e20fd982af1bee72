// In a page: imports the file that the address names, runs the tests that it brings, and tells the
// server all that was said, as a process would print it.

import kleur from 'kleur';

kleur.enabled = false;
globalThis.UVU_DEFER = true; // nothing runs before it is told to

Symbol.asyncDispose ??= Symbol('asyncDispose'); // `await using` of the tests, which their compiler spells out

const said = [];
let code = 0;

for (const how of ['log', 'info', 'warn', 'error']) {
  const show = console[how].bind(console);
  console[how] = (...what) => {
    said.push(what.map((each) => (each instanceof Error ? textOf(each) : String(each))).join(' '));
    show(...what);
  };
}
addEventListener('error', (event) => fail(event.error ?? event.message));
addEventListener('unhandledrejection', (event) => fail(event.reason));

const tell = (what) => fetch(`/${what}`, { method: 'POST', body: JSON.stringify({ code, output: output() }) });
const soFar = setInterval(() => tell('so-far'), 2000); // for a page that never ends

/** All of it. Each mark of a test was said by itself, as a page has no standard output. */
const output = () => said.join('\n').replace(/\n(?=[•✘])/g, '');

const textOf = (error) => (error?.stack?.includes(error.message) ? error.stack : `${error}\n${error?.stack ?? ''}`);

function fail(error) {
  code = 1;
  console.error(textOf(error));
}

try {
  const { exec } = await import('uvu'); // not before console.log says it to us
  globalThis.UVU_QUEUE.push([null]);
  await import(new URLSearchParams(location.search).get('file'));
  await exec();
} catch (error) {
  fail(error);
}
document.querySelector('pre').textContent = output();
clearInterval(soFar);
await tell('report');
// The next page, as soon as one is wanted. `replace`: nothing of this one is kept for a way back.
location.replace(await (await fetch('/next')).text());
