//! The hidden states of a batch, and the blocks of a layer that change them.

use super::sequences::{BatchHandle, PatternHandle};
use super::weights::{LayerNormHandle, LinearHandle, ProjectionsHandle};
use super::{Result, bad_input, check};
use crate::attention::{self, Heads, Projections, Workspace, attention, attention_weights};
use crate::band::Pattern;
use crate::batch::Batch;
use crate::feed_forward::{Norm, feed_forward};
use crate::layer_norm::layer_norm;
use crate::linear::{add_linear, linear_of_rows};
use crate::memory::{try_len, try_resize, try_with_capacity, try_zeros};
use crate::pooling;
use crate::transform::transform;
use js_sys::Float32Array;
use std::ops::Range;
use wasm_bindgen::prelude::*;

/// The context that attention gives, and its workspace; made once, used by every layer.
#[wasm_bindgen(js_name = Context)]
#[derive(Default)]
pub struct ContextHandle {
    data: Vec<f32>,
    workspace: Workspace,
}

#[wasm_bindgen(js_class = Context)]
impl ContextHandle {
    #[allow(missing_docs, reason = "an empty context")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> ContextHandle {
        Self::default()
    }

    /// A copy, `[tokens, numHeads * headDim]`.
    pub fn read(&self) -> Float32Array {
        Float32Array::from(self.data.as_slice())
    }
}

impl ContextHandle {
    /// Fills it with what attention makes of `projections`.
    pub(super) fn fill(
        &mut self,
        heads: Heads,
        pattern: &Pattern,
        batch: &Batch,
        projections: [Projections; 2],
    ) -> Result<()> {
        let len = try_len(batch.total_tokens(), heads.hidden_size())?;
        try_resize(&mut self.data, len)?;
        self.data.truncate(len);
        attention(heads, pattern, batch, projections, &mut self.workspace, &mut self.data)?;
        Ok(())
    }
}

/// The hidden states of a batch, `[tokens, cols]`.
#[wasm_bindgen(js_name = HiddenStates)]
pub struct HiddenStatesHandle {
    pub(super) cols: usize,
    pub(super) data: Vec<f32>,
}

#[wasm_bindgen(js_class = HiddenStates)]
impl HiddenStatesHandle {
    fn rows(&self) -> usize {
        self.data.len() / self.cols
    }

    /// Fills `context` with what attention makes of these hidden states.
    pub fn attend(
        &self,
        local: &ProjectionsHandle,
        global: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        context: &mut ContextHandle,
    ) -> Result<()> {
        let heads = self.check_attention([local, global], batch, pattern)?;
        let projections = [local.of(&self.data), global.of(&self.data)];
        context.fill(heads, &pattern.0, &batch.0, projections)
    }

    /// The weights with which the token at `row` sees each token of its sequence,
    /// `[numHeads, len]`.
    #[wasm_bindgen(js_name = attentionWeights)]
    pub fn attention_weights(
        &self,
        local: &ProjectionsHandle,
        global: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        row: usize,
    ) -> Result<Float32Array> {
        let heads = self.check_attention([local, global], batch, pattern)?;
        let sequence = batch.0.sequences().iter().find(|sequence| sequence.rows.contains(&row));
        let Some(sequence) = sequence else {
            return bad_input(format!("the row must lie below {}, got {row}", self.rows()));
        };
        let query = row - sequence.rows.start;
        let projections = [local.of(&self.data), global.of(&self.data)];
        let weights = attention_weights(heads, &pattern.0, sequence, query, projections)?;
        Ok(Float32Array::from(weights.as_slice()))
    }

    /// The weights with which one head's queries at `queries`, ascending positions in sequence
    /// `number` of the batch, see the global tokens and their bands,
    /// `[queries, globals + 2 * oneSidedWindow + 1]`.
    pub fn attentions(
        &self,
        local: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        number: usize,
        head: usize,
        queries: &[u32],
    ) -> Result<Float32Array> {
        let head = self.one_head(local, batch, pattern, number, head)?;
        let len = head.sequence.len();
        check(queries.is_sorted_by(|a, b| a < b), || "queries must be ascending".to_owned())?;
        check(queries.last().is_none_or(|&last| (last as usize) < len), || {
            format!("queries must lie below the sequence's {len} tokens")
        })?;
        let queries: Vec<usize> = queries.iter().map(|&query| query as usize).collect();
        let weights = attention::attentions(head, &queries, local.of(&self.data))?;
        Ok(Float32Array::from(weights.as_slice()))
    }

    /// The weights with which one head's global queries of sequence `number` see its tokens,
    /// `[len, globals]`.
    #[wasm_bindgen(js_name = globalAttentions)]
    pub fn global_attentions(
        &self,
        global: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        number: usize,
        head: usize,
    ) -> Result<Float32Array> {
        let head = self.one_head(global, batch, pattern, number, head)?;
        let weights = attention::global_attentions(head, global.of(&self.data))?;
        Ok(Float32Array::from(weights.as_slice()))
    }

