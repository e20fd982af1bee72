// `longformer-wasm completion`: scripts for shells, made of the tables that parsing and help come from.

import { command, optionsOf, UsageError, type Command } from './command.ts';
import { didYouMean } from './nearest.ts';
import type { Option } from './option.ts';

const PROGRAM = 'longformer-wasm';

const SHELLS = { bash, zsh, fish } as const;
const NAMES = Object.keys(SHELLS) as (keyof typeof SHELLS)[];

/** The command. `commands`: all that there are, itself included. */
export function completionCommand(commands: () => readonly Command[]): Command {
  return command({
    name: 'completion',
    summary: 'prints a script that completes commands and options in your shell',
    synopsis: NAMES.join('|'),
    about: '',
    options: {},
    examples: [
      ["completion bash > ~/.local/share/bash-completion/completions/longformer-wasm", 'bash, for every shell that starts from now on'],
      ['completion zsh > ~/.zfunc/_longformer-wasm', 'zsh, where ~/.zfunc is in fpath before compinit runs'],
      ['completion fish > ~/.config/fish/completions/longformer-wasm.fish', 'fish'],
    ],
    operands: NAMES,
    async run({ operands }) {
      const [shell = ''] = operands;
      if (operands.length !== 1) throw new UsageError(`one shell must be given, ${NAMES.join(', ')}, got ${operands.length}`);
      const name = NAMES.find((one) => one === shell);
      if (name === undefined) throw new UsageError(`there is no completion for ${JSON.stringify(shell)}, only for ${NAMES.join(', ')}${didYouMean(shell, NAMES)}`);
      process.stdout.write(SHELLS[name](commands()));
    },
  });
}

/** The words that may follow a command besides options. */
function wordsOf({ operands }: Command): readonly string[] {
  return typeof operands === 'string' ? [] : operands;
}

const isFileName = ({ names, choices }: Option<unknown>): boolean => names !== undefined && choices === undefined;

function longAndShort(name: string, { short }: Option<unknown>): string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
}

// ---------------------------------------------------------------------------- bash

function bash(commands: readonly Command[]): string {
  const values = new Map<string, Set<string>>(); // what to do behind an option, and of which commands
  for (const one of commands) {
    for (const [name, option] of Object.entries(optionsOf(one))) {
      if (option.value === null) continue;
      const reply = option.choices !== undefined ? `COMPREPLY=($(compgen -W ${quote(option.choices.join(' '))} -- "$word"))`
        : isFileName(option) ? `COMPREPLY=($(compgen -${option.names === 'directory' ? 'd' : 'f'} -- "$word"))` : 'COMPREPLY=()';
      for (const written of longAndShort(name, option)) {
        const key = `${one.name},${written}`;
        values.set(reply, (values.get(reply) ?? new Set()).add(key));
      }
    }
  }
  const cases = [...values].map(([reply, keys]) => `    ${[...keys].join('|')})\n      ${reply}; return ;;`);
  const options = commands.map((one) => `    ${one.name}) options=${quote(Object.entries(optionsOf(one)).flatMap(([name, option]) => longAndShort(name, option)).join(' '))} words=${quote(wordsOf(one).join(' '))} ;;`);
  return `# ${PROGRAM} in bash
_longformer_wasm() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" options='' words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quote([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} -- "$word"))
    return
  fi
  case "$command,$before" in
${cases.join('\n')}
  esac
  case "$command" in
${options.join('\n')}
  esac
  if [ "\${word#-}" != "$word" ]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  elif [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _longformer_wasm ${PROGRAM}
`;
}

// ---------------------------------------------------------------------------- zsh

function zsh(commands: readonly Command[]): string {
  const list = commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`);
  const cases = commands.map((one) => `    ${one.name}) _arguments -S \\\n${[...zshOptions(one), zshOperands(one)].map((spec) => `      ${spec}`).join(' \\\n')} ;;`);
  return `#compdef ${PROGRAM}
_longformer_wasm() {
  local -a commands
  commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$name" in
${cases.join('\n')}
  esac
}
if [ "$funcstack[1]" = _longformer-wasm ]; then
  _longformer_wasm "$@"
else
  compdef _longformer_wasm ${PROGRAM}
fi
`;
}

function zshOptions(one: Command): string[] {
  return Object.entries(optionsOf(one)).flatMap(([name, option]) => longAndShort(name, option).map((written) => {
    const about = `[${option.about.replace(/[[\]:\\]/g, '\\$&')}]`;
    const action = option.choices !== undefined ? `(${option.choices.join(' ')})` : option.names === 'directory' ? '_files -/' : isFileName(option) ? '_files' : ' ';
    return quote(`${option.isList ? '*' : ''}${written}${about}${option.value === null ? '' : `:${option.value}:${action}`}`);
  }));
}

function zshOperands(one: Command): string {
  const words = wordsOf(one);
  return quote(words.length > 0 ? `*:word:(${words.join(' ')})` : one.operands === 'none' ? '*: : ' : '*:file:_files');
}

// ---------------------------------------------------------------------------- fish

function fish(commands: readonly Command[]): string {
  const lines = [`# ${PROGRAM} in fish`, `complete -c ${PROGRAM} -n __fish_use_subcommand -f`];
  for (const one of commands) {
    lines.push(`complete -c ${PROGRAM} -n __fish_use_subcommand -a ${one.name} -d ${fishQuote(one.summary)}`);
    const seen = `-n ${fishQuote(`__fish_seen_subcommand_from ${one.name}`)}`;
    if (wordsOf(one).length > 0) lines.push(`complete -c ${PROGRAM} ${seen} -f -a ${fishQuote(wordsOf(one).join(' '))}`);
    else if (one.operands === 'none') lines.push(`complete -c ${PROGRAM} ${seen} -f`);
    for (const [name, { value, about, short, choices, names }] of Object.entries(optionsOf(one))) {
      const takes = value === null ? '' : choices !== undefined ? ` -x -a ${fishQuote(choices.join(' '))}`
        : names === 'directory' ? " -x -a '(__fish_complete_directories)'" : names === 'file' ? ' -r -F' : ' -x';
      lines.push(`complete -c ${PROGRAM} ${seen} -l ${name}${short === undefined ? '' : ` -s ${short}`}${takes} -d ${fishQuote(about)}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

// ---------------------------------------------------------------------------- quoting

/** For bash and zsh. */
function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function fishQuote(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
