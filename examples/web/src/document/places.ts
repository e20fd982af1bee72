// Between places in the text that the model reads and places on the page.

import type { Flow, Piece } from './flow';

/** The part of the page that shows `text.slice(start, end)`, or null where nothing of it is shown. It costs nothing while the page changes. */
export function rangeOf({ pieces }: Flow, start: number, end: number): StaticRange | null {
  const first = pieces[firstEndingAfter(pieces, start)];
  let lastIndex = firstEndingAfter(pieces, end - 1);
  if (lastIndex === pieces.length || pieces[lastIndex]!.start >= end) lastIndex--; // the end is one of the marks between pieces
  const last = pieces[lastIndex];
  if (first === undefined || last === undefined || first.start > last.start) return null;
  return new StaticRange({
    startContainer: first.node, startOffset: Math.max(start - first.start, 0),
    endContainer: last.node, endOffset: Math.min(end - last.start, last.node.length),
  });
}

/** Where in the text a character of the page stands, or null where it is none of the document's. */
export function offsetOf({ pieces }: Flow, node: Node, offset: number): number | null {
  if (node.nodeType !== Node.TEXT_NODE) return null;
  // Pieces are in the order of the page.
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { node: other } = pieces[middle]!;
    if (other === node) return pieces[middle]!.start + offset;
    if (other.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING) low = middle + 1;
    else high = middle;
  }
  return null;
}

function firstEndingAfter(pieces: readonly Piece[], offset: number): number {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const { node, start } = pieces[middle]!;
    if (start + node.length > offset) high = middle;
    else low = middle + 1;
  }
  return low;
}
