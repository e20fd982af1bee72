// search: the passages of documents that are nearest to a question. A SearchIndex for one question at a
// time; whoever asks many of the same documents, or keeps them, takes the index itself.

import { LongformerError } from '../errors.ts';
import type { FileSource } from '../files/source.ts';
import type { LongCallOptions } from '../progress.ts';
import { quoted } from '../quoted.ts';
import { SearchIndex, type SearchIndexOptions } from '../search/search-index.ts';
import type { Document, FoundPassage } from '../search/services.ts';
import { checkFields, checkText } from './arguments.ts';
import type { ReadInput } from './windows.ts';

export interface SearchInput {
  query: string;
  documents: readonly Document[];
  /** How many passages are wanted, the best first. Default 10. */
  topK?: number;
}

/** What a question finds, and what was read of each document. */
interface Answer {
  result: FoundPassage[];
  read: ReadInput[];
}

/** Calls wait for one another: an index holds the documents of one question. Those of the last one stay until the next. */
export async function openSearch(source: string | URL | FileSource, options: SearchIndexOptions): Promise<{
  index: SearchIndex;
  search(input: SearchInput, options: LongCallOptions): Promise<Answer>;
}> {
  const index = await SearchIndex.create(source, options);
  let held: string[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const search = async ({ query, documents, topK }: SearchInput, options: LongCallOptions): Promise<Answer> => {
    options.signal?.throwIfAborted();
    for (const id of held) await index.remove(id);
    held = [];
    const read = await index.add(documents, options);
    held = documents.map(({ id }) => id);
    return {
      result: await index.search(query, { ...options, ...(topK !== undefined && { topK }) }),
      read: read.map(({ tokens, windows }, i) => ({ index: i, tokens, windows, complete: true })),
    };
  };
  return {
    index,
    search(input, options) {
      const checked = checkInput(input);
      const before = last;
      const answer = heard(before, options.signal).then(() => search(checked, options));
      last = answer.then(() => {}, () => before); // an aborted one did not wait, so whoever follows does
      return answer;
    },
  };
}

/** `call`, or the reason of an abort that comes before its end. */
async function heard(call: Promise<unknown>, signal: AbortSignal | null | undefined): Promise<void> {
  signal?.throwIfAborted();
  let stop = (): void => {};
  const aborted = new Promise<void>((_, reject) => {
    stop = () => reject(signal!.reason as Error);
    signal?.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([call, aborted]).finally(() => signal?.removeEventListener('abort', stop));
}

function checkInput(input: unknown): SearchInput {
  const { query, documents, topK } = checkFields(input, 'input', ['query', 'documents'], ['topK']);
  if (!Array.isArray(documents)) throw new LongformerError('BAD_INPUT', 'input.documents', `must be a list of { id, text }, got ${quoted(documents)}`);
  const copies = documents.map((document: unknown, i) => ({ ...checkFields(document, `input.documents[${i}]`, ['id', 'text']) })) as unknown as Document[];
  return { query: checkText(query, 'input.query'), documents: copies, ...(topK !== undefined && { topK: topK as number }) };
}
