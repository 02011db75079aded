//! The flow engine against what does not know it: linear programs, arithmetic, sums of bytes.

use good_lp::{Expression, Solution, SolverModel, Variable, microlp, variable, variables};
use network::{Flow, Network, Path, PathId, Share, Transfer};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use units::{Bytes, BytesPerSec, Seconds, SimTime};

/// A path with flows on it: links with loads, how many flows, the weight of each, its cap.
#[derive(Clone, Debug)]
struct Lane {
    links: Vec<(u32, f64)>,
    count: u32,
    weight: f64,
    cap: Option<f64>,
}

/// A small network, in GB/s.
#[derive(Clone, Debug)]
struct Case {
    rates: Vec<f64>,
    lanes: Vec<Lane>,
}

/// One of several values, so that ties are common.
fn one_of(rng: &mut Pcg64Mcg, values: &[f64]) -> f64 {
    values[rng.random_range(0..values.len())]
}

fn case(seed: u64) -> Case {
    let rng = &mut Pcg64Mcg::seed_from_u64(seed);
    let n_links = rng.random_range(1..7_u32);
    let weighs = rng.random_bool(0.5);
    let lane = |rng: &mut Pcg64Mcg| {
        let mut links: Vec<(u32, f64)> = Vec::new();
        for link in 0..n_links {
            if rng.random_bool(0.4) {
                let other = rng.random_range(0.2..3.0);
                links.push((link, one_of(rng, &[1.0, 1.0, 2.0, other])));
            }
        }
        if links.is_empty() {
            links.push((rng.random_range(0..n_links), 1.0));
        }
        Lane {
            links,
            count: rng.random_range(1..4),
            weight: if weighs {
                one_of(rng, &[1.0, 0.5, 3.0])
            } else {
                1.0
            },
            cap: rng.random_bool(0.3).then(|| rng.random_range(0.05..2.0)),
        }
    };
    let n_lanes = rng.random_range(1..8_usize);
    Case {
        lanes: (0..n_lanes).map(|_| lane(rng)).collect(),
        rates: (0..n_links).map(|_| rng.random_range(0.1..4.0)).collect(),
    }
}

impl Case {
    fn build(&self) -> (Flow, Vec<PathId>) {
        let gbytes = |rate: &f64| BytesPerSec::from_gbytes(*rate).expect("positive");
        let rates: Vec<_> = self.rates.iter().map(gbytes).collect();
        let mut flow = Flow::new(&rates, Share::EQUAL);
        let paths = self.lanes.iter().map(|lane| {
            let path = Path {
                links: lane.links.clone(),
                cap: lane.cap.as_ref().map(gbytes),
            };
            flow.add_path_weighing(&path, lane.weight).expect("valid")
        });
        let paths = paths.collect();
        (flow, paths)
    }

    /// The most that an objective reaches with some rates known and all others no less than
    /// their weight times a level, which is a variable where none is given.
    fn most(&self, known: &[Option<f64>], level: Option<f64>, of: Option<usize>) -> f64 {
        let mut names = variables!();
        let rates: Vec<Variable> = self
            .lanes
            .iter()
            .map(|lane| names.add(variable().min(0.0).max(lane.cap.unwrap_or(1e3))))
            .collect();
        let common = names.add(variable().min(0.0).max(1e3));
        let target = of.map_or(common, |lane| rates[lane]);
        let mut model = names.maximise(target).using(microlp);
        for (link, &rate) in (0_u32..).zip(&self.rates) {
            let mut used = Expression::from(0.0);
            for (lane, &x) in self.lanes.iter().zip(&rates) {
                let crossings = lane.links.iter().filter(|(other, _)| *other == link);
                used += crossings.map(|(_, load)| load).sum::<f64>() * f64::from(lane.count) * x;
            }
            model = model.with(used.leq(rate));
        }
        for ((lane, &x), known) in self.lanes.iter().zip(&rates).zip(known) {
            model = match (known, level) {
                (Some(rate), _) => model.with(Expression::from(x).leq(*rate)),
                (None, Some(level)) => {
                    model.with(Expression::from(x).geq(lane.weight * level * (1.0 - 1e-9)))
                }
                (None, None) => model.with((x - lane.weight * common).geq(0.0)),
            };
            if let Some(rate) = known {
                model = model.with(Expression::from(x).geq(*rate * (1.0 - 1e-9)));
            }
        }
        let solution = model.solve().expect("zero is feasible");
        solution.value(target)
    }

    /// Max-min fair rates by linear programs: the highest common level, then again for those that
    /// can still rise above it.
    fn fair(&self) -> Vec<f64> {
        let mut known = vec![None; self.lanes.len()];
        while known.iter().any(Option::is_none) {
            let level = self.most(&known, None, None);
            let stuck: Vec<usize> = (0..known.len())
                .filter(|&lane| known[lane].is_none())
                .filter(|&lane| {
                    let most = self.most(&known, Some(level), Some(lane));
                    most < self.lanes[lane].weight * level * (1.0 + 1e-6)
                })
                .collect();
            assert!(!stuck.is_empty(), "nothing binds at level {level}");
            for lane in stuck {
                known[lane] = Some(self.lanes[lane].weight * level);
            }
        }
        known.into_iter().flatten().collect()
    }
}

