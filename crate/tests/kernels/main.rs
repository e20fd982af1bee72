//! The tests of the crate, one module for each of its own, in one program: each program is linked
//! with the whole library anew. `allocations.rs` alone is another, for its allocator.

mod attention;
mod band;
mod batch;
mod close;
mod dtype;
mod embedding;
mod feed_forward;
mod gelu;
mod gemm;
mod half;
mod layer_norm;
mod linear;
mod panels;
mod pooling;
mod reference;
mod softmax;
mod storage;
#[cfg(all(feature = "threads", not(target_arch = "wasm32")))]
mod threads;
mod transform;
mod unit_vectors;
mod work;
