// A component of Next's server, which computes: here once, when the page is made.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check } from '../../check.js';

export default async function Page() {
  const folder = join(process.cwd(), 'public');
  const given = JSON.parse(await readFile(join(folder, 'given.json'), 'utf8'));
  return <pre>{JSON.stringify(await check(join(folder, 'model'), given))}</pre>;
}
