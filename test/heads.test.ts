// The heads: which class is loaded, what is refused by name, which rows and tokens are chosen.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  createEngine, loadModel, LongformerForCausalLM, LongformerForMaskedLM, LongformerForMultipleChoice,
  LongformerForQuestionAnswering, LongformerForSequenceClassification, LongformerForTokenClassification, LongformerModel, tokensInRanges, type Engine, type PretrainedModel, type SequenceModel, type Tensor,
} from 'longformer-wasm';
import { assertClose } from './close.ts';
import { assertRefuses } from './rejects.ts';
import { headFiles } from './tiny-heads.ts';

const test = suite<{ engine: Engine }>('heads');

test.before(async (context) => {
  context.engine = await createEngine({ threads: 2 });
});

test.after(({ engine }) => engine.dispose());

const ids = Array.from({ length: 40 }, (_, i) => 3 + (i * 7) % 50);
const pair = [0, 11, 12, 13, 2, 2, 21, 22, 23, 24, 2];

test('loadModel picks the class by config.json', async ({ engine }) => {
  const load = async (head: string, config: Record<string, unknown> = {}): Promise<PretrainedModel<unknown>> => loadModel(await headFiles(head, config), { engine });
  assert.instance(await load('masked-lm'), LongformerForMaskedLM);
  assert.instance(await load('classifier'), LongformerForSequenceClassification);
  assert.instance(await load('tagger'), LongformerForTokenClassification);
  assert.instance(await load('question-answering'), LongformerForQuestionAnswering);
  assert.instance(await load('multiple-choice'), LongformerForMultipleChoice);
  assert.instance(await load('attentions'), LongformerModel);
  assert.instance(await loadModel(new URL('./fixtures/char-lm/', import.meta.url), { engine }), LongformerForCausalLM);
  // AI2's own names; none at all.
  assert.instance(await load('masked-lm', { architectures: ['RobertaLongForMaskedLM'] }), LongformerForMaskedLM);
  assert.instance(await load('classifier', { architectures: ['RobertaForSequenceClassification'] }), LongformerForSequenceClassification);
  // BERT with Longformer's attention: those whose head has the same tensors.
  for (const [head, name, Class] of [
    ['attentions', 'BertModel', LongformerModel], ['attentions', 'BertLongModel', LongformerModel], ['tagger', 'BertForTokenClassification', LongformerForTokenClassification],
    ['question-answering', 'BertForQuestionAnswering', LongformerForQuestionAnswering], ['multiple-choice', 'BertForMultipleChoice', LongformerForMultipleChoice],
  ] as const) assert.instance(await load(head, { model_type: 'bert', architectures: [name] }), Class, name);
  for (const architectures of [[], null]) assert.instance(await load('masked-lm', { architectures }), LongformerModel);
  for (const name of ['LongformerForPreTraining', 'RobertaForm', 'BertForMaskedLM', 'BertForSequenceClassification', 'toString']) {
    await assertRefuses(() => load('masked-lm', { architectures: [name] }), 'BAD_FILE',
      /config\.json: architectures must name one of LongformerModel, .*LongformerForMultipleChoice.* names "/, new RegExp(name));
  }
});

test('a tensor that a head lacks is named, never made up', async ({ engine }) => {
  const lacking = async (head: string, name: string, config: Record<string, unknown> = {}): Promise<void> => {
    const files = await headFiles(head, config, (tensor) => tensor.name !== name);
    await assertRefuses(() => loadModel(files, { engine }), 'NOT_FOUND', new RegExp(`the tensor ${name} must be in the checkpoint`));
  };
  await lacking('masked-lm', 'lm_head.dense.weight');
  await lacking('masked-lm', 'lm_head.bias');
  await lacking('masked-lm-untied', 'lm_head.decoder.weight');
  await lacking('classifier', 'classifier.out_proj.weight');
  await lacking('tagger', 'classifier.bias');
  await lacking('question-answering', 'qa_outputs.weight');
  await lacking('multiple-choice', 'longformer.pooler.dense.weight');
  // An encoder alone is no classifier.
  await assertRefuses(async () => LongformerForSequenceClassification.fromPretrained(await headFiles('masked-lm'), { engine }),
    'NOT_FOUND', /classifier\.dense\.weight/);
});

test('the labels are those of config.json, and the tensors must agree', async ({ engine }) => {
  const load = async (config: Record<string, unknown>) => LongformerForTokenClassification.fromPretrained(await headFiles('tagger', config), { engine });
  const dims = async (config: Record<string, unknown>) => (await (await load(config)).forward({ inputIds: ids })).logits.dims;
  assert.equal(await dims({}), [40, 5]);
  assert.equal(await dims({ id2label: null, num_labels: 5 }), [40, 5]);
  assert.equal(await dims({ num_labels: 3 }), [40, 5]); // the map comes first, as in Hugging Face
  await assertRefuses(() => load({ id2label: { 0: 'a', 1: 'b' } }), 'BAD_FILE', /classifier\.weight must have the shape \[2,30\].*has \[5,30\]/);
  await assertRefuses(() => load({ id2label: null }), 'BAD_FILE', /shape \[2,30\]/); // two by default
  for (const id2label of [[], 'labels', {}]) await assertRefuses(() => load({ id2label }), 'BAD_FILE', /id2label must be an object/);
  for (const num_labels of [0, -1, 2.5, 'two', 2 ** 40]) {
    await assertRefuses(() => load({ id2label: null, num_labels }), 'BAD_FILE', /num_labels must be a whole number above 0/);
  }
});

test('the bias of a tied decoder may have either name', async ({ engine }) => {
  // Of the untied head the decoder's bias is the one in use, as it is there under its own name.
  const both = await loadModel(await headFiles('masked-lm-untied'), { engine });
  const one = await loadModel(await headFiles('masked-lm-untied', {}, ({ name }) => name !== 'lm_head.bias'), { engine });
  const other = await loadModel(await headFiles('masked-lm-untied', {}, ({ name }) => name !== 'lm_head.decoder.bias'), { engine });
  const logitsOf = async (model: typeof both): Promise<Float32Array> => (await (model as LongformerForMaskedLM).forward({ inputIds: ids })).logits.data;
  assert.equal(await logitsOf(one), await logitsOf(both));
  assert.not.equal(await logitsOf(other), await logitsOf(both));
});

test('logits of the tokens that are wanted', async ({ engine }) => {
  for (const [head, cols] of [['masked-lm', 61], ['tagger', 5]] as const) {
    const model = await loadModel(await headFiles(head), { engine }) as SequenceModel<{ logits: Tensor }>;
    const [all, some] = [await model.forward({ inputIds: ids }), await model.forward({ inputIds: ids }, { positions: [3, 39] })];
    assert.equal([all.logits.dims, some.logits.dims], [[40, cols], [2, cols]]);
    for (const [row, position] of [3, 39].entries()) {
      assertClose(some.logits.data.subarray(row * cols, (row + 1) * cols), all.logits.data.subarray(position * cols, (position + 1) * cols), 1e-6, head);
    }
  }
});

test('positions are refused where the result has no rows', async ({ engine }) => {
  for (const [head, name] of [['classifier', 'SequenceClassification'], ['question-answering', 'QuestionAnswering'], ['multiple-choice', 'MultipleChoice']] as const) {
    const model = await loadModel(await headFiles(head), { engine });
    const words = new RegExp(`positions must not be given: results of LongformerFor${name} have no row`);
    await assertRefuses(() => model.forward({ inputIds: pair }, { positions: [0] }), 'BAD_INPUT', words);
    await assertRefuses(() => model.plan({ tokens: 11, positions: 1 }), 'BAD_INPUT', words);
    assert.ok(model.plan({ tokens: 11 }).flops > 0);
  }
});

test('the default global tokens are those of the head, and what the caller gives replaces them', async ({ engine }) => {
  const globalsOf = async (head: string, inputIds: number[], given: object = {}): Promise<number | undefined> => {
    const model = await loadModel(await headFiles(head), { engine });
    const options = { outputAttentions: { layers: [0] } };
    const out = model instanceof LongformerForMultipleChoice ? (await model.forward({ inputIds, ...given }, options)).choices![0]!
      : await model.forward({ inputIds, ...given }, options);
    return out.globalAttentions?.[0]!.dims[2];
  };
  assert.is(await globalsOf('attentions', ids), undefined);
  assert.is(await globalsOf('masked-lm', ids), undefined);
  assert.is(await globalsOf('tagger', ids), undefined);
  assert.is(await globalsOf('classifier', ids), 1);
  assert.is(await globalsOf('classifier', ids, { keyMask: ids.map((_, i) => (i === 0 ? 0 : 1)) }), undefined);
  assert.is(await globalsOf('question-answering', pair), 4);
  assert.is(await globalsOf('multiple-choice', pair), 5);
  // BERT's pairs: two separators, neighbours where the second text is empty; three with one in that text.
  const bert = [0, 11, 12, 13, 2, 21, 22, 23, 2];
  for (const [inputIds, choice] of [[bert, 4], [[...bert.slice(0, 5), 2], 1], [[...bert.slice(0, 7), 2, 23, 2], 5]] as const) {
    assert.is(await globalsOf('question-answering', [...inputIds]), 4);
    assert.is(await globalsOf('multiple-choice', [...inputIds]), choice);
  }
  assert.is(await globalsOf('question-answering', pair, { globalTokens: [] }), undefined);
  assert.is(await globalsOf('multiple-choice', pair, { globalTokens: [0] }), 1);
  for (const head of ['question-answering', 'multiple-choice']) {
    for (const [inputIds, count] of [[ids, 0], [[5, 2], 1], [[2, 2, 2, 2], 4]] as const) {
      await assertRefuses(() => globalsOf(head, [...inputIds]), 'BAD_INPUT', new RegExp(`inputIds must have 2 or 3 separators, id 2, .* has ${count}: .* globalTokens`));
      assert.is(await globalsOf(head, [...inputIds], { globalTokens: [0] }), 1);
    }
  }
});

test('attentions of the layers and tokens that are wanted', async ({ engine }) => {
  const model = await loadModel(await headFiles('attentions'), { engine }) as LongformerModel;
  const sequence = { inputIds: ids, globalTokens: [0, 9] };
  const all = await model.forward(sequence, { outputAttentions: true });
  const some = await model.forward(sequence, { outputAttentions: { layers: [1], queries: [1, 9, 39] } });
  assert.equal(all.attentions!.map(({ dims }) => dims), [[3, 40, 2 + 4 + 1], [3, 40, 2 + 12 + 1]]);
  assert.equal(some.attentions!.map(({ dims }) => dims), [[3, 3, 15]]);
  assert.equal(some.globalAttentions![0]!.data, all.globalAttentions![1]!.data);
  for (let head = 0; head < 3; head++) {
    for (const [row, query] of [1, 9, 39].entries()) {
      const [from, to] = [(head * 40 + query) * 15, (head * 3 + row) * 15];
      assertClose(some.attentions![0]!.data.subarray(to, to + 15), all.attentions![1]!.data.subarray(from, from + 15), 1e-6, `head ${head}, query ${query}`);
    }
  }
  assert.is((await model.forward(sequence)).attentions, undefined);
  assert.is((await model.forward(sequence, { outputAttentions: { layers: [] } })).attentions, undefined);
  const refuses = (outputAttentions: unknown, words: RegExp): Promise<void> =>
    assertRefuses(() => model.forward(sequence, { outputAttentions: outputAttentions as boolean }), 'BAD_INPUT', words);
  await refuses({ layers: [2] }, /outputAttentions\.layers\[0\] must be a position below 2, got 2/);
  await refuses({ queries: [40] }, /outputAttentions\.queries\[0\]/);
  await refuses({ queries: [3, 3] }, /outputAttentions\.queries\[1\]/);
  await refuses('all', /outputAttentions must be true, false or an object/);
});

test('dilated and causal attentions are those of each token', async ({ engine }) => {
  for (const config of [{ attention_dilation: [[1, 2, 5], [3, 1, 60]] }, { attention_dilation: 2, autoregressive: true }]) {
    const model = await LongformerModel.fromPretrained(await headFiles('attentions', config), { engine });
    const keyMask = ids.map((_, i) => (i === 7 || i === 20 ? 0 : 1));
    const sequence = { inputIds: ids, globalTokens: [0, 12], keyMask };
    const out = await model.forward(sequence, { outputAttentions: true });
    const dilations = (layer: number, head: number): number => (typeof config.attention_dilation === 'number' ? 2 : config.attention_dilation[layer]![head]!);
    for (const [layer, { dims: [heads, rows, cols], data }] of out.attentions!.entries()) {
      const side = (cols! - 3) / 2;
      for (let query = 0; query < rows!; query++) {
        const whole = (await model.attentionOf(sequence, { layer, position: query })).data; // [heads, 40]
        for (let head = 0; head < heads!; head++) {
          const seen = new Float32Array(40);
          const row = data.subarray((head * rows! + query) * cols!, (head * rows! + query + 1) * cols!);
          if ([0, 12].includes(query)) {
            for (let key = 0; key < 40; key++) seen[key] = out.globalAttentions![layer]!.data[(head * 40 + key) * 2 + (query === 0 ? 0 : 1)]!;
            assert.ok(row.every((weight) => weight === 0));
          } else {
            for (const [col, weight] of row.entries()) {
              const key = col < 2 ? [0, 12][col]! : query + (col - 2 - side) * dilations(layer, head);
              if (weight !== 0) seen[key]! += weight; // outside of the text there must be none
              if (key < 0 || key >= 40) assert.is(weight, 0);
            }
          }
          assertClose(seen, whole.subarray(head * 40, (head + 1) * 40), 2e-5, `layer ${layer}, head ${head}, query ${query}`);
        }
      }
    }
  }
});

test('attentions that cannot fit are refused before the pass, with their size', async ({ engine }) => {
  const model = await LongformerModel.fromPretrained(await headFiles('attentions'), { engine });
  const seen: unknown[] = [];
  const wide = { attentionWindow: 20_000_000, outputAttentions: true, onProgress: (p: unknown) => seen.push(p) };
  // lastHiddenState and poolerOutput, then two layers of 3 heads, 40 rows and a window each.
  const bytes = 4 * (41 * 30 + 2 * 3 * 40 * 20_000_001);
  await assertRefuses(() => model.forward({ inputIds: ids }, wide), 'OUT_OF_MEMORY', new RegExp(`must have at most 2147483648 bytes, would have ${bytes}:`));
  assert.equal(seen, []);
  const one = await model.forward({ inputIds: ids }, { attentionWindow: 200_000, outputAttentions: { layers: [1], queries: [5] } });
  assert.equal(one.attentions![0]!.dims, [3, 1, 200_001]);
});

test('multiple choice gives one result', async ({ engine }) => {
  const model = await LongformerForMultipleChoice.fromPretrained(await headFiles('multiple-choice'), { engine });
  const choices = [pair, [...pair.slice(0, 7), 2]].map((inputIds) => ({ inputIds }));
  const out = await model.forward(choices, { outputHiddenStates: [2], maxBatchTokens: 1 });
  assert.equal(out.logits.dims, [2]);
  assert.equal(out.choices!.map(({ hiddenStates }) => hiddenStates![0]!.dims), [[11, 30], [8, 30]]);
  assert.is((await model.forward(choices)).choices, undefined);
  await assertRefuses(() => model.forward([]), 'BAD_INPUT', /the choices must be one at least/);
});

test('tokens of ranges of a text', async () => {
  // "The king is dead" [SEP] "Who is dead": special tokens hold no character.
  const encoding = {
    offsets: [[0, 0], [0, 3], [4, 8], [9, 11], [12, 16], [0, 0], [0, 3], [4, 6], [7, 11], [0, 0]] as [number, number][],
    sequenceIds: [null, 0, 0, 0, 0, null, 1, 1, 1, null] as (0 | 1 | null)[],
  };
  assert.equal(tokensInRanges(encoding, [[4, 8]]), [2]);
  assert.equal(tokensInRanges(encoding, [[5, 6], [8, 10]]), [2, 3]);
  assert.equal(tokensInRanges(encoding, [[12, 16], [0, 1]]), [1, 4]);
  assert.equal(tokensInRanges(encoding, [[8, 9]]), []); // a space between tokens
  assert.equal(tokensInRanges(encoding, [[4, 4]]), []);
  assert.equal(tokensInRanges(encoding, [[0, 100]], { text: 1 }), [6, 7, 8]);
  assert.equal(tokensInRanges(encoding, []), []);
  for (const range of [[3, 1], [-1, 2], [0.5, 2], [1], 5]) {
    await assertRefuses(() => tokensInRanges(encoding, [[0, 1], range as [number, number]]), 'BAD_INPUT', /ranges\[1\] must be \[start, end\]/);
  }
});

test.run();
