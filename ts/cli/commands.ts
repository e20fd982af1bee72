// All commands, in the order in which the help lists them.

import { attend } from './attend.ts';
import type { Command } from './command.ts';
import { completionCommand } from './completion.ts';
import { convert } from './convert.ts';
import { helpCommand } from './help.ts';
import { info } from './info.ts';
import { pattern } from './pattern.ts';
import { search } from './search.ts';

export const commands: readonly Command[] = [
  search,
  attend, pattern,
  convert, info,
  completionCommand(() => commands), helpCommand(() => commands),
];
