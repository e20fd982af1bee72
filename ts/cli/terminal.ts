// Text for people: numbers, styles, lines that fit.

/** What this needs of `process.stdout` and `process.stderr`. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** `12,345` */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** `1 document`, `2 documents` */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Bold and dim, on a terminal whose user has not set NO_COLOR. */
export function stylesFor(terminal: Terminal): { bold(text: string): string; dim(text: string): string } {
  const plain = isPlain(terminal);
  const style = (code: number) => (text: string): string => (plain ? text : `\x1b[${code}m${text}\x1b[0m`);
  return { bold: style(1), dim: style(2) };
}

function isPlain(terminal: Terminal): boolean {
  return !terminal.isTTY || (process.env['NO_COLOR'] ?? '') !== '' || process.env['TERM'] === 'dumb';
}

/** Backgrounds that are read alike on dark and on light terminals, as the text on them has a colour of its own. */
export interface Paints {
  /** On a background from nearly black (0) over red to yellow (1). */
  heat(strength: number, text: string): string;
  /** What everything else is about. */
  mark(text: string): string;
  /** One of several kinds, by its number: six colours, then again the first. */
  kind(number: number, text: string): string;
}

/** Null where there is to be no colour. 24 bits if the terminal says that it has them, else the 256 colours that all have. */
export function paintsFor(terminal: Terminal): Paints | null {
  if (isPlain(terminal)) return null;
  const isTrue = /truecolor|24bit/i.test(process.env['COLORTERM'] ?? '');
  return {
    heat(strength, text) {
      const shade = HEAT[Math.round(Math.min(Math.max(strength, 0), 1) * (HEAT.length - 1))]!;
      const foreground = strength > 0.6 ? 16 : 255;
      const background = isTrue ? `2;${shade.rgb.join(';')}` : `5;${shade.ansi}`;
      return `\x1b[38;5;${foreground};48;${background}m${text}\x1b[0m`;
    },
    mark: (text) => `\x1b[1;38;5;16;48;5;81m${text}\x1b[0m`,
    kind: (number, text) => `\x1b[38;5;16;48;5;${KINDS[number % KINDS.length]!}m${text}\x1b[0m`,
  };
}

/** Light ones of the 256 colours, apart from each other. */
const KINDS = [117, 156, 222, 217, 183, 159] as const;

/** The same ramp twice: exactly, and as the nearest of the 256 colours. */
const HEAT = ([
  [28, 28, 28, 234], [48, 30, 28, 235], [70, 26, 22, 52], [95, 20, 14, 52], [125, 22, 8, 88], [155, 32, 4, 124],
  [185, 52, 0, 130], [212, 80, 0, 166], [232, 112, 4, 172], [246, 150, 16, 214], [253, 190, 48, 220], [255, 226, 100, 227],
] as const).map(([r, g, b, ansi]) => ({ rgb: [r, g, b], ansi }));

/** Without control characters: a file must not steer the terminal. Line breaks stay, tabs become spaces. */
export function printable(text: string): string {
  return text.replaceAll('\t', '    ').replace(/[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '');
}

/** The same lines, moved left together until one of them touches the margin. */
export function dedent(lines: readonly string[]): string[] {
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const common = Math.min(...indents);
  return lines.map((line) => line.slice(common).trimEnd());
}

/** Parts of a line, none wider than `width` columns, divided at spaces where there are any. */
export function wrap(line: string, width: number): string[] {
  const indent = /^ */.exec(line)![0].slice(0, width >> 1);
  const parts: string[] = [];
  let part = indent;
  for (const word of line.trimStart().split(/(?<= )(?=[^ ])/)) {
    if (part.trim() !== '' && widthOf(part + word.trimEnd()) > width) {
      parts.push(part.trimEnd());
      part = indent;
    }
    for (const character of word) {
      if (widthOf(part + character) > width && character !== ' ') {
        parts.push(part);
        part = indent;
      }
      part += character;
    }
  }
  return [...parts, part.trimEnd()];
}

/** Columns of a terminal: two for East Asian wide characters and emoji, none for marks. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += /\p{Mark}|\u200d/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3ffff}]/u;

/** `113 MiB` */
export function memory(bytes: number): string {
  const [unit, name] = bytes >= 2 ** 30 ? [2 ** 30, 'GiB'] : bytes >= 2 ** 20 ? [2 ** 20, 'MiB'] : [2 ** 10, 'KiB'];
  const value = bytes / unit;
  return `${value < 9.95 ? Number(value.toFixed(1)) : count(value)} ${name}`;
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar as long as a share of 1, 24 columns at most. */
export function bar(share: number, width = 24): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8);
  return ('█'.repeat(eighths >> 3) + EIGHTHS[eighths & 7]!).padEnd(width);
}
