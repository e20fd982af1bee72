// How many labels a classifier knows.

import { LongformerError } from '../errors.ts';
import { quoted } from '../quoted.ts';
import type { Checkpoint } from './head.ts';

/** As Hugging Face counts: the entries of `id2label`, else `num_labels`, else 2. */
export function labelCount({ label, config: { json } }: Pick<Checkpoint, 'label' | 'config'>): number {
  const field = (name: string): unknown => (Object.hasOwn(json, name) ? json[name] : null) ?? null;
  const labels = field('id2label');
  const count = labels === null ? field('num_labels') ?? 2
    : typeof labels === 'object' && !Array.isArray(labels) ? Object.keys(labels).length : null;
  if (Number.isInteger(count) && count as number > 0 && count as number < 2 ** 31) return count as number;
  const [name, rule] = labels === null ? ['num_labels', 'a whole number above 0'] : ['id2label', 'an object with an entry per label'];
  throw new LongformerError('BAD_FILE', `${label}/config.json: ${name}`, `must be ${rule}, got ${quoted(json[name])}`);
}
