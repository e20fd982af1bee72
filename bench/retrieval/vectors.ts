// The vectors of passages, questions and documents, read as the index reads them (ts/search) by
// models of other windows and dilations. What was read is kept in .cache, so that a run goes on
// where it stopped.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { convertToLongformer, LongformerModel, Tokenizer, type Engine } from '../../dist/index.js';
import { groupByTokens } from '../../dist/models/groups.js';
import { openDocument, type OpenDocument, type ReadingRules } from '../../dist/search/document.js';
import type { Reading } from '../../dist/search/reading.js';
import { cache } from '../../scripts/step.mjs';
import type { CorpusDocument } from './questions.ts';

export const HIDDEN_SIZE = 384;
const MAX_POSITIONS = 8192;
/** Tokens that the model was trained for. */
const TRAINED = 512;
const PASSAGES = { by: 'paragraph', maxTokens: 200, overlap: 0 } as const;
/** all-MiniLM-L6-v2 cuts sentences at 256 tokens, two of them special. */
const CHUNKS = { by: 'tokens', maxTokens: 254, overlap: 0 } as const;

/** Tokens that go through the layers together. */
const BATCH_TOKENS = 4096;

/** Its upper half looks twice as far, with gaps: the paper dilates upper layers alone. */
const UPPER_DILATED = [1, 1, 1, 2, 2, 2];

export interface Place {
  /** Of the document. */
  index: number;
  start: number;
  end: number;
}

export class Reader {
  private constructor(
    private readonly tokenizer: Tokenizer,
    private readonly models: { plain: LongformerModel; dilated: LongformerModel },
    private readonly documents: readonly CorpusDocument[],
    private readonly opened: readonly OpenDocument[],
    private readonly folder: string,
  ) {}

  /** `source`: all-MiniLM-L6-v2 as it is. */
  static async open(engine: Engine, source: string, documents: readonly CorpusDocument[], work: string): Promise<Reader> {
    const plain = join(work, 'plain');
    const dilated = join(work, 'dilated');
    await convertToLongformer(source, plain, { maxPositions: MAX_POSITIONS, attentionWindow: 128 });
    await cp(plain, dilated, { recursive: true });
    const config = join(dilated, 'config.json');
    await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')) as object, attention_dilation: UPPER_DILATED }));
    const tokenizer = await Tokenizer.fromPretrained(plain);
    const load = (path: string): Promise<LongformerModel> => LongformerModel.fromPretrained(path, { engine });
    const opened = documents.map(({ id, text }) => openDocument(tokenizer, rules('both', MAX_POSITIONS), id, text));
    const key = createHash('sha256').update(JSON.stringify(opened.map(({ id, text, passages }) => [id, text, passages]))).digest('hex').slice(0, 12);
    const folder = join(cache, `retrieval-${key}`);
    mkdirSync(folder, { recursive: true });
    return new Reader(tokenizer, { plain: await load(plain), dilated: await load(dilated) }, documents, opened, folder);
  }

  get passages(): Place[] {
    return places(this.opened);
  }

  get tokens(): number {
    return this.opened.reduce((sum, { tokens }) => sum + tokens, 0);
  }

  /** Of every passage, from a reading of its whole document. */
  late(attentionWindow: number, dilated: boolean): Promise<Float32Array> {
    const model = dilated ? 'dilated' : 'plain';
    return this.kept(`late-${attentionWindow}-${model}`, () => this.read(this.opened.flatMap(({ late }) => late), { attentionWindow, model }));
  }

  /** Of every passage, from a reading of overlapping pieces of 512 tokens with full attention, as the model was trained. */
  pieces(): Promise<Float32Array> {
    const late = (): Reading[] => this.documents.flatMap(({ id, text }) => openDocument(this.tokenizer, rules('late', TRAINED), id, text).late);
    return this.kept('pieces', () => this.read(late(), FULL));
  }

