// The modules of Node's that the package uses, which Deno and Bun have as well.
//
// They are asked of the process, not imported: so one set of files loads everywhere, and no bundler
// for browsers meets an import that it cannot resolve.

interface Modules {
  'node:crypto': typeof import('node:crypto');
  'node:fs/promises': typeof import('node:fs/promises');
  'node:os': typeof import('node:os');
  'node:path': typeof import('node:path');
  'node:url': typeof import('node:url');
  'node:v8': typeof import('node:v8');
  'node:worker_threads': typeof import('node:worker_threads');
}

/** A module, or undefined where there is none, as in browsers. */
export function builtin<Name extends keyof Modules>(name: Name): Modules[Name] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) as Modules[Name] | undefined;
}

/** Whether there is a file system: what needs one is not to be reached elsewhere. */
export const hasFileSystem = builtin('node:fs/promises') !== undefined;

// For files that need a file system anyway: undefined elsewhere, whatever the types say.
export const fs = builtin('node:fs/promises')!;
export const paths = builtin('node:path')!;
