// Which model classes give a row for each token, so that some of them can be asked for.

import { LongformerError } from '../errors.ts';
import type { Architecture } from './heads.ts';

const WITHOUT_ROWS: readonly Architecture[] = ['LongformerForSequenceClassification', 'LongformerForQuestionAnswering', 'LongformerForMultipleChoice'];

/** Throws `BAD_INPUT` for `positions` of a class whose result has no rows. */
export function refuseWithoutRows(architecture: Architecture, positions: unknown): void {
  if (positions === undefined || !WITHOUT_ROWS.includes(architecture)) return;
  throw new LongformerError('BAD_INPUT', 'positions', `must not be given: results of ${architecture} have no row for each token`);
}