  /** Of every passage by itself. */
  alone(): Promise<Float32Array> {
    return this.kept('alone', () => this.read(this.opened.flatMap(({ alone }) => alone), FULL));
  }

  /** Of chunks of 254 tokens by themselves, and where they are. */
  async chunks(): Promise<{ places: Place[]; vectors: Float32Array }> {
    const opened = this.documents.map(({ id, text }) => openDocument(this.tokenizer, { ...rules('alone', MAX_POSITIONS), passages: CHUNKS }, id, text));
    return { places: places(opened), vectors: await this.kept('chunks', () => this.read(opened.flatMap(({ alone }) => alone), FULL)) };
  }

  /** Of every document, cut at 512 tokens. */
  cut(): Promise<Float32Array> {
    return this.kept('cut', () => this.read(this.documents.map(({ text }) => this.reading(text)), FULL));
  }

  async questions(texts: readonly string[]): Promise<Float32Array> {
    return this.read(texts.map((text) => this.reading(text)), FULL);
  }

  private reading(text: string): Pick<Reading, 'inputIds' | 'bounds' | 'globalTokens'> {
    const { inputIds } = this.tokenizer.encode(text);
    const cut = inputIds.length <= TRAINED ? inputIds : Uint32Array.of(...inputIds.subarray(0, TRAINED - 1), inputIds.at(-1)!);
    return { inputIds: cut, bounds: [0, cut.length], globalTokens: new Uint32Array() };
  }

  private async kept(name: string, work: () => Promise<Float32Array>): Promise<Float32Array> {
    const path = join(this.folder, `${name}.f32`);
    if (!existsSync(path)) {
      const start = performance.now();
      const vectors = await work();
      writeFileSync(`${path}.partial`, vectors);
      renameSync(`${path}.partial`, path); // what has its name is complete
      console.log(`  ${name.padEnd(20)} ${((performance.now() - start) / 1000).toFixed(0).padStart(5)} s`);
    }
    return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
  }

  /** The mean of each range of each reading, of length 1. */
  private async read(
    readings: readonly Pick<Reading, 'inputIds' | 'bounds' | 'globalTokens'>[], { attentionWindow, model }: { attentionWindow: number; model: 'plain' | 'dilated' },
  ): Promise<Float32Array> {
    const vectors = new Float32Array(readings.reduce((sum, { bounds }) => sum + bounds.length / 2, 0) * HIDDEN_SIZE);
    let next = 0;
    for (const batch of groupByTokens(readings, BATCH_TOKENS)) {
      const results = await this.models[model].forward(batch.map(({ inputIds, globalTokens }) => ({ inputIds, globalTokens })), { attentionWindow });
      for (const [i, { bounds }] of batch.entries()) {
        const { data } = results[i]!.lastHiddenState;
        for (let range = 0; range < bounds.length; range += 2) unitMean(data, bounds[range]!, bounds[range + 1]!, vectors.subarray(next, next += HIDDEN_SIZE));
      }
    }
    return vectors;
  }
}

/** A window that covers what is read by itself. */
const FULL = { attentionWindow: 2 * TRAINED, model: 'plain' } as const;

const rules = (vectors: ReadingRules['vectors'], maxTokens: number): ReadingRules => ({ passages: PASSAGES, vectors, maxTokens, hiddenSize: HIDDEN_SIZE, pooling: 'mean' });

function places(opened: readonly OpenDocument[]): Place[] {
  return opened.flatMap(({ passages }, index) => passages.map(({ start, end }) => ({ index, start, end })));
}

function unitMean(rows: Float32Array, start: number, end: number, target: Float32Array): void {
  for (let row = start; row < end; row++) for (let i = 0; i < HIDDEN_SIZE; i++) target[i]! += rows[row * HIDDEN_SIZE + i]!;
  const length = Math.hypot(...target);
  for (let i = 0; i < HIDDEN_SIZE; i++) target[i]! /= length;
}
