// The text of a file, whatever its kind. PDF and HTML are read by libraries that whoever has such
// files installs besides; they are loaded when the first file of the kind is met.

import { LongformerError } from '../errors.ts';

/** What a file is taken for: by its name, PDF by its first bytes as well. */
export type Kind = 'text' | 'html' | 'pdf';

/** Bytes of a file as text, or why there is none. Pages of a PDF are divided by form feeds, headings of HTML become Markdown's. */
export type Extracted = { text: string } | { reason: string };

export function kindOf(path: string): Kind {
  if (/\.x?html?$/i.test(path)) return 'html';
  return /\.pdf$/i.test(path) ? 'pdf' : 'text';
}

/** Rejects with `NOT_FOUND` where the library that reads the kind is not installed, naming it. */
export async function extract(path: string, bytes: Uint8Array): Promise<Extracted> {
  const isPdf = kindOf(path) === 'pdf' || new TextDecoder().decode(bytes.subarray(0, 5)) === '%PDF-';
  if (isPdf) return named('PDF', () => textOfPdf(bytes));
  const text = decode(bytes);
  if (text === null) return { reason: 'is not UTF-8 text' };
  return kindOf(path) === 'html' ? named('HTML', () => textOfHtml(text)) : withText(text, 'is empty');
}

async function named(kind: string, read: () => Promise<string>): Promise<Extracted> {
  try {
    return withText(await read(), `has no text in its ${kind}`);
  } catch (error) {
    if (error instanceof LongformerError) throw error;
    return { reason: `cannot be read as ${kind}: ${(error as Error).message}` };
  }
}

function withText(text: string, otherwise: string): Extracted {
  return text.trim() === '' ? { reason: otherwise } : { text };
}

/** The text, or null where the bytes are none. */
function decode(bytes: Uint8Array): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

async function library<Module>(name: string, kind: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    throw new LongformerError('NOT_FOUND', name, `must be installed to read ${kind}: npm install ${name}`, { cause });
  }
}

// ---------------------------------------------------------------------------- PDF

/** Lines that are farther apart than this many times their height are not of one paragraph. */
const PARAGRAPH_GAP = 1.7;

async function textOfPdf(bytes: Uint8Array): Promise<string> {
  const { getDocumentProxy } = await library('unpdf', 'PDF', () => import('unpdf'));
  const pdf = await getDocumentProxy(bytes.slice(), { verbosity: 0 }); // it keeps what it is given
  try {
    const pages: string[] = [];
    for (let page = 1; page <= pdf.numPages; page++) {
      const { items } = await (await pdf.getPage(page)).getTextContent();
      pages.push(linesOf(items as PdfItem[]));
    }
    return pages.join('\n\f\n');
  } finally {
    await pdf.destroy();
  }
}

/** A piece of text on a page. */
interface PdfItem {
  str: string;
  hasEOL: boolean;
  height: number;
  /** The last element is its distance from the lower edge. */
  transform: number[];
}

function linesOf(items: readonly PdfItem[]): string {
  let text = '';
  let lineEnded = false;
  let last: PdfItem | null = null;
  for (const item of items) {
    if (lineEnded && item.str !== '' && last !== null) {
      const gap = Math.abs(last.transform[5]! - item.transform[5]!);
      text += gap > PARAGRAPH_GAP * Math.max(last.height, item.height) ? '\n\n' : '\n';
      lineEnded = false;
    }
    text += item.str;
    if (item.str.trim() !== '') last = item;
    lineEnded ||= item.hasEOL;
  }
  return text;
}

// ---------------------------------------------------------------------------- HTML

/** Deeper ones are cut: no page for readers is as deep. */
const MAX_DEPTH = 200;

async function textOfHtml(html: string): Promise<string> {
  const { convert } = await library('html-to-text', 'HTML', () => import('html-to-text'));
  return convert(html, {
    wordwrap: false,
    limits: { maxInputLength: 2 ** 26, maxDepth: MAX_DEPTH, ellipsis: '' },
    formatters: {
      // As in Markdown, where passages are told apart by headings and code.
      heading(element, walk, builder, { level }) {
        builder.openBlock({ leadingLineBreaks: 2 });
        builder.addLiteral(`${'#'.repeat(level as number)} `);
        walk(element.children, builder);
        builder.closeBlock({ trailingLineBreaks: 2 });
      },
      fence(element, walk, builder) {
        builder.openBlock({ isPre: true, leadingLineBreaks: 2 });
        builder.addLiteral('```\n');
        walk(element.children, builder);
        builder.addLiteral('\n```');
        builder.closeBlock({ trailingLineBreaks: 2 });
      },
    },
    selectors: [
      ...[1, 2, 3, 4, 5, 6].map((level) => ({ selector: `h${level}`, format: 'heading', options: { level } })),
      { selector: 'pre', format: 'fence' },
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'table', format: 'dataTable', options: { uppercaseHeaderCells: false } },
      ...['img', 'nav', 'script', 'style', 'noscript', 'template', 'title'].map((selector) => ({ selector, format: 'skip' })),
    ],
  });
}
