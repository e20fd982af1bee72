// A model in the engine, and what it can do with a document: that depends on the head it was trained
// with, which its config.json names. This is where the page uses the library.

import {
  pipeline, SearchIndex, type Classification, type Engine, type Entity, type FileSource, type LoadOptions, type LongCallOptions,
} from 'longformer-wasm';

export type Task = 'search' | 'question-answering' | 'text-classification' | 'token-classification' | 'causal-lm';

/** `text.slice(start, end)` is the place. */
export interface Place {
  start: number;
  end: number;
  score: number;
}

/** What was read of a document, and what the model says of it unasked. */
export interface Reading {
  /** 0: this model reads nothing before it is asked. */
  tokens: number;
  windows: number;
  /** It had been read before, and cost nothing now. */
  unchanged?: boolean;
  passages?: number;
  labels?: Classification[];
  entities?: Entity[];
}

export interface Reader {
  readonly task: Task;
  /** Reads a document, which takes the place of the one before. */
  read(text: string, options: LongCallOptions): Promise<Reading>;
  /** Places in the document, the best first; null: this model is not asked anything. */
  readonly ask: ((question: string, options: LongCallOptions) => Promise<Place[]>) | null;
  /** What was read, for `openReader` to go on with; null: nothing that is worth it. */
  readonly keep: ((options: LongCallOptions) => Promise<Blob>) | null;
  dispose(): Promise<void>;
}

type Source = string | URL | FileSource;

/** Which of a checkpoint's abilities the page uses: that of its head, or, of an encoder, search by meaning. */
export function taskOf(config: { architectures?: string[] }): Task {
  const [architecture] = config.architectures ?? [];
  if (architecture === 'LongformerForQuestionAnswering') return 'question-answering';
  if (architecture === 'LongformerForSequenceClassification') return 'text-classification';
  if (architecture === 'LongformerForTokenClassification') return 'token-classification';
  if (architecture === 'LongformerForCausalLM') return 'causal-lm';
  return 'search';
}

/** `kept`: what `keep` of such a reader gave. */
export function openReader(task: Task, source: Source, options: LoadOptions & { engine: Engine }, kept: Blob | null): Promise<Reader> {
  return readers[task](source, options, kept);
}

const DOCUMENT = 'document';

/** Answers shown of a model that marks spans. */
const ANSWERS = 5;

const readers: Record<Task, (source: Source, options: LoadOptions, kept: Blob | null) => Promise<Reader>> = {
  async search(source, options, kept) {
    const index = await (kept === null ? SearchIndex.create(source, options) : SearchIndex.load(kept, { ...options, source }));
    let passages = 0;
    return {
      task: 'search',
      async read(text, call) {
        const [read] = await index.add([{ id: DOCUMENT, text }], call);
        passages = read!.passages;
        return read!;
      },
      // All of them, for the map of the document.
      ask: (question, call) => index.search(question, { ...call, topK: Math.max(passages, 1) }),
      async keep(call) {
        const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
        const [blob] = await Promise.all([new Response(readable).blob(), index.save(writable, call)]);
        return blob;
      },
      dispose: () => index.dispose(),
    };
  },

  async 'question-answering'(source, options) {
    const answer = await pipeline('question-answering', source, options);
    let context = '';
    return {
      task: 'question-answering',
      async read(text) { // with each question anew: the question is part of what is read
        context = text;
        return { tokens: 0, windows: 0 };
      },
      ask: (question, call) => answer({ question, context }, { ...call, topK: ANSWERS }),
      keep: null,
      dispose: () => answer.dispose(),
    };
  },

  async 'text-classification'(source, options) {
    const classify = await pipeline('text-classification', source, options);
    return {
      task: 'text-classification',
      async read(text, call) {
        const { result, read } = await classify.withReport(text, { ...call, overflow: 'window', topK: null });
        return { ...read[0]!, labels: result };
      },
      ask: null,
      keep: null,
      dispose: () => classify.dispose(),
    };
  },

  async 'token-classification'(source, options) {
    const tag = await pipeline('token-classification', source, options);
    return {
      task: 'token-classification',
      async read(text, call) {
        const { result, read } = await tag.withReport(text, { ...call, aggregation: 'first' });
        return { ...read[0]!, entities: result };
      },
      ask: null,
      keep: null,
      dispose: () => tag.dispose(),
    };
  },

  // What would come next is no answer to anything; how it reads is there to be seen, and loads it then.
  'causal-lm': async () => ({ task: 'causal-lm', read: async () => ({ tokens: 0, windows: 0 }), ask: null, keep: null, dispose: async () => {} }),
};
