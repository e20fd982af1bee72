// Attention as text: the tokens that get most as a list, and on a terminal with colours the document
// itself, each token on a background as strong as its weight.

import { seenKeys, shownParts, strengthsOf, wordOf, type AttentionView, type SeenKey } from './attention-view.ts';
import { count, paintsFor, plural, printable, stylesFor, widthOf, type Terminal } from './terminal.ts';

/** UTF-16 units of text on either side of a token in the list. */
const CONTEXT = 24;

/** What is printed. `top`: tokens in the list. */
export function attentionText(view: AttentionView, top: number, terminal: Terminal): string {
  const { query, rows, encoding, layer, globalTokens } = view;
  const { head, weights } = rows[0]!;
  const { bold, dim } = stylesFor(terminal);
  const keys = seenKeys(weights);
  const is = globalTokens.includes(query) ? ', a global token,' : '';
  const heads = head === 'mean' ? 'mean of all heads' : `head ${head}`;
  const lines = [
    `${bold(`Token ${count(query)}, ${quotedWord(wordOf(view, query))}`)}${is} sees ${count(keys.length)} of ${plural(encoding.inputIds.length, 'token')} in layer ${layer}, ${heads}`,
    '',
  ];
  const painted = paintedDocument(view, terminal);
  if (painted !== null) lines.push(painted, '');
  const shown = keys.slice(0, top);
  lines.push(dim(`${'weight'.padStart(8)} ${'token'.padStart(7)} ${'distance'.padStart(9)}`));
  for (const key of shown) lines.push(listLine(view, key, bold));
  if (keys.length > shown.length) {
    const rest = keys.slice(shown.length).reduce((sum, { weight }) => sum + weight, 0);
    lines.push(dim(`${rest.toFixed(4).padStart(8)} for ${plural(keys.length - shown.length, 'other token')}`));
  }
  return `${lines.join('\n')}\n`;
}

function listLine(view: AttentionView, { position, weight }: SeenKey, bold: (text: string) => string): string {
  const distance = position - view.query;
  const signed = distance > 0 ? `+${count(distance)}` : count(distance);
  const columns = `${weight.toFixed(4).padStart(8)} ${count(position).padStart(7)} ${signed.padStart(9)}`;
  const word = oneLine(wordOf(view, position));
  const marked = bold(word) === word ? `[${word}]` : bold(word);
  if (view.encoding.sequenceIds[position] === null) return `${columns}   ${bold(word)}`; // it has a bracket of its own, or an angle
  const [start, end] = view.encoding.offsets[position]!;
  const before = oneLine(view.text.slice(Math.max(0, start - CONTEXT), start)).trimStart();
  const after = oneLine(view.text.slice(end, end + CONTEXT)).trimEnd();
  return `${columns}   ${before}${marked}${after}`;
}

function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' ')).replace(/\p{Surrogate}/gu, '');
}

function quotedWord(word: string): string {
  return `"${oneLine(word)}"`;
}

/** The parts of the document that are shown, painted, or null where there are no colours. */
function paintedDocument(view: AttentionView, terminal: Terminal): string | null {
  const paints = paintsFor(terminal);
  if (paints === null) return null;
  const { text, encoding, query, rows } = view;
  const { weights } = rows[0]!;
  const strengths = strengthsOf(weights, encoding);
  const { dim } = stylesFor(terminal);
  const paintOf = (position: number): Paint => {
    if (position === query) return paints.mark;
    return weights[position]! > 0 ? (piece) => paints.heat(strengths[position]!, piece) : dim;
  };
  const lines = new Lines(terminal.columns || 80);
  const leaveOut = (tokens: number): void => {
    if (tokens > 0) lines.alone(`... ${plural(tokens, 'token')} out of sight ...`, dim);
  };
  let next = 0; // the first token that is neither shown nor left out
  for (const [start, end] of shownParts(view)) {
    leaveOut(start - next);
    let at: number | null = null; // where the text goes on
    for (let position = start; position < end; position++) {
      if (encoding.sequenceIds[position] === null) {
        lines.add(`${position > start ? ' ' : ''}${printable(wordOf(view, position))} `, paintOf(position));
        continue;
      }
      const [from, to] = encoding.offsets[position]!;
      at ??= from;
      lines.add(printable(text.slice(at, Math.max(at, from))), dim);
      lines.add(printable(text.slice(Math.max(at, from), to)), paintOf(position)); // parts of one character share its place
      at = Math.max(at, to);
    }
    next = end;
  }
  leaveOut(encoding.inputIds.length - next);
  return lines.end();
}

type Paint = (piece: string) => string;

/** Painted text in lines that fit: divided at white space, which itself is not painted. */
class Lines {
  readonly #columns: number;
  readonly #lines: string[] = [];
  #line = '';
  #width = 0; // of the line
  #word: [piece: string, paint: Paint][] = []; // what nothing divides yet
  #space = ''; // in front of it

  constructor(columns: number) {
    this.#columns = columns;
  }

  add(text: string, paint: Paint): void {
    for (const piece of text.match(/\n|[^\S\n]+|\S+/g) ?? []) {
      if (piece === '\n') this.#break();
      else if (piece.trim() === '') {
        this.#flush();
        this.#space += piece;
      } else this.#word.push([piece, paint]);
    }
  }

  /** A line of its own. */
  alone(text: string, paint: Paint): void {
    if (this.#word.length > 0 || this.#line !== '') this.#break();
    this.add(text, paint);
    this.#break();
  }

  end(): string {
    this.#flush();
    return [...this.#lines, this.#line].join('\n').trimEnd();
  }

  #flush(): void {
    if (this.#word.length === 0) return;
    const width = this.#word.reduce((sum, [piece]) => sum + widthOf(piece), 0);
    if (this.#width > 0 && this.#width + this.#space.length + width > this.#columns) this.#push();
    else {
      this.#line += this.#space;
      this.#width += this.#space.length;
    }
    this.#line += this.#word.map(([piece, paint]) => paint(piece)).join('');
    this.#width += width;
    this.#word = [];
    this.#space = '';
  }

  #break(): void {
    this.#flush();
    this.#push();
    this.#space = '';
  }

  #push(): void {
    this.#lines.push(this.#line);
    this.#line = '';
    this.#width = 0;
  }
}
