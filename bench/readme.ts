// The sections of README.md and of guides that are written by `npm run bench`, each between its markers.

/** What results look like to a reader. */
export interface Section {
  /** Names pictures as README.md would. */
  markdown: string;
  /** By their names in bench/plots. */
  plots: Record<string, string>;
}

/** The text of `page`, a path from the root, with `markdown` between the markers of `name`. */
export function withSection(page: string, text: string, name: string, markdown: string): string {
  const markers = [`<!-- bench:${name}, written by npm run bench -->`, `<!-- /bench:${name} -->`] as const;
  const [start, end] = markers.map((marker) => text.indexOf(marker)) as [number, number];
  if (start < 0 || end < start) throw new Error(`${page} must have ${markers.join(' and ')}`);
  const root = '../'.repeat(page.split('/').length - 1);
  return `${text.slice(0, start + markers[0].length)}\n\n${markdown.replaceAll('](bench/', `](${root}bench/`)}\n\n${text.slice(end)}`;
}
