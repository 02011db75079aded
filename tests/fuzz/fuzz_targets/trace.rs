//! Whatever stands in a `.wtt` file, reading it ends with a trace or with an error.

#![no_main]

use formats::wtt::{Limits, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Small limits, so that memory measures what the bytes hold and not what they claim.
    let _ = read(bytes, Limits { raw_bytes: 1 << 20 });
});
