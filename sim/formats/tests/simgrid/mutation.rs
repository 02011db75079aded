//! Damaged copies of valid platforms end with a platform or with an error.

use cluster::Topology;
use formats::simgrid::read;
use proptest::prelude::*;
use units::{HostId, LinkId};

use crate::platforms::all;

/// A change to a text.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Drop { at: usize, len: usize },
    Repeat { at: usize, len: usize },
    Put { at: usize, what: &'static str },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = 0..4096_usize;
    let what = prop::sample::select(vec![
        "<",
        ">",
        "\"",
        "&",
        "/",
        "-",
        "0",
        "9999999",
        "NaN",
        "é",
        "<zone id=\"q\" routing=\"Full\">",
        "</zone>",
        "Floyd",
        "DOWN",
        ",",
        ";",
        "1e308",
        "\0",
        "<!--",
        "<![CDATA[",
    ]);
    prop_oneof![
        at.clone().prop_map(Damage::Cut),
        (at.clone(), 1..200_usize).prop_map(|(at, len)| Damage::Drop { at, len }),
        (at.clone(), 1..200_usize).prop_map(|(at, len)| Damage::Repeat { at, len }),
        (at, what).prop_map(|(at, what)| Damage::Put { at, what }),
    ]
}

fn apply(text: &str, damage: &Damage) -> String {
    let chars: Vec<char> = text.chars().collect();
    let place = |at: usize| at % (chars.len() + 1);
    let (at, end, between): (usize, usize, String) = match *damage {
        Damage::Cut(at) => (place(at), chars.len(), String::new()),
        Damage::Drop { at, len } => (place(at), (place(at) + len).min(chars.len()), String::new()),
        Damage::Repeat { at, len } => {
            let (at, end) = (place(at), (place(at) + len).min(chars.len()));
            (at, at, chars[at..end].iter().collect())
        }
        Damage::Put { at, what } => (place(at), place(at), what.to_owned()),
    };
    let [before, after] = [&chars[..at], &chars[end..]].map(|part| part.iter().collect::<String>());
    format!("{before}{between}{after}")
}

/// Asks for everything that a topology answers, of some hosts.
fn ask(platform: &impl Topology) {
    let hosts: Vec<_> = (0..platform.n_hosts())
        .step_by(5)
        .map(HostId::new)
        .collect();
    let mut way = Vec::new();
    for &from in &hosts {
        for &to in &hosts {
            let ways = platform.n_ways(from, to);
            for number in (0..ways).take(3) {
                way.clear();
                platform.way(from, to, number, &mut way);
                assert!(way.iter().all(|link| link.get() < platform.n_links()));
            }
            assert!(ways == 0 || platform.static_way(from, to) < ways);
        }
        assert_eq!(platform.host_named(&platform.host_name(from)), Some(from));
    }
    for link in (0..platform.n_links()).map(LinkId::new) {
        assert!(
            platform.wire(link).latency.is_finite(),
            "{:?}",
            platform.wire_name(link)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damaged_platforms_do_no_harm(
        case in 0..15_usize,
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let mut text = all()[case].xml.clone();
        for damage in &damages {
            text = apply(&text, damage);
        }
        match read(&text) {
            Ok(read) => ask(&read.platform),
            Err(error) => prop_assert!(error.to_string().len() < 2000, "{error}"),
        }
    }
}

#[test]
fn every_beginning_of_a_platform_is_an_error() {
    for case in all() {
        ask(&case.platform().platform);
        let end = case.xml.trim_end().len();
        for cut in (0..end)
            .step_by(7)
            .filter(|&cut| case.xml.is_char_boundary(cut))
        {
            assert!(read(&case.xml[..cut]).is_err(), "{} up to {cut}", case.name);
        }
    }
}
