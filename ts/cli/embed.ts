// `longformer-wasm embed`: vectors of texts.

import { extname } from 'node:path';
import type { Tensor } from '../tensor.ts';
import { command, UsageError } from './command.ts';
import { titleOf } from './classify.ts';
import { ABOUT_INPUTS, INPUT_OPTIONS, readInputs, type Input } from './inputs.ts';
import { JSON_OPTION, MODEL_OPTIONS } from './model-options.ts';
import { npyOf } from './npy.ts';
import { choice, flag, text } from './option.ts';
import { writeOutput } from './output.ts';
import { batchesOf, naming, readingOptions, readJson, readReading, sayWhatWasRead, withPipeline } from './pipelines.ts';
import { table } from './table.ts';
import { count, memory, plural, printable, stylesFor, widthOf } from './terminal.ts';

/** As lines of JSON, as NumPy reads it, and as bare numbers. */
const FORMATS = ['.jsonl', '.npy', '.f32'];

/** Up to so many texts their similarities are shown: a column for each. */
const MOST_COMPARED = 12;

export const embed = command({
  name: 'embed',
  summary: 'makes vectors of texts',
  synopsis: '--model MODEL [options] [TEXT...]',
  about: `${ABOUT_INPUTS}

On a terminal it shows how similar the texts are, elsewhere it prints a line of JSON for each. With --output the vectors go to a file, by its name as lines of JSON (.jsonl), for numpy.load (.npy), or as little-endian float32 row by row (.f32).`,
  options: {
    output: text('FILE', `where the vectors go: ${FORMATS.join(', ')}`, { preset: 'standard output', short: 'o', names: 'file' }),
    pooling: choice(['mean', 'cls', 'max', 'none'], 'what stands for a text; none: the vectors of all its tokens', { preset: 'as the checkpoint says, else mean' }),
    normalize: flag('vectors of length 1'),
    ...INPUT_OPTIONS,
    ...readingOptions('error'),
    ...MODEL_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ["embed -m ./minilm-long 'A cat sat.' 'A dog sat.' 'Shares fell.'", 'how similar three sentences are'],
    ['embed -m ./minilm-long -o notes.npy notes/*.md', 'a row for each file, for numpy.load'],
    ['embed -m ./minilm-long --lines --json < sentences.txt', 'each line of standard input'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const { output, pooling, normalize } = values;
    const format = output === undefined ? null : extname(output);
    if (format !== null && !FORMATS.includes(format)) throw new UsageError(`--output must end in ${FORMATS.join(', ')}, got ${JSON.stringify(output)}`);
    const inputs = await readInputs(operands, values);
    if (pooling === 'none' && format !== null && format !== '.jsonl' && inputs.length > 1) throw new UsageError(`--pooling none gives a matrix for each text: ${format} holds one, got ${inputs.length} texts`);
    await withPipeline('feature-extraction', values, signal, async (run, { watched, print }) => {
      const options = { ...(pooling !== undefined && { pooling }), ...(normalize !== undefined && { normalize }), ...readReading(values), ...watched };
      const isShown = format === null && !values.json && process.stdout.isTTY;
      const vectors: Tensor[] = [];
      let lines = '';
      for (const batch of batchesOf(inputs)) {
        const { result, read } = await naming(batch, () => run.withReport(batch.map(({ text }) => text), options));
        const tensors = Array.isArray(result) ? result as Tensor[] : rowsOf(result as Tensor);
        for (const [i, input] of batch.entries()) {
          const line = `${JSON.stringify({ path: input.path, embedding: numbersOf(tensors[i]!, pooling === 'none'), read: readJson(read[i]!) })}\n`;
          if (format === '.jsonl') lines += line;
          else if (format === null && !isShown) print(line);
          else vectors.push(tensors[i]!);
          print('');
          sayWhatWasRead(input, read[i]!);
        }
      }
      if (isShown) print(shown(inputs, vectors));
      if (output === undefined || format === null) return;
      const all = joined(vectors);
      await writeOutput(output, format === '.jsonl' ? lines : format === '.npy' ? npyOf(all) : bytesOf(all.data));
      const size = format === '.jsonl' ? Buffer.byteLength(lines) : all.data.byteLength;
      process.stderr.write(`${printable(output)}: ${plural(inputs.length, 'text')}${format === '.jsonl' ? '' : `, ${all.dims.map(count).join(' x ')} numbers`}, ${memory(size)}\n`);
    });
  },
});

function rowsOf({ dims: [, cols], data }: Tensor): Tensor[] {
  return Array.from({ length: data.length / cols! }, (_, row) => ({ dims: [1, cols!], data: data.subarray(row * cols!, (row + 1) * cols!) }));
}

function joined(tensors: readonly Tensor[]): Tensor {
  const cols = tensors[0]?.dims[1] ?? 0;
  const data = new Float32Array(tensors.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const tensor of tensors) {
    data.set(tensor.data, at);
    at += tensor.data.length;
  }
  return { dims: [cols === 0 ? 0 : data.length / cols, cols], data };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Nine digits tell all singles apart. */
function numbersOf(tensor: Tensor, isMatrix: boolean): number[] | number[][] {
  const rows = rowsOf(tensor).map(({ data }) => Array.from(data, (value) => Number(value.toPrecision(9))));
  return isMatrix ? rows : rows[0]!;
}

/** What a person can see of vectors: their sizes, and how near they are to each other. */
function shown(inputs: readonly Input[], vectors: readonly Tensor[]): string {
  const { bold, dim } = stylesFor(process.stdout);
  const room = Math.max(16, (process.stdout.columns || 80) - 8 * Math.min(vectors.length, MOST_COMPARED) - 4);
  const names = inputs.map((input) => fit(titleOf(input), room));
  const isCompared = vectors.length > 1 && vectors.length <= MOST_COMPARED && vectors.every(({ dims: [rows] }) => rows === 1);
  const rows = isCompared
    ? [['', '', ...inputs.map((_, i) => dim(String(i + 1)))],
      ...names.map((name, i) => [dim(String(i + 1)), name, ...vectors.map((other, j) => (i === j ? dim('1') : cosine(vectors[i]!.data, other.data).toFixed(3)))])]
    : names.map((name, i) => [name, `${vectors[i]!.dims.map(count).join(' x ')} numbers`]);
  const title = isCompared ? `Cosines of ${plural(inputs.length, 'text')}` : plural(inputs.length, 'text');
  const hint = `${count(vectors[0]!.dims[1]!)} numbers each: --json prints them, --output keeps them`;
  return [bold(title), ...table(rows, isCompared ? `>${'<'}${'>'.repeat(vectors.length)}` : '<>'), dim(hint), ''].join('\n');
}

function fit(text: string, columns: number): string {
  let fits = '';
  for (const character of text) {
    if (widthOf(fits + character) > columns - 3) return `${fits}...`;
    fits += character;
  }
  return fits;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const product = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}
