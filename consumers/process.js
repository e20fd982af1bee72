// In a process: the check with two threads and with one, a line of JSON each.

import { readFileSync } from 'node:fs';
import { check } from './check.js';

const given = JSON.parse(readFileSync(new URL('given.json', import.meta.url), 'utf8'));
for (const threads of [2, 1]) console.log(JSON.stringify(await check(new URL('model/', import.meta.url), given, { threads })));
