// What the environment says about the Hub, by the names and rules of Python's huggingface_hub. Needs
// a file system: reached by `import()` only.

import { LongformerError } from '../../errors.ts';
import { builtin, fs, paths } from '../../platform/node.ts';
import { quoted } from '../../quoted.ts';
import { HUB, type Hub } from './hub.ts';

interface HubSettings extends Hub {
  readonly cacheDir: string;
  /** HF_HUB_OFFLINE. */
  readonly offline: boolean;
  /** False: files of the cache are no links, HF_HUB_DISABLE_SYMLINKS. */
  readonly symlinks: boolean;
}

/** Read anew for each source, so that a program may set it. Rejects with `BAD_INPUT` for what cannot be used. */
export async function readHubSettings(): Promise<HubSettings> {
  const home = path('HF_HOME') ?? paths.join(path('XDG_CACHE_HOME') ?? paths.join(builtin('node:os')!.homedir(), '.cache'), 'huggingface');
  return {
    endpoint: endpoint(),
    token: isTrue('HF_HUB_DISABLE_IMPLICIT_TOKEN') ? null : await token(path('HF_TOKEN_PATH') ?? paths.join(home, 'token')),
    cacheDir: paths.resolve(path('HF_HUB_CACHE') ?? path('HUGGINGFACE_HUB_CACHE') ?? paths.join(home, 'hub')),
    offline: isTrue('HF_HUB_OFFLINE') || isTrue('TRANSFORMERS_OFFLINE'),
    symlinks: !isTrue('HF_HUB_DISABLE_SYMLINKS'),
  };
}

function endpoint(): string {
  const value = variable('HF_ENDPOINT') ?? HUB;
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '' || url.hash !== '') {
    throw new LongformerError('BAD_INPUT', 'HF_ENDPOINT', `must be an address such as ${HUB}, is ${quoted(value)}`);
  }
  return url.href.replace(/\/+$/, '');
}

async function token(file: string): Promise<string | null> {
  const given = variable('HF_TOKEN') ?? variable('HUGGING_FACE_HUB_TOKEN') ?? await fs.readFile(file, 'utf8').catch(() => '');
  const trimmed = given.trim();
  if (trimmed === '') return null;
  // A message must not show it.
  if (!/^[\x21-\x7e]+$/.test(trimmed)) throw new LongformerError('BAD_INPUT', 'the token of the Hub', 'must be one word of plain characters');
  return trimmed;
}

function isTrue(name: string): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((variable(name) ?? '').toUpperCase());
}

function path(name: string): string | null {
  return variable(name)
    ?.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole: string, bare?: string, braced?: string) => process.env[(bare ?? braced)!] ?? whole)
    .replace(/^~(?=$|[\\/])/, builtin('node:os')!.homedir()) ?? null;
}

/** Undefined also where it is empty. */
function variable(name: string): string | undefined {
  return process.env[name]?.trim() || undefined;
}
