// From a file to HTML, in a worker of its own: Markdown and PDF are parsed by libraries whose time
// grows with the document, and the page must not stand still meanwhile.

import { marked } from 'marked';
import { getDocumentProxy } from 'unpdf';

export type Kind = 'text' | 'markdown' | 'html' | 'pdf';
export interface ExtractRequest { kind: Kind; bytes: ArrayBuffer }
export type ExtractReply = { html: string } | { problem: string };

const extractors: Record<Kind, (bytes: ArrayBuffer) => Promise<string>> = {
  text: async (bytes) => paragraphs(decoded(bytes), '<p xml:space="preserve">'),
  markdown: async (bytes) => marked.parse(decoded(bytes)),
  html: async (bytes) => decoded(bytes),
  pdf: htmlOfPdf,
};

/** Answers go through a port of their own: pdf.js, which takes any worker for one of its own, talks on the other. */
onmessage = async ({ data: { kind, bytes }, ports: [port] }: MessageEvent<ExtractRequest>) => {
  const reply = (message: ExtractReply): void => port!.postMessage(message);
  try {
    reply({ html: await extractors[kind](bytes) });
  } catch (error) {
    reply({ problem: (error as Error).message });
  }
};

function decoded(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error('it is not UTF-8 text, HTML or PDF');
  }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** What blank lines divide. */
function paragraphs(text: string, tag: string): string {
  return text.replace(/^\s*\n/, '').split(/\n\s*\n/).map((paragraph) => `${tag}${escaped(paragraph.trimEnd())}</p>`).join('\n');
}

/** A piece of text on a page. */
interface PdfItem {
  str: string;
  hasEOL: boolean;
  height: number;
  /** The last element is its distance from the lower edge. */
  transform: number[];
}

/** Lines that are farther apart than this many times their height are not of one paragraph. */
const PARAGRAPH_GAP = 1.7;

async function htmlOfPdf(bytes: ArrayBuffer): Promise<string> {
  const pdf = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 });
  try {
    let text = '';
    for (let page = 1; page <= pdf.numPages; page++) {
      const { items } = await (await pdf.getPage(page)).getTextContent();
      text += `${linesOf(items as PdfItem[])}\n\n`;
    }
    if (text.trim() === '') throw new Error('it has no text, only pictures of it');
    return paragraphs(text, '<p>'); // lines end where the page did, not where the author wanted it
  } finally {
    await pdf.destroy();
  }
}

function linesOf(items: readonly PdfItem[]): string {
  let text = '';
  let last: PdfItem | null = null;
  let lineEnded = false;
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
