// All commands, in the order in which the help lists them.

import { ask } from './ask.ts';
import { attend } from './attend.ts';
import { bench } from './bench.ts';
import { classify } from './classify.ts';
import type { Command } from './command.ts';
import { completionCommand } from './completion.ts';
import { convert } from './convert.ts';
import { embed } from './embed.ts';
import { fill } from './fill.ts';
import { helpCommand } from './help.ts';
import { info } from './info.ts';
import { pattern } from './pattern.ts';
import { plan } from './plan.ts';
import { search } from './search.ts';
import { tag } from './tag.ts';

export const commands: readonly Command[] = [
  search, ask, classify, tag, fill, embed,
  attend, pattern,
  convert, plan, info, bench,
  completionCommand(() => commands), helpCommand(() => commands),
];
