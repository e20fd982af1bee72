// `longformer-wasm convert`: a BERT or RoBERTa checkpoint becomes a Longformer.

import { convertToLongformer } from '../convert.ts';
import { command, UsageError } from './command.ts';
import { JSON_OPTION, readSource, SOURCE_OPTIONS } from './model-options.ts';
import { number, numbers } from './option.ts';
import { withBar } from './session.ts';

export const convert = command({
  name: 'convert',
  summary: 'makes a Longformer of a BERT or RoBERTa checkpoint',
  synopsis: '[options] SOURCE TARGET',
  about: `SOURCE is a folder with config.json and model.safetensors or pytorch_model.bin, or an id of the Hugging Face Hub; TARGET is a new folder.

Texts shorter than half the window give the same numbers as before. For longer ones the position table is copied over and over, as in the paper; training makes the best of it.`,
  options: {
    'max-positions': number('N', 'tokens that the result can read', { preset: '4096' }),
    'attention-window': numbers('N', 'keys that a token sees, both sides together; one number for each layer, separated by commas, or one for all', { preset: '512' }),
    'attention-dilation': numbers('N', 'distance between these keys, in the same form', { preset: '1' }),
    ...SOURCE_OPTIONS,
    ...JSON_OPTION,
  },
  examples: [
    ['convert sentence-transformers/all-MiniLM-L6-v2 minilm-long --max-positions 8192 --attention-window 128', 'an embedding model that reads 8192 tokens at once, for search'],
    ['convert ./bert ./bert-long --attention-dilation 1,1,1,1,1,1,1,1,2,2,2,2', 'a model of 12 layers, whose upper four look further, with gaps'],
  ],
  operands: 'files',
  async run({ values, operands, signal }) {
    const [source, target] = operands;
    if (source === undefined || target === undefined || operands.length > 2) {
      throw new UsageError(`SOURCE and TARGET must be given, got ${operands.length === 1 ? '1 argument' : `${operands.length} arguments`}`);
    }
    await withBar(signal, async (watched, print) => {
      const { architecture, droppedTensors } = await convertToLongformer(source, target, {
        maxPositions: values['max-positions'] ?? 4096,
        attentionWindow: oneOrAll(values['attention-window']) ?? 512,
        attentionDilation: oneOrAll(values['attention-dilation']),
        ...readSource(values),
        ...watched,
      });
      if (values.json) print(`${JSON.stringify({ target, architecture, droppedTensors })}\n`);
      else print(`${target}: ${architecture}${droppedTensors.length === 0 ? '' : `, without ${droppedTensors.join(', ')}`}\n`);
    });
  },
});

/** A single number stands for all layers. */
function oneOrAll(counts: readonly number[] | undefined): number | number[] | undefined {
  return counts?.length === 1 ? counts[0] : counts === undefined ? undefined : [...counts];
}
