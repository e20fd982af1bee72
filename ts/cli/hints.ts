// What to do about an error: one line that follows its message, for the errors that have one.

import { LongformerError } from '../errors.ts';
import type { Command } from './command.ts';

/** Null where the message says all. */
export function hintFor(error: unknown, { name, options }: Pick<Command, 'name' | 'options'>): string | null {
  if (!(error instanceof LongformerError)) return 'this should not happen: --verbose says where it comes from, and a report of it is welcome';
  const has = (option: string): boolean => Object.hasOwn(options, option);
  const { code, message } = error;
  switch (code) {
    case 'DOWNLOAD':
      return /\b40[13]\b/.test(message) ? 'HF_TOKEN opens gated and private repositories, as does hf auth login' : 'is the network there? --offline takes what is in the cache';
    case 'OUT_OF_MEMORY':
      return `longformer-wasm plan shows what a length takes${has('dtype') ? '; --dtype int8 needs less' : ''}${has('max-memory') ? ', --max-memory allows more, up to 4GiB' : ''}`;
    case 'ENGINE_DEAD':
      return 'this should not happen: --verbose says where it comes from, --threads 1 may help';
    case 'NOT_FOUND':
      if (/must be in the cache/.test(message)) return 'without --offline it is fetched';
      if (/no directory, and no id/.test(message)) return 'a model is a folder with a config.json, or an id of the Hugging Face Hub such as allenai/longformer-base-4096';
      if (/must be a file, a directory or a pattern/.test(message) && has('text')) return `--text ${JSON.stringify(error.subject)} where that is the text itself`;
      return null;
    case 'BAD_FILE':
      if (/convert the checkpoint/.test(message)) return 'longformer-wasm convert SOURCE TARGET makes a Longformer of it';
      return null;
    case 'BAD_INPUT':
      if (/at most .* tokens/.test(message) && has('overflow')) return '--overflow window reads all of it in parts, --overflow truncate its beginning';
      if (/must be a new or an empty directory/.test(message)) return `longformer-wasm ${name} writes into a folder of its own`;
      return null;
  }
}
