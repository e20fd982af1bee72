//! The hidden states of a batch, and the blocks of a layer that change them.

use super::sequences::{BatchHandle, PatternHandle};
use super::weights::{LayerNormHandle, LinearHandle, ProjectionsHandle};
use super::work::WorkHandle;
use super::{Result, bad_input, check};
use crate::attention::{
    self, AttentionWeights, Heads, Projections, Workspace, attention, attention_weights,
};
use crate::band::Pattern;
use crate::batch::Batch;
use crate::columns::{add_linear, linear_of_rows};
use crate::feed_forward::{Buffers, Norm, feed_forward};
use crate::layer_norm::{LayerNorm, layer_norm};
use crate::memory::{try_len, try_zeros};
use crate::pooling;
use crate::transform::transform;
use crate::work::{Stop, Work, whole};
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

    /// Fills `target` with elements from `first` on, of `[tokens, numHeads * headDim]`.
    #[wasm_bindgen(js_name = copyTo)]
    pub fn copy_to(&self, first: usize, target: &Float32Array) -> Result<()> {
        copy(&self.data, first, target)
    }
}

impl ContextHandle {
    /// Fills it with what attention makes of `projections`.
    pub(super) fn fill(
        &mut self,
        work: &mut Work,
        heads: Heads,
        pattern: &Pattern,
        batch: &Batch,
        projections: [Projections; 2],
    ) -> std::result::Result<(), Stop> {
        let Self { data, workspace } = self;
        let len = try_len(batch.total_tokens(), heads.hidden_size())?;
        work.grow(data, len)?;
        data.truncate(len);
        attention(work, heads, pattern, batch, projections, workspace, data)
    }
}

/// Fills `target` with what `data` holds from `first` on.
pub(super) fn copy(data: &[f32], first: usize, target: &Float32Array) -> Result<()> {
    let count = target.length() as usize;
    check(first <= data.len() && count <= data.len() - first, || {
        format!("elements must lie below {}, got {count} from {first} on", data.len())
    })?;
    target.copy_from(&data[first..][..count]);
    Ok(())
}

/// Weights of attention, for people to look at.
#[wasm_bindgen(js_name = AttentionWeights)]
#[derive(Default)]
pub struct AttentionWeightsHandle(AttentionWeights);

#[wasm_bindgen(js_class = AttentionWeights)]
impl AttentionWeightsHandle {
    #[allow(missing_docs, reason = "no weights yet")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> AttentionWeightsHandle {
        Self::default()
    }

    /// Fills `target` with weights from `first` on.
    #[wasm_bindgen(js_name = copyTo)]
    pub fn copy_to(&self, first: usize, target: &Float32Array) -> Result<()> {
        copy(&self.0.values, first, target)
    }
}

/// The hidden states of a batch, `[tokens, cols]`.
#[wasm_bindgen(js_name = HiddenStates)]
pub struct HiddenStatesHandle {
    pub(super) cols: usize,
    pub(super) data: Vec<f32>,
    buffers: Buffers,
}

#[wasm_bindgen(js_class = HiddenStates)]
impl HiddenStatesHandle {
    /// No rows yet.
    #[wasm_bindgen(constructor)]
    pub fn new(cols: usize) -> Result<HiddenStatesHandle> {
        check(cols > 0, || "hidden states must have at least one column".to_owned())?;
        Ok(Self { cols, data: Vec::new(), buffers: Buffers::default() })
    }

    fn rows(&self) -> usize {
        self.data.len() / self.cols
    }

    /// Fills `context` with what attention makes of these hidden states.
    pub fn attend(
        &self,
        work: &mut WorkHandle,
        local: &ProjectionsHandle,
        global: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        context: &mut ContextHandle,
    ) -> Result<bool> {
        let heads = self.check_attention([local, global], batch, pattern)?;
        let projections = [local.of(&self.data), global.of(&self.data)];
        work.go_on(|work| context.fill(work, heads, &pattern.0, &batch.0, projections))
    }

    /// Makes `weights` those with which the token at `row` sees each token of its sequence,
    /// `[numHeads, len]`.
    #[wasm_bindgen(js_name = attentionWeights)]
    #[allow(clippy::too_many_arguments, reason = "what attention takes")]
    pub fn attention_weights(
        &self,
        work: &mut WorkHandle,
        local: &ProjectionsHandle,
        global: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        row: usize,
        weights: &mut AttentionWeightsHandle,
    ) -> Result<bool> {
        let heads = self.check_attention([local, global], batch, pattern)?;
        let sequence = batch.0.sequences().iter().find(|sequence| sequence.rows.contains(&row));
        let Some(sequence) = sequence else {
            return bad_input(format!("the row must lie below {}, got {row}", self.rows()));
        };
        let query = row - sequence.rows.start;
        let projections = [local.of(&self.data), global.of(&self.data)];
        let weights = &mut weights.0;
        work.go_on(|work| {
            attention_weights(work, heads, &pattern.0, sequence, query, projections, weights)
        })
    }

