// From a command line to an exit code: 0 good, 1 failed, 2 wrong usage, 128 and more a signal.

import { readFile } from 'node:fs/promises';
import { attend } from './attend.ts';
import { UsageError, type Command } from './command.ts';
import { convert } from './convert.ts';
import { info } from './info.ts';
import { pattern } from './pattern.ts';
import { search } from './search.ts';

const commands: Readonly<Record<string, Command>> = { search, attend, pattern, convert, info };

const USAGE = `Usage: longformer-wasm <command> [options]

${Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`).join('\n')}

longformer-wasm <command> --help says more.
`;

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** What an interrupted command gets to tidy up in. */
const GRACE_MILLISECONDS = 2000;

/** Runs a command. `args` are those after the program's name. */
export async function runCommand(args: string[]): Promise<number> {
  const [name = '', ...rest] = args;
  if (['--help', '-h', 'help'].includes(name)) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (name === '--version') {
    process.stdout.write(`${await version()}\n`);
    return 0;
  }
  if (!Object.hasOwn(commands, name)) {
    process.stderr.write(`longformer-wasm: ${name === '' ? 'a command is missing' : `there is no command ${JSON.stringify(name)}`}\n\n${USAGE}`);
    return 2;
  }
  return runInterruptibly(name, commands[name]!, rest);
}

async function runInterruptibly(name: string, command: Command, args: string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.usage);
    return 0;
  }
  const controller = new AbortController();
  let interrupted = 0;
  const interrupt = (signal: NodeJS.Signals): void => {
    interrupted = SIGNALS[signal as keyof typeof SIGNALS];
    controller.abort();
    stopListening(); // a second signal ends the process at once
    setTimeout(() => process.exit(interrupted), GRACE_MILLISECONDS).unref();
  };
  const stopListening = (): void => {
    for (const signal of Object.keys(SIGNALS)) process.off(signal, interrupt);
  };
  for (const signal of Object.keys(SIGNALS)) process.on(signal, interrupt);
  process.stdout.on('error', endQuietly);
  try {
    await command.run(args, controller.signal);
    return 0;
  } catch (error) {
    if (interrupted > 0) return interrupted;
    const { message } = error as Error;
    process.stderr.write(`longformer-wasm ${name}: ${message}\n${error instanceof UsageError ? `\n${command.usage}` : ''}`);
    return error instanceof UsageError ? 2 : 1;
  } finally {
    stopListening();
    process.stdout.off('error', endQuietly);
  }
}

/** Whoever read our output (`head`, say) has seen enough. */
function endQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}

async function version(): Promise<string> {
  const json = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(json) as { version: string }).version;
}
