// Where a model may come from: the server of the page, a folder of the reader's, the Hugging Face Hub.

import type { FileSource } from 'longformer-wasm';
import { forgetFolder, keptFolder, type FetchOptions } from './kept-files';
import { remember, remembered } from './remembered';

/** A model that can be chosen. */
export interface Choice {
  label: string;
  isOfHub?: boolean;
  /** What the library loads it from. */
  open(options: FetchOptions): string | FileSource;
  /** Lets go of what the page keeps of it. */
  forget?(): Promise<void>;
}

/** Those that the page's own server has. Kept, so that they can be chosen without a network too. */
export async function servedChoices(): Promise<Choice[]> {
  const names = await namesOnServer();
  return names.map((name) => {
    const folder = new URL(`models/${name}/`, location.href);
    return { label: name, open: (options) => keptFolder(folder, options), forget: () => forgetFolder(folder) };
  });
}

async function namesOnServer(): Promise<string[]> {
  try {
    const reply = await fetch('models.json');
    const names: unknown = reply.ok ? await reply.json() : [];
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return [];
    remember('served models', names);
    return names;
  } catch {
    return remembered('served models');
  }
}

const HUB = 'models of the Hub';

/** Models of the Hub that were used before. */
export const hubChoices = (): Choice[] => remembered(HUB).map(hubChoice);

export function rememberHubChoice(id: string): void {
  remember(HUB, [...new Set([...remembered(HUB), id])]);
}

export function hubChoice(id: string): Choice {
  return { label: id, isOfHub: true, open: () => id }; // the library keeps what it fetches in the Cache API
}

/** Files that were dropped or chosen together, one of which is the config.json of a model. */
export function folderChoice(files: readonly File[]): Choice {
  const config = files.find(({ name }) => name === 'config.json');
  if (config === undefined) throw new Error('A model is a folder with a config.json, its weights and its tokenizer.');
  const folder = pathOf(config).slice(0, -'config.json'.length);
  const byName = new Map(files.filter((file) => pathOf(file).startsWith(folder)).map((file) => [pathOf(file).slice(folder.length), file]));
  const name = folder.split('/').at(-2);
  const label = name === undefined ? 'model from files' : `${name} from a folder`; // a served one may have the same name
  return { label, open: () => ({ open: async (name) => byName.get(name) ?? null }) };
}

const pathOf = (file: File): string => file.webkitRelativePath || file.name;
