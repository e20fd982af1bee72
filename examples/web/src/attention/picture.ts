// Who looks at whom, as in the paper's figure 2: a row for each token, a column for each that it may
// look at. Few tokens are drawn as cells to count, many as they are: to scale.

export interface Pattern {
  seqLen: number;
  oneSidedWindow: number;
  dilation: number;
  /** No token looks ahead. */
  causal: boolean;
  /** The first token looks at all, and all look at it. */
  hasGlobal: boolean;
}

/** More are too small for cells. */
const MOST_CELLS = 40;

export function drawPattern(canvas: HTMLCanvasElement, pattern: Pattern): void {
  const { seqLen, oneSidedWindow, dilation, causal, hasGlobal } = pattern;
  const side = canvas.clientWidth;
  canvas.width = canvas.height = side * devicePixelRatio;
  const context = canvas.getContext('2d')!;
  const style = getComputedStyle(canvas);
  const [line, window, itself, global] = ['--line', '--window', '--itself', '--global'].map((name) => style.getPropertyValue(name)) as [string, string, string, string];
  const cell = side / seqLen;
  context.scale(devicePixelRatio, devicePixelRatio);
  if (seqLen <= MOST_CELLS) {
    const gap = cell > 8 ? 1.5 : 0.75;
    for (let row = 0; row < seqLen; row++) {
      for (let column = 0; column < seqLen; column++) {
        const distance = Math.abs(row - column);
        const isSeen = distance % dilation === 0 && distance / dilation <= oneSidedWindow;
        const colour = distance === 0 ? itself
          : causal && column > row ? null
          : hasGlobal && (row === 0 || column === 0) ? global
          : isSeen ? window : null;
        context.fillStyle = colour ?? line;
        context.globalAlpha = colour === null ? 0.6 : 1;
        context.fillRect(column * cell, row * cell, cell - gap, cell - gap);
      }
    }
    return;
  }
  context.fillStyle = line;
  context.globalAlpha = 0.5;
  context.fillRect(0, 0, side, side);
  const back = Math.max(oneSidedWindow * dilation * cell, 0.6); // a line thinner than that is not seen
  const ahead = causal ? 0 : back;
  context.fillStyle = window;
  context.globalAlpha = dilation > 1 ? 0.6 : 1;
  context.beginPath();
  for (const [x, y] of [[0, 0], [ahead, 0], [side, side - ahead], [side, side], [side - back, side], [0, back]] as const) context.lineTo(x, y);
  context.fill();
  context.globalAlpha = 1;
  context.fillStyle = global;
  const thick = Math.max(cell, 1.5);
  if (!hasGlobal) return;
  if (!causal) context.fillRect(0, 0, side, thick);
  context.fillRect(0, 0, thick, side);
}

/** Pairs of tokens that are looked at, of `seqLen²` that there are. */
export function pairsOf({ seqLen, oneSidedWindow, dilation, causal, hasGlobal }: Pattern): number {
  const inWindow = Math.min(oneSidedWindow, Math.floor((seqLen - 1) / dilation)); // of the first token: no window is longer than the text
  let pairs = hasGlobal ? seqLen - 1 - inWindow : 0;
  for (let step = 1; step <= inWindow; step++) pairs += seqLen - step * dilation;
  return seqLen + (causal ? 1 : 2) * pairs;
}
