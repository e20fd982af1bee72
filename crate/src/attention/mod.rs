//! Attention over bands and global tokens.
//!
//! ```text
//! score[j]   = query[i] · key[j] / sqrt(head_dim)        j visible from i
//! context[i] = Σ softmax(score)[j] * value[j]
//! ```
//!
//! An ordinary query takes one softmax over its band and the global keys together, a global key
//! counting once whether the band reaches it or not. The rows of global tokens take a softmax
//! over all keys, with projections of their own, and replace the ordinary ones.
//!
//! The work falls into forks over the threads: the rows of global tokens, by block of keys
//! (`global`); then for some heads at a time their keys and values into panels, by head (`panels`),
//! and all other rows, by block of queries (`banded`). A mask or a matrix of `seq_len * seq_len`
//! scores never exists. What queries pay to each key can be asked for (`weights`, `attentions`).

mod attentions;
mod banded;
mod global;
mod head;
mod panels;
mod quantized;
mod weights;

pub use attentions::{AttentionWeights, attentions, global_attentions};
pub use head::Head;
pub use weights::attention_weights;

use crate::band::Pattern;
use crate::batch::Batch;
use crate::columns::Quantized;
use crate::gemm::{Output, PANEL, QuantizedRows, Rows, copy_rows, quantized_row_len};
use crate::linear::{Input, Linear};
use crate::parallel::rows_per_block_of;
use crate::spare::Spare;
use crate::work::{Stop, Work};
use panels::{Round, SequenceLayout};
use std::ops::Range;

/// Queries of a block of work: as many again as a wide band has keys, since each block reads the
/// keys and values of all heads anew.
const MOST_QUERIES: usize = 528;

/// Vectors projected at a time on their way into panels.
const ROWS: usize = 96;

/// Keys of a block, where keys go by in blocks.
const KEYS: usize = 192;

/// Heads whose keys and values are packed at once, at least: a dozen tasks for threads to share.
const FEWEST_HEADS: usize = 6;

/// The same times tokens, at least: so many that a short text takes all heads in one round.
const LEAST_PACKED: usize = 4096;

/// The heads of a layer. Activations are `[tokens, num_heads * head_dim]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heads {
    /// How many.
    pub num_heads: usize,
    /// Features of each.
    pub head_dim: usize,
}

impl Heads {
    /// Features of all heads together.
    pub fn hidden_size(self) -> usize {
        self.num_heads * self.head_dim
    }

    /// What queries are multiplied by: `1 / sqrt(head_dim)`, and `log2 e`, as softmax takes powers
    /// of two.
    fn score_scale(self) -> f32 {
        std::f32::consts::LOG2_E / (self.head_dim as f32).sqrt()
    }
}

/// Where queries, keys or values come from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// Hidden states `[tokens, in_features]` through a layer with one group per head. They are
    /// projected where they are needed, block by block.
    Projected {
        #[allow(missing_docs, reason = "said above")]
        hidden_states: &'a [f32],
        #[allow(missing_docs, reason = "said above")]
        weights: &'a Linear,
    },
    /// The same with every hidden state quantised already, too, for layers with 8-bit weights.
    Quantized {
        #[allow(missing_docs, reason = "said above")]
        hidden_states: &'a [f32],
        /// A row of [`quantize_row`](crate::gemm::quantize_row) for each of them.
        quantized: QuantizedRows<'a>,
        #[allow(missing_docs, reason = "said above")]
        weights: &'a Linear,
    },
    /// Vectors at hand.
    Given {
        /// Of all tokens and heads.
        data: &'a [f32],
        /// Distance of a head's vectors of neighbouring tokens.
        token_stride: usize,
        /// Distance of a token's vectors of neighbouring heads.
        head_stride: usize,
    },
}

impl<'a> Source<'a> {
    /// Vectors `[tokens, num_heads, head_dim]`.
    pub fn by_token(data: &'a [f32], heads: Heads) -> Self {
        Self::Given { data, token_stride: heads.hidden_size(), head_stride: heads.head_dim }
    }

    /// Vectors `[num_heads, tokens, head_dim]`: for long sequences faster to read, as a head's are
    /// neighbours.
    pub fn by_head(data: &'a [f32], heads: Heads) -> Self {
        let head_stride = data.len() / heads.num_heads;
        Self::Given { data, token_stride: heads.head_dim, head_stride }
    }

