//! Damaged and hostile files end with a value or with an error.

use proptest::prelude::*;
use units::HostId;

/// A change to a text.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
    /// Repeats a stretch.
    Repeat(usize, usize, usize),
    /// Puts a word where another text may not have it.
    Insert(usize, &'static str),
}

const WORDS: [&str; 24] = [
    "99999999999999999999999999",
    "-1",
    "1e308",
    "NaN",
    "0",
    "\0",
    "\u{301}",
    "\"",
    "<",
    "<a>",
    "&lt;",
    "&x;",
    "[",
    "]",
    "[0-4294967295]",
    "[000001-999999]",
    ",",
    ";",
    "#",
    "\t",
    "\n",
    "\r\n",
    ": ",
    "- ",
];

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![
        any::<usize>().prop_map(Damage::Cut),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Flip(at, byte)),
        (any::<usize>(), 1..200_usize, 1..30_usize)
            .prop_map(|(at, length, times)| Damage::Repeat(at, length, times)),
        (any::<usize>(), proptest::sample::select(WORDS.as_slice()))
            .prop_map(|(at, word)| Damage::Insert(at, word)),
    ];
    proptest::collection::vec(one, 1..8)
}

fn damaged(sample: &[u8], damage: &[Damage]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for one in damage {
        let at = |place: usize| place % (bytes.len() + 1);
        match *one {
            Damage::Cut(place) => bytes.truncate(at(place)),
            Damage::Flip(place, with) => {
                let at = at(place);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= with;
                }
            }
            Damage::Repeat(place, length, times) => {
                let from = at(place);
                let to = (from + length).min(bytes.len());
                let part = bytes[from..to].repeat(times);
                bytes.splice(from..from, part);
            }
            Damage::Insert(place, word) => {
                let at = at(place);
                bytes.splice(at..at, word.bytes());
            }
        }
    }
    bytes
}

/// Reads every kind of file from damaged copies of a sample.
macro_rules! survives {
    ($name:ident, $sample:expr, $read:expr) => {
        proptest! {
            #[test]
            fn $name(damage in damage()) {
                let sample: &[u8] = $sample;
                let read: fn(&[u8]) = $read;
                read(sample);
                read(&damaged(sample, &damage));
            }
        }
    };
}

survives!(
    damaged_lists_of_flows_end_with_an_answer,
    b"id,src,dst,bytes,start_s,after\n\
      a,n0,n1,65536,0,\nb,n1,n2,65536,0.000001,a\n\"c\",n2,n0,65536,1e-6,a;b\n",
    |bytes| {
        let host = |name: &str| name.strip_prefix('n')?.parse().ok().map(HostId::new);
        if let Ok(list) = formats::flows_csv::read(bytes, host) {
            assert_eq!(list.flows.len(), list.ids.len());
        }
    }
);
