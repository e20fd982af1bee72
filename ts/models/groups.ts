// Sequences that go through the layers side by side, their rows one after another.

type Ids = { readonly inputIds: Uint32Array };

/** Consecutive sequences, as many as fit together; one that is too long by itself goes alone. */
export function groupByTokens<S extends Ids>(sequences: readonly S[], maxTokens: number): S[][] {
  const groups: S[][] = [];
  let tokens = 0;
  for (const sequence of sequences) {
    tokens += sequence.inputIds.length;
    if (groups.length === 0 || tokens > maxTokens) {
      groups.push([]);
      tokens = sequence.inputIds.length;
    }
    groups.at(-1)!.push(sequence);
  }
  return groups;
}

/** Where each sequence begins among the rows of its group. */
export function startsOf(group: readonly Ids[]): number[] {
  let next = 0;
  return group.map(({ inputIds }) => {
    const start = next;
    next += inputIds.length;
    return start;
  });
}

export function concatenate(arrays: readonly Uint32Array[]): Uint32Array {
  if (arrays.length === 1) return arrays[0]!;
  const whole = new Uint32Array(arrays.reduce((length, array) => length + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    whole.set(array, at);
    at += array.length;
  }
  return whole;
}
