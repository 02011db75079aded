//! Whatever stands in a platform of `SimGrid`, reading it ends with a topology or with an error; a
//! topology answers for its hosts, and reads back once it is written.

#![no_main]

use cluster::Topology;
use libfuzzer_sys::fuzz_target;
use units::HostId;

fuzz_target!(|text: &str| {
    let Ok(read) = formats::simgrid::read(text) else {
        return;
    };
    let platform = read.platform;
    let hosts: Vec<HostId> = (0..platform.n_hosts().min(12)).map(HostId::new).collect();
    let mut way = Vec::new();
    for &from in &hosts {
        for &to in &hosts {
            for number in (0..platform.n_ways(from, to)).take(3) {
                way.clear();
                platform.way(from, to, number, &mut way);
            }
        }
    }
    // Links without number are a claim of the text, and the writer lists what is used.
    if platform.n_links() <= 1 << 12 {
        let mut again = Vec::new();
        if formats::simgrid::write(&mut again, &platform, &hosts).is_ok() {
            let again = String::from_utf8(again).expect("a text");
            let again = formats::simgrid::read(&again).expect("it was written").platform;
            assert_eq!(again.n_hosts() as usize, hosts.len());
        }
    }
});
