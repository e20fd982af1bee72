// Which of a few words a misspelled one was meant to be.

/** More wrong letters than this, or than a third of the word, and it was meant to be something else. */
const MOST_WRONG = 3;

/** `: did you mean search?`, or nothing where none is near. */
export function didYouMean(word: string, known: readonly string[], prefix = ''): string {
  const near = known.map((one) => ({ one, wrong: isBeginning(word, one) ? 1 : distance(word, one) }))
    .filter(({ one, wrong }) => wrong <= Math.min(MOST_WRONG, Math.max(1, Math.ceil(one.length / 3))))
    .sort((a, b) => a.wrong - b.wrong);
  const best = near.filter(({ wrong }) => wrong === near[0]!.wrong).slice(0, 3).map(({ one }) => prefix + one);
  return best.length === 0 ? '' : `: did you mean ${best.join(' or ')}?`;
}

function isBeginning(word: string, whole: string): boolean {
  return word.length >= 3 && whole.startsWith(word);
}

/** Letters to change, insert, leave out or swap with their neighbour: Damerau and Levenshtein's. */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= Math.min(a.length, 64); i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      row[j] = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, rows[i - 2]![j - 2]! + 1);
    }
    rows.push(row);
  }
  return rows.at(-1)![b.length]!;
}
