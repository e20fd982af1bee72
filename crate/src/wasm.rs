//! Every export: handles that Rust owns go out, checked arguments come in.
//!
//! JavaScript never sees an address. It holds handles to weights and activations, whose `free()`
//! gives their memory back, and calls operations on them. Everything a caller can get wrong is
//! checked here and thrown as an `Error` with a `code` (the codes of `ts/errors.ts`); a panic
//! behind these checks is a bug and ends the instance.

use crate::attention::{Heads, Projections, Source, Workspace, attention, attention_weights};
use crate::band::Pattern;
use crate::batch::Batch;
use crate::dtype::Dtype;
use crate::embedding::{Lookup, Table, embed};
use crate::feed_forward::{Norm, feed_forward};
use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, multiply, padded};
use crate::layer_norm::{LayerNorm, layer_norm};
use crate::linear::{Linear, add_linear, linear_of_rows};
use crate::memory::{OutOfMemory, try_filled, try_len, try_resize, try_with_capacity, try_zeros};
use crate::parallel;
use crate::pooling;
use crate::unit_vectors;
use js_sys::{Error, Float32Array, JsString, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;

type Result<T> = std::result::Result<T, JsValue>;

fn error(code: &str, message: &str) -> JsValue {
    let error = Error::new(message);
    Reflect::set(&error, &JsString::from("code"), &JsString::from(code)).expect("a plain object");
    error.into()
}

fn bad_input<T>(message: String) -> Result<T> {
    Err(error("BAD_INPUT", &message))
}

impl From<OutOfMemory> for JsValue {
    fn from(OutOfMemory { bytes }: OutOfMemory) -> Self {
        error("OUT_OF_MEMORY", &format!("the engine's memory must hold {bytes} more bytes"))
    }
}

fn check(holds: bool, message: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { bad_input(message()) }
}

// ------------------------------------------------------------------------------- threads

/// Makes a panic throw its message. Called once, by the engine's worker.
#[wasm_bindgen(js_name = throwPanics)]
pub fn throw_panics() {
    std::panic::set_hook(Box::new(|info| wasm_bindgen::throw_str(&info.to_string())));
}

/// Starts the pool; the calling worker becomes its thread 0. Called once.
#[cfg(feature = "threads")]
#[wasm_bindgen(js_name = startPool)]
pub fn start_pool(threads: usize) {
    parallel::start_pool(threads);
}

/// Turns the calling worker into a thread of the pool. Does not return.
#[cfg(feature = "threads")]
#[wasm_bindgen(js_name = becomePoolThread)]
pub fn become_pool_thread() {
    parallel::become_pool_thread();
}

/// Panics in a pool worker, on purpose.
#[wasm_bindgen(js_name = panicInPool)]
pub fn panic_in_pool() {
    parallel::panic_outside_thread_0();
}

// ------------------------------------------------------------------------------- weights

/// How the bytes of a tensor are to be read.
#[wasm_bindgen(js_name = Dtype)]
#[derive(Clone, Copy)]
#[allow(missing_docs, reason = "the names of safetensors")]
pub enum DtypeCode {
    F32,
    F16,
    BF16,
    F64,
}

/// The numbers of a piece of a tensor, whole rows of `cols` that end within `rows`.
fn decode(
    dtype: DtypeCode,
    bytes: &Uint8Array,
    first_row: usize,
    [rows, cols]: [usize; 2],
) -> Result<Vec<f32>> {
    let dtype = match dtype {
        DtypeCode::F32 => Dtype::F32,
        DtypeCode::F16 => Dtype::F16,
        DtypeCode::BF16 => Dtype::BF16,
        DtypeCode::F64 => Dtype::F64,
    };
    let (row_size, len) = (cols * dtype.size(), bytes.length() as usize);
    check(len.is_multiple_of(row_size), || {
        format!("a piece of weights must be whole rows of {row_size} bytes, has {len}")
    })?;
    let count = len / row_size;
    check(first_row <= rows && count <= rows - first_row, || {
        format!("weights must end at row {rows}, {count} rows from row {first_row} on do not")
    })?;
    let mut copy = try_filled(len, 0)?;
    bytes.copy_to(&mut copy);
    Ok(dtype.decode(&copy)?)
}

/// A linear layer.
#[wasm_bindgen(js_name = Linear)]
pub struct LinearHandle(Linear);

#[wasm_bindgen(js_class = Linear)]
impl LinearHandle {
    /// `groups`: 1, or the number of heads for a projection of attention.
    #[wasm_bindgen(constructor)]
    pub fn new(in_features: usize, out_features: usize, groups: usize) -> Result<LinearHandle> {
        check(in_features > 0 && out_features > 0 && groups > 0, || {
            format!("sizes must be at least 1, got {in_features}, {out_features}, {groups}")
        })?;
        check(out_features.is_multiple_of(groups), || {
            format!("{out_features} features must fall into {groups} equal groups")
        })?;
        Ok(Self(Linear::try_new(in_features, out_features, groups)?))
    }

    /// Rows of the weight matrix `[outFeatures, inFeatures]`, from `first_row` on.
    #[wasm_bindgen(js_name = writeWeight)]
    pub fn write_weight(
        &mut self,
        first_row: usize,
        dtype: DtypeCode,
        bytes: &Uint8Array,
    ) -> Result<()> {
        let shape = [self.0.out_features(), self.0.in_features()];
        self.0.write_weight(first_row, &decode(dtype, bytes, first_row, shape)?);
        Ok(())
    }

    /// Elements of the bias `[outFeatures]`, from `first` on.
    #[wasm_bindgen(js_name = writeBias)]
    pub fn write_bias(&mut self, first: usize, dtype: DtypeCode, bytes: &Uint8Array) -> Result<()> {
        self.0.write_bias(first, &decode(dtype, bytes, first, [self.0.out_features(), 1])?);
        Ok(())
    }
}

/// A layer norm.
#[wasm_bindgen(js_name = LayerNorm)]
pub struct LayerNormHandle(LayerNorm);

#[wasm_bindgen(js_class = LayerNorm)]
impl LayerNormHandle {
    #[allow(missing_docs, reason = "a norm over rows of `cols`")]
    #[wasm_bindgen(constructor)]
    pub fn new(cols: usize, eps: f32) -> LayerNormHandle {
        Self(LayerNorm::new(cols, eps))
    }

    /// Elements of the weight `[cols]`, from `first` on.
    #[wasm_bindgen(js_name = writeWeight)]
    pub fn write_weight(
        &mut self,
        first: usize,
        dtype: DtypeCode,
        bytes: &Uint8Array,
    ) -> Result<()> {
        let values = decode(dtype, bytes, first, [self.0.cols(), 1])?;
        self.0.weight[first..][..values.len()].copy_from_slice(&values);
        Ok(())
    }

    /// Elements of the bias `[cols]`, from `first` on.
    #[wasm_bindgen(js_name = writeBias)]
    pub fn write_bias(&mut self, first: usize, dtype: DtypeCode, bytes: &Uint8Array) -> Result<()> {
        let values = decode(dtype, bytes, first, [self.0.cols(), 1])?;
        self.0.bias[first..][..values.len()].copy_from_slice(&values);
        Ok(())
    }
}

/// An embedding table.
#[wasm_bindgen(js_name = Table)]
pub struct TableHandle(Table);

#[wasm_bindgen(js_class = Table)]
impl TableHandle {
    #[allow(missing_docs, reason = "a table `[rows, cols]` of zeros")]
    #[wasm_bindgen(constructor)]
    pub fn new(rows: usize, cols: usize) -> Result<TableHandle> {
        check(rows > 0 && cols > 0, || format!("sizes must be at least 1, got {rows}, {cols}"))?;
        Ok(Self(Table::try_new(rows, cols)?))
    }

    /// Rows of the table, from `first_row` on.
    #[wasm_bindgen(js_name = writeWeight)]
    pub fn write_weight(
        &mut self,
        first_row: usize,
        dtype: DtypeCode,
        bytes: &Uint8Array,
    ) -> Result<()> {
        let shape = [self.0.rows(), self.0.cols()];
        self.0.write(first_row, &decode(dtype, bytes, first_row, shape)?);
        Ok(())
    }
}

/// The projections of one kind, local or global, of one layer's attention.
#[wasm_bindgen(js_name = Projections)]
pub struct ProjectionsHandle {
    query: Linear,
    key: Linear,
    value: Linear,
}

#[wasm_bindgen(js_class = Projections)]
impl ProjectionsHandle {
    /// Takes the three layers over. All must have the same shape, with one group per head.
    #[wasm_bindgen(constructor)]
    pub fn new(
        query: LinearHandle,
        key: LinearHandle,
        value: LinearHandle,
    ) -> Result<ProjectionsHandle> {
        let shape =
            |linear: &Linear| [linear.in_features(), linear.out_features(), linear.groups()];
        let (query, key, value) = (query.0, key.0, value.0);
        check(shape(&query) == shape(&key) && shape(&query) == shape(&value), || {
            "query, key and value must have the same shape".to_owned()
        })?;
        Ok(Self { query, key, value })
    }
}

impl ProjectionsHandle {
    fn of<'a>(&'a self, hidden_states: &'a [f32]) -> Projections<'a> {
        let source = |weights| Source::Projected { hidden_states, weights };
        Projections {
            query: source(&self.query),
            key: source(&self.key),
            value: source(&self.value),
        }
    }

    fn heads(&self) -> Heads {
        let num_heads = self.query.groups();
        Heads { num_heads, head_dim: self.query.out_features() / num_heads }
    }
}

/// The embeddings of words, positions and token types, and their norm.
#[wasm_bindgen(js_name = Embeddings)]
pub struct EmbeddingsHandle {
    tables: [Table; 3],
    norm: LayerNorm,
}

#[wasm_bindgen(js_class = Embeddings)]
impl EmbeddingsHandle {
    /// Takes the tables and the norm over. All must have the same columns.
    #[wasm_bindgen(constructor)]
    pub fn new(
        words: TableHandle,
        positions: TableHandle,
        token_types: TableHandle,
        norm: LayerNormHandle,
    ) -> Result<EmbeddingsHandle> {
        let tables = [words.0, positions.0, token_types.0];
        check(tables.iter().all(|table| table.cols() == norm.0.cols()), || {
            "all tables must have the norm's columns".to_owned()
        })?;
        Ok(Self { tables, norm: norm.0 })
    }

    /// The hidden states before the first layer; three ids per token.
    pub fn forward(
        &self,
        words: &[u32],
        positions: &[u32],
        token_types: &[u32],
    ) -> Result<HiddenStatesHandle> {
        let ids = [words, positions, token_types];
        for ((table, ids), name) in self.tables.iter().zip(ids).zip(["word", "position", "type"]) {
            check(ids.len() == words.len(), || format!("there must be one {name} id per token"))?;
            let largest = ids.iter().copied().max().unwrap_or(0) as usize;
            check(largest < table.rows(), || {
                format!("{name} ids must be below {}, got {largest}", table.rows())
            })?;
        }
        let cols = self.norm.cols();
        let mut data = try_zeros(try_len(words.len(), cols)?)?;
        let [words, positions, token_types] = &self.tables;
        let lookups = [
            Lookup { table: words, ids: ids[0] },
            Lookup { table: positions, ids: ids[1] },
            Lookup { table: token_types, ids: ids[2] },
        ];
        embed(&lookups, Some(&self.norm), &mut data);
        Ok(HiddenStatesHandle { cols, data })
    }
}

// ------------------------------------------------------------------------------- activations

/// Sequences side by side.
#[wasm_bindgen(js_name = Batch)]
#[derive(Default)]
pub struct BatchHandle(Batch);

#[wasm_bindgen(js_class = Batch)]
impl BatchHandle {
    #[allow(missing_docs, reason = "an empty batch")]
    #[wasm_bindgen(constructor)]
    pub fn new() -> BatchHandle {
        Self::default()
    }

    /// Appends a sequence of `len` tokens. Both lists: positions in it, ascending.
    pub fn push(&mut self, len: usize, global_tokens: &[u32], masked: &[u32]) -> Result<()> {
        check(len > 0, || "a sequence must have at least one token".to_owned())?;
        let list = |name: &str, positions: &[u32]| -> Result<Vec<usize>> {
            check(positions.is_sorted_by(|a, b| a < b), || {
                format!("{name} must be ascending, without repeats")
            })?;
            let largest = positions.last().map_or(0, |&last| last as usize);
            check(largest < len, || {
                format!("{name} must lie below the sequence's {len} tokens, got {largest}")
            })?;
            Ok(positions.iter().map(|&position| position as usize).collect())
        };
        self.0.push(len, list("global tokens", global_tokens)?, list("masked tokens", masked)?);
        Ok(())
    }
}

/// What the heads of a layer look at.
#[wasm_bindgen(js_name = Pattern)]
pub struct PatternHandle(Pattern);

#[wasm_bindgen(js_class = Pattern)]
impl PatternHandle {
    /// Keys per side, and a dilation for each head.
    #[wasm_bindgen(constructor)]
    pub fn new(one_sided_window: usize, dilations: &[u32], causal: bool) -> Result<PatternHandle> {
        check(dilations.iter().all(|&dilation| dilation > 0), || {
            "dilations must be at least 1".to_owned()
        })?;
        let dilations: Vec<usize> = dilations.iter().map(|&dilation| dilation as usize).collect();
        Ok(Self(Pattern::new(one_sided_window, &dilations, causal)))
    }
}

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
}