    /// `norm(self)`, as hidden states of their own.
    pub fn normalized(&self, norm: &LayerNormHandle) -> Result<HiddenStatesHandle> {
        self.check_norm(norm)?;
        let mut data = try_with_capacity(self.data.len())?;
        data.extend_from_slice(&self.data);
        layer_norm(&mut data, &norm.0);
        Ok(Self { cols: self.cols, data })
    }

    /// `self + dense(context)`, in place.
    pub fn add(&mut self, context: &ContextHandle, dense: &LinearHandle) -> Result<()> {
        self.check_residual(context, dense)?;
        add_linear(&mut self.data, &context.data, &dense.0, None);
        Ok(())
    }

    /// `norm(self + dense(context))`, in place.
    #[wasm_bindgen(js_name = addAndNorm)]
    pub fn add_and_norm(
        &mut self,
        context: &ContextHandle,
        dense: &LinearHandle,
        norm: &LayerNormHandle,
    ) -> Result<()> {
        self.check_residual(context, dense)?;
        self.check_norm(norm)?;
        add_linear(&mut self.data, &context.data, &dense.0, Some(&norm.0));
        Ok(())
    }

    /// `norm(self + output(gelu(intermediate(self))))`, in place.
    #[wasm_bindgen(js_name = feedForwardAndNorm)]
    pub fn feed_forward_and_norm(
        &mut self,
        intermediate: &LinearHandle,
        output: &LinearHandle,
        norm: &LayerNormHandle,
    ) -> Result<()> {
        self.check_feed_forward(intermediate, output)?;
        self.check_norm(norm)?;
        feed_forward(&mut self.data, &intermediate.0, &output.0, Norm::After(&norm.0));
        Ok(())
    }

    /// `self + output(gelu(intermediate(norm(self))))`, in place.
    #[wasm_bindgen(js_name = normAndFeedForward)]
    pub fn norm_and_feed_forward(
        &mut self,
        norm: &LayerNormHandle,
        intermediate: &LinearHandle,
        output: &LinearHandle,
    ) -> Result<()> {
        self.check_norm(norm)?;
        self.check_feed_forward(intermediate, output)?;
        feed_forward(&mut self.data, &intermediate.0, &output.0, Norm::Before(&norm.0));
        Ok(())
    }

    fn check_attention(
        &self,
        [local, global]: [&ProjectionsHandle; 2],
        batch: &BatchHandle,
        pattern: &PatternHandle,
    ) -> Result<Heads> {
        let heads = local.heads();
        check(batch.0.total_tokens() == self.rows(), || {
            let (tokens, rows) = (batch.0.total_tokens(), self.rows());
            format!("the batch must have a token per row, has {tokens} for {rows}")
        })?;
        check(heads == global.heads() && pattern.0.bands.len() == heads.num_heads, || {
            format!("projections and pattern must agree on {heads:?}")
        })?;
        check([local, global].iter().all(|p| p.query.in_features() == self.cols), || {
            format!("projections must take {} columns", self.cols)
        })?;
        Ok(heads)
    }

