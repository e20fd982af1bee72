// `longformer-wasm pattern`: who sees whom, as a picture.

import { bandsOf, readConfig } from '../config.ts';
import { openSource } from '../files/open.ts';
import type { SourceOptions } from '../files/source-options.ts';
import { firstPosition } from '../models/prefix.ts';
import { headsNamed, patternSvg, type PatternPicture } from '../pattern-svg.ts';
import { checkBelow, command, UsageError } from './command.ts';
import { MODEL_OPTION, readSource, SOURCE_OPTIONS } from './model-options.ts';
import { flag, number, numbers, text } from './option.ts';
import { writeOutput } from './output.ts';

interface Given {
  /** A number, or one for each head. */
  dilation: readonly number[] | undefined;
  globalTokens: readonly number[];
  tokens: number | undefined;
  /** Both sides together. */
  window: number | undefined;
  layer: number | undefined;
  head: number | undefined;
}

export const pattern = command({
  name: 'pattern',
  summary: 'draws which tokens see which, as SVG',
  synopsis: '[options]',
  about: `Rows are queries, columns keys. It draws a pattern of your own, with --figure the four of the paper's figure 2, or with --model and --layer those of a model's layer, by its config.json.`,
  options: {
    tokens: number('N', 'tokens to draw', { preset: '24, with --model as many as show the pattern' }),
    window: number('N', 'keys that a token sees, both sides together', { least: 2, preset: '6' }),
    dilation: numbers('N', 'distance between these keys; one number for each head, separated by commas, draws a panel for each that differs', { preset: '1' }),
    causal: flag('no token sees a later one'),
    global: numbers('POSITIONS', 'global tokens, separated by commas', { least: 0, preset: 'none' }),
    figure: flag("the four patterns of the paper's figure 2"),
    layer: number('L', 'with --model: the layer, counted from 0', { least: 0 }),
    head: number('H', 'with --model: one head of it, counted from 0', { least: 0, preset: 'all' }),
    output: text('FILE', 'where the picture goes', { preset: 'standard output', short: 'o', names: 'file' }),
    ...MODEL_OPTION,
    ...SOURCE_OPTIONS,
  },
  examples: [
    ['pattern --tokens 30 --window 8 --dilation 1,2 -o dilated.svg', 'two heads, one of them with gaps in its window'],
    ['pattern -m ./minilm-long --layer 3 -o layer.svg', 'who sees whom in a real layer'],
  ],
  operands: 'none',
  async run({ values, signal }) {
    refuseTogether(values);
    const given: Given = { ...values, globalTokens: values.global ?? [] };
    if ((given.window ?? 0) % 2 !== 0) throw new UsageError(`--window must be even, it counts both sides, got ${given.window}`);
    const pictures = values.figure ? FIGURE
      : [values.model === undefined ? ownPattern(given, values.causal ?? false) : await patternOfLayer(values.model, given, { ...readSource(values), signal })];
    await writeOutput(values.output, patternSvg(pictures));
  },
});

/** Options that say the same thing twice, or say nothing without another. */
function refuseTogether(values: Readonly<Record<string, unknown>>): void {
  const source = values['figure'] ? 'figure' : values['model'] === undefined ? null : 'model';
  const ofModel = [...Object.keys(SOURCE_OPTIONS), 'layer', 'head'];
  const senseless = source === 'figure' ? ['model', ...ofModel, 'tokens', 'window', 'dilation', 'causal', 'global']
    : source === 'model' ? ['dilation', 'causal'] : ofModel;
  const found = senseless.find((name) => values[name] !== undefined);
  if (found !== undefined) throw new UsageError(source === null ? `--${found} needs --model` : `--${found} does not go with --${source}`);
  if (source === 'model' && values['layer'] === undefined) throw new UsageError('--layer must be given with --model');
}

/** The patterns of the paper's figure 2, in its order. */
const FIGURE: readonly PatternPicture[] = [
  { title: 'Full attention', seqLen: 24, oneSidedWindow: 23 },
  { title: 'Sliding window', seqLen: 24, oneSidedWindow: 3 },
  { title: 'Dilated sliding window', seqLen: 24, oneSidedWindow: 3, dilation: 2 },
  { title: 'Global + sliding window', seqLen: 24, oneSidedWindow: 3, globalTokens: [0, 15] },
];

function ownPattern({ tokens = 24, window = 6, dilation = [1], globalTokens }: Given, causal: boolean): PatternPicture {
  return { seqLen: tokens, oneSidedWindow: window / 2, dilation, causal, globalTokens };
}

async function patternOfLayer(model: string, { tokens, window, globalTokens, layer, head }: Given, options: SourceOptions): Promise<PatternPicture> {
  const config = await readConfig(await openSource(model, options));
  const { num_hidden_layers: layers, num_attention_heads: heads, max_position_embeddings: rows } = config;
  checkBelow('layer', layer, layers, 'layers of the model');
  checkBelow('head', head, heads, 'heads of the model');
  const { oneSidedWindow, dilations } = bandsOf(config, window)[layer!]!;
  const dilation = head === undefined ? dilations : [dilations[head]!];
  const span = 2 * oneSidedWindow * Math.max(...dilation) + 1;
  return {
    title: head === undefined ? `Layer ${layer}` : `Layer ${layer}, ${headsNamed([head])}`,
    seqLen: tokens ?? Math.min(Math.max(3 * span, 24), rows - firstPosition('', config), 1024),
    oneSidedWindow, dilation, causal: config.autoregressive, globalTokens,
  };
}
