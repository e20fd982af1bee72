// `longformer-wasm info`: what a checkpoint is, and what the numbers run on.

import { readConfig, type LongformerConfig } from '../config.ts';
import { LongformerError } from '../errors.ts';
import { openCheckpoint } from '../files/checkpoint.ts';
import { openSource } from '../files/open.ts';
import type { HubOptions } from '../files/source-options.ts';
import { byteLength, type TensorInfo } from '../files/tensors.ts';
import { firstPosition } from '../models/prefix.ts';
import { command, UsageError } from './command.ts';
import { ENGINE_OPTIONS, JSON_OPTION, MODEL_OPTION, readSource, SOURCE_OPTIONS } from './model-options.ts';
import { withEngine, type Session } from './session.ts';
import { count, memory, plural, printable, stylesFor } from './terminal.ts';
import { table } from './table.ts';

export const info = command({
  name: 'info',
  summary: 'says what a checkpoint is, and what the engine runs on',
  synopsis: '[options] [MODEL]',
  about: `MODEL may stand there with or without --model; without one, only the engine is described. Of a model on the Hub config.json is fetched, and its weights are described if the cache has them.`,
  options: { ...MODEL_OPTION, ...SOURCE_OPTIONS, ...ENGINE_OPTIONS, ...JSON_OPTION },
  examples: [
    ['info', 'runtime, build and threads'],
    ['info ./minilm-long', 'what is in a folder: class, window, positions, weights'],
    ['info --json allenai/longformer-base-4096', 'the same of a model on the Hub, for programs'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const named = [...(values.model === undefined ? [] : [values.model]), ...operands];
    if (named.length > 1) throw new UsageError(`one MODEL may be given, got ${named.length}`);
    await withEngine(values, signal, async (session) => {
      const [model] = named;
      const checkpoint = model === undefined ? null : await describe(model, readSource(values), session.watched);
      const { info: engine } = session.engine;
      if (values.json) session.print(`${JSON.stringify({ ...(checkpoint !== null && { checkpoint }), engine })}\n`);
      else session.print(textOf(checkpoint, { ...engine, memoryBytes: memory(engine.memoryBytes) }));
    });
  },
});

interface Checkpoint {
  model: string;
  architecture: string;
  layers: number;
  hiddenSize: number;
  heads: number;
  /** Tokens, without the rows of the table that are no token's. */
  positions: number;
  /** Both sides together, for each layer, or one for all. */
  attentionWindow: number | number[];
  /** For each layer and head, or one for all. */
  attentionDilation: number | readonly (readonly number[])[];
  vocabulary: number;
  labels: string[];
  /** Of the files; null where they are not in the cache. */
  weights: { parameters: number; bytes: number; dtypes: string[] } | null;
}

async function describe(model: string, hub: HubOptions, watched: Session['watched']): Promise<Checkpoint> {
  const source = await openSource(model, { ...hub, ...watched });
  const config = await readConfig(source);
  const { num_hidden_layers: layers, hidden_size: hiddenSize, num_attention_heads: heads, vocab_size: vocabulary } = config;
  return {
    model,
    architecture: config.architectures[0] ?? 'LongformerModel',
    layers, hiddenSize, heads,
    positions: config.max_position_embeddings - firstPosition('', config),
    attentionWindow: oneOrAll(config.attention_window),
    attentionDilation: config.attention_dilation.flat().every((dilation) => dilation === config.attention_dilation[0]![0]) ? config.attention_dilation[0]![0]! : config.attention_dilation,
    vocabulary,
    labels: labelsOf(config),
    weights: await weightsOf(model, { ...hub, localFilesOnly: true }),
  };
}

/** Of a classifier. */
function labelsOf({ architectures, json }: LongformerConfig): string[] {
  const labels = json['id2label'];
  return /Classification$/.test(architectures[0] ?? '') && typeof labels === 'object' && labels !== null ? Object.values(labels).map(String) : [];
}

async function weightsOf(model: string, hub: HubOptions): Promise<Checkpoint['weights']> {
  try {
    const { tensors, close } = await openCheckpoint(await openSource(model, hub));
    await close();
    const list = [...tensors.values()];
    const sum = (of: (tensor: TensorInfo) => number): number => list.reduce((total, tensor) => total + of(tensor), 0);
    return {
      parameters: sum(({ shape }) => shape.reduce((product, dim) => product * dim, 1)),
      bytes: sum(({ dtype, shape }) => byteLength(dtype, shape)),
      dtypes: [...new Set(list.map(({ dtype }) => dtype))],
    };
  } catch (error) {
    if (error instanceof LongformerError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

function oneOrAll(values: readonly number[]): number | number[] {
  return values.every((value) => value === values[0]) ? values[0]! : [...values];
}

function textOf(checkpoint: Checkpoint | null, engine: object): string {
  const { bold } = stylesFor(process.stdout);
  const groups: [string, [string, string][]][] = [];
  if (checkpoint !== null) groups.push([checkpoint.model, rowsOf(checkpoint)]);
  groups.push(['engine', Object.entries(engine).map(([name, value]): [string, string] => [name, String(value)])]);
  return groups.map(([title, rows]) => `${bold(printable(title))}\n${table(rows, '<<').map((line) => `  ${printable(line)}\n`).join('')}`).join('\n');
}

function rowsOf({ architecture, layers, hiddenSize, heads, positions, attentionWindow, attentionDilation, vocabulary, labels, weights }: Checkpoint): [string, string][] {
  const window = typeof attentionWindow === 'number' ? `${count(attentionWindow)} keys, both sides together` : `${attentionWindow.map(count).join(', ')} keys by layer, both sides together`;
  return [
    ['class', architecture],
    ['layers', `${layers}, ${plural(heads, 'head')} each, hidden size ${count(hiddenSize)}`],
    ['positions', `${count(positions)} tokens`],
    ['window', window],
    ['dilation', attentionDilation === 1 ? 'none' : typeof attentionDilation === 'number' ? String(attentionDilation) : `by layer and head: ${dilations(attentionDilation)}`],
    ['vocabulary', `${count(vocabulary)} tokens`],
    ...(labels.length === 0 ? [] : [['labels', `${labels.slice(0, 12).join(', ')}${labels.length > 12 ? `, ... (${labels.length})` : ''}`] satisfies [string, string]]),
    ['weights', weights === null ? 'not here' : `${count(weights.parameters)} parameters in ${weights.dtypes.join(', ')}, ${memory(weights.bytes)}`],
  ];
}

/** `1 1 | 2 4` */
function dilations(perLayer: readonly (readonly number[])[]): string {
  return perLayer.map((heads) => oneOrAll(heads)).map((heads) => (typeof heads === 'number' ? heads : heads.join(' '))).join(' | ');
}
