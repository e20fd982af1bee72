//! Weights: made empty, filled piece by piece as a checkpoint is read, freed by their handle.

use super::hidden_states::HiddenStatesHandle;
use super::work::WorkHandle;
use super::{Result, check};
use crate::attention::{Heads, Projections, Source};
use crate::dtype::Dtype;
use crate::embedding::{Lookup, Table, embed};
use crate::layer_norm::LayerNorm;
use crate::linear::{Linear, Storage};
use crate::memory::{try_filled, try_len, try_with_capacity};
use js_sys::Uint8Array;
use std::hint::black_box;
use wasm_bindgen::prelude::*;

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

/// How the engine keeps weights.
#[wasm_bindgen(js_name = Storage)]
#[derive(Clone, Copy)]
#[allow(missing_docs, reason = "said at `linear::Storage`")]
pub enum StorageCode {
    F32,
    F16,
    Int8,
}

impl From<StorageCode> for Storage {
    fn from(code: StorageCode) -> Self {
        match code {
            StorageCode::F32 => Storage::F32,
            StorageCode::F16 => Storage::F16,
            StorageCode::Int8 => Storage::int8(),
        }
    }
}

/// Has memory grow by what is to come, at once where that can be: an engine's collector may run
/// whenever a memory that is not shared has grown.
#[wasm_bindgen(js_name = expectBytes)]
pub fn expect_bytes(bytes: usize) {
    let _ = black_box(try_with_capacity::<u8>(bytes));
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
    let (row_size, len) = (try_len(cols, dtype.size())?, bytes.length() as usize);
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
pub struct LinearHandle(pub(super) Linear);

#[wasm_bindgen(js_class = Linear)]
impl LinearHandle {
    /// `groups`: 1, or the number of heads for a projection of attention.
    #[wasm_bindgen(constructor)]
    pub fn new(
        storage: StorageCode,
        in_features: usize,
        out_features: usize,
        groups: usize,
    ) -> Result<LinearHandle> {
        check(in_features > 0 && out_features > 0 && groups > 0, || {
            format!("sizes must be at least 1, got {in_features}, {out_features}, {groups}")
        })?;
        check(out_features.is_multiple_of(groups), || {
            format!("{out_features} features must fall into {groups} equal groups")
        })?;
        Ok(Self(Linear::try_with_storage(storage.into(), in_features, out_features, groups)?))
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
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
        Ok(self.0.write_weight(first_row, &decode(dtype, bytes, first_row, shape)?)?)
    }

    /// Elements of the bias `[outFeatures]`, from `first` on.
    #[wasm_bindgen(js_name = writeBias)]
    pub fn write_bias(&mut self, first: usize, dtype: DtypeCode, bytes: &Uint8Array) -> Result<()> {
        self.0.write_bias(first, &decode(dtype, bytes, first, [self.0.out_features(), 1])?);
        Ok(())
    }
}

impl LinearHandle {
    /// Refuses a projection by heads where a layer for whole rows is wanted.
    pub(super) fn check_whole(&self) -> Result<()> {
        check(self.0.groups() == 1, || {
            format!("the layer must have one group of features, has {}", self.0.groups())
        })
    }
}

/// A layer norm.
#[wasm_bindgen(js_name = LayerNorm)]
pub struct LayerNormHandle(pub(super) LayerNorm);

#[wasm_bindgen(js_class = LayerNorm)]
impl LayerNormHandle {
    #[allow(missing_docs, reason = "a norm over rows of `cols`")]
    #[wasm_bindgen(constructor)]
    pub fn new(cols: usize, eps: f32) -> Result<LayerNormHandle> {
        check(cols > 0, || "a norm must have at least one column".to_owned())?;
        Ok(Self(LayerNorm::new(cols, eps)))
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
    pub fn new(storage: StorageCode, rows: usize, cols: usize) -> Result<TableHandle> {
        check(rows > 0 && cols > 0, || format!("sizes must be at least 1, got {rows}, {cols}"))?;
        Ok(Self(Table::try_with_storage(storage.into(), rows, cols)?))
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.0.bytes()
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
        Ok(self.0.write(first_row, &decode(dtype, bytes, first_row, shape)?)?)
    }
}

/// The projections of one kind, local or global, of one layer's attention.
#[wasm_bindgen(js_name = Projections)]
pub struct ProjectionsHandle {
    pub(super) query: Linear,
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
    pub(super) fn of<'a>(&'a self, hidden_states: &'a [f32]) -> Projections<'a> {
        let source = |weights| Source::Projected { hidden_states, weights };
        Projections {
            query: source(&self.query),
            key: source(&self.key),
            value: source(&self.value),
        }
    }

    pub(super) fn heads(&self) -> Heads {
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

    /// Makes `hidden_states` those before the first layer; three ids per token.
    pub fn forward(
        &self,
        work: &mut WorkHandle,
        words: &[u32],
        positions: &[u32],
        token_types: &[u32],
        hidden_states: &mut HiddenStatesHandle,
    ) -> Result<bool> {
        let ids = [words, positions, token_types];
        for ((table, ids), name) in self.tables.iter().zip(ids).zip(["word", "position", "type"]) {
            check(ids.len() == words.len(), || format!("there must be one {name} id per token"))?;
            let largest = ids.iter().copied().max().unwrap_or(0) as usize;
            check(largest < table.rows(), || {
                format!("{name} ids must be below {}, got {largest}", table.rows())
            })?;
        }
        let tokens = words.len();
        let [words, positions, token_types] = &self.tables;
        let lookups = [
            Lookup { table: words, ids: ids[0] },
            Lookup { table: positions, ids: ids[1] },
            Lookup { table: token_types, ids: ids[2] },
        ];
        work.go_on(|work| {
            hidden_states.hold(work, tokens, self.norm.cols())?;
            embed(work, &lookups, Some(&self.norm), &mut hidden_states.data)
        })
    }
}
