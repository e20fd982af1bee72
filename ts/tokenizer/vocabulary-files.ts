// The tokenizer.json that older vocabulary files stand for: vocab.json and merges.txt for RoBERTa,
// vocab.txt for BERT. tokenizer_config.json has the switches, with the defaults of the Hugging Face
// classes.

import { LongformerError } from '../errors.ts';
import { readJson, readText, type Source } from '../files/source.ts';
import { JsonSection } from './json-section.ts';
import { ROLES, roleToken, type Role } from './special-tokens.ts';

type Names = { [role in Role]?: string };

const ROBERTA_NAMES = { bos: '<s>', eos: '</s>', unk: '<unk>', sep: '</s>', pad: '<pad>', cls: '<s>', mask: '<mask>' };
const BERT_NAMES = { unk: '[UNK]', sep: '[SEP]', pad: '[PAD]', cls: '[CLS]', mask: '[MASK]' };

/** The contents of a tokenizer.json, or null where the files are not there. */
export async function tokenizerFromVocabularyFiles(
  source: Source, config: JsonSection | null, map: JsonSection | null,
): Promise<JsonSection | null> {
  const settings = config ?? new JsonSection(`${source.label}/tokenizer_config.json`, {});
  const files = [config, map];
  const bytePairs = await readJson(source, 'vocab.json');
  if (bytePairs !== null) {
    const vocab = new JsonSection(`${source.label}/vocab.json`, bytePairs);
    const merges = await readText(source, 'merges.txt');
    if (merges === null) throw new LongformerError('NOT_FOUND', `${source.label}/merges.txt`, 'must be there beside vocab.json, is not');
    return new JsonSection(`${source.label}/vocab.json`, {
      ...roberta(vocab, settings, files),
      model: { type: 'BPE', vocab: bytePairs, merges: linesOf(merges).filter((line) => !line.startsWith('#version')) },
      added_tokens: await addedTokens(source, vocab, ROBERTA_NAMES, files),
    });
  }
  const wordPieces = await readText(source, 'vocab.txt');
  if (wordPieces === null) return null;
  const vocab = numbered(linesOf(wordPieces));
  const section = new JsonSection(`${source.label}/vocab.txt`, vocab);
  return new JsonSection(`${source.label}/vocab.txt`, {
    ...bert(section, settings, files),
    model: { type: 'WordPiece', vocab, unk_token: nameOf('unk', BERT_NAMES, files) },
    added_tokens: await addedTokens(source, section, BERT_NAMES, files),
  });
}

function roberta(vocab: JsonSection, settings: JsonSection, files: readonly (JsonSection | null)[]): object {
  const add_prefix_space = settings.boolean('add_prefix_space', false);
  const trim_offsets = settings.boolean('trim_offsets', true);
  return {
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space },
    post_processor: {
      type: 'RobertaProcessing',
      sep: tokenAndId('sep', vocab, ROBERTA_NAMES, files),
      cls: tokenAndId('cls', vocab, ROBERTA_NAMES, files),
      trim_offsets,
      add_prefix_space,
    },
    decoder: { type: 'ByteLevel' },
  };
}

function bert(vocab: JsonSection, settings: JsonSection, files: readonly (JsonSection | null)[]): object {
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: settings.boolean('tokenize_chinese_chars', true),
      strip_accents: settings.get('strip_accents'),
      lowercase: settings.boolean('do_lower_case', true),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'BertProcessing',
      sep: tokenAndId('sep', vocab, BERT_NAMES, files),
      cls: tokenAndId('cls', vocab, BERT_NAMES, files),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
  };
}

function nameOf(role: Role, names: Names, files: readonly (JsonSection | null)[]): string | undefined {
  return roleToken(role, files)?.content ?? names[role];
}

function tokenAndId(role: Role, vocab: JsonSection, names: Names, files: readonly (JsonSection | null)[]): [string, unknown] {
  const token = nameOf(role, names, files)!;
  if (vocab.get(token) === null) throw new LongformerError('BAD_FILE', vocab.name, `must hold the ${role} token ${JSON.stringify(token)}`);
  return [token, vocab.get(token)];
}

/**
 * The tokens that play a role and are in the vocabulary, then those of added_tokens.json and of
 * `added_tokens_decoder` in tokenizer_config.json, which are right about tokens named twice.
 */
async function addedTokens(
  source: Source, vocab: JsonSection, names: Names, files: readonly (JsonSection | null)[],
): Promise<object[]> {
  const found = new Map<string, object>();
  for (const role of ROLES) {
    const content = nameOf(role, names, files);
    if (content === undefined || vocab.get(content) === null) continue;
    const said = roleToken(role, files)?.section;
    // RoBERTa's mask takes the space before it in: " <mask>" stands where " word" did.
    const lstrip = said?.boolean('lstrip', false) ?? (role === 'mask' && names === ROBERTA_NAMES);
    found.set(content, {
      content, id: vocab.get(content), special: true, lstrip,
      rstrip: said?.boolean('rstrip', false) ?? false,
      single_word: said?.boolean('single_word', false) ?? false,
      normalized: said?.boolean('normalized', false) ?? false,
    });
  }
  const more = await readJson(source, 'added_tokens.json');
  if (more !== null) {
    for (const [content, id] of new JsonSection(`${source.label}/added_tokens.json`, more).entries()) {
      if (!found.has(content)) found.set(content, { content, id });
    }
  }
  const decoder = files[0]?.sectionOrNull('added_tokens_decoder') ?? null;
  for (const [id] of decoder?.entries() ?? []) {
    const token = decoder!.section(id);
    found.set(token.string('content'), { ...Object.fromEntries(token.entries()), id: Number(id) });
  }
  return [...found.values()];
}

/** As Python reads them: every kind of line end, and none needed behind the last line. */
function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Of a token that is there twice the last counts. */
function numbered(tokens: string[]): Record<string, number> {
  const ids = Object.create(null) as Record<string, number>; // "__proto__" may be a token
  tokens.forEach((token, id) => { ids[token] = id; });
  return ids;
}
