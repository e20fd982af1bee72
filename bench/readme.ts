// The sections of README.md that are written by `npm run bench`, each between its markers.

/** What results look like to a reader. */
export interface Section {
  markdown: string;
  /** By their names in bench/plots. */
  plots: Record<string, string>;
}

/** `readme` with `markdown` between the markers of `name`. */
export function withSection(readme: string, name: string, markdown: string): string {
  const markers = [`<!-- bench:${name}, written by npm run bench -->`, `<!-- /bench:${name} -->`] as const;
  const [start, end] = markers.map((marker) => readme.indexOf(marker)) as [number, number];
  if (start < 0 || end < start) throw new Error(`README.md must have ${markers.join(' and ')}`);
  return `${readme.slice(0, start + markers[0].length)}\n\n${markdown}\n\n${readme.slice(end)}`;
}
