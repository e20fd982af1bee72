// Small things that outlast a visit. A browser that keeps nothing, as in some private windows, keeps nothing.

const PREFIX = 'longformer: ';
const KEY = (name: string): string => PREFIX + name;

/** Texts that were remembered under that name. */
export function remembered(name: string): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY(name)) ?? '[]');
    return Array.isArray(list) ? list.filter((text) => typeof text === 'string') : [];
  } catch {
    return [];
  }
}

export function remember(name: string, texts: readonly string[]): void {
  try {
    localStorage.setItem(KEY(name), JSON.stringify(texts));
  } catch {
    // it is asked for again
  }
}

export function forgetRemembered(): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
  } catch {
    // nothing was kept
  }
}
