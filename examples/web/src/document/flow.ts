// From HTML of anybody's to a document that is shown, and the text that the model reads of it.
//
// Known elements are made anew, without their attributes; what is unknown gives its text. So nothing of
// a document runs, and nothing is fetched for it. While nodes are made, their text is put together: each
// piece remembers where it stands in it. What Markdown writes for headings, lists and code is put
// between the pieces, in the text alone, as passages are divided by it.

/** A text node of the document: its data is `text.slice(start, start + node.length)`. */
export interface Piece {
  readonly node: Text;
  readonly start: number;
}

export interface Flow {
  /** What the model reads. */
  readonly text: string;
  /** Ascending. */
  readonly pieces: readonly Piece[];
  readonly title: string | null;
}

const BLOCKS = new Set(['H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'P', 'PRE', 'BLOCKQUOTE', 'UL', 'OL', 'LI', 'TABLE', 'THEAD', 'TBODY', 'TR', 'TD', 'TH', 'DL', 'DT', 'DD']);
const INLINE = new Set(['EM', 'I', 'STRONG', 'B', 'CODE', 'KBD', 'SUB', 'SUP', 'S', 'Q', 'CITE', 'ABBR']);
const SILENT = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT', 'TITLE', 'HEAD', 'NAV', 'SVG', 'MATH', 'BUTTON', 'SELECT', 'DATALIST', 'TEXTAREA', 'IFRAME', 'OBJECT', 'AUDIO', 'VIDEO', 'CANVAS']);

/** These have text only inside of other blocks. */
const HOLDERS = new Set(['BLOCKQUOTE', 'UL', 'OL', 'TABLE', 'THEAD', 'TBODY', 'TR', 'DL']);

/** Characters of what the browser lays out or leaves out together. */
const PAGE = 4000;

/** Deeper elements are of no document. */
const MOST_DEPTH = 200;

/** Shows `html` in `target`, page by page; a generator, as a long document takes long. */
export function* flowOf(html: string, target: HTMLElement): Generator<void, Flow> {
  const source = yield* parsed(html);
  const flow = new FlowMaker(target);
  yield* flow.children(source.body, null, 0);
  flow.finish();
  return { text: flow.parts.join(''), pieces: flow.pieces, title: flow.title };
}

/** Bytes of HTML that are parsed at once. */
const CHUNK = 2 ** 15;

/** A document without a window: its scripts do not run, its pictures are not fetched. */
function* parsed(html: string): Generator<void, Document> {
  const inert = document.implementation.createHTMLDocument('');
  inert.open();
  for (let at = 0; at < html.length; at += CHUNK) {
    inert.write(html.slice(at, at + CHUNK));
    yield;
  }
  inert.close();
  return inert;
}

class FlowMaker {
  readonly parts: string[] = [];
  readonly pieces: Piece[] = [];
  title: string | null = null;
  #length = 0;
  /** What the text ends with. */
  #tail = '';
  /** A paragraph for text that stands in none. */
  #loose: HTMLElement | null = null;
  #page: HTMLElement | null = null;
  #pageStart = 0;

  constructor(readonly target: HTMLElement) {}

  /** Copies what is in `source` into `into`, or into the page where that is null. */
  *children(source: Node, into: HTMLElement | null, depth: number, isVerbatim = false): Generator<void, void> {
    if (depth > MOST_DEPTH) return;
    for (const child of Array.from(source.childNodes)) {
      if (child.nodeType === Node.TEXT_NODE) {
        this.#words((child as Text).data, into, isVerbatim);
        continue;
      }
      if (child.nodeType !== Node.ELEMENT_NODE) continue;
      const name = child.nodeName.toUpperCase();
      if (SILENT.has(name)) continue;
      if (name === 'BR') this.#words('\n', into, true);
      else if (INLINE.has(name)) yield* this.children(child, this.#sink(into).appendChild(document.createElement(name)), depth + 1, isVerbatim);
      else if (name === 'A' || name === 'SPAN') yield* this.children(child, into, depth + 1, isVerbatim);
      else if (BLOCKS.has(name)) yield* this.#block(name, child as Element, into, depth);
      else {
        this.#loose = null;
        yield* this.children(child, into, depth + 1, isVerbatim);
        this.#loose = null;
      }
      yield;
    }
  }

  /** The last page, which is full only by chance. */
  finish(): void {
    if (this.#page?.childNodes.length === 0) this.#page.remove();
  }

  *#block(name: string, source: Element, into: HTMLElement | null, depth: number): Generator<void, void> {
    this.#loose = null;
    const element = document.createElement(name);
    const level = /^H([1-6])$/.exec(name)?.[1];
    if (name === 'LI') this.#mark(this.#tail.endsWith('\n') || this.#length === 0 ? '- ' : '\n- ');
    else if (name === 'TD' || name === 'TH') this.#mark(source.previousElementSibling === null ? '' : ' | ');
    else if (name === 'TR') this.#mark(this.#tail.endsWith('\n') ? '' : '\n');
    else if (!HOLDERS.has(name) || name === 'TABLE') this.#gap();
    if (level !== undefined) this.#mark(`${'#'.repeat(Number(level))} `);
    if (name === 'PRE') this.#mark('```\n');
    const isPlain = name === 'P' && source.getAttribute('xml:space') === 'preserve'; // of a text file: its lines and indents count
    if (isPlain) element.className = 'plain';
    const start = this.parts.length;
    (into ?? this.#openPage()).append(element);
    yield* this.children(source, element, depth + 1, isPlain || name === 'PRE');
    if (name === 'PRE') this.#mark(this.#tail.endsWith('\n') ? '```' : '\n```');
    if (into === null) element.dir = 'auto'; // what is in it goes the same way; set last, as each child would be looked at for it
    if (level !== undefined && this.title === null) this.title = this.parts.slice(start).join('').trim() || null;
    this.#loose = null;
  }

  #words(data: string, into: HTMLElement | null, isVerbatim: boolean): void {
    let words = isVerbatim ? data : data.replace(/\s+/g, ' ');
    const isAfterSpace = this.#length === 0 || /\s$/.test(this.#tail) || (this.#loose === null && this.#needsParagraph(into));
    if (!isVerbatim && isAfterSpace) words = words.trimStart();
    if (words === '' || (words === '\n' && this.#needsParagraph(into) && this.#loose === null)) return;
    const node = document.createTextNode(words);
    this.#sink(into).append(node);
    this.pieces.push({ node, start: this.#length });
    this.#mark(words);
  }

  #needsParagraph(into: HTMLElement | null): boolean {
    return into === null || HOLDERS.has(into.nodeName);
  }

  /** Where words go. */
  #sink(into: HTMLElement | null): HTMLElement {
    if (into !== null && !this.#needsParagraph(into)) return into;
    if (this.#loose === null) {
      this.#gap();
      this.#loose = document.createElement('p');
      if (into === null) this.#loose.dir = 'auto';
      (into ?? this.#openPage()).append(this.#loose);
    }
    return this.#loose;
  }

  #openPage(): HTMLElement {
    if (this.#page === null || this.#length - this.#pageStart > PAGE) {
      this.#page = document.createElement('div');
      this.#page.className = 'page';
      this.target.append(this.#page);
      this.#pageStart = this.#length;
    }
    return this.#page;
  }

  /** An empty line in the text, but at its start. */
  #gap(): void {
    if (this.#length > 0) this.#mark(this.#tail.endsWith('\n\n') ? '' : this.#tail.endsWith('\n') ? '\n' : '\n\n');
  }

  /** Adds to the text. */
  #mark(text: string): void {
    if (text === '') return;
    this.parts.push(text);
    this.#length += text.length;
    this.#tail = (this.#tail + text).slice(-2);
  }
}