/// The hidden states of a batch, `[tokens, cols]`.
#[wasm_bindgen(js_name = HiddenStates)]
pub struct HiddenStatesHandle {
    cols: usize,
    data: Vec<f32>,
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
        let len = try_len(self.rows(), heads.hidden_size())?;
        try_resize(&mut context.data, len)?;
        context.data.truncate(len);
        attention(
            heads,
            &pattern.0,
            &batch.0,
            [local.of(&self.data), global.of(&self.data)],
            &mut context.workspace,
            &mut context.data,
        )?;
        Ok(())
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

    fn check_norm(&self, norm: &LayerNormHandle) -> Result<()> {
        check(norm.0.cols() == self.cols, || {
            format!("the norm must take {} columns, takes {}", self.cols, norm.0.cols())
        })
    }

    fn check_residual(&self, context: &ContextHandle, dense: &LinearHandle) -> Result<()> {
        check(context.data.len() == self.rows() * dense.0.in_features(), || {
            "the context must have a row for each of the hidden states".to_owned()
        })?;
        check(dense.0.out_features() == self.cols, || {
            format!("the layer must give {} columns, gives {}", self.cols, dense.0.out_features())
        })
    }

    fn check_feed_forward(&self, intermediate: &LinearHandle, output: &LinearHandle) -> Result<()> {
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
        let largest = rows.iter().copied().max().unwrap_or(0) as usize;
        check(largest < self.rows(), || {
            format!("rows must lie below {}, got {largest}", self.rows())
        })?;
        check(dense.0.in_features() == self.cols, || {
            format!("the layer must take {} columns, takes {}", self.cols, dense.0.in_features())
        })?;
        let mut output = try_zeros(try_len(rows.len(), dense.0.out_features())?)?;
        linear_of_rows(&self.data, rows, &dense.0, &mut output);
        Ok(Float32Array::from(output.as_slice()))
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
        let means = pooling::mean_of_ranges(&self.data, self.cols, &ranges);
        Ok(Float32Array::from(means.as_slice()))
    }

