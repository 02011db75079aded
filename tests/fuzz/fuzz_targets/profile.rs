//! Whatever stands in a profile, reading it ends with a value or with errors.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = format::check::profile(text);
});
