//! Whatever stands in a list of flows, reading it ends with flows or with an error; a list that was
//! read reads back equal once it is written.

#![no_main]

use formats::flows_csv::{read, write};
use libfuzzer_sys::fuzz_target;
use units::HostId;

fn host(name: &str) -> Option<HostId> {
    let number: u8 = name.strip_prefix('n')?.parse().ok()?;
    Some(HostId::new(number.into()))
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = read(bytes, host) else {
        return;
    };
    let mut text = Vec::new();
    write(&mut text, &list.flows, &list.ids, |host| format!("n{host}")).expect("memory takes all");
    let again = read(text.as_slice(), host).expect("it was written");
    assert_eq!(list.flows, again.flows);
});
