//! Whatever stands in a log of nccl-tests, reading it ends with tables or with an error.

#![no_main]

use formats::nccl_tests::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = read(text);
});