    /// Makes `weights` those with which one head's queries at `queries`, ascending positions in sequence
    /// `number` of the batch, see the global tokens and their bands,
    /// `[queries, globals + 2 * oneSidedWindow + 1]`.
    #[allow(clippy::too_many_arguments, reason = "what attention takes")]
    pub fn attentions(
        &self,
        work: &mut WorkHandle,
        local: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        number: usize,
        head: usize,
        queries: &[u32],
        weights: &mut AttentionWeightsHandle,
    ) -> Result<bool> {
        let head = self.one_head(local, batch, pattern, number, head)?;
        let len = head.sequence.len();
        check(queries.is_sorted_by(|a, b| a < b), || "queries must be ascending".to_owned())?;
        check(queries.last().is_none_or(|&last| (last as usize) < len), || {
            format!("queries must lie below the sequence's {len} tokens")
        })?;
        let queries: Vec<usize> = queries.iter().map(|&query| query as usize).collect();
        let local = local.of(&self.data);
        work.go_on(|work| attention::attentions(work, head, &queries, local, &mut weights.0))
    }

    /// Makes `weights` those with which one head's global queries of sequence `number` see its tokens,
    /// `[len, globals]`.
    #[wasm_bindgen(js_name = globalAttentions)]
    #[allow(clippy::too_many_arguments, reason = "what attention takes")]
    pub fn global_attentions(
        &self,
        work: &mut WorkHandle,
        global: &ProjectionsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        number: usize,
        head: usize,
        weights: &mut AttentionWeightsHandle,
    ) -> Result<bool> {
        let head = self.one_head(global, batch, pattern, number, head)?;
        let global = global.of(&self.data);
        work.go_on(|work| attention::global_attentions(work, head, global, &mut weights.0))
    }

    /// Makes `normal` what is `norm(self)`.
    pub fn normalize(
        &self,
        work: &mut WorkHandle,
        norm: &LayerNormHandle,
        normal: &mut HiddenStatesHandle,
    ) -> Result<bool> {
        self.check_norm(norm)?;
        work.go_on(|work| {
            normal.hold(work, self.rows(), self.cols)?;
            layer_norm(work, &self.data, &norm.0, &mut normal.data)
        })
    }

    /// `self + dense(context)`, in place.
    pub fn add(
        &mut self,
        work: &mut WorkHandle,
        context: &ContextHandle,
        dense: &LinearHandle,
    ) -> Result<bool> {
        self.check_residual(context, dense)?;
        self.add_linear(work, context, dense, None)
    }

    /// `norm(self + dense(context))`, in place.
    #[wasm_bindgen(js_name = addAndNorm)]
    pub fn add_and_norm(
        &mut self,
        work: &mut WorkHandle,
        context: &ContextHandle,
        dense: &LinearHandle,
        norm: &LayerNormHandle,
    ) -> Result<bool> {
        self.check_residual(context, dense)?;
        self.check_norm(norm)?;
        self.add_linear(work, context, dense, Some(&norm.0))
    }

    fn add_linear(
        &mut self,
        work: &mut WorkHandle,
        context: &ContextHandle,
        dense: &LinearHandle,
        norm: Option<&LayerNorm>,
    ) -> Result<bool> {
        let Self { data, buffers, .. } = self;
        let (x, scratch) = (&context.data, &mut buffers.product);
        work.go_on(|work| add_linear(work, data, x, &dense.0, norm, scratch))
    }

    /// `norm(self + output(gelu(intermediate(self))))`, in place.
    #[wasm_bindgen(js_name = feedForwardAndNorm)]
    pub fn feed_forward_and_norm(
        &mut self,
        work: &mut WorkHandle,
        intermediate: &LinearHandle,
        output: &LinearHandle,
        norm: &LayerNormHandle,
    ) -> Result<bool> {
        self.check_feed_forward(intermediate, output)?;
        self.check_norm(norm)?;
        let norm = Norm::After(&norm.0);
        let Self { data, buffers, .. } = self;
        work.go_on(|work| feed_forward(work, data, &intermediate.0, &output.0, norm, buffers))
    }

