// The tokenizer in a worker of its own: it runs in the thread that calls it, and a long document takes
// a tenth of a second.

import { Tokenizer, type Encoding } from 'longformer-wasm';

export interface TokensRequest {
  /** An id of the Hub, or the files of a tokenizer by name. */
  source: string | Map<string, Blob>;
  options: { localFilesOnly?: boolean };
  text: string;
}

export type TokensReply = { encoding: Pick<Encoding, 'inputIds' | 'offsets' | 'specialTokensMask'> } | { problem: string };

onmessage = async ({ data: { source, options, text } }: MessageEvent<TokensRequest>) => {
  try {
    const files = typeof source === 'string' ? source : { open: async (name: string) => source.get(name) ?? null };
    const tokenizer = await Tokenizer.fromPretrained(files, options);
    const { inputIds, offsets, specialTokensMask } = tokenizer.encode(text);
    postMessage({ encoding: { inputIds, offsets, specialTokensMask } } satisfies TokensReply);
  } catch (error) {
    postMessage({ problem: (error as Error).message } satisfies TokensReply);
  }
};
