// From what stands on a command line to files: paths, directories and patterns.

import { readdir, stat } from 'node:fs/promises';
import { LongformerError } from '../errors.ts';

/** What is taken for text in a directory. A file that is named is taken whatever its name. */
const TEXT_NAME = /\.(md|markdown|mdx|txt|text|rst|adoc|org|tex|x?html?|pdf)$/i;

/** Not the user's own texts. */
const SKIPPED_DIRECTORIES = new Set(['node_modules', '__pycache__']);

/** What a directory holds besides the files that are taken. */
export interface LeftOut {
  directory: string;
  /** Files and directories whose names begin with a dot. */
  hidden: number;
  /** Files whose names are no text's. */
  others: number;
}

/**
 * The files that the arguments name, in their order, each once. A directory stands for the text
 * files in and below it, a pattern (`*`, `**`, `?`, `[a-z]`, `{a,b}`) for all files that match;
 * both leave out what begins with a dot, and `onLeftOut` hears of what a directory has besides. Rejects with `NOT_FOUND` for an argument that names nothing.
 */
export async function expandPaths(args: readonly string[], onLeftOut: (leftOut: LeftOut) => void = () => {}): Promise<string[]> {
  const paths = new Set<string>();
  for (const arg of args) for (const path of await expand(arg, onLeftOut)) paths.add(path);
  return [...paths];
}

async function expand(arg: string, onLeftOut: (leftOut: LeftOut) => void): Promise<string[]> {
  if (arg === '-') return [arg];
  const found = await stat(arg).catch(() => null);
  if (found !== null && !found.isDirectory()) return [arg];
  if (found !== null) {
    let hidden = 0;
    const files = await filesBelow(arg, (name) => !SKIPPED_DIRECTORIES.has(name), (count) => (hidden += count));
    const texts = files.filter((path) => TEXT_NAME.test(path));
    const others = files.length - texts.length;
    if (hidden + others > 0) onLeftOut({ directory: arg, hidden, others });
    if (texts.length === 0) throw new LongformerError('NOT_FOUND', arg, 'must hold a text file (.md, .txt, .html, .pdf and the like), holds none');
    return texts;
  }
  if (!/[*?[{]/.test(arg)) throw new LongformerError('NOT_FOUND', arg, 'must be a file, a directory or a pattern, is none');
  const matching = await filesMatching(arg);
  if (matching.length === 0) throw new LongformerError('NOT_FOUND', arg, 'must match a file, matches none');
  return matching;
}

async function filesMatching(pattern: string): Promise<string[]> {
  const parts = pattern.split('/');
  const fixed = parts.findIndex((part) => /[*?[{]/.test(part));
  const directory = fixed === 0 ? '.' : parts.slice(0, fixed).join('/') || '/';
  const prefix = fixed === 0 ? '' : `${parts.slice(0, fixed).join('/')}/`;
  const expression = patternToRegExp(parts.slice(fixed).join('/'));
  const files = await filesBelow(directory, () => true).catch(() => []);
  const offset = directory === '.' ? 0 : prefix.length;
  return files.filter((path) => expression.test(path.slice(offset)));
}

function patternToRegExp(pattern: string): RegExp {
  let depth = 0; // of braces: outside of them a comma is a comma
  const source = pattern.replace(/\*\*\/|\*\*|[*?{},]|\[[^\]/]+\]|[^*?{},[]+|\[/g, (part) => {
    switch (part) {
      case '**/': return '(?:.*/)?';
      case '**': return '.*';
      case '*': return '[^/]*';
      case '?': return '[^/]';
      case '{': depth++; return '(?:';
      case '}': return depth > 0 && depth-- ? ')' : '\\}';
      case ',': return depth > 0 ? '|' : ',';
      default: return part.length > 1 && part.startsWith('[') ? part.replace(/^\[!/, '[^') : part.replace(/[\\^$.|+()[\]]/g, '\\$&');
    }
  });
  try {
    return new RegExp(`^(?:${source})$`, 'u');
  } catch {
    throw new LongformerError('BAD_INPUT', pattern, 'must be a pattern of *, **, ?, [a-z] and {a,b}');
  }
}

/** Sorted by name, a directory's files before those of its directories. Links to directories are not followed. */
async function filesBelow(directory: string, enter: (name: string) => boolean, onHidden: (count: number) => void = () => {}): Promise<string[]> {
  const all = await readdir(directory, { withFileTypes: true });
  const entries = all.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  onHidden(all.length - entries.length);
  const at = (name: string): string => (directory === '.' ? name : `${directory.replace(/\/$/, '')}/${name}`);
  const files: string[] = [];
  for (const entry of entries) {
    const isFile = entry.isFile() || (entry.isSymbolicLink() && await stat(at(entry.name)).then((found) => found.isFile(), () => false));
    if (isFile) files.push(at(entry.name));
  }
  for (const entry of entries) {
    if (!entry.isDirectory() || !enter(entry.name)) continue;
    for (const file of await filesBelow(at(entry.name), enter, onHidden)) files.push(file); // as arguments they might be too many
  }
  return files;
}
