// In a page: the check, and its result for the one who opened the page.

import { check } from './check.js';
import { options } from './options.js';

const report = new URLSearchParams(location.search).get('report');
let result;
try {
  const given = await (await fetch('/given.json')).json();
  result = await check(new URL('/model/', location.href), given, options);
} catch (error) {
  result = { error: String(error) };
}
document.body.textContent = JSON.stringify(result);
await fetch(report, { method: 'POST', body: JSON.stringify(result) });
