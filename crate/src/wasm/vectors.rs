//! Attention by itself, over vectors that the caller has.

use super::hidden_states::ContextHandle;
use super::sequences::{BatchHandle, PatternHandle};
use super::work::WorkHandle;
use super::{Result, check};
use crate::attention::{Heads, Projections, Source};
use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, copy_rows, multiply, padded};
use crate::memory::{try_filled, try_len, try_zeros};
use crate::work::{Stop, Work};
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

/// Tokens that are copied at a time.
const TOKENS: usize = 48;

/// Queries, keys and values at hand: the first two `[numHeads, tokens, headDim]`, values
/// `[numHeads, padded(headDim) / 8, tokens, 8]`, as attention reads them.
#[wasm_bindgen(js_name = Vectors)]
pub struct VectorsHandle {
    heads: Heads,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
}

#[wasm_bindgen(js_class = Vectors)]
impl VectorsHandle {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new(num_heads: usize, head_dim: usize) -> Result<VectorsHandle> {
        check(num_heads > 0 && head_dim > 0, || "sizes must be at least 1".to_owned())?;
        try_len(num_heads, head_dim)?;
        let heads = Heads { num_heads, head_dim };
        Ok(Self { heads, query: Vec::new(), key: Vec::new(), value: Vec::new() })
    }

    /// Copies the three, `[tokens, numHeads, headDim]` each.
    pub fn write(
        &mut self,
        work: &mut WorkHandle,
        query: &Float32Array,
        key: &Float32Array,
        value: &Float32Array,
    ) -> Result<bool> {
        let hidden_size = self.heads.hidden_size();
        for len in [query, key, value].map(|data| data.length() as usize) {
            check(len.is_multiple_of(hidden_size), || {
                format!("vectors must be a multiple of {hidden_size} elements, are {len}")
            })?;
        }
        work.go_on(|work| {
            write(work, query, self.heads, Layout::ByHead, &mut self.query)?;
            write(work, key, self.heads, Layout::ByHead, &mut self.key)?;
            write(work, value, self.heads, Layout::ByPanel, &mut self.value)
        })
    }

    /// Fills `context` with the attention of these vectors; `global` serves the rows of global
    /// tokens.
    pub fn attend(
        &self,
        work: &mut WorkHandle,
        global: &VectorsHandle,
        batch: &BatchHandle,
        pattern: &PatternHandle,
        context: &mut ContextHandle,
    ) -> Result<bool> {
        let heads = self.heads;
        check(global.heads == heads && pattern.0.bands.len() == heads.num_heads, || {
            format!("there must be {} heads everywhere, and a dilation for each", heads.num_heads)
        })?;
        let tokens = batch.0.total_tokens();
        for Self { query, key, value, .. } in [self, global] {
            for (name, data, layout) in [
                ("query", query, Layout::ByHead),
                ("key", key, Layout::ByHead),
                ("value", value, Layout::ByPanel),
            ] {
                let [len, has] = [tokens * layout.len(heads), data.len()];
                check(len == has, || {
                    let [len, has] = [len, has].map(|len| len / layout.len(heads));
                    format!("{name} must have {len} tokens, has {has}")
                })?;
            }
        }
        let projections = [self.projections(), global.projections()];
        work.go_on(|work| context.fill(work, heads, &pattern.0, &batch.0, projections))
    }

    fn projections(&self) -> Projections<'_> {
        Projections {
            query: Source::by_head(&self.query, self.heads),
            key: Source::by_head(&self.key, self.heads),
            value: Source::by_panel(&self.value, self.heads),
        }
    }
}

/// How vectors of a head lie: one behind the other, or 8 features of all, then the next 8.
#[derive(Clone, Copy)]
enum Layout {
    ByHead,
    ByPanel,
}

impl Layout {
    /// Floats of a token.
    fn len(self, heads: Heads) -> usize {
        match self {
            Layout::ByHead => heads.hidden_size(),
            Layout::ByPanel => heads.num_heads * padded(heads.head_dim),
        }
    }
}

/// Makes `vectors` hold `data`, `[tokens, numHeads, headDim]`.
fn write(
    work: &mut Work,
    data: &Float32Array,
    heads: Heads,
    layout: Layout,
    vectors: &mut Vec<f32>,
) -> std::result::Result<(), Stop> {
    let Heads { head_dim, num_heads } = heads;
    let hidden_size = heads.hidden_size();
    let tokens = data.length() as usize / hidden_size;
    let len = try_len(tokens, layout.len(heads))?;
    // Not as slices: for those wasm-bindgen allocates, and traps where it cannot.
    work.grow(vectors, len)?;
    vectors.truncate(len);
    let (row_stride, panel_stride) = match layout {
        Layout::ByHead => (head_dim, PANEL),
        Layout::ByPanel => (PANEL, tokens * PANEL),
    };
    let mut block = try_zeros(try_len(tokens.min(TOKENS), hidden_size)?)?;
    work.in_turn(tokens.div_ceil(TOKENS), |i| {
        let first = i * TOKENS;
        let count = (tokens - first).min(TOKENS);
        let [start, end] = [first, first + count].map(|token| (token * hidden_size) as u32);
        data.subarray(start, end).copy_to(&mut block[..count * hidden_size]);
        for head in 0..num_heads {
            let rows = Rows { data: &block[head * head_dim..], stride: hidden_size };
            let data = &mut vectors[head * (len / num_heads) + first * row_stride..];
            copy_rows(count, head_dim, rows, PANEL, Output { data, row_stride, panel_stride });
        }
        Ok(())
    })
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
