// Files that only the caller can open, because they were brought as objects: the engine asks for
// them while a call runs, the caller's side answers.

import { LongformerError } from '../errors.ts';
import type { OpenFile, Source } from '../files/source.ts';
import { fromMessage, toMessage, type Answer, type FileQuestion, type Question } from './protocol.ts';

/** The engine's end. */
export class AskedFiles {
  readonly #ask: (question: Question) => void;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;

  constructor(ask: (question: Question) => void) {
    this.#ask = ask;
  }

  /** The files of a call's caller. */
  of(call: number): Source {
    const ask = <T>(question: FileQuestion): Promise<T> => new Promise<T>((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#ask({ type: 'question', id, call, question });
    });
    return {
      label: 'the given files',
      async open(name): Promise<OpenFile | null> {
        const opened = await ask<{ file: number; name: string; size: number } | null>({ ask: 'open', name });
        if (opened === null) return null;
        const { file, ...rest } = opened;
        return {
          ...rest,
          read: (start, end) => ask<Uint8Array<ArrayBuffer>>({ ask: 'read', file, start, end }),
          close: () => ask<void>({ ask: 'close', file }),
        };
      },
    };
  }

  receive({ id, value, error }: Answer): void {
    const { resolve, reject } = this.#waiting.get(id)!;
    this.#waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(fromMessage(error));
  }
}

/** The caller's end, for one call. */
export class CallerFiles {
  readonly #files: Source | null;
  readonly #open = new Map<number, OpenFile>();
  readonly #aborted: Promise<never>;
  #lastFile = 0;
  #isClosed = false;
  #stopWaiting = (): void => {};

  constructor(files: Source | null) {
    this.#files = files;
    this.#aborted = new Promise<never>((_, reject) => {
      this.#stopWaiting = () => reject(new LongformerError('BAD_FILE', 'a file', 'was not waited for'));
    });
    this.#aborted.catch(() => {}); // mostly nobody waits
  }

  /** Never rejects. */
  async answer({ id, question }: Question): Promise<{ answer: Answer; transfer: ArrayBuffer[] }> {
    try {
      const value = await Promise.race([this.#look(question), this.#aborted]);
      return { answer: { type: 'answer', id, value }, transfer: value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [] };
    } catch (error) {
      const known = error instanceof LongformerError ? error
        : new LongformerError('BAD_FILE', this.#files?.label ?? 'the files', `cannot be read: ${worded(error)}`);
      return { answer: { type: 'answer', id, error: toMessage(known) }, transfer: [] };
    }
  }

  /** Answers what is asked now and later with an error: an abort does not wait for files. */
  stopWaiting(): void {
    this.#stopWaiting();
  }

  close(): void {
    this.#isClosed = true;
    for (const file of this.#open.values()) closeQuietly(file);
    this.#open.clear();
  }

  async #look(question: FileQuestion): Promise<unknown> {
    if (question.ask === 'open') {
      const file = (await this.#files?.open(question.name)) ?? null;
      if (file === null) return null;
      if (this.#isClosed) { // the call ended while it was being opened
        closeQuietly(file);
        return null;
      }
      const id = ++this.#lastFile;
      this.#open.set(id, file);
      return { file: id, name: file.name, size: file.size };
    }
    const file = this.#open.get(question.file)!;
    if (question.ask === 'read') return file.read(question.start, question.end);
    this.#open.delete(question.file);
    return file.close();
  }
}

/** What nobody waits for any more. */
function closeQuietly(file: OpenFile): void {
  file.close().catch(() => {});
}

/** Anything can be thrown, also what has no words. */
function worded(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'for no reason that can be told';
  }
}