    fn check(&self, heads: Heads, tokens: usize) {
        match self {
            Source::Projected { hidden_states, weights } => {
                assert_eq!(weights.groups(), heads.num_heads, "one group of features per head");
                assert_eq!(weights.out_features(), heads.hidden_size(), "features of all heads");
                assert_eq!(hidden_states.len(), tokens * weights.in_features(), "one row a token");
            }
            &Source::Quantized { hidden_states, quantized, weights } => {
                Source::Projected { hidden_states, weights }.check(heads, tokens);
                let len = tokens * quantized_row_len(weights.in_features());
                assert_eq!(quantized.data.len(), len, "one quantised row a token");
            }
            Source::Given { data, .. } => {
                assert_eq!(data.len(), tokens * heads.hidden_size(), "one vector a token and head");
            }
        }
    }

    /// What it projects, if it does: hidden states, and the layer.
    fn projection(&self) -> Option<(&'a [f32], &'a Linear)> {
        match *self {
            Source::Projected { hidden_states, weights }
            | Source::Quantized { hidden_states, weights, .. } => Some((hidden_states, weights)),
            Source::Given { .. } => None,
        }
    }

    /// Writes the vectors of one head for some tokens.
    fn write_rows(&self, heads: Heads, head: usize, tokens: Tokens, output: Output) {
        let Tokens { first, step, count } = tokens;
        match *self {
            Source::Projected { hidden_states, weights } => {
                let cols = weights.in_features();
                let x = Rows { data: &hidden_states[first * cols..], stride: step * cols };
                weights.apply_group(head, count, x, output);
            }
            Source::Quantized { quantized: QuantizedRows { data, stride }, weights, .. } => {
                let x = QuantizedRows { data: &data[first * stride..], stride: step * stride };
                weights.apply_group(head, count, Input::Quantized(x), output);
            }
            Source::Given { data, token_stride, head_stride } => {
                let data = &data[first * token_stride + head * head_stride..];
                let rows = Rows { data, stride: step * token_stride };
                copy_rows(count, heads.head_dim, rows, output);
            }
        }
    }

    /// The vectors of one head for some tokens: where they lie, or projected into `projected`.
    fn rows<'b>(
        &self,
        heads: Heads,
        head: usize,
        tokens: Tokens,
        projected: &'b mut Vec<f32>,
    ) -> Rows<'b>
    where
        'a: 'b,
    {
        if let Source::Given { data, token_stride, head_stride } = *self {
            let data = &data[tokens.first * token_stride + head * head_stride..];
            return Rows { data, stride: tokens.step * token_stride };
        }
        let stride = heads.head_dim;
        projected.resize(projected.len().max(tokens.count * stride), 0.0);
        let output = Output { data: projected, row_stride: stride, panel_stride: PANEL };
        self.write_rows(heads, head, tokens, output);
        Rows { data: projected, stride }
    }
}

/// The tokens `first, first + step, ...` of a batch, `count` of them.
#[derive(Clone, Copy)]
struct Tokens {
    first: usize,
    step: usize,
    count: usize,
}

/// Queries, keys and values.
#[derive(Clone, Copy)]
pub struct Projections<'a> {
    #[allow(missing_docs, reason = "the paper's name")]
    pub query: Source<'a>,
    #[allow(missing_docs, reason = "the paper's name")]
    pub key: Source<'a>,
    #[allow(missing_docs, reason = "the paper's name")]
    pub value: Source<'a>,
}

impl Projections<'_> {
    fn check(&self, heads: Heads, tokens: usize) {
        for source in [self.query, self.key, self.value] {
            source.check(heads, tokens);
        }
    }
}

/// The heads of a batch of `tokens`, round after round: those whose keys and values lie packed at one
/// time. A long text needs memory for a few heads only.
fn rounds(heads: Heads, tokens: usize) -> impl Iterator<Item = Range<usize>> + Clone {
    let num_heads = heads.num_heads;
    let most = (LEAST_PACKED / tokens.max(1)).max(FEWEST_HEADS);
    let count = num_heads.div_ceil(num_heads.div_ceil(most).max(1)).max(1);
    (0..num_heads).step_by(count).map(move |first| first..num_heads.min(first + count))
}

