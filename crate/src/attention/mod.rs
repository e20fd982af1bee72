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
//! (`global`); then for some heads at a time their keys and values into the layout in which products
//! read them, by head, where they do not lie like that (`key_values`), and all other rows, by block of
//! queries (`banded`). A mask or a matrix of `seq_len * seq_len`
//! scores never exists. What queries pay to each key can be asked for (`weights`, `attentions`).

mod attentions;
mod banded;
mod bound;
mod global;
mod head;
mod key_values;
mod quantized;
mod weights;

pub use attentions::{AttentionWeights, attentions, global_attentions};
pub use head::Head;
pub use weights::attention_weights;

use crate::band::Pattern;
use crate::batch::Batch;
use crate::columns::Quantized;
use crate::gemm::{
    Output, PANEL, Panels, QuantizedRows, Rows, copy_rows, padded, quantized_row_len,
};
use crate::linear::{Input, Linear};
use crate::memory::{OutOfMemory, try_len, try_refill, try_room};
use crate::parallel::SHARES;
use crate::spare::Spare;
use crate::work::{Stop, Work};
use key_values::Packing;

/// Queries of a block of work at most: more than a wide band has keys, since each block reads the
/// keys and values of all heads anew.
const MOST_QUERIES: usize = 528;

/// Queries whose scores are computed together at most: a block of work is a multiple of them.
const GROUP: usize = 2 * PANEL;

/// Vectors projected at a time.
const ROWS: usize = 96;

/// Keys of a block, where keys go by in blocks.
const KEYS: usize = 192;

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
    /// Vectors at hand, of all tokens and heads.
    Given {
        #[allow(missing_docs, reason = "said above")]
        data: &'a [f32],
        #[allow(missing_docs, reason = "said there")]
        layout: Layout,
    },
}

/// How vectors lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[tokens, num_heads, head_dim]`.
    ByToken,
    /// `[num_heads, tokens, head_dim]`, as keys are read: without a dilation they need not be copied.
    ByHead,
    /// `[num_heads, padded(head_dim) / 8, places, 8]`, as values are read. There are as many places as
    /// tokens or, if that is even, one more: an odd number keeps the panels of a long text from the
    /// same few lines of the caches.
    ByPanel,
}

impl<'a> Source<'a> {
    /// A head's vectors as rows, if they lie like that.
    fn as_rows(&self, heads: Heads, head: usize) -> Option<Rows<'a>> {
        match *self {
            Source::Given { layout: Layout::ByPanel, .. } => None,
            Source::Given { data, layout } => {
                let [stride, _, head_stride] = layout.strides(heads, data.len());
                Some(Rows { data: &data[head * head_stride..], stride })
            }
            _ => None,
        }
    }

    /// A head's vectors as panels `[tokens][8]`, if they lie like that.
    fn as_panels(&self, heads: Heads, head: usize) -> Option<Panels<'a>> {
        match *self {
            Source::Given { data, layout: Layout::ByPanel } => {
                let [_, stride, head_stride] = Layout::ByPanel.strides(heads, data.len());
                Some(Panels { data: &data[head * head_stride..], stride })
            }
            _ => None,
        }
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
            Source::Given { data, layout } => {
                let places_hold =
                    |places: usize, width: usize| data.len() == places * heads.num_heads * width;
                let holds = match layout {
                    Layout::ByToken | Layout::ByHead => places_hold(tokens, heads.head_dim),
                    Layout::ByPanel => {
                        let width = padded(heads.head_dim);
                        places_hold(tokens, width) || places_hold(tokens | 1, width)
                    }
                };
                assert!(holds, "one vector a token and head");
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
            Source::Given { data, layout } => {
                let [token_stride, panel_stride, head_stride] = layout.strides(heads, data.len());
                let data = &data[first * token_stride + head * head_stride..];
                let rows = Rows { data, stride: step * token_stride };
                copy_rows(count, heads.head_dim, rows, panel_stride, output);
            }
        }
    }

    /// The vectors of one head for some tokens: where they lie, or written into `buffer`.
    fn rows<'b>(
        &self,
        heads: Heads,
        head: usize,
        tokens: Tokens,
        buffer: &'b mut Vec<f32>,
    ) -> Result<Rows<'b>, OutOfMemory>
    where
        'a: 'b,
    {
        if let Some(Rows { data, stride }) = self.as_rows(heads, head) {
            return Ok(Rows { data: &data[tokens.first * stride..], stride: tokens.step * stride });
        }
        let stride = heads.head_dim;
        let data = try_room(buffer, try_len(tokens.count, stride)?)?;
        let output = Output { data, row_stride: stride, panel_stride: PANEL };
        self.write_rows(heads, head, tokens, output);
        Ok(Rows { data, stride })
    }
}