    /// `tanh(dense(row))`.
    pub fn pooler(&self, row: usize, dense: &LinearHandle) -> Result<Float32Array> {
        check(row < self.rows() && dense.0.in_features() == self.cols, || {
            format!("there must be a row {row} of the layer's {} columns", dense.0.in_features())
        })?;
        let row = &self.data[row * self.cols..][..self.cols];
        Ok(Float32Array::from(pooling::pooler(row, &dense.0).as_slice()))
    }
}

/// Vectors of length one, `[count, cols]`.
#[wasm_bindgen(js_name = UnitVectors)]
pub struct UnitVectorsHandle {
    cols: usize,
    data: Vec<f32>,
}

#[wasm_bindgen(js_class = UnitVectors)]
impl UnitVectorsHandle {
    /// Takes vectors of any length, and normalizes them.
    #[wasm_bindgen(constructor)]
    pub fn new(cols: usize, mut data: Vec<f32>) -> Result<UnitVectorsHandle> {
        check(cols > 0 && data.len().is_multiple_of(cols), || {
            format!("vectors must have {cols} elements each, {} are no multiple", data.len())
        })?;
        unit_vectors::normalize(&mut data, cols);
        Ok(Self { cols, data })
    }

    /// Replaces each vector by the normalized sum of it and its counterpart.
    pub fn add(&mut self, others: &UnitVectorsHandle) -> Result<()> {
        check(others.cols == self.cols && others.data.len() == self.data.len(), || {
            "there must be as many vectors, of the same size".to_owned()
        })?;
        unit_vectors::add_and_normalize(&mut self.data, &others.data, self.cols);
        Ok(())
    }

