// In a page: the check, and its result for the one who opened the page.

import { check } from './check.js';
import { options } from './options.js';

/** Resolves to what it told, as text. */
export async function reportCheck() {
  let result;
  try {
    const given = await (await fetch('/given.json')).json();
    result = await check(new URL('/model/', location.href), given, options);
  } catch (error) {
    result = { error: String(error) };
  }
  const body = JSON.stringify(result);
  await fetch(new URLSearchParams(location.search).get('report'), { method: 'POST', body });
  return body;
}