impl Layout {
    /// Distances of neighbouring tokens, panels of 8 features, and heads, in `len` floats.
    fn strides(self, Heads { num_heads, head_dim }: Heads, len: usize) -> [usize; 3] {
        match self {
            Layout::ByToken => [num_heads * head_dim, PANEL, head_dim],
            Layout::ByHead => [head_dim, PANEL, len / num_heads],
            Layout::ByPanel => {
                let panels = padded(head_dim) / PANEL;
                [PANEL, len / num_heads / panels, len / num_heads]
            }
        }
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

/// Keys and values as they are packed and what else of a layer is kept for the next one, so that a pass
/// allocates them once.
#[derive(Debug, Default)]
pub struct Workspace {
    keys: Vec<f32>,
    values: Vec<f32>,
    squares: Vec<f32>, // the largest `key · key` of each head
    quantized: Quantized,
    global: global::Contexts,
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
    let Workspace { keys, values, squares, quantized, global: global_contexts, scratch } =
        workspace;
    let [local, global] = projections;
    assert_eq!(pattern.bands.len(), heads.num_heads, "one band per head");
    assert_eq!(context.len(), tokens * hidden_size, "one row of context per token");
    local.check(heads, tokens);
    // Without global tokens nothing of theirs is read, and need not be there.
    if batch.sequences().iter().any(|sequence| !sequence.global_tokens.is_empty()) {
        global.check(heads, tokens);
    }

    if tokens == 0 {
        return Ok(());
    }
    let [local, global] = quantized::once(work, projections, quantized)?;
    let packing = Packing { heads, pattern, batch, local };
    packing.make_room(work, [keys, values])?;
    work.once(|| Ok(try_refill(squares, heads.num_heads, 0.0)?))?;
    global::attend(work, heads, pattern, batch, global, global_contexts)?;

    // Under a dilation every strand of a block should still have groups to fill, as long as that
    // leaves a few blocks for threads to take.
    let widest = pattern.bands.iter().map(|band| band.dilation).max().unwrap_or(1);
    let dilated = widest.saturating_mul(GROUP).min(tokens.div_ceil(4).next_multiple_of(GROUP));
    let share = tokens.div_ceil(SHARES).next_multiple_of(GROUP).min(MOST_QUERIES);
    let block = share.max(dilated);
    for heads_of_round in packing.rounds() {
        packing.pack(work, heads_of_round.clone(), [keys, values], squares)?;
        let key_values = packing.of_round(heads_of_round.clone(), [keys, values], squares);
        work.for_each_part(context, block * hidden_size, |index, context, units| {
            let rows = index * block..index * block + context.len() / hidden_size;
            let first =
                batch.sequences().partition_point(|sequence| sequence.rows.end <= rows.start);
            for sequence in &batch.sequences()[first..] {
                let start = rows.start.max(sequence.rows.start);
                let end = rows.end.min(sequence.rows.end);
                if start >= end {
                    break;
                }
                let context = &mut context
                    [(start - rows.start) * hidden_size..(end - rows.start) * hidden_size];
                let first_position = start - sequence.rows.start;
                let queries = first_position..first_position + (end - start);
                for (head, key_values) in heads_of_round.clone().zip(&key_values) {
                    let head = Head { heads, head, pattern, sequence };
                    let (queries, source) = (queries.clone(), local.query);
                    let block =
                        banded::QueryBlock { head, queries, source, key_values: *key_values };
                    scratch.lend(|scratch| block.write_context(scratch, context, units))?;
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
