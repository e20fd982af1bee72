//! The pool, and what becomes of a panic.

use crate::parallel;
use wasm_bindgen::prelude::*;

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

/// Lets the other threads of the pool return to where they came from. Nothing is computed afterwards.
#[cfg(feature = "threads")]
#[wasm_bindgen(js_name = endPool)]
pub fn end_pool() {
    parallel::end_pool();
}

/// Turns the calling worker into a thread of the pool. Returns when the pool is ended.
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