fn send(flow: &mut Flow, now: SimTime, path: PathId, bytes: u64) {
    let transfer = Transfer {
        path,
        bytes: Bytes::new(bytes),
        latency: Seconds::ZERO,
    };
    flow.submit(now, transfer).expect("valid");
}

#[test]
fn fair_shares_are_those_of_linear_programs() {
    for seed in 0..1000 {
        let case = case(seed);
        let (mut flow, paths) = case.build();
        for (path, lane) in paths.iter().zip(&case.lanes) {
            (0..lane.count).for_each(|_| send(&mut flow, SimTime::ZERO, *path, 1 << 40));
        }
        flow.advance(SimTime::ZERO, &mut Vec::new()).expect("valid");
        for (path, fair) in paths.iter().zip(case.fair()) {
            let rate = flow.rate(*path) / 1e9;
            assert!(
                (rate - fair).abs() < 1e-6 * fair,
                "{rate} is not {fair}: {case:?}"
            );
        }
    }
}

#[test]
fn one_flow_takes_its_size_over_the_rate_and_the_latency() {
    let mut rng = Pcg64Mcg::seed_from_u64(1);
    for _ in 0..1000 {
        // Whole bytes per second and whole microseconds, so that the time is exact.
        let rates: Vec<u64> = (0..rng.random_range(1..6))
            .map(|_| rng.random_range(1..100_000_u64) * 1_000_000)
            .collect();
        let bytes = rng.random_range(0..1_u64 << 32);
        let micros = rng.random_range(0..1000_u32);
        let slowest = *rates.iter().min().expect("at least one");
        let all: Vec<_> = rates
            .iter()
            .map(|&rate| BytesPerSec::new(rate as f64).expect("positive"))
            .collect();
        let mut flow = Flow::new(&all, Share::EQUAL);
        let links = 0..u32::try_from(rates.len()).expect("few");
        let path = flow.add_path(&Path::over(links)).expect("valid");
        let transfer = Transfer {
            path,
            bytes: Bytes::new(bytes),
            latency: Seconds::from_micros(f64::from(micros)),
        };
        flow.submit(SimTime::ZERO, transfer).expect("valid");
        let mut finished = Vec::new();
        while let Some(next) = flow.next_event() {
            flow.advance(next, &mut finished).expect("valid");
        }
        let moving = u128::from(bytes) * 1_000_000_000_000;
        let exact = u128::from(micros) * 1_000_000 + moving.div_ceil(u128::from(slowest));
        let took = u128::from(flow.now().as_picos());
        let off = took.abs_diff(exact);
        // A double has 53 bits: a picosecond of up to 2.5 hours.
        assert!(off <= 1, "{took} is not {exact} ps");
    }
}

#[test]
fn what_arrives_is_what_was_sent() {
    for seed in 0..300 {
        let case = case(seed);
        let (mut flow, paths) = case.build();
        let mut rng = Pcg64Mcg::seed_from_u64(seed);
        let mut arrivals: Vec<(u64, usize, u64)> = (0..30)
            .map(|_| {
                let at = rng.random_range(0..20_000_000_u64) * 1000;
                (
                    at,
                    rng.random_range(0..paths.len()),
                    rng.random_range(1..50_000_000),
                )
            })
            .collect();
        arrivals.sort_unstable();
        let mut sent = vec![0.0; paths.len()];
        let mut carried = vec![0.0; paths.len()];
        let mut present = vec![0_u32; paths.len()];
        let mut finished = Vec::new();
        let mut next_arrival = 0;
        loop {
            let arrival = arrivals.get(next_arrival);
            let start = arrival.map(|arrival| SimTime::from_picos(arrival.0));
            let Some(now) = [start, flow.next_event()].into_iter().flatten().min() else {
                break;
            };
            let span = now.since(flow.now()).as_secs();
            for (at, path) in paths.iter().enumerate() {
                carried[at] += flow.rate(*path) * f64::from(present[at]) * span;
            }
            flow.advance(now, &mut finished).expect("valid");
            for id in finished.drain(..) {
                let index = usize::try_from(id.get()).expect("few");
                present[arrivals[index].1] -= 1;
            }
            while let Some(&(at, lane, bytes)) = arrivals.get(next_arrival) {
                if SimTime::from_picos(at) != now {
                    break;
                }
                send(&mut flow, now, paths[lane], bytes);
                present[lane] += 1;
                sent[lane] += bytes as f64;
                next_arrival += 1;
            }
            flow.advance(now, &mut finished).expect("valid");
        }
        assert!(present.iter().all(|present| *present == 0));
        for (sent, carried) in sent.iter().zip(&carried) {
            assert!(
                (sent - carried).abs() < 1.0,
                "{carried} of {sent}: {case:?}"
            );
        }
    }
}
