// Numbers as people read them.

/** `33,236`. By hand: the first `Intl.NumberFormat` of a page takes as long as all else that it starts with. */
export const count = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** `1 passage`, `2 passages` */
export const counted = (value: number, thing: string): string => `${count(value)} ${thing}${value === 1 ? '' : 's'}`;

export function bytes(value: number): string {
  return value < 2 ** 20 ? `${count(value / 2 ** 10)} KiB` : value < 2 ** 30 ? `${count(value / 2 ** 20)} MiB` : `${(value / 2 ** 30).toFixed(1)} GiB`;
}

export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 1) return `${count(milliseconds)} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  return seconds < 90 ? `${count(seconds)} s` : `${count(seconds / 60)} min`;
}

/** Words of a text, as a word processor counts them. Not by a split: a long text would be a long list. */
export function wordsOf(text: string): number {
  let words = 0;
  let isInside = false;
  for (let i = 0; i < text.length; i++) {
    const isSpace = text.charCodeAt(i) <= 32;
    if (!isSpace && !isInside) words++;
    isInside = !isSpace;
  }
  return words;
}
