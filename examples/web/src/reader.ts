// A model in the engine, and what it can do with a document: that depends on the head it was trained
// with, which its config.json names. This is where the page uses the library.

import {
  pipeline, SearchIndex, type Classification, type Engine, type Entity, type FileSource, type LoadOptions, type LongCallOptions,
} from 'longformer-wasm';

export type Task = 'search' | 'question-answering' | 'text-classification' | 'token-classification';

/** `text.slice(start, end)` is the place. */
export interface Place {
  start: number;
  end: number;
  score: number;
}

/** What was read of a document, and what the model says of it unasked. */
export interface Reading {
  tokens: number;
  windows: number;
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
  dispose(): Promise<void>;
}

type Source = string | URL | FileSource;

/** Which of a checkpoint's abilities the page uses: that of its head, or, of an encoder, search by meaning. */
export function taskOf(config: { architectures?: string[] }): Task {
  const [architecture] = config.architectures ?? [];
  if (architecture === 'LongformerForQuestionAnswering') return 'question-answering';
  if (architecture === 'LongformerForSequenceClassification') return 'text-classification';
  if (architecture === 'LongformerForTokenClassification') return 'token-classification';
  return 'search';
}

export function openReader(task: Task, source: Source, options: LoadOptions & { engine: Engine }): Promise<Reader> {
  return readers[task](source, options);
}

const DOCUMENT = 'document';

/** Answers shown of a model that marks spans. */
const ANSWERS = 5;

const readers: Record<Task, (source: Source, options: LoadOptions) => Promise<Reader>> = {
  async search(source, options) {
    const index = await SearchIndex.create(source, options);
    let passages = 0;
    return {
      task: 'search',
      async read(text, call) {
        await index.remove(DOCUMENT);
        const [read] = await index.add([{ id: DOCUMENT, text }], call);
        passages = read!.passages;
        return read!;
      },
      // All of them, for the map of the document.
      ask: (question, call) => index.search(question, { ...call, topK: Math.max(passages, 1) }),
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
      dispose: () => tag.dispose(),
    };
  },
};
