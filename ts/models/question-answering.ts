// The head that finds the answer to a question in a text: where it starts, where it ends.
//
//     start_logits, end_logits = the two columns of qa_outputs(hidden_states)
//
// The question's tokens are global.

import { through } from '../engine/work.ts';
import type { Tensor } from '../tensor.ts';
import { questionTokens } from './global-tokens.ts';
import type { Checkpoint, Head } from './head.ts';

export interface QuestionAnsweringOutput {
  /** `[seqLen]` */
  startLogits: Tensor;
  /** `[seqLen]`, of the last token of the answer */
  endLogits: Tensor;
}

export async function loadQuestionAnswering({ weights, config }: Checkpoint): Promise<Head<QuestionAnsweringOutput>> {
  const ends = await weights.linear('qa_outputs', config.hidden_size, 2);
  return {
    size: (_rows, length) => 2 * length,
    globalTokens: (inputIds) => questionTokens(inputIds, config.sep_token_id),
    output: async (run, hiddenStates, { start, length }) => {
      const rows = Uint32Array.from({ length }, (_, i) => start + i);
      const both = new run.wasm.HiddenStates(2);
      let columns: Float32Array;
      try {
        await through(run, (work) => hiddenStates.linear(work, rows, ends, both));
        columns = both.columns();
      } finally {
        both.free();
      }
      const column = (i: number): Tensor => ({ dims: [length], data: columns.slice(i * length, (i + 1) * length) });
      return { startLogits: column(0), endLogits: column(1) };
    },
  };
}
