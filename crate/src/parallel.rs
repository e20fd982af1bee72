//! Work over the threads of the engine: rayon behind this file, plain loops without it.
//!
//! Every split is the caller's and depends on the shapes and on whether there are threads, never on
//! their number, and results are the same bits with any split. Operations fork through `work`, which can
//! be interrupted.

/// Calls `f(index, chunk)` for the chunks of `chunk_len` elements of `data`, from chunk `first` on;
/// the last may be shorter. With one of the errors of `f`, and maybe without the chunks behind it.
pub(crate) fn try_for_each_chunk<T: Send, E: Send>(
    data: &mut [T],
    chunk_len: usize,
    first: usize,
    f: impl Fn(usize, &mut [T]) -> Result<(), E> + Sync,
) -> Result<(), E> {
    #[cfg(feature = "threads")]
    {
        use rayon::prelude::*;
        let chunks = data.par_chunks_mut(chunk_len).enumerate().skip(first).with_max_len(1);
        chunks.try_for_each(|(index, chunk)| f(index, chunk))
    }
    #[cfg(not(feature = "threads"))]
    data.chunks_mut(chunk_len)
        .enumerate()
        .skip(first)
        .try_for_each(|(index, chunk)| f(index, chunk))
}

/// Parts that rows are shared out in, so that threads find enough of them to do. Alone, a thread need
/// not be asked twice.
pub(crate) const SHARES: usize = if cfg!(feature = "threads") { 16 } else { 1 };

/// Rows in a block of work, for a batch of `total_rows` rows.
///
/// A multiple of the register tile's rows, so many that every thread has something to do. Linear
/// layers have a way of their own (`columns`).
pub fn rows_per_block(total_rows: usize) -> usize {
    const MOST: usize = 96;
    const LEAST: usize = 12;
    total_rows.div_ceil(SHARES).next_multiple_of(LEAST).clamp(LEAST, MOST)
}

#[cfg(all(feature = "threads", target_arch = "wasm32"))]
pub(crate) use pool::{become_pool_thread, end_pool, start_pool};

/// The pool of one engine. Thread 0 is the thread that calls [`start_pool`], so that a fork from
/// an exported function costs the same as one from inside the pool; the others wait in `IDLE`
/// until a worker takes them.
#[cfg(all(feature = "threads", target_arch = "wasm32"))]
mod pool {
    use rayon::{ThreadBuilder, ThreadPool, ThreadPoolBuilder};
    use std::sync::Mutex;

    static IDLE: Mutex<Vec<ThreadBuilder>> = Mutex::new(Vec::new());
    static POOL: Mutex<Option<ThreadPool>> = Mutex::new(None);

    pub(crate) fn start_pool(threads: usize) {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .use_current_thread()
            .spawn_handler(|thread| {
                IDLE.lock().expect("nobody panics with the lock").push(thread);
                Ok(())
            })
            // Not `build_global`: it waits for threads that start only after this returns.
            .build()
            .expect("the pool's thread 0 is this one");
        let before = POOL.lock().expect("nobody panics with the lock").replace(pool);
        assert!(before.is_none(), "the pool is started once");
    }

    /// Lets its other threads return. Called by thread 0 while nothing runs.
    pub(crate) fn end_pool() {
        drop(POOL.lock().expect("nobody panics with the lock").take());
    }

    /// Does not return while the pool lives.
    pub(crate) fn become_pool_thread() {
        // A statement of its own, so that the lock is gone before `run`.
        let thread = IDLE.lock().expect("nobody panics with the lock").pop();
        thread.expect("there are as many pool workers as threads").run();
    }
}

/// Panics in a thread of the pool that is not thread 0: what a bug in a kernel looks like, for
/// tests of the engine's death. Panics in the caller where there is no other thread.
pub fn panic_outside_thread_0() {
    #[cfg(feature = "threads")]
    {
        let alone = rayon::current_num_threads() == 1;
        let other = std::sync::atomic::AtomicBool::new(false);
        rayon::join(
            // Thread 0 stays busy until another thread has taken the second task.
            || {
                while !alone && !other.load(std::sync::atomic::Ordering::Acquire) {
                    std::hint::spin_loop();
                }
            },
            || {
                other.store(true, std::sync::atomic::Ordering::Release);
                panic!("a panic on purpose in thread {:?}", rayon::current_thread_index());
            },
        );
    }
    #[cfg(not(feature = "threads"))]
    panic!("a panic on purpose");
}
