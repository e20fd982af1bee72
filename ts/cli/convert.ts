// `longformer-wasm convert`: a BERT or RoBERTa checkpoint becomes a Longformer.

import { convertToLongformer } from '../convert.ts';
import { readArguments, readCount, readCounts, readSource, SOURCE_OPTIONS, UsageError, type Command } from './command.ts';
import { ProgressBar } from './progress-bar.ts';

export const convert: Command = {
  summary: 'makes a Longformer of a BERT or RoBERTa checkpoint',
  usage: `Usage: longformer-wasm convert [options] SOURCE TARGET

SOURCE is a folder with config.json and model.safetensors or
pytorch_model.bin, or an id of the Hugging Face Hub; TARGET is a new folder.

  --revision NAME          a branch, tag or commit of the Hub (default: main)
  --cache-dir DIR          where files of the Hub are kept (default: as Python's huggingface_hub)
  --local-files-only       takes what is there, and fetches nothing
  --max-positions N        tokens that the result can read (default: 4096)
  --attention-window N     keys that a token sees, both sides together (default: 512);
                           one number for each layer, separated by commas, or one for all
  --attention-dilation N   distance between these keys (default: 1), in the same form
  --json                   the outcome as a line of JSON
`,
  async run(args, signal) {
    const { values, positionals } = readArguments(args, {
      ...SOURCE_OPTIONS,
      'max-positions': { type: 'string', default: '4096' },
      'attention-window': { type: 'string', default: '512' },
      'attention-dilation': { type: 'string' },
      json: { type: 'boolean' },
    });
    const [source, target] = positionals;
    if (source === undefined || target === undefined || positionals.length > 2) {
      throw new UsageError(`SOURCE and TARGET must be given, got ${positionals.length} arguments`);
    }
    const bar = new ProgressBar(process.stderr);
    try {
      const { architecture, droppedTensors } = await convertToLongformer(source, target, {
        maxPositions: readCount('max-positions', values['max-positions'])!,
        attentionWindow: oneOrAll(readCounts('attention-window', values['attention-window']))!,
        attentionDilation: oneOrAll(readCounts('attention-dilation', values['attention-dilation'])),
        ...readSource(values),
        signal,
        onProgress: (progress) => bar.show(progress),
      });
      bar.clear();
      if (values.json) process.stdout.write(`${JSON.stringify({ target, architecture, droppedTensors })}\n`);
      else process.stdout.write(`${target}: ${architecture}${droppedTensors.length === 0 ? '' : `, without ${droppedTensors.join(', ')}`}\n`);
    } finally {
      bar.clear();
    }
  },
};

/** A single number stands for all layers. */
function oneOrAll(counts: number[] | undefined): number | number[] | undefined {
  return counts?.length === 1 ? counts[0] : counts;
}
