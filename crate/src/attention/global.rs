//! The rows of global tokens: every key, through projections of their own.
//!
//! Keys and values go by in blocks. Each block gives, per head and global query, a partial
//! softmax: the largest score, the sum of weights, and the weighted sum of values, all relative
//! to that largest score. The parts are joined in the order of the blocks. So neither the keys
//! and values of a whole sequence nor a row of its scores ever exists.

use super::{Heads, Projections, Source, Tokens};
use crate::band::Pattern;
use crate::batch::{Batch, Sequence};
use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, multiply, pack_column, padded};
use crate::parallel::map;
use crate::simd::scale;
use crate::softmax::{exp_and_sum, largest};
use std::ops::Range;

/// Keys of a block.
const KEYS: usize = 192;

/// The contexts of the global tokens of one sequence.
pub(super) struct Contexts<'a> {
    tokens: &'a [usize],
    hidden_size: usize,
    rows: Vec<f32>, // [tokens, hidden_size]
}

impl Contexts<'_> {
    /// Each global token with its row.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&usize, &[f32])> {
        self.tokens.iter().zip(self.rows.chunks_exact(self.hidden_size))
    }
}

/// The contexts of the global tokens of each sequence.
pub(super) fn contexts<'a>(
    heads: Heads,
    pattern: &Pattern,
    batch: &'a Batch,
    projections: Projections,
) -> Vec<Contexts<'a>> {
    let sequences: Vec<GlobalQueries> = batch
        .sequences()
        .iter()
        .map(|sequence| GlobalQueries::new(heads, pattern, sequence, projections.query))
        .collect();
    let blocks: Vec<(usize, Range<usize>)> = sequences
        .iter()
        .enumerate()
        .filter(|(_, queries)| !queries.sequence.global_tokens.is_empty())
        .flat_map(|(number, queries)| {
            let len = queries.sequence.len();
            (0..len).step_by(KEYS).map(move |first| (number, first..(first + KEYS).min(len)))
        })
        .collect();
    let parts = map(blocks.len(), |i| {
        let (number, keys) = &blocks[i];
        sequences[*number].attend(keys.clone(), projections.key, projections.value)
    });

    let mut joined: Vec<Partial> = sequences.iter().map(GlobalQueries::nothing).collect();
    for ((number, _), part) in blocks.iter().zip(&parts) {
        joined[*number].join(part, heads.head_dim);
    }
    sequences
        .iter()
        .zip(joined)
        .map(|(queries, part)| Contexts {
            tokens: &queries.sequence.global_tokens,
            hidden_size: heads.hidden_size(),
            rows: part.finish(heads),
        })
        .collect()
}

/// The queries of the global tokens of one sequence, scaled and packed as the right matrix.
struct GlobalQueries<'a, 'b> {
    heads: Heads,
    pattern: &'b Pattern,
    sequence: &'a Sequence,
    /// `[num_heads][padded(tokens) / 8][head_dim][8]`
    panels: Vec<f32>,
}

impl<'a, 'b> GlobalQueries<'a, 'b> {
    fn new(heads: Heads, pattern: &'b Pattern, sequence: &'a Sequence, query: Source) -> Self {
        let Heads { num_heads, head_dim } = heads;
        let size = padded(sequence.global_tokens.len()) * head_dim;
        let mut panels = vec![0.0; num_heads * size];
        let mut row = vec![0.0; head_dim];
        for head in 0..num_heads {
            for (col, &token) in sequence.global_tokens.iter().enumerate() {
                let tokens = Tokens { first: sequence.rows.start + token, step: 1, count: 1 };
                let output = Output { data: &mut row, row_stride: head_dim, panel_stride: PANEL };
                query.write_rows(heads, head, tokens, output);
                scale(&mut row, 1.0 / (head_dim as f32).sqrt());
                pack_column(&mut panels[head * size..][..size], head_dim, col, &row);
            }
        }
        Self { heads, pattern, sequence, panels }
    }

    /// The softmax over no keys at all.
    fn nothing(&self) -> Partial {
        let rows = self.heads.num_heads * self.sequence.global_tokens.len();
        Partial {
            max: vec![f32::NEG_INFINITY; rows],
            sum: vec![0.0; rows],
            context: vec![0.0; rows * self.heads.head_dim],
        }
    }