    /// The dot product of each vector with the only one of `query`, `[count]`.
    pub fn scores(&self, query: &UnitVectorsHandle) -> Result<Float32Array> {
        check(query.data.len() == self.cols, || {
            format!("the query must be one vector of {} elements", self.cols)
        })?;
        let scores = unit_vectors::dot_products(&self.data, &query.data);
        Ok(Float32Array::from(scores.as_slice()))
    }
}

/// Queries, keys and values at hand, `[tokens, numHeads, headDim]` each.
#[wasm_bindgen(js_name = Vectors)]
pub struct VectorsHandle {
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
}

#[wasm_bindgen(js_class = Vectors)]
impl VectorsHandle {
    /// Copies the three.
    #[wasm_bindgen(constructor)]
    pub fn new(
        query: &Float32Array,
        key: &Float32Array,
        value: &Float32Array,
    ) -> Result<VectorsHandle> {
        // Not as slices: for those wasm-bindgen allocates, and traps where it cannot.
        let copy = |data: &Float32Array| -> Result<Vec<f32>> {
            let mut copy = try_zeros(data.length() as usize)?;
            data.copy_to(&mut copy);
            Ok(copy)
        };
        Ok(Self { query: copy(query)?, key: copy(key)?, value: copy(value)? })
    }

    fn projections(&self) -> Projections<'_> {
        Projections {
            query: Source::Given(&self.query),
            key: Source::Given(&self.key),
            value: Source::Given(&self.value),
        }
    }
}

