// Columns that line up.

import { widthOf } from './terminal.ts';

/** Rows of cells in columns: the first to the left, numbers behind it to the right, as `align` says: `<` or `>` for each. */
export function table(rows: readonly (readonly string[])[], align: string): string[] {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, shownWidth(cell))), []);
  return rows.map((row) => row.map((cell, i) => {
    const space = ' '.repeat(widths[i]! - shownWidth(cell));
    return align[i] === '>' ? space + cell : cell + space;
  }).join('  ').trimEnd());
}

/** Styles take no room. */
function shownWidth(cell: string): number {
  return widthOf(cell.replace(/\x1b\[[\d;]*m/g, ''));
}
