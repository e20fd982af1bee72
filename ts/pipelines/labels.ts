// The names of a classifier's labels.

import { LongformerError } from '../errors.ts';
import { labelCount } from '../models/labels.ts';
import { quoted } from '../quoted.ts';
import type { TaskFiles } from './task.ts';

/** By `id2label`; `LABEL_0` and so on where config.json has none, as in Hugging Face. */
export function labelsOf({ source: { label }, config }: TaskFiles): string[] {
  const count = labelCount({ label, config });
  const names = (config.json['id2label'] ?? null) as Record<string, unknown> | null;
  return Array.from({ length: count }, (_, id) => {
    if (names === null) return `LABEL_${id}`;
    const name = Object.hasOwn(names, id) ? names[id] : undefined;
    if (typeof name === 'string') return name;
    throw new LongformerError('BAD_FILE', `${label}/config.json: id2label`, `must name the label ${id} of ${count}, has ${quoted(name)}`);
  });
}
