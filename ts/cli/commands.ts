// All commands, in the order in which the help lists them.

import { attend } from './attend.ts';
import { bench } from './bench.ts';
import type { Command } from './command.ts';
import { completionCommand } from './completion.ts';
import { convert } from './convert.ts';
import { helpCommand } from './help.ts';
import { info } from './info.ts';
import { pattern } from './pattern.ts';
import { plan } from './plan.ts';
import { search } from './search.ts';

export const commands: readonly Command[] = [
  search,
  attend, pattern,
  convert, plan, info, bench,
  completionCommand(() => commands), helpCommand(() => commands),
];