/// Keys and values in panels and what else of a layer is kept for the next one, so that a pass
/// allocates them once.
#[derive(Debug, Default)]
pub struct Workspace {
    keys: Vec<f32>,
    values: Vec<f32>,
    quantized: Quantized,
    global: global::Contexts,
    projected: Spare<Vec<f32>>,
    scratch: Spare<banded::Scratch>,
}

/// Writes the context of every token to `context`, `[total_tokens, num_heads * head_dim]`.
///
/// `local` serves every query but the global ones, and all their keys, the global keys included
/// (Hugging Face `modeling_longformer.py`, `_concat_with_global_key_attn_probs`); `global` serves
/// the rows of global tokens.
///
/// # Panics
///
/// If the shapes do not fit.
pub fn attention(
    work: &mut Work,
    heads: Heads,
    pattern: &Pattern,
    batch: &Batch,
    projections: [Projections; 2],
    workspace: &mut Workspace,
    context: &mut [f32],
) -> Result<(), Stop> {
    let tokens = batch.total_tokens();
    let hidden_size = heads.hidden_size();
    let Workspace { keys, values, quantized, global: global_contexts, projected, scratch } =
        workspace;
    let [local, global] = projections;
    assert_eq!(pattern.bands.len(), heads.num_heads, "one band per head");
    assert_eq!(context.len(), tokens * hidden_size, "one row of context per token");
    local.check(heads, tokens);
    // Without global tokens nothing of theirs is read, and need not be there.
    if batch.sequences().iter().any(|sequence| !sequence.global_tokens.is_empty()) {
        global.check(heads, tokens);
    }

    let layouts: Vec<SequenceLayout> = batch
        .sequences()
        .iter()
        .map(|sequence| SequenceLayout::new(sequence, heads, pattern))
        .collect();
    panels::make_room(work, &layouts, rounds(heads, tokens), [keys, values])?;
    let [local, global] = quantized::once(work, projections, quantized)?;
    global::attend(work, heads, pattern, batch, global, global_contexts)?;

    // Under a dilation every strand of a block should still fill a register tile, as long as that
    // leaves a few blocks for threads to take.
    let widest = pattern.bands.iter().map(|band| band.dilation).max().unwrap_or(1);
    let block = rows_per_block_of(MOST_QUERIES, tokens)
        .max(widest.saturating_mul(12).min(tokens.div_ceil(4)));
    for heads_of_round in rounds(heads, tokens) {
        let round = Round { pattern, batch, layouts: &layouts, heads: heads_of_round.clone() };
        round.pack(work, local, [keys, values], projected)?;
        let panels = round.panels([keys, values]);
        work.for_each_part(context, block * hidden_size, |index, context, units| {
            let rows = index * block..index * block + context.len() / hidden_size;
            let first =
                batch.sequences().partition_point(|sequence| sequence.rows.end <= rows.start);
            for (number, sequence) in batch.sequences().iter().enumerate().skip(first) {
                let start = rows.start.max(sequence.rows.start);
                let end = rows.end.min(sequence.rows.end);
                if start >= end {
                    break;
                }
                let context = &mut context
                    [(start - rows.start) * hidden_size..(end - rows.start) * hidden_size];
                let first_position = start - sequence.rows.start;
                let queries = first_position..first_position + (end - start);
                for (head, panels) in heads_of_round.clone().zip(&panels[number]) {
                    let head = Head { heads, head, pattern, sequence };
                    let block = banded::QueryBlock { head, queries: queries.clone() };
                    scratch.lend(|scratch| {
                        block.write_context(local.query, panels, scratch, context, units)
                    })?;
                }
            }
            Ok(())
        })?;
    }
    // Theirs are written over what the bands gave them.
    work.once(|| {
        for (number, sequence) in batch.sequences().iter().enumerate() {
            for (token, row) in global_contexts.of(number, sequence) {
                let at = (sequence.rows.start + token) * hidden_size;
                context[at..at + hidden_size].copy_from_slice(row);
            }
        }
        Ok(())
    })
}