    /// `self + output(gelu(intermediate(norm(self))))`, in place.
    #[wasm_bindgen(js_name = normAndFeedForward)]
    pub fn norm_and_feed_forward(
        &mut self,
        work: &mut WorkHandle,
        norm: &LayerNormHandle,
        intermediate: &LinearHandle,
        output: &LinearHandle,
    ) -> Result<bool> {
        self.check_norm(norm)?;
        self.check_feed_forward(intermediate, output)?;
        let norm = Norm::Before(&norm.0);
        let Self { data, buffers, .. } = self;
        work.go_on(|work| feed_forward(work, data, &intermediate.0, &output.0, norm, buffers))
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

    /// Makes room for `rows` rows, of 0 where there was nothing.
    pub(super) fn hold(
        &mut self,
        work: &mut Work,
        rows: usize,
        cols: usize,
    ) -> std::result::Result<(), Stop> {
        let len = try_len(rows, cols)?;
        work.grow(&mut self.data, len)?;
        self.data.truncate(len);
        self.cols = cols;
        Ok(())
    }

    /// Makes `output` hold `dense(row)` of the rows at `rows`.
    pub fn linear(
        &self,
        work: &mut WorkHandle,
        rows: &[u32],
        dense: &LinearHandle,
        output: &mut HiddenStatesHandle,
    ) -> Result<bool> {
        self.check_rows(rows, dense)?;
        work.go_on(|work| {
            output.hold(work, rows.len(), dense.0.out_features())?;
            let HiddenStatesHandle { data, buffers, .. } = output;
            linear_of_rows(work, &self.data, rows, &dense.0, data, &mut buffers.product)
        })
    }

    /// Makes `output` hold `norm(gelu(dense(row)))` of the rows at `rows`.
    pub fn transform(
        &self,
        work: &mut WorkHandle,
        rows: &[u32],
        dense: &LinearHandle,
        norm: &LayerNormHandle,
        output: &mut HiddenStatesHandle,
    ) -> Result<bool> {
        self.check_rows(rows, dense)?;
        let cols = dense.0.out_features();
        check(norm.0.cols() == cols, || {
            format!("the norm must take {cols} columns, takes {}", norm.0.cols())
        })?;
        work.go_on(|work| {
            output.hold(work, rows.len(), cols)?;
            let HiddenStatesHandle { data, buffers, .. } = output;
            transform(work, &self.data, rows, &dense.0, &norm.0, data, &mut buffers.product)
        })
    }

    /// A copy column by column, `[cols, rows]`.
    pub fn columns(&self) -> Float32Array {
        let columns = Float32Array::new_with_length(self.data.len() as u32);
        for col in 0..self.cols {
            let column: Vec<f32> = self.data.iter().skip(col).step_by(self.cols).copied().collect();
            columns.set(&Float32Array::from(column.as_slice()), (col * column.len()) as u32);
        }
        columns
    }

    /// `tanh(dense(row))` of the row at `row`, as hidden states of their own.
    pub fn pooled(&self, row: u32, dense: &LinearHandle) -> Result<HiddenStatesHandle> {
        self.check_rows(&[row], dense)?;
        let row = &self.data[row as usize * self.cols..][..self.cols];
        Ok(Self {
            cols: dense.0.out_features(),
            data: pooling::pooler(row, &dense.0),
            buffers: Buffers::default(),
        })
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

    /// Fills `target` with elements from `first` on, of `[rows, cols]`.
    #[wasm_bindgen(js_name = copyTo)]
    pub fn copy_to(&self, first: usize, target: &Float32Array) -> Result<()> {
        copy(&self.data, first, target)
    }

    /// The mean row of each range, `[ranges, cols]`; `bounds` holds a start and an end for each.
    #[wasm_bindgen(js_name = meanOfRanges)]
    pub fn mean_of_ranges(&self, bounds: &[u32]) -> Result<Float32Array> {
        let ranges = self.ranges(bounds)?;
        let mut means = try_zeros(try_len(ranges.len(), self.cols)?)?;
        whole(|work| pooling::mean_of_ranges(work, &self.data, self.cols, &ranges, &mut means));
        Ok(Float32Array::from(means.as_slice()))
    }

    /// The largest of each column in the rows of each range, `[ranges, cols]`; `bounds` as above.
    #[wasm_bindgen(js_name = maxOfRanges)]
    pub fn max_of_ranges(&self, bounds: &[u32]) -> Result<Float32Array> {
        let ranges = self.ranges(bounds)?;
        let mut maxima = try_zeros(try_len(ranges.len(), self.cols)?)?;
        whole(|work| pooling::max_of_ranges(work, &self.data, self.cols, &ranges, &mut maxima));
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
