//! Whatever stands in a `.wtt` file, reading it ends with a trace or with an error; a trace that
//! was read can be explained, and reads back equal once it is written.

#![no_main]

use formats::wtt::{Limits, read, write};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Small limits, so that memory measures what the bytes hold and not what they claim.
    let limits = Limits { raw_bytes: 1 << 20 };
    let Ok((header, trace)) = read(bytes, limits) else {
        return;
    };
    drop(trace::explain(&trace).to_string());
    let mut again = Vec::new();
    write(&mut again, &header, &trace).expect("a trace that was read keeps the rules");
    let limits = Limits { raw_bytes: 8 << 20 };
    let (_, same) = read(again.as_slice(), limits).expect("it was written");
    // By text, as a number that is no number equals nothing.
    assert_eq!(format!("{trace:?}"), format!("{same:?}"));
});
