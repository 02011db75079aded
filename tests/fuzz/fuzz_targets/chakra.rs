//! Whatever stands in a Chakra trace, reading it ends with a trace or with an error, and so does
//! making flows of two ranks that have it.

#![no_main]

use formats::chakra::{flows, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(trace) = read("trace", &mut &*bytes) {
        let _ = flows(&[trace.clone(), trace]);
    }
});
