// A binary heap of numbers, the smallest first.

export class Heap {
  private readonly entries: number[] = [];

  get size(): number {
    return this.entries.length;
  }

  push(entry: number): void {
    const entries = this.entries;
    let i = entries.push(entry) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (entries[parent]! <= entry) break;
      entries[i] = entries[parent]!;
      i = parent;
    }
    entries[i] = entry;
  }

  /** Takes the smallest out; there must be one. */
  pop(): number {
    const entries = this.entries;
    const smallest = entries[0]!;
    const last = entries.pop()!;
    if (entries.length > 0) this.sink(last);
    return smallest;
  }

  /** Puts `entry` in place of the root, and as deep as it belongs. */
  private sink(entry: number): void {
    const entries = this.entries;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && entries[child + 1]! < entries[child]!) child++;
      if (entries[child]! >= entry) break;
      entries[i] = entries[child]!;
      i = child;
    }
    entries[i] = entry;
  }
}
