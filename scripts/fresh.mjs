/**
 * What need not be made again.
 *
 * A stamp records the content hashes of a product's inputs, its settings (flags, tool versions)
 * and the hashes of what was made of them. Contents and not times, because a checkout, a
 * restored file or a copied folder lies about times; outputs too, because they can be deleted,
 * cut short or edited. The inputs are hashed before the work starts: a file that changes
 * meanwhile makes the next build work again. The stamp is removed first and written last, so an
 * interruption at any point counts as not done.
 */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { cache, root } from './step.mjs';

/** Every file at or below `paths` (relative to the root; a missing one is none), sorted. */
export function filesBelow(...paths) {
  return paths.flatMap((path) => {
    const full = join(root, path);
    if (!existsSync(full)) return [];
    if (!statSync(full).isDirectory()) return [path];
    return filesBelow(...readdirSync(full).sort().map((name) => join(path, name)));
  });
}

/** `{ path: hash of its content }` for every file at or below `paths`. */
export function hashes(...paths) {
  const files = filesBelow(...paths).map((path) => relative(root, join(root, path)).split(sep).join('/'));
  return Object.fromEntries(files.map((path) => [path, createHash('sha256').update(readFileSync(join(root, path))).digest('hex')]));
}

/**
 * Calls `make` unless `product` was already made of the same inputs and settings.
 *
 * @param product name of the stamp
 * @param inputs files and folders it is made of
 * @param settings whatever else decides the result, as JSON
 * @param output the file or folder that holds the result
 * @param make gets the reason why it is called, e.g. `crate/src/band.rs changed`
 */
export async function unlessFresh({ product, inputs, settings, output }, make) {
  const file = join(cache, 'stamps', `${product}.json`);
  const before = { settings, inputs: hashes(...inputs) };
  const reason = whyStale(readStamp(file), before, hashes(output));
  if (!reason) return;
  rmSync(file, { force: true });
  await make(reason);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.partial`, JSON.stringify({ ...before, outputs: hashes(output) }, null, 1));
  renameSync(`${file}.partial`, file);
}

function readStamp(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function whyStale(stamp, { settings, inputs }, outputs) {
  if (!stamp || Object.keys(outputs).length === 0) return 'not built yet';
  return difference(stamp.settings, settings) ?? difference(stamp.inputs, inputs) ?? difference(stamp.outputs, outputs);
}

/** The first key in which two flat records differ, said as a reason. */
function difference(before, now) {
  for (const key of new Set([...Object.keys(before), ...Object.keys(now)])) {
    if (JSON.stringify(before[key]) !== JSON.stringify(now[key])) return `${key} changed`;
  }
  return undefined;
}
