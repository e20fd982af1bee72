//! Ragged batches: where sequences lie, and which flags count.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use longformer::Batch;

#[test]
fn sequences_follow_each_other() {
    let mut batch = Batch::default();
    assert_eq!(batch.total_tokens(), 0);
    for len in [3, 1, 5] {
        batch.push(len, vec![], vec![]);
    }
    let rows: Vec<_> = batch.sequences().iter().map(|sequence| sequence.rows.clone()).collect();
    assert_eq!(rows, [0..3, 3..4, 4..9]);
    assert_eq!(batch.total_tokens(), 9);
    assert!(batch.sequences().iter().all(|sequence| !sequence.is_empty()));
}

#[test]
fn a_global_flag_on_a_masked_token_is_ignored() {
    let mut batch = Batch::default();
    batch.push(6, vec![0, 2, 5], vec![1, 2, 3]);
    assert_eq!(batch.sequences()[0].global_tokens, [0, 5]);
    assert_eq!(batch.sequences()[0].masked, [1, 2, 3]);
}

#[cfg(not(target_arch = "wasm32"))]
mod refused {
    use super::Batch;

    #[test]
    #[should_panic(expected = "at least one token")]
    fn an_empty_sequence() {
        Batch::default().push(0, vec![], vec![]);
    }

    #[test]
    #[should_panic(expected = "must be ascending")]
    fn a_repeated_global_token() {
        Batch::default().push(4, vec![1, 1], vec![]);
    }

    #[test]
    #[should_panic(expected = "must be ascending")]
    fn masked_tokens_out_of_order() {
        Batch::default().push(4, vec![], vec![2, 1]);
    }

    #[test]
    #[should_panic(expected = "too large")]
    fn a_position_after_the_end() {
        Batch::default().push(4, vec![4], vec![]);
    }
}
