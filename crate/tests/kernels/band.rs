//! Windows, dilations and strands against the definition of what a query sees.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::reference::band_shows;
use longformer::Band;
use longformer::band::Pattern;

const LENGTHS: [usize; 7] = [1, 2, 3, 5, 7, 16, 41];
const WINDOWS: [usize; 5] = [0, 1, 2, 8, 200];
const DILATIONS: [usize; 7] = [1, 2, 3, 5, 16, 40, 500];

/// Calls `f` with every length and band of the grid, asymmetric ones included.
fn for_each_band(f: impl Fn(usize, Band)) {
    for seq_len in LENGTHS {
        for left in WINDOWS {
            for right in WINDOWS {
                for dilation in DILATIONS {
                    f(seq_len, Band { left, right, dilation });
                }
            }
        }
    }
}

#[test]
fn strands_show_what_the_band_shows() {
    for_each_band(|seq_len, band| {
        let strands = band.strands(seq_len);
        for i in 0..seq_len {
            let (strand, place) = strands.locate(i);
            let seen = strands.strand(strand).visible(place);
            let seen: Vec<usize> = seen.map(|place| strand + place * strands.count()).collect();
            let expected: Vec<usize> = (0..seq_len).filter(|&j| band_shows(band, i, j)).collect();
            assert_eq!(seen, expected, "query {i} of {seq_len}, {band:?}");
        }
    });
}

#[test]
fn every_position_has_one_place() {
    for_each_band(|seq_len, band| {
        let strands = band.strands(seq_len);
        let mut positions: Vec<usize> = (0..strands.count())
            .flat_map(|strand| {
                (0..strands.len(strand)).map(move |place| strand + place * strands.count())
            })
            .collect();
        positions.sort_unstable();
        assert!(positions.iter().copied().eq(0..seq_len), "{positions:?} of {seq_len}, {band:?}");
        for position in 0..seq_len {
            let (strand, place) = strands.locate(position);
            assert_eq!(strand + place * strands.count(), position, "{seq_len}, {band:?}");
        }
    });
}

#[test]
fn places_are_those_inside_the_range() {
    for seq_len in LENGTHS {
        for dilation in DILATIONS {
            let strands = Band::new(2, dilation, false).strands(seq_len);
            for strand in 0..strands.count() {
                for start in 0..=seq_len {
                    for end in start..=seq_len {
                        let places = strands.places(strand, start..end);
                        let is_inside = |&place: &usize| {
                            (start..end).contains(&(strand + place * strands.count()))
                        };
                        let expected = (0..strands.len(strand)).filter(is_inside);
                        assert!(
                            places.clone().eq(expected),
                            "{places:?} of strand {strand} in {start}..{end} of {seq_len}, \
                             dilation {dilation}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn numbers_go_strand_behind_strand() {
    for_each_band(|seq_len, band| {
        let strands = band.strands(seq_len);
        let places = (0..strands.count())
            .flat_map(|strand| (0..strands.len(strand)).map(move |place| (strand, place)));
        for (number, (strand, place)) in places.enumerate() {
            assert_eq!(strands.number(strand, place), number, "of {seq_len}, {band:?}");
            let position = strands.position(strand, place);
            assert_eq!(strands.locate(position), (strand, place), "of {seq_len}, {band:?}");
        }
    });
}

/// What the checkpoints of the paper have: AI2's documented example, window 2.
#[test]
fn a_window_counts_keys_and_not_distance() {
    let offsets = |band: Band| -> Vec<isize> {
        let strands = band.strands(101);
        let (strand, place) = strands.locate(50);
        let seen = strands.strand(strand).visible(place);
        seen.map(|place| (strand + place * strands.count()) as isize - 50).collect()
    };
    assert_eq!(offsets(Band::new(2, 1, false)), [-2, -1, 0, 1, 2]);
    assert_eq!(offsets(Band::new(2, 2, false)), [-4, -2, 0, 2, 4]);
    assert_eq!(offsets(Band::new(2, 2, true)), [-4, -2, 0]);
    assert_eq!(offsets(Band::new(0, 7, false)), [0]);
}

#[test]
fn a_window_or_dilation_without_bound_is_a_wide_one() {
    let wide = Band::new(usize::MAX, 3, false).strands(20);
    assert_eq!(wide.strand(1).visible(4), 0..7, "all of 1, 4, .., 19");
    let sparse = Band::new(5, usize::MAX, false).strands(20);
    assert_eq!((sparse.count(), sparse.strand(0).visible(4)), (1, 4..5), "itself alone");
}

#[test]
fn a_pattern_has_the_window_in_every_head_and_each_its_dilation() {
    let pattern = Pattern::new(7, &[1, 4], false);
    let band = |dilation| Band { left: 7, right: 7, dilation };
    assert_eq!(pattern.bands, [band(1), band(4)]);
    let causal = Pattern::new(7, &[1, 4], true);
    let band = |dilation| Band { left: 7, right: 0, dilation };
    assert_eq!(causal.bands, [band(1), band(4)]);
}

#[test]
fn only_a_causal_pattern_forbids_what_comes_later() {
    for query in 0..4 {
        for key in 0..4 {
            assert!(Pattern::new(1, &[1], false).allows(query, key));
            assert_eq!(Pattern::new(1, &[1], true).allows(query, key), key <= query);
        }
    }
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
#[should_panic(expected = "dilation must be at least 1")]
fn a_dilation_of_0_is_refused() {
    Band::new(2, 0, false);
}
