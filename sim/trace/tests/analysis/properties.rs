//! What holds for every trace.

use proptest::prelude::*;
use trace::{
    Category, NO_INDEX, Pyramid, Remedy, Stretch, bounds, breakdown, breakdowns, bubble, bubbles,
    critical_path, explain, exposure, tracks, utilization,
};
use units::{LaneId, SimTime};

use crate::schedule::{Program, programs, run};

fn as_is(program: &Program) -> trace::Trace {
    run(program, |_, time| time)
}

proptest! {
    #[test]
    fn the_scheduler_keeps_the_rules(program in programs()) {
        let trace = as_is(&program);
        prop_assert_eq!(trace.check(), Ok(()));
    }

    #[test]
    fn the_critical_path_covers_the_run_back_to_back(program in programs()) {
        let trace = as_is(&program);
        let path = critical_path(&trace);
        let mut now = SimTime::ZERO;
        for segment in &path.segments {
            prop_assert_eq!(segment.start, now);
            prop_assert!(segment.start < segment.end);
            now = segment.end;
            if segment.stretch == Stretch::Work {
                let span = &trace.spans[segment.span as usize];
                prop_assert!(span.start <= segment.start && segment.end <= span.end);
            } else {
                prop_assert!(segment.span != NO_INDEX, "the last span ends the trace");
            }
        }
        prop_assert_eq!(now, trace.end);
        prop_assert_eq!(path.total(), trace.end);
        let by_lane: u64 = path.by_lane.iter().map(|(_, time)| time.as_picos()).sum();
        prop_assert_eq!(by_lane + path.waiting.as_picos(), trace.end.as_picos());
    }

    #[test]
    fn the_critical_path_walks_along_causes(program in programs()) {
        let trace = as_is(&program);
        let work = critical_path(&trace).segments;
        let work: Vec<_> = work.iter().filter(|s| s.stretch == Stretch::Work).collect();
        for pair in work.windows(2) {
            let mut cause = trace.spans[pair[1].span as usize].cause;
            while cause != pair[0].span {
                prop_assert!(cause != NO_INDEX);
                let skipped = &trace.spans[cause as usize];
                prop_assert_eq!(skipped.start, skipped.end, "only spans of no time are skipped");
                cause = skipped.cause;
            }
        }
    }

    #[test]
    fn a_breakdown_sums_to_the_end_and_agrees_with_brute_force(program in programs()) {
        let trace = as_is(&program);
        let all = breakdowns(&trace);
        for (lane, parts) in (0..).map(LaneId::new).zip(&all) {
            prop_assert_eq!(parts.total(), trace.end);
            prop_assert_eq!(*parts, breakdown(&trace, lane));
            let mut expected = [0_u64; 10];
            for now in 0..trace.end.as_picos() {
                let now = SimTime::from_picos(now);
                let active = trace.spans.iter().filter(|s| s.lane == lane && s.start <= now && now < s.end);
                expected[active.map(|s| s.category.index()).min().unwrap_or(9)] += 1;
            }
            let found = parts.by_category.map(SimTime::as_picos);
            prop_assert_eq!(&found[..], &expected[..9]);
            prop_assert_eq!(parts.bubble.as_picos(), expected[9]);
        }
    }

    #[test]
    fn the_causes_of_a_bubble_sum_to_it(program in programs()) {
        let trace = as_is(&program);
        let parts = breakdowns(&trace);
        for ((lane, parts), of_all) in (0..).map(LaneId::new).zip(parts).zip(bubbles(&trace)) {
            prop_assert_eq!(of_all.total(), parts.bubble);
            prop_assert_eq!(of_all, bubble(&trace, lane));
        }
    }

    #[test]
    fn exposed_and_hidden_add_up_to_active(program in programs()) {
        let trace = as_is(&program);
        for one in utilization(&trace) {
            let sides = exposure(&trace, one.lane);
            let of_stream = trace.spans.iter().filter(|s| s.lane == one.lane && s.stream == one.stream);
            let categories: std::collections::BTreeSet<_> = of_stream.map(|s| s.category).collect();
            if categories.len() == 1 {
                let category = *categories.first().unwrap();
                prop_assert_eq!(sides.active(category), one.busy);
            }
            prop_assert!(one.share <= 1.0);
        }
    }

    #[test]
    fn no_faster_run_beats_its_bound(program in programs()) {
        let trace = as_is(&program);
        let path = critical_path(&trace);
        let known = bounds(&trace);
        for category in Category::ALL {
            let halve = matches!(category, Category::Compute | Category::Optimizer);
            let remedy = if halve { Remedy::Halve(category) } else { Remedy::Free(category) };
            let saving = known.iter().find(|b| b.remedy == remedy).map_or(0, |b| b.saving.as_picos());
            let faster = run(&program, |of, time| match () {
                () if of != category => time,
                () if halve => time / 2,
                () => 0,
            });
            let saved = trace.end.as_picos() - faster.end.as_picos();
            prop_assert!(saved <= saving, "{remedy:?} saved {saved}, bound {saving}");
            let on_path = path.by_category[category.index()].as_picos();
            prop_assert!(saving <= on_path, "bound {saving} exceeds {on_path} on the path");
        }
    }

    #[test]
    fn summaries_cover_every_span_once(program in programs(), pixels in 1_u32..60) {
        let trace = as_is(&program);
        let past = SimTime::from_picos(trace.end.as_picos() + 1);
        for row in tracks(&trace) {
            let bars = Pyramid::new(&trace, &row).summarize(SimTime::ZERO..past, pixels);
            prop_assert!(bars.len() <= 2 * pixels as usize + 1);
            let mut ids = row.spans.iter().map(|&id| &trace.spans[id as usize]);
            for bar in bars {
                let own: Vec<_> = ids.by_ref().take(bar.count as usize).collect();
                prop_assert_eq!(own.first().unwrap().start, bar.start);
                prop_assert_eq!(own.last().unwrap().end, bar.end);
                let busy: u64 = own.iter().map(|s| s.end.as_picos() - s.start.as_picos()).sum();
                prop_assert_eq!(bar.busy.as_picos(), busy);
                let longest = own.iter().map(|s| s.end.as_picos() - s.start.as_picos()).max();
                let named = &trace.spans[bar.longest as usize];
                prop_assert_eq!(Some(named.end.as_picos() - named.start.as_picos()), longest);
            }
        }
    }

    #[test]
    fn windows_agree_with_a_filter(program in programs(), from in 0_u64..500, width in 1_u64..500) {
        let trace = as_is(&program);
        for row in tracks(&trace) {
            let window = SimTime::from_picos(from)..SimTime::from_picos(from + width);
            let bars = Pyramid::new(&trace, &row).summarize(window.clone(), 1_000_000);
            let n: u32 = bars.iter().map(|bar| bar.count).sum();
            let touches = |&&id: &&u32| {
                let span = &trace.spans[id as usize];
                span.start < window.end
                    && (window.start <= span.start || window.start < span.end)
            };
            prop_assert_eq!(n as usize, row.spans.iter().filter(touches).count());
        }
    }

    #[test]
    fn every_trace_is_explained_in_ten_lines(program in programs()) {
        let shown = explain(&as_is(&program)).to_string();
        prop_assert!(shown.lines().count() <= 10);
        prop_assert!(!shown.contains("NaN"));
    }
}
