// `longformer-wasm help`, and what `--help` prints: of the program, and of a command by its table of options.

import { command, GENERAL_OPTIONS, UsageError, type Command } from './command.ts';
import { JSON_OPTION, MODEL_OPTIONS } from './model-options.ts';
import { didYouMean } from './nearest.ts';
import type { Option, Options } from './option.ts';
import { wrap } from './terminal.ts';

/** Columns; help looks the same in a pipe. */
const WIDTH = 96;

/** Options of this many columns stand beside what they do; longer ones above it. */
const WIDEST = 28;

const EXIT_CODES = 'Exit codes: 0 good, 1 failed, 2 wrong usage, 130 interrupted.';

/** The command. `commands`: all that there are, itself included. */
export function helpCommand(commands: () => readonly Command[]): Command {
  return command({
    name: 'help',
    summary: 'says all about a command, with examples',
    synopsis: '[COMMAND]',
    about: '',
    options: {},
    examples: [['help', 'what commands there are'], ['help search', 'all about one']],
    get operands() {
      return commands().map(({ name }) => name);
    },
    async run({ operands }) {
      if (operands.length > 1) throw new UsageError(`one COMMAND may be given, got ${operands.length}`);
      const [name] = operands;
      process.stdout.write(name === undefined ? overview(commands()) : helpOf(commandNamed(name, commands())));
    },
  });
}

/** Throws `UsageError` where there is none, with the one that may be meant. */
export function commandNamed(name: string, commands: readonly Command[]): Command {
  const found = commands.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new UsageError(`there is no command ${JSON.stringify(name)}${didYouMean(name, commands.map((one) => one.name))}`);
}

/** Of the program. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return `Long documents read by a transformer: a Longformer in WebAssembly.

Usage: longformer-wasm <command> [options]

${commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

longformer-wasm help <command> says all about one, with examples. For a start:

  longformer-wasm info
  longformer-wasm search --model MODEL 'How do I stop a worker?' docs

${EXIT_CODES}
`;
}

/** One line. */
export function usageLine({ name, synopsis }: Command): string {
  return `Usage: longformer-wasm ${name}${synopsis === '' ? '' : ` ${synopsis}`}`;
}

/** Of a command. */
export function helpOf(command: Command): string {
  const { name, summary, about, options, examples } = command;
  return [
    usageLine(command),
    '',
    ...wrap(`${name} ${summary}.`, WIDTH),
    ...(about === '' ? [] : ['', ...paragraphs(about)]),
    ...groupsOf(options).flatMap(([title, group]) => ['', `${title}:`, ...lines(group)]),
    '',
    'Examples:',
    ...examples.flatMap(([line, what]) => ['', ...wrap(what, WIDTH - 2).map((part) => `  # ${part}`), `  longformer-wasm ${line}`]),
    '',
    EXIT_CODES,
    '',
  ].join('\n');
}

function paragraphs(about: string): string[] {
  return about.split('\n').flatMap((line) => wrap(line, WIDTH));
}

/** The command's own options first, then those that many commands share. */
function groupsOf(options: Options): [title: string, group: Options][] {
  const isOf = (shared: Options) => ([name, option]: [string, Option<unknown>]): boolean => shared[name] === option;
  const entries = Object.entries(options);
  const [inModel, inJson] = [isOf(MODEL_OPTIONS), isOf(JSON_OPTION)];
  const own = entries.filter((entry) => !inModel(entry) && !inJson(entry));
  const groups: [string, [string, Option<unknown>][]][] = [
    ['Options', own],
    ['Model and engine', entries.filter(inModel)],
    ['General', [...entries.filter(inJson), ...Object.entries(GENERAL_OPTIONS)]],
  ];
  return groups.filter(([, group]) => group.length > 0).map(([title, group]) => [title, Object.fromEntries(group)]);
}

function lines(options: Options): string[] {
  const rows = Object.entries(options).map(([name, option]) => [nameOf(name, option), aboutOf(option)] as const);
  const width = Math.min(WIDEST, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, about]) => {
    const [first = '', ...rest] = wrap(about, WIDTH - width - 2);
    const beside = name.length <= width ? [`${name.padEnd(width)}  ${first}`] : [name, `${' '.repeat(width)}  ${first}`];
    return [...beside, ...rest.map((part) => `${' '.repeat(width)}  ${part}`)];
  });
}

/** `  -m, --model MODEL` */
function nameOf(name: string, { short, value }: Option<unknown>): string {
  return `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value === null ? '' : ` ${value}`}`;
}

function aboutOf({ about, choices, preset, isList }: Option<unknown>): string {
  const values = choices === undefined ? '' : `: ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return `${about}${values}${isList ? ', more than once for several' : ''}${preset === undefined ? '' : ` (default: ${preset})`}`;
}
