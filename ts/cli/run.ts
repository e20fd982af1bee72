// From a command line to an exit code: 0 good, 1 failed, 2 wrong usage, 128 and more a signal.

import { readFile } from 'node:fs/promises';
import { optionsOf, readArguments, UsageError, type Command } from './command.ts';
import { commands } from './commands.ts';
import { commandNamed, helpOf, overview, usageLine } from './help.ts';
import { hintFor } from './hints.ts';
import { printable } from './terminal.ts';

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** What an interrupted command gets to tidy up in. */
const GRACE_MILLISECONDS = 500;

/** Runs a command. `args` are those after the program's name. */
export async function runCommand(args: string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) {
    process.stderr.write(overview(commands));
    return 2;
  }
  if (name === '--help' || name === '-h') return runCommand(['help', ...rest]);
  if (name === '--version') {
    process.stdout.write(`${await version()}\n`);
    return 0;
  }
  try {
    return await runInterruptibly(commandNamed(name, commands), rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`longformer-wasm: ${printable(error.message)}\nlongformer-wasm help lists the commands.\n`);
    return 2;
  }
}

async function runInterruptibly(command: Command, args: string[]): Promise<number> {
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
    const { values, operands } = readArguments(args, optionsOf(command));
    if (values['help']) process.stdout.write(helpOf(command));
    else if (command.operands === 'none' && operands.length > 0) {
      throw new UsageError(`no arguments are taken but options, got ${JSON.stringify(operands[0])}`);
    } else await command.run({ values: values as never, operands, signal: controller.signal });
    return interrupted;
  } catch (error) {
    if (interrupted > 0) return interrupted;
    return report(error as Error, command, args.includes('--verbose'));
  } finally {
    stopListening();
    process.stdout.off('error', endQuietly);
  }
}

/** An error becomes a line, a line of what to do, and an exit code. */
function report(error: Error, command: Command, isVerbose: boolean): number {
  const isUsage = error instanceof UsageError;
  const lines = [`longformer-wasm ${command.name}: ${printable(error.message)}`];
  if (isUsage) lines.push(usageLine(command), `longformer-wasm ${command.name} --help says more.`);
  else {
    const hint = hintFor(error, command);
    if (hint !== null) lines.push(`  ${hint}`);
    if (isVerbose) lines.push(...stackOf(error));
  }
  process.stderr.write(`${lines.join('\n')}\n`);
  return isUsage ? 2 : 1;
}

/** Where an error comes from, and the errors behind it. */
function stackOf(error: Error): string[] {
  const { stack = '', cause } = error;
  return [printable(stack), ...(cause instanceof Error ? ['caused by', ...stackOf(cause)] : [])];
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
