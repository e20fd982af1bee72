//! What a layer allocates once its buffers are there: lists of its tasks, and nothing that grows with
//! the text. Natively and without threads, which ask for themselves.

#![cfg(not(any(feature = "threads", target_arch = "wasm32")))]

#[allow(dead_code, reason = "the other tests need more of it")]
#[path = "kernels/reference/random.rs"]
mod random;

use longformer::attention::{Heads, Projections, Source, Workspace, attention};
use longformer::band::Pattern;
use longformer::columns::{Scratch, add_linear};
use longformer::feed_forward::{Buffers, Norm, feed_forward};
use longformer::work::whole;
use longformer::{Batch, LayerNorm, Linear, Storage};
use random::Random;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Counts what this thread asks for.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static ASKED: Cell<Asked> = const { Cell::new(Asked { times: 0, bytes: 0 }) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Asked {
    times: usize,
    bytes: usize,
}

#[allow(unsafe_code, reason = "an allocator is")]
// SAFETY: all is done by the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Not while a thread ends, when there is nothing left to count with.
        let _ = ASKED.try_with(|asked| {
            let Asked { times, bytes } = asked.get();
            asked.set(Asked { times: times + 1, bytes: bytes + layout.size() });
        });
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(place, layout) }
    }
}

/// In two rounds where tokens are many (`attention/key_values.rs`).
const HEADS: Heads = Heads { num_heads: 8, head_dim: 8 };

/// What a second pass through a layer asks for, of a batch of two sequences.
fn asked_for(storage: Storage, tokens: usize, globals: usize, norm_first: bool) -> Asked {
    let hidden_size = HEADS.hidden_size();
    let mut random = Random::new(tokens as u64);
    let mut linear = |in_features: usize, out_features: usize, groups: usize| {
        let mut linear =
            Linear::try_with_storage(storage, in_features, out_features, groups).expect("memory");
        let weight = random.floats(in_features * out_features, 0.1);
        linear.write_weight(0, &weight).expect("finite");
        linear
    };
    let projections: [Linear; 6] =
        std::array::from_fn(|_| linear(hidden_size, hidden_size, HEADS.num_heads));
    let dense = linear(hidden_size, hidden_size, 1);
    let [intermediate, output] = [linear(hidden_size, 256, 1), linear(256, hidden_size, 1)];
    let norm = LayerNorm::new(hidden_size, 1e-5);
    let pattern = Pattern::new(20, &[1, 1, 2, 3, 1, 1, 1, 1], false);
    let mut batch = Batch::default();
    batch.push(tokens - 100, (0..globals).map(|i| 13 * i).collect(), vec![]);
    batch.push(100, (0..globals.min(1)).collect(), vec![]);

    let mut states = random.floats(tokens * hidden_size, 1.0);
    let mut context = vec![f32::NAN; states.len()];
    let (mut workspace, mut scratch, mut buffers) =
        (Workspace::default(), Scratch::default(), Buffers::default());
    let mut pass = || {
        whole(|work| {
            let of =
                |i: usize| Source::Projected { hidden_states: &states, weights: &projections[i] };
            let [local, global] =
                [0, 3].map(|i| Projections { query: of(i), key: of(i + 1), value: of(i + 2) });
            let both = [local, global];
            attention(work, HEADS, &pattern, &batch, both, &mut workspace, &mut context)?;
            let norm_of = if norm_first { Norm::Before(&norm) } else { Norm::After(&norm) };
            add_linear(work, &mut states, &context, &dense, Some(&norm), &mut scratch)?;
            feed_forward(work, &mut states, &intermediate, &output, norm_of, &mut buffers)
        });
        ASKED.get()
    };
    let before = pass();
    let after = pass();
    Asked { times: after.times - before.times, bytes: after.bytes - before.bytes }
}

#[test]
fn a_second_layer_allocates_nothing_that_grows_with_the_text() {
    for storage in [Storage::F32, Storage::F16, Storage::int8()] {
        // None; few, whose projections are folded; many.
        for (globals, norm_first) in [(0, false), (2, true), (40, false)] {
            let [short, long] =
                [1200, 2000].map(|tokens| asked_for(storage, tokens, globals, norm_first));
            let case = (storage, globals, norm_first);
            assert_eq!(short.times, long.times, "{case:?}");
            assert!(long.times < 100 && long.bytes < 32_768, "{case:?}: {long:?}");
        }
    }
}
