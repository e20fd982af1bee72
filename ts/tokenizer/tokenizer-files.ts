// From the files of a checkpoint to the stages of its tokenizer.
//
// tokenizer.json says everything. Where only the older vocabulary files are there, an equal
// tokenizer.json is made up from them. tokenizer_config.json and special_tokens_map.json name the
// tokens that play a role.

import { LongformerError } from '../errors.ts';
import { readJson, type Source } from '../files/source.ts';
import { quoted } from '../quoted.ts';
import { AddedTokenFinder, readAddedToken, type AddedToken } from './added-tokens.ts';
import { createBytePairs } from './byte-pairs.ts';
import { createDecoder, type Decoder } from './decoder.ts';
import { JsonSection } from './json-section.ts';
import { remembering, type Model } from './model.ts';
import { unchanged } from './normalized-text.ts';
import { createNormalizer, type Normalizer } from './normalizer.ts';
import { createPostProcessor, type PostProcessor } from './post-processor.ts';
import { readSpecialTokens, type SpecialTokens } from './special-tokens.ts';
import { createUnigram, unknownIdOf } from './unigram.ts';
import { tokenizerFromVocabularyFiles } from './vocabulary-files.ts';
import { MAX_TOKEN_LENGTH, Vocabulary } from './vocabulary.ts';
import { continuingPrefixOf, createWordPiece } from './word-piece.ts';
import { createPreTokenizer, type PreTokenizer } from './words.ts';

/** Everything a tokenizer consists of. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly addedTokens: readonly AddedToken[];
  /** Those that are looked for in the text as it is. */
  readonly inText: AddedTokenFinder;
  readonly inNormalizedText: AddedTokenFinder;
  readonly specialTokens: SpecialTokens;
  readonly normalizer: Normalizer;
  readonly preTokenizer: PreTokenizer;
  readonly model: Model;
  /** What WordPiece puts in front of tokens that continue a word, or null. */
  readonly continuingPrefix: string | null;
  /** The unknown token of a model whose unknown tokens are written as the text has them, or null. */
  readonly unknownAsWritten: number | null;
  readonly postProcessor: PostProcessor;
  readonly decoder: Decoder;
}

/** Rejects with `NOT_FOUND` if there is no tokenizer, `BAD_FILE` naming file, rule and offender if it breaks a rule. */
export async function readTokenizerFiles(source: Source): Promise<TokenizerParts> {
  const named = async (name: string): Promise<JsonSection | null> => {
    const json = await readJson(source, name);
    return json === null ? null : new JsonSection(`${source.label}/${name}`, json);
  };
  const config = await named('tokenizer_config.json');
  const map = await named('special_tokens_map.json');
  const file = await named('tokenizer.json') ?? await tokenizerFromVocabularyFiles(source, config, map);
  if (file === null) throw await noTokenizer(source);
  return parseTokenizer(file, [config, map]);
}

/** Sentencepiece's own files, which say too little about what is around the model. */
const SENTENCEPIECE_FILES = ['sentencepiece.bpe.model', 'sentencepiece.model', 'spiece.model', 'spm.model', 'tokenizer.model'];

async function noTokenizer(source: Source): Promise<LongformerError> {
  for (const name of SENTENCEPIECE_FILES) {
    const file = await source.open(name);
    if (file === null) continue;
    await file.close();
    return new LongformerError('NOT_FOUND', `${source.label}/tokenizer.json`, `must be there: ${name} is, but Sentencepiece models are not read. `
      + `Python writes one: pip install transformers sentencepiece protobuf && python -c "from transformers import AutoTokenizer as T; T.from_pretrained('FOLDER').save_pretrained('FOLDER')"`);
  }
  return new LongformerError('NOT_FOUND', source.label, 'must hold tokenizer.json, vocab.json and merges.txt, or vocab.txt, holds none');
}

function parseTokenizer(file: JsonSection, roleFiles: readonly (JsonSection | null)[]): TokenizerParts {
  const modelSection = file.section('model');
  const modelType = typeOf(modelSection);
  const modelVocabulary = modelType === 'Unigram' ? Vocabulary.readList(modelSection) : Vocabulary.read(modelSection);
  const addedTokens = file.get('added_tokens') === null ? [] : file.sections('added_tokens').map(readAddedToken);
  const vocabulary = modelVocabulary.with(addedTokens, file.nameOf('added_tokens'));
  const normalizer = createNormalizer(file.sectionOrNull('normalizer'));
  const normalizedContentOf = ({ content }: AddedToken): string => {
    const { text } = normalizer(unchanged(content, 0));
    if (text.length <= MAX_TOKEN_LENGTH) return text;
    throw new LongformerError('BAD_FILE', file.nameOf('added_tokens'),
      `must have at most ${MAX_TOKEN_LENGTH} characters when they are normalized, ${quoted(content)} has ${text.length}`);
  };
  const preTokenizer = createPreTokenizer(modelType === 'Unigram' ? file.sectionOrNull('pre_tokenizer') : file.section('pre_tokenizer'));
  return {
    vocabulary,
    addedTokens,
    inText: new AddedTokenFinder(addedTokens.filter((token) => !token.normalized)),
    inNormalizedText: new AddedTokenFinder(addedTokens.filter((token) => token.normalized), normalizedContentOf),
    specialTokens: readSpecialTokens(roleFiles, vocabulary),
    normalizer,
    preTokenizer,
    model: remembering(createModel(modelType, modelSection, modelVocabulary, preTokenizer)),
    continuingPrefix: modelType === 'WordPiece' ? continuingPrefixOf(modelSection) || null : null,
    unknownAsWritten: modelType === 'Unigram' ? unknownIdOf(modelSection) : null,
    postProcessor: createPostProcessor(file.sectionOrNull('post_processor'), vocabulary),
    decoder: createDecoder(file.sectionOrNull('decoder')),
  };
}

/** Files of older versions leave the type out: only BPE has merges, only Unigram a list. */
function typeOf(model: JsonSection): unknown {
  const type = model.get('type');
  if (type !== null) return type;
  if (model.get('merges') !== null) return 'BPE';
  return Array.isArray(model.get('vocab')) ? 'Unigram' : 'WordPiece';
}

function createModel(type: unknown, section: JsonSection, vocabulary: Vocabulary, preTokenizer: PreTokenizer): Model {
  const byteLevel = preTokenizer.type === 'ByteLevel';
  if (type === 'WordPiece' && !byteLevel) return createWordPiece(section, vocabulary);
  if (type === 'Unigram' && !byteLevel) return createUnigram(section, vocabulary);
  if (type === 'BPE' && byteLevel) return createBytePairs(section, vocabulary);
  throw new LongformerError('BAD_FILE', section.name, `model type ${quoted(type)} is not supported with pre-tokenizer ${preTokenizer.type}`);
}
