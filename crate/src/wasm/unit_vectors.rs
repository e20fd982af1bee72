//! Vectors that are compared by their products.

use super::{Result, check};
use crate::memory::try_zeros;
use crate::unit_vectors::{self, Nearest};
use js_sys::{Float32Array, Uint32Array};
use wasm_bindgen::prelude::*;

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
    pub fn new(cols: usize, data: &Float32Array) -> Result<UnitVectorsHandle> {
        let mut vectors = Self::copied(cols, data)?;
        unit_vectors::normalize(&mut vectors.data, cols);
        Ok(vectors)
    }

    /// Takes what `read` gave, bit for bit. Refuses vectors that are longer than one.
    pub fn restore(cols: usize, data: &Float32Array) -> Result<UnitVectorsHandle> {
        let vectors = Self::copied(cols, data)?;
        let longer = unit_vectors::first_longer(&vectors.data, cols);
        check(longer.is_none(), || {
            format!("vectors must have length one, the one at {} is longer", longer.unwrap_or(0))
        })?;
        Ok(vectors)
    }

    /// Replaces each vector by the normalized sum of it and its counterpart.
    pub fn add(&mut self, others: &UnitVectorsHandle) -> Result<()> {
        check(others.cols == self.cols && others.data.len() == self.data.len(), || {
            "there must be as many vectors, of the same size".to_owned()
        })?;
        unit_vectors::add_and_normalize(&mut self.data, &others.data, self.cols);
        Ok(())
    }

    /// A copy of them, `[count, cols]`.
    pub fn read(&self) -> Float32Array {
        Float32Array::from(self.data.as_slice())
    }
}

impl UnitVectorsHandle {
    fn copied(cols: usize, data: &Float32Array) -> Result<Self> {
        let len = data.length() as usize;
        check(cols > 0 && len.is_multiple_of(cols), || {
            format!("vectors must have {cols} elements each, {len} are no multiple")
        })?;
        let mut copy = try_zeros(len)?;
        data.copy_to(&mut copy);
        Ok(Self { cols, data: copy })
    }
}

/// Of all vectors that it looks at, the few that are most like one.
#[wasm_bindgen(js_name = Nearest)]
pub struct NearestHandle {
    nearest: Nearest,
}

#[wasm_bindgen(js_class = Nearest)]
impl NearestHandle {
    /// Will keep the best `count` for the only vector of `query`.
    #[wasm_bindgen(constructor)]
    pub fn new(query: &UnitVectorsHandle, count: usize) -> Result<NearestHandle> {
        check(query.data.len() == query.cols, || {
            format!("the query must be one vector of {} elements", query.cols)
        })?;
        Ok(Self { nearest: Nearest::new(query.data.clone(), count) })
    }

    /// Looks at more vectors.
    pub fn look(&mut self, vectors: &UnitVectorsHandle) -> Result<()> {
        let cols = self.nearest.cols();
        check(vectors.cols == cols, || {
            format!("vectors must have the {cols} elements of the query's, have {}", vectors.cols)
        })?;
        self.nearest.look(&vectors.data);
        Ok(())
    }

    /// How many were looked at before each, best first.
    pub fn places(&self) -> Uint32Array {
        let places: Vec<u32> = self.nearest.best().iter().map(|neighbor| neighbor.place).collect();
        Uint32Array::from(places.as_slice())
    }

    /// Their dot products with the query, best first.
    pub fn scores(&self) -> Float32Array {
        let scores: Vec<f32> = self.nearest.best().iter().map(|neighbor| neighbor.score).collect();
        Float32Array::from(scores.as_slice())
    }
}
