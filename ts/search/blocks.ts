// The blocks of a text: what blank lines, headings and code fences divide it into. Enough of
// Markdown to keep together what belongs together; a plain text has its paragraphs.

import { trimmed, type Span } from './span.ts';

export interface Block extends Span {
  /** `code`: lines that must not flow into one another, those of a table included. */
  kind: 'prose' | 'code' | 'heading';
  /** Of a heading: 1 for the highest. */
  level: number;
}

const BLANK = /^\s*$/;
const HEADING = /^ {0,3}(#{1,6})(\s|$)/;
const FENCE = /^\s*(?:[-*+]\s+)?(`{3,}|~{3,})/;
const TABLE = /^\s*\|/;

/** Ascending, without white space at their ends; together they hold everything else. */
export function blocksOf(text: string): Block[] {
  const builder = new BlockBuilder(text);
  let fence: string | null = null; // what opened the fence that is open
  for (const span of linesOf(text)) {
    const line = text.slice(span.start, span.end);
    const mark: string | undefined = FENCE.exec(line)?.[1];
    const heading: string | undefined = HEADING.exec(line)?.[1];
    if (fence !== null) {
      builder.add(span, 'code');
      if (mark?.startsWith(fence) && line.trim() === mark) {
        fence = null;
        builder.close();
      }
    } else if (BLANK.test(line)) {
      builder.close();
    } else if (heading !== undefined) {
      builder.close();
      builder.add(span, 'heading', heading.length);
      builder.close();
    } else if (isUnderline(line, builder.onlyLine)) {
      builder.underline(span, line.trim().startsWith('=') ? 1 : 2);
    } else if (mark !== undefined) {
      builder.close();
      builder.add(span, 'code');
      fence = mark;
    } else {
      builder.add(span, TABLE.test(line) ? 'code' : 'prose');
    }
  }
  builder.close();
  return builder.blocks;
}

/** Every line, its break included. */
export function* linesOf(text: string, { start, end }: Span = { start: 0, end: text.length }): Generator<Span> {
  while (start < end) {
    const lineBreak = text.indexOf('\n', start);
    const next = lineBreak < 0 || lineBreak >= end ? end : lineBreak + 1;
    yield { start, end: next };
    start = next;
  }
}

/** Whether `line` makes a heading of `above`, as in Markdown and reStructuredText. */
function isUnderline(line: string, above: string | null): boolean {
  if (above === null) return false;
  const underline = line.trim();
  // Tildes may open a fence too; an underline is as long as what it underlines.
  return /^(=+|-{2,})$/.test(underline) || (/^(~+|\^+)$/.test(underline) && underline.length >= above.trim().length);
}

class BlockBuilder {
  readonly blocks: Block[] = [];
  private open: Block | null = null;
  private lines = 0; // of the open block

  constructor(private readonly text: string) {}

  /** The open block, if it is one line of prose. */
  get onlyLine(): string | null {
    return this.open?.kind === 'prose' && this.lines === 1 ? this.text.slice(this.open.start, this.open.end) : null;
  }

  add({ start, end }: Span, kind: Block['kind'], level = 0): void {
    if (this.open?.kind !== kind) this.close();
    this.open = { start: this.open?.start ?? start, end, kind, level };
    this.lines++;
  }

  underline({ end }: Span, level: number): void {
    this.open = { ...this.open!, end, kind: 'heading', level };
    this.close();
  }

  close(): void {
    const span = this.open === null ? null : trimmed(this.text, this.open);
    if (span !== null) this.blocks.push({ ...this.open!, ...span });
    this.open = null;
    this.lines = 0;
  }
}
