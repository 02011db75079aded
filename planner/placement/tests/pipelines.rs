//! The time of a pipeline against the replay of its schedule.

use placement::{Pipeline, PipelineScratch};
use plan::schedule::{ClosedFormScratch, one_f_one_b_rate, one_f_one_b_time};
use proptest::prelude::*;

prop_compose! {
    fn pipelines()(pp in 1_usize..9)(
        forward in prop::collection::vec(1_u64..100, pp),
        backward in prop::collection::vec(1_u64..200, pp),
        links in prop::collection::vec(0_u64..150, pp - 1),
        n in 0_u64..300,
    ) -> (Vec<u64>, Vec<u64>, Vec<u64>, u64) {
        (forward, backward, links, n)
    }
}

fn floats(values: &[u64]) -> Vec<f64> {
    values.iter().map(|value| *value as f64).collect()
}

proptest! {
    #[test]
    fn equal_links_in_both_directions_give_the_time_of_the_schedule(
        (forward, backward, links, n) in pipelines()
    ) {
        let exact = one_f_one_b_time(&forward, &backward, &links, n, &mut ClosedFormScratch::default());
        let (forward, backward, links) = (floats(&forward), floats(&backward), floats(&links));
        let pipeline = Pipeline {
            forward: &forward,
            backward: &backward,
            down: &links,
            up: &links,
            micro_batches: n,
        };
        let time = pipeline.time(&mut PipelineScratch::default());
        prop_assert!((time - exact as f64).abs() <= 5e-3 * exact as f64, "{time} {exact}");
    }

    #[test]
    fn the_rate_is_the_largest_mean_of_a_circle((forward, backward, links, _) in pipelines()) {
        let (time, count) = one_f_one_b_rate(&forward, &backward, &links);
        let (forward, backward, links) = (floats(&forward), floats(&backward), floats(&links));
        let pipeline = Pipeline {
            forward: &forward,
            backward: &backward,
            down: &links,
            up: &links,
            micro_batches: 1,
        };
        let (rate, _) = pipeline.rate();
        prop_assert!((rate - time as f64 / count as f64).abs() <= 1e-9 * rate);
    }

    #[test]
    fn only_the_sum_of_both_directions_sets_the_rate((forward, backward, links, n) in pipelines()) {
        let (forward, backward, links) = (floats(&forward), floats(&backward), floats(&links));
        let (twice, none) = (links.iter().map(|t| 2.0 * t).collect::<Vec<_>>(), vec![0.0; links.len()]);
        let with = |down, up| Pipeline {
            forward: &forward,
            backward: &backward,
            down,
            up,
            micro_batches: n,
        };
        let rate = with(&links, &links).rate().0;
        prop_assert!((with(&twice, &none).rate().0 - rate).abs() <= 1e-9 * rate);
        prop_assert!((with(&none, &twice).rate().0 - rate).abs() <= 1e-9 * rate);
    }
}
