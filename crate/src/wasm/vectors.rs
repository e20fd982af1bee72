//! Attention by itself, over vectors that the caller has.

use super::hidden_states::ContextHandle;
use super::sequences::{BatchHandle, PatternHandle};
use super::work::WorkHandle;
use super::{Result, check};
use crate::attention::{Heads, Layout, Projections, Source};
use crate::gemm::{Output, PANEL, Panels, Rows, Shape, Start, copy_rows, multiply, padded};
use crate::memory::{OutOfMemory, try_filled, try_len, try_zeros};
use crate::work::{Stop, Work};
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

/// Tokens that are copied at a time.
const TOKENS: usize = 48;

/// Queries, keys and values at hand: the first two `[numHeads, tokens, headDim]`, values
/// `[numHeads, padded(headDim) / 8, tokens | 1, 8]`, as attention reads them.
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
        let whole_panels = try_len(head_dim.div_ceil(PANEL), PANEL)?;
        try_len(num_heads, whole_panels)?;
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
        let rows = sizes(Layout::ByHead, heads, tokens)?.len;
        let panels = sizes(Layout::ByPanel, heads, tokens)?.len;
        for Self { query, key, value, .. } in [self, global] {
            for (name, data, len) in
                [("query", query, rows), ("key", key, rows), ("value", value, panels)]
            {
                check(data.len() == len, || {
                    format!("{name} must be of {tokens} tokens: {len} floats, has {}", data.len())
                })?;
            }
        }
        let projections = [self.projections(), global.projections()];
        work.go_on(|work| context.fill(work, heads, &pattern.0, &batch.0, projections))
    }

    fn projections(&self) -> Projections<'_> {
        Projections {
            query: Source::Given { data: &self.query, layout: Layout::ByHead },
            key: Source::Given { data: &self.key, layout: Layout::ByHead },
            value: Source::Given { data: &self.value, layout: Layout::ByPanel },
        }
    }
}

/// Distances of neighbouring tokens, panels and heads, and floats in all.
struct Sizes {
    token_stride: usize,
    panel_stride: usize,
    head_stride: usize,
    len: usize,
}

/// Those of vectors that lie by head or by panel.
fn sizes(layout: Layout, heads: Heads, tokens: usize) -> std::result::Result<Sizes, OutOfMemory> {
    let Heads { num_heads, head_dim } = heads;
    let (token_stride, panel_stride, head_stride) = match layout {
        Layout::ByPanel => {
            let panel_stride = try_len(tokens | 1, PANEL)?;
            (PANEL, panel_stride, try_len(panel_stride, head_dim.div_ceil(PANEL))?)
        }
        _ => (head_dim, PANEL, try_len(tokens, head_dim)?),
    };
    let len = if tokens == 0 { 0 } else { try_len(num_heads, head_stride)? };
    Ok(Sizes { token_stride, panel_stride, head_stride, len })
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
    let Sizes { token_stride, panel_stride, head_stride, len } = sizes(layout, heads, tokens)?;
    // Not as slices: for those wasm-bindgen allocates, and traps where it cannot.
    work.grow(vectors, len)?;
    vectors.truncate(len);
    let mut block = try_zeros(try_len(tokens.min(TOKENS), hidden_size)?)?;
    work.in_turn(tokens.div_ceil(TOKENS), |i| {
        let first = i * TOKENS;
        let count = (tokens - first).min(TOKENS);
        let [start, end] = [first, first + count].map(|token| (token * hidden_size) as u32);
        data.subarray(start, end).copy_to(&mut block[..count * hidden_size]);
        for head in 0..num_heads {
            let rows = Rows { data: &block[head * head_dim..], stride: hidden_size };
            let data = &mut vectors[head * head_stride + first * token_stride..];
            let to = Output { data, row_stride: token_stride, panel_stride };
            copy_rows(count, head_dim, rows, PANEL, to);
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