/// The attention operation by itself: the context, `[tokens, numHeads, headDim]`.
#[wasm_bindgen(js_name = attention)]
pub fn attention_of_vectors(
    head_dim: usize,
    pattern: &PatternHandle,
    batch: &BatchHandle,
    local: &VectorsHandle,
    global: &VectorsHandle,
) -> Result<Float32Array> {
    let heads = Heads { num_heads: pattern.0.bands.len(), head_dim };
    let len = try_len(batch.0.total_tokens(), heads.hidden_size())?;
    for vectors in [local, global] {
        for (name, data) in
            [("query", &vectors.query), ("key", &vectors.key), ("value", &vectors.value)]
        {
            check(data.len() == len, || {
                format!("{name} must have {len} elements, has {}", data.len())
            })?;
        }
    }
    let mut context = try_zeros(len)?;
    let projections = [local.projections(), global.projections()];
    let mut workspace = Workspace::default();
    attention(heads, &pattern.0, &batch.0, projections, &mut workspace, &mut context)?;
    Ok(Float32Array::from(context.as_slice()))
}

/// One matrix product by itself, `times` times over: what benchmarks measure attention against.
/// Returns one element of the result, so that the work cannot be left out.
#[wasm_bindgen(js_name = product)]
pub fn product(rows: usize, depth: usize, cols: usize, times: usize) -> Result<f32> {
    let a = try_filled(try_len(rows, depth)?, 0.5)?;
    let b = try_filled(try_len(depth, padded(cols))?, 0.25)?;
    let mut c = try_zeros(try_len(rows, padded(cols))?)?;
    for _ in 0..times {
        multiply(
            Shape { rows, depth, cols },
            Rows { data: &a, stride: depth },
            Panels { data: &b, stride: depth * PANEL },
            Start::Zero,
            Output { data: &mut c, row_stride: padded(cols), panel_stride: PANEL },
        );
    }
    Ok(c[0])
}
