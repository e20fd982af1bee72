// From the files of a checkpoint to the stages of its tokenizer.
//
// tokenizer.json says everything. Where only the older vocabulary files are there, an equal
// tokenizer.json is made up from them. tokenizer_config.json and special_tokens_map.json name the
// tokens that play a role.

import { LongformerError } from '../errors.ts';
import { readJson, type Source } from '../files/source.ts';
import { quoted } from '../quoted.ts';
import { readAddedToken, type AddedToken } from './added-tokens.ts';
import { createBytePairs } from './byte-pairs.ts';
import { createDecoder, type Decoder } from './decoder.ts';
import { JsonSection } from './json-section.ts';
import { remembering, type Model } from './model.ts';
import { createNormalizer, type Normalizer } from './normalizer.ts';
import { createPostProcessor, type PostProcessor } from './post-processor.ts';
import { readSpecialTokens, type SpecialTokens } from './special-tokens.ts';
import { tokenizerFromVocabularyFiles } from './vocabulary-files.ts';
import { Vocabulary } from './vocabulary.ts';
import { createWordPiece } from './word-piece.ts';
import { createPreTokenizer, type PreTokenizer } from './words.ts';

/** Everything a tokenizer consists of. */
export interface TokenizerParts {
  readonly vocabulary: Vocabulary;
  readonly addedTokens: readonly AddedToken[];
  readonly specialTokens: SpecialTokens;
  readonly normalizer: Normalizer;
  readonly preTokenizer: PreTokenizer;
  readonly model: Model;
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
  if (file === null) {
    throw new LongformerError('NOT_FOUND', source.label, 'must hold tokenizer.json, vocab.json and merges.txt, or vocab.txt, holds none');
  }
  return parseTokenizer(file, [config, map]);
}

function parseTokenizer(file: JsonSection, roleFiles: readonly (JsonSection | null)[]): TokenizerParts {
  const modelSection = file.section('model');
  const modelVocabulary = Vocabulary.read(modelSection);
  const addedTokens = file.get('added_tokens') === null ? [] : file.sections('added_tokens').map(readAddedToken);
  const vocabulary = modelVocabulary.with(addedTokens, file.nameOf('added_tokens'));
  const preTokenizer = createPreTokenizer(file.section('pre_tokenizer'));
  return {
    vocabulary,
    addedTokens,
    specialTokens: readSpecialTokens(roleFiles, vocabulary),
    normalizer: createNormalizer(file.sectionOrNull('normalizer')),
    preTokenizer,
    model: remembering(createModel(modelSection, modelVocabulary, preTokenizer)),
    postProcessor: createPostProcessor(file.sectionOrNull('post_processor'), vocabulary),
    decoder: createDecoder(file.sectionOrNull('decoder')),
  };
}

function createModel(section: JsonSection, vocabulary: Vocabulary, preTokenizer: PreTokenizer): Model {
  // Files of older versions leave the type out; only BPE has merges.
  const type = section.get('type') ?? (section.get('merges') === null ? 'WordPiece' : 'BPE');
  const byteLevel = preTokenizer.type === 'ByteLevel';
  if (type === 'WordPiece' && !byteLevel) return createWordPiece(section, vocabulary);
  if (type === 'BPE' && byteLevel) return createBytePairs(section, vocabulary);
  throw new LongformerError('BAD_FILE', section.name, `model type ${quoted(type)} is not supported with pre-tokenizer ${preTokenizer.type}`);
}
