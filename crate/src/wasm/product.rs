//! A linear layer by itself, on all threads: what benchmarks measure everything else against.

use super::weights::LinearHandle;
use super::{Result, check};
use crate::columns::{Scratch, apply_linear};
use crate::linear::Linear;
use crate::memory::{try_len, try_zeros};
use crate::work::{Place, Stop, Work};
use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

/// A layer, rows that go into it, and those that come out.
#[wasm_bindgen(js_name = LinearProduct)]
pub struct LinearProductHandle {
    linear: Linear,
    x: Vec<f32>,
    output: Vec<f32>,
    scratch: Scratch,
}

#[wasm_bindgen(js_class = LinearProduct)]
impl LinearProductHandle {
    /// Takes the layer over; `x` is `[rows, inFeatures]`.
    #[wasm_bindgen(constructor)]
    pub fn new(linear: LinearHandle, x: &Float32Array) -> Result<LinearProductHandle> {
        linear.check_whole()?;
        let (linear, len) = (linear.0, x.length() as usize);
        check(len > 0 && len.is_multiple_of(linear.in_features()), || {
            format!("x must be whole rows of {} elements, has {len}", linear.in_features())
        })?;
        let output = try_zeros(try_len(len / linear.in_features(), linear.out_features())?)?;
        let mut rows = try_zeros(len)?;
        x.copy_to(&mut rows);
        Ok(Self { linear, x: rows, output, scratch: Scratch::default() })
    }

    /// Computes the rows that come out, `times` times over.
    pub fn run(&mut self, times: usize) -> Result<()> {
        let Self { linear, x, output, scratch } = self;
        for _ in 0..times {
            let mut place = Place::default();
            let work = &mut Work::new(&|| false, &mut place);
            match apply_linear(work, x, linear, output, scratch) {
                Err(Stop::OutOfMemory(lack)) => return Err(lack.into()),
                done => done.expect("nobody interrupts"),
            }
        }
        Ok(())
    }

    /// Fills `target` with elements of the rows that came out, from `first` on.
    #[wasm_bindgen(js_name = copyTo)]
    pub fn copy_to(&self, first: usize, target: &Float32Array) -> Result<()> {
        super::hidden_states::copy(&self.output, first, target)
    }
}
