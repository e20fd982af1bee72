//! Attention by itself, over vectors that the caller has.

use super::hidden_states::ContextHandle;
use super::sequences::{BatchHandle, PatternHandle};
use super::{Result, check};
use crate::attention::{Heads, Projections, Source};
use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, multiply, padded};
use crate::memory::{try_filled, try_len, try_zeros};
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

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

    /// Fills `context` with the attention of these vectors; `global` serves the rows of global
    /// tokens. There are as many heads as `pattern` has bands.
    pub fn attend(
        &self,
        head_dim: usize,
        global: &VectorsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        context: &mut ContextHandle,
    ) -> Result<()> {
        let heads = Heads { num_heads: pattern.0.bands.len(), head_dim };
        let len = try_len(batch.0.total_tokens(), heads.hidden_size())?;
        for Self { query, key, value } in [self, global] {
            for (name, data) in [("query", query), ("key", key), ("value", value)] {
                check(data.len() == len, || {
                    format!("{name} must have {len} elements, has {}", data.len())
                })?;
            }
        }
        let projections = [self.projections(), global.projections()];
        context.fill(heads, &pattern.0, &batch.0, projections)
    }

    fn projections(&self) -> Projections<'_> {
        Projections {
            query: Source::Given(&self.query),
            key: Source::Given(&self.key),
            value: Source::Given(&self.value),
        }
    }
}

/// One matrix product by itself, `times` times over: what benchmarks measure attention against.
/// Returns one element of the result, so that the work cannot be left out.
#[wasm_bindgen(js_name = product)]
pub fn product(rows: usize, depth: usize, cols: usize, times: usize) -> Result<f32> {
    check(rows > 0 && depth > 0 && cols > 0, || "sizes must be at least 1".to_owned())?;
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