    fn one_head<'a>(
        &self,
        projections: &ProjectionsHandle,
        batch: &'a BatchHandle,
        pattern: &'a PatternHandle,
        number: usize,
        head: usize,
    ) -> Result<attention::Head<'a>> {
        let heads = self.check_attention([projections; 2], batch, pattern)?;
        let sequences = batch.0.sequences();
        check(head < heads.num_heads && number < sequences.len(), || {
            format!("there must be a head {head} and a sequence {number}")
        })?;
        Ok(attention::Head { heads, head, pattern: &pattern.0, sequence: &sequences[number] })
    }

    fn check_norm(&self, norm: &LayerNormHandle) -> Result<()> {
        check(norm.0.cols() == self.cols, || {
            format!("the norm must take {} columns, takes {}", self.cols, norm.0.cols())
        })
    }

    fn check_residual(&self, context: &ContextHandle, dense: &LinearHandle) -> Result<()> {
        check(context.data.len() == self.rows() * dense.0.in_features(), || {
            "the context must have a row for each of the hidden states".to_owned()
        })?;
        dense.check_whole()?;
        check(dense.0.out_features() == self.cols, || {
            format!("the layer must give {} columns, gives {}", self.cols, dense.0.out_features())
        })
    }

    fn check_feed_forward(&self, intermediate: &LinearHandle, output: &LinearHandle) -> Result<()> {
        intermediate.check_whole()?;
        output.check_whole()?;
        let ends = [intermediate.0.in_features(), output.0.out_features()];
        check(ends.iter().all(|&cols| cols == self.cols), || {
            format!("the block must take and give {} columns, has {ends:?}", self.cols)
        })?;
        check(intermediate.0.out_features() == output.0.in_features(), || {
            "the output layer must take what the intermediate one gives".to_owned()
        })
    }

    /// `dense(row)` of the rows at `rows`, `[rows, outFeatures]`.
    pub fn linear(&self, rows: &[u32], dense: &LinearHandle) -> Result<Float32Array> {
        Ok(Float32Array::from(self.rows_through(rows, dense)?.as_slice()))
    }

    /// The same column by column, `[outFeatures, rows]`.
    #[wasm_bindgen(js_name = linearColumns)]
    pub fn linear_columns(&self, rows: &[u32], dense: &LinearHandle) -> Result<Float32Array> {
        let rows = self.rows_through(rows, dense)?;
        let cols = dense.0.out_features();
        let columns = Float32Array::new_with_length(rows.len() as u32);
        for col in 0..cols {
            let column: Vec<f32> = rows.iter().skip(col).step_by(cols).copied().collect();
            columns.set(&Float32Array::from(column.as_slice()), (col * column.len()) as u32);
        }
        Ok(columns)
    }

    /// `norm(gelu(dense(row)))` of the rows at `rows`, as hidden states of their own.
    pub fn transformed(
        &self,
        rows: &[u32],
        dense: &LinearHandle,
        norm: &LayerNormHandle,
    ) -> Result<HiddenStatesHandle> {
        self.check_rows(rows, dense)?;
        let cols = dense.0.out_features();
        check(norm.0.cols() == cols, || {
            format!("the norm must take {cols} columns, takes {}", norm.0.cols())
        })?;
        let mut data = try_zeros(try_len(rows.len(), cols)?)?;
        transform(&self.data, rows, &dense.0, &norm.0, &mut data);
        Ok(Self { cols, data })
    }

    /// `tanh(dense(row))` of the row at `row`, as hidden states of their own.
    pub fn pooled(&self, row: u32, dense: &LinearHandle) -> Result<HiddenStatesHandle> {
        self.check_rows(&[row], dense)?;
        let row = &self.data[row as usize * self.cols..][..self.cols];
        Ok(Self { cols: dense.0.out_features(), data: pooling::pooler(row, &dense.0) })
    }

    fn rows_through(&self, rows: &[u32], dense: &LinearHandle) -> Result<Vec<f32>> {
        self.check_rows(rows, dense)?;
        let mut output = try_zeros(try_len(rows.len(), dense.0.out_features())?)?;
        linear_of_rows(&self.data, rows, &dense.0, &mut output);
        Ok(output)
    }

    fn check_rows(&self, rows: &[u32], dense: &LinearHandle) -> Result<()> {
        dense.check_whole()?;
        let largest = rows.iter().copied().max().unwrap_or(0) as usize;
        check(largest < self.rows(), || {
            format!("rows must lie below {}, got {largest}", self.rows())
        })?;
        check(dense.0.in_features() == self.cols, || {
            format!("the layer must take {} columns, takes {}", self.cols, dense.0.in_features())
        })
    }

    /// A copy of `rows` rows from `first` on, `[rows, cols]`.
    pub fn read(&self, first: usize, rows: usize) -> Result<Float32Array> {
        check(first <= self.rows() && rows <= self.rows() - first, || {
            format!("rows must lie below {}, got {rows} from {first} on", self.rows())
        })?;
        Ok(Float32Array::from(&self.data[first * self.cols..][..rows * self.cols]))
    }

    /// The mean row of each range, `[ranges, cols]`; `bounds` holds a start and an end for each.
    #[wasm_bindgen(js_name = meanOfRanges)]
    pub fn mean_of_ranges(&self, bounds: &[u32]) -> Result<Float32Array> {
        let ranges = self.ranges(bounds)?;
        let means = pooling::mean_of_ranges(&self.data, self.cols, &ranges);
        Ok(Float32Array::from(means.as_slice()))
    }

    /// The largest of each column in the rows of each range, `[ranges, cols]`; `bounds` as above.
    #[wasm_bindgen(js_name = maxOfRanges)]
    pub fn max_of_ranges(&self, bounds: &[u32]) -> Result<Float32Array> {
        let ranges = self.ranges(bounds)?;
        let maxima = pooling::max_of_ranges(&self.data, self.cols, &ranges);
        Ok(Float32Array::from(maxima.as_slice()))
    }

    fn ranges(&self, bounds: &[u32]) -> Result<Vec<Range<usize>>> {
        let (pairs, odd) = bounds.as_chunks();
        check(odd.is_empty(), || "ranges must have a start and an end each".to_owned())?;
        let mut ranges = Vec::with_capacity(pairs.len());
        for &[start, end] in pairs {
            let (start, end) = (start as usize, end as usize);
            check(start < end && end <= self.rows(), || {
                format!("ranges must be non-empty and end by {}, got {start}..{end}", self.rows())
            })?;
            ranges.push(start..end);
        }
        Ok(ranges)
    }
}
