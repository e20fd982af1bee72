// Which Longformer class does the work of a BERT or RoBERTa class, and what its tensors are called there.
//
// The encoders have the same names. Of the heads, BERT's for masked language modelling is named
// otherwise, and its sequence classifier keeps in the pooler what Longformer keeps in the classifier.

interface Head {
  readonly longformer: string;
  /** New names of the modules besides the encoder, by the old ones. */
  readonly modules: Readonly<Record<string, string>>;
  /** Old names of those that a checkpoint may lack. */
  readonly optional?: readonly string[];
}

const POOLER = 'pooler.dense';

const BERT_MASKED_LM: Head = {
  longformer: 'LongformerForMaskedLM',
  modules: {
    'cls.predictions.transform.dense': 'lm_head.dense',
    'cls.predictions.transform.LayerNorm': 'lm_head.layer_norm',
    'cls.predictions': 'lm_head', // the bias over the vocabulary
    'cls.predictions.decoder': 'lm_head.decoder', // tied to the word embeddings and that bias
  },
  optional: ['cls.predictions', 'cls.predictions.decoder'],
};

const TOKEN_CLASSIFICATION: Head = {
  longformer: 'LongformerForTokenClassification', modules: { classifier: 'classifier' },
};
const QUESTION_ANSWERING: Head = {
  longformer: 'LongformerForQuestionAnswering', modules: { qa_outputs: 'qa_outputs' },
};
const MULTIPLE_CHOICE: Head = {
  longformer: 'LongformerForMultipleChoice', modules: { [POOLER]: `longformer.${POOLER}`, classifier: 'classifier' },
};
const MODEL: Head = { longformer: 'LongformerModel', modules: { [POOLER]: POOLER }, optional: [POOLER] };

const HEADS: Readonly<Record<string, Head>> = {
  BertModel: MODEL,
  RobertaModel: MODEL,
  BertForMaskedLM: BERT_MASKED_LM,
  BertForPreTraining: BERT_MASKED_LM, // of its two heads the one for pairs of sentences has no counterpart
  RobertaForMaskedLM: {
    longformer: 'LongformerForMaskedLM',
    modules: {
      'lm_head.dense': 'lm_head.dense', 'lm_head.layer_norm': 'lm_head.layer_norm',
      lm_head: 'lm_head', 'lm_head.decoder': 'lm_head.decoder',
    },
    optional: ['lm_head', 'lm_head.decoder'],
  },
  BertForSequenceClassification: {
    // classifier(tanh(pooler(h[0]))) is what Longformer writes as out_proj(tanh(dense(h[0]))).
    longformer: 'LongformerForSequenceClassification',
    modules: { [POOLER]: 'classifier.dense', classifier: 'classifier.out_proj' },
  },
  RobertaForSequenceClassification: {
    longformer: 'LongformerForSequenceClassification',
    modules: { 'classifier.dense': 'classifier.dense', 'classifier.out_proj': 'classifier.out_proj' },
  },
  BertForTokenClassification: TOKEN_CLASSIFICATION,
  RobertaForTokenClassification: TOKEN_CLASSIFICATION,
  BertForQuestionAnswering: QUESTION_ANSWERING,
  RobertaForQuestionAnswering: QUESTION_ANSWERING,
  BertForMultipleChoice: MULTIPLE_CHOICE,
  RobertaForMultipleChoice: MULTIPLE_CHOICE,
};

/** The classes that can be converted. */
export const ARCHITECTURES: readonly string[] = Object.keys(HEADS);

/** The Longformer class that does the work of `architecture`, one of ARCHITECTURES. */
export function longformerClass(architecture: string): string {
  return HEADS[architecture]!.longformer;
}

/**
 * What a tensor of `architecture` is called in its Longformer class; null if that has no use for it.
 *
 * Takes names with and without the prefixes `bert.` and `roberta.`; gives those that Hugging Face
 * writes, with `longformer.` before the encoder of a model with a head.
 */
export function longformerName(name: string, architecture: string): string | null {
  const { longformer, modules } = HEADS[architecture]!;
  const plain = name
    .replace(/^(bert|roberta)\./, '')
    .replace(/\.LayerNorm\.gamma$/, '.LayerNorm.weight') // as TensorFlow called them, and BERT's first checkpoints
    .replace(/\.LayerNorm\.beta$/, '.LayerNorm.bias');
  const [, module, parameter] = /^(.*)\.(weight|bias)$/.exec(plain) ?? [];
  if (module === undefined) return null; // a buffer: old files hold position_ids
  if (/^(embeddings|encoder)\./.test(module)) return `${encoderPrefix(longformer)}${plain}`;
  return Object.hasOwn(modules, module) ? `${modules[module]!}.${parameter}` : null;
}

/**
 * The tensors that must come out of a conversion, by their new names. Those of the encoder have
 * their shape before it, of a head's only the name is known.
 */
export function requiredTensors(architecture: string, config: EncoderSizes): Map<string, readonly number[] | null> {
  const { longformer, modules, optional = [] } = HEADS[architecture]!;
  const required = new Map<string, readonly number[] | null>();
  for (const [name, shape] of encoderShapes(config)) required.set(encoderPrefix(longformer) + name, shape);
  for (const [old, module] of Object.entries(modules)) {
    if (!optional.includes(old)) required.set(`${module}.weight`, null).set(`${module}.bias`, null);
  }
  return required;
}

function encoderPrefix(longformer: string): string {
  return longformer === MODEL.longformer ? '' : 'longformer.';
}

interface EncoderSizes {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
}

function encoderShapes(config: EncoderSizes): Map<string, readonly number[]> {
  const { hidden_size: hidden, intermediate_size: inner } = config;
  const shapes = new Map<string, readonly number[]>([
    ['embeddings.word_embeddings.weight', [config.vocab_size, hidden]],
    ['embeddings.position_embeddings.weight', [config.max_position_embeddings, hidden]],
    ['embeddings.token_type_embeddings.weight', [config.type_vocab_size, hidden]],
  ]);
  const norm = (module: string): void => void shapes.set(`${module}.weight`, [hidden]).set(`${module}.bias`, [hidden]);
  const linear = (module: string, out: number, input: number): void =>
    void shapes.set(`${module}.weight`, [out, input]).set(`${module}.bias`, [out]);

  norm('embeddings.LayerNorm');
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const prefix = `encoder.layer.${layer}`;
    for (const projection of ['query', 'key', 'value']) linear(`${prefix}.attention.self.${projection}`, hidden, hidden);
    linear(`${prefix}.attention.output.dense`, hidden, hidden);
    norm(`${prefix}.attention.output.LayerNorm`);
    linear(`${prefix}.intermediate.dense`, inner, hidden);
    linear(`${prefix}.output.dense`, hidden, inner);
    norm(`${prefix}.output.LayerNorm`);
  }
  return shapes;
}