    /// The softmax over the keys at positions `keys`.
    fn attend(&self, keys: Range<usize>, key: Source, value: Source) -> Partial {
        let Heads { num_heads, head_dim } = self.heads;
        let globals = &self.sequence.global_tokens;
        let count = keys.len();
        let first = self.sequence.rows.start + keys.start;
        let tokens = Tokens { first, step: 1, count };
        let masked = {
            let masked = &self.sequence.masked;
            let start = masked.partition_point(|&position| position < keys.start);
            let end = masked.partition_point(|&position| position < keys.end);
            &masked[start..end]
        };

        let mut part = self.nothing();
        let mut vectors = vec![0.0; count * padded(head_dim)];
        let mut transposed = vec![0.0; count * padded(globals.len())]; // [keys, global queries]
        let mut weights = vec![0.0; globals.len() * count]; // [global queries, keys]
        for head in 0..num_heads {
            let output = Output { data: &mut vectors, row_stride: head_dim, panel_stride: PANEL };
            key.write_rows(self.heads, head, tokens, output);
            let cols = padded(globals.len());
            let panels = &self.panels[head * cols * head_dim..][..cols * head_dim];
            multiply(
                Shape { rows: count, depth: head_dim, cols },
                Rows { data: &vectors, stride: head_dim },
                Panels { data: panels, stride: head_dim * PANEL },
                Start::Zero,
                Output { data: &mut transposed, row_stride: cols, panel_stride: PANEL },
            );

            let first_row = head * globals.len();
            for (i, row) in weights.chunks_exact_mut(count).enumerate() {
                for (j, weight) in row.iter_mut().enumerate() {
                    let visible = self.pattern.allows(globals[i], keys.start + j);
                    *weight = if visible { transposed[j * cols + i] } else { f32::NEG_INFINITY };
                }
                for position in masked {
                    row[position - keys.start] = f32::NEG_INFINITY;
                }
                let max = largest(row);
                if max == f32::NEG_INFINITY {
                    row.fill(0.0);
                } else {
                    part.sum[first_row + i] = exp_and_sum(row, max);
                    part.max[first_row + i] = max;
                }
            }

            let output =
                Output { data: &mut vectors, row_stride: PANEL, panel_stride: count * PANEL };
            value.write_rows(self.heads, head, tokens, output);
            multiply(
                Shape { rows: globals.len(), depth: count, cols: head_dim },
                Rows { data: &weights, stride: count },
                Panels { data: &vectors, stride: count * PANEL },
                Start::Zero,
                Output {
                    data: &mut part.context[first_row * head_dim..],
                    row_stride: head_dim,
                    panel_stride: PANEL,
                },
            );
        }
        part
    }
}

/// A softmax over some of the keys, per head and global query: `exp(score - max)` summed up, and
/// times the values.
struct Partial {
    max: Vec<f32>,     // [num_heads, globals]
    sum: Vec<f32>,     // [num_heads, globals]
    context: Vec<f32>, // [num_heads, globals, head_dim]
}

impl Partial {
    /// Makes this the softmax over its own keys and those of `other`.
    fn join(&mut self, other: &Partial, head_dim: usize) {
        for row in 0..self.max.len() {
            let max = self.max[row].max(other.max[row]);
            if max == f32::NEG_INFINITY {
                continue;
            }
            let (mine, theirs) = ((self.max[row] - max).exp(), (other.max[row] - max).exp());
            self.max[row] = max;
            self.sum[row] = self.sum[row] * mine + other.sum[row] * theirs;
            let columns = row * head_dim..(row + 1) * head_dim;
            for (x, y) in self.context[columns.clone()].iter_mut().zip(&other.context[columns]) {
                *x = *x * mine + y * theirs;
            }
        }
    }

    /// The contexts, `[globals, hidden_size]`. A global token is not masked, so it sees itself.
    fn finish(self, heads: Heads) -> Vec<f32> {
        let globals = self.max.len() / heads.num_heads;
        let mut rows = vec![0.0; self.context.len()];
        for head in 0..heads.num_heads {
            for i in 0..globals {
                let from = head * globals + i;
                let to = i * heads.hidden_size() + head * heads.head_dim;
                let row = &mut rows[to..][..heads.head_dim];
                row.copy_from_slice(&self.context[from * heads.head_dim..][..heads.head_dim]);
                scale(row, 1.0 / self.sum[from]);
            }
        }
        rows
    }
}
