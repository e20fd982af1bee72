// A folder of models for the tests: that of the demo, tiny ones of random weights with the other heads,
// and one that was trained, whose heads have gaps in their windows and look back only.

import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HEADS = { 'tiny-question-answering': 'question-answering', 'tiny-classifier': 'classifier', 'tiny-tagger': 'tagger' };

/** `root`: of the clone. `demo`: the folder of the demo's model. */
export function makeModels(root, folder, demo, name) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  symlinkSync(demo, join(folder, name));
  const fixtures = join(root, 'test', 'fixtures');
  const tiny = join(fixtures, 'tiny-pipelines', 'word-piece');
  for (const [name, head] of Object.entries(HEADS)) {
    const target = join(folder, name);
    mkdirSync(target);
    const weight_map = {};
    for (const shard of ['encoder', head]) {
      cpSync(join(tiny, `${shard}.safetensors`), join(target, `${shard}.safetensors`));
      for (const tensor of tensorsOf(join(tiny, `${shard}.safetensors`))) weight_map[tensor] = `${shard}.safetensors`;
    }
    cpSync(join(tiny, `${head}.config.json`), join(target, 'config.json'));
    cpSync(join(fixtures, 'tokenizer', 'word-piece', 'tokenizer.json'), join(target, 'tokenizer.json'));
    writeFileSync(join(target, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
  }
  makeCharacterModel(join(fixtures, 'char-lm'), join(folder, 'tiny-causal-dilated'));
  if (!existsSync(join(folder, name, 'config.json'))) throw new Error(`${demo} is no model`);
}

/** Its vocabulary are characters: a Unigram without a choice. */
function makeCharacterModel(source, target) {
  mkdirSync(target);
  for (const file of ['config.json', 'model.safetensors']) cpSync(join(source, file), join(target, file));
  const ids = JSON.parse(readFileSync(join(source, 'vocab.json'), 'utf8'));
  const vocab = Object.entries(ids).sort(([, a], [, b]) => a - b).map(([character]) => [character, -1]);
  writeFileSync(join(target, 'tokenizer.json'), JSON.stringify({ version: '1.0', model: { type: 'Unigram', unk_id: ids['[UNK]'], vocab } }));
}

/** Names in the header of a safetensors file. */
function tensorsOf(file) {
  const bytes = readFileSync(file);
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
  return Object.keys(header).filter((name) => name !== '__metadata__');
}
