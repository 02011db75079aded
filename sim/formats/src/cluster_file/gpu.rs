//! What machines with a GPU have where a file does not say.

use units::BytesPerSec;

use super::Choices;

/// A kind of GPU with what usually surrounds it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    /// The name in the zoo.
    pub(super) name: &'static str,
    /// The compute capability times ten.
    sm: u32,
    /// Links of NVLink.
    pub(super) nvlinks: u32,
    /// Of one of them, one direction.
    nvlink_gbytes: f64,
    /// Of its `PCIe` link, one direction.
    pcie_gbytes: f64,
    /// Of the NICs that it is sold with.
    nic_gbits: f64,
    /// The numbers of its `PCIe` device.
    ids: &'static [u32],
}

const fn kind(
    name: &'static str,
    sm: u32,
    [nvlinks, nvlink_gbytes, pcie_gbytes, nic_gbits]: [f64; 4],
    ids: &'static [u32],
) -> Kind {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of links are small and whole"
    )]
    let nvlinks = nvlinks as u32;
    Kind {
        name,
        sm,
        nvlinks,
        nvlink_gbytes,
        pcie_gbytes,
        nic_gbits,
        ids,
    }
}

/// Links, their rates and `PCIe` from the data sheets that the zoo cites; NICs as in the makers' own
/// servers; numbers of devices from the PCI ID Repository (pci-ids.ucw.cz). Of several kinds that
/// look alike, the first is taken.
const KINDS: [Kind; 24] = [
    kind("h100-sxm", 90, [18.0, 25.0, 63.0, 400.0], &[0x2330]),
    kind("h200", 90, [18.0, 25.0, 63.0, 400.0], &[0x2335]),
    kind("h800", 90, [8.0, 25.0, 63.0, 400.0], &[0x2324]),
    kind("h20", 90, [18.0, 25.0, 63.0, 400.0], &[0x2329]),
    kind("h100-pcie", 90, [0.0, 25.0, 63.0, 400.0], &[0x2331]),
    kind("a100-sxm-80gb", 80, [12.0, 25.0, 31.5, 200.0], &[0x20b2]),
    kind("a100-sxm-40gb", 80, [12.0, 25.0, 31.5, 200.0], &[0x20b0]),
    kind("a100-pcie-80gb", 80, [0.0, 25.0, 31.5, 200.0], &[0x20b5]),
    kind("a100-pcie-40gb", 80, [0.0, 25.0, 31.5, 200.0], &[0x20f1]),
    kind("v100-sxm2-16gb", 70, [6.0, 25.0, 15.75, 100.0], &[0x1db1]),
    kind("v100-sxm2-32gb", 70, [6.0, 25.0, 15.75, 100.0], &[0x1db5]),
    kind("v100-pcie-16gb", 70, [0.0, 25.0, 15.75, 100.0], &[0x1db4]),
    kind("v100-pcie-32gb", 70, [0.0, 25.0, 15.75, 100.0], &[0x1db6]),
    kind("b200", 100, [18.0, 50.0, 63.0, 400.0], &[0x2901]),
    kind("gb200", 100, [18.0, 50.0, 63.0, 400.0], &[0x2941]),
    kind("b300", 103, [18.0, 50.0, 126.0, 800.0], &[]),
    kind("gb300", 103, [18.0, 50.0, 126.0, 800.0], &[]),
    kind("a30", 80, [0.0, 25.0, 31.5, 200.0], &[0x20b7]),
    kind("t4", 75, [0.0, 25.0, 15.75, 100.0], &[0x1eb8]),
    kind("a40", 86, [0.0, 25.0, 31.5, 200.0], &[0x2235]),
    kind("a10", 86, [0.0, 25.0, 31.5, 100.0], &[0x2236, 0x2237]),
    kind("l40s", 89, [0.0, 25.0, 31.5, 200.0], &[0x26b9]),
    kind("l4", 89, [0.0, 25.0, 31.5, 100.0], &[0x27b8]),
    kind("rtx-4090", 89, [0.0, 25.0, 31.5, 100.0], &[0x2684]),
];

/// NVIDIA's number among makers of `PCIe` devices.
const NVIDIA: u32 = 0x10de;

impl Kind {
    /// Of one NVLink.
    pub(super) fn nvlink(&self) -> Option<BytesPerSec> {
        BytesPerSec::from_gbytes(self.nvlink_gbytes)
    }

    /// Of the link to host or switch.
    pub(super) fn pcie(&self) -> Option<BytesPerSec> {
        BytesPerSec::from_gbytes(self.pcie_gbytes)
    }

    /// Of a NIC.
    pub(super) fn nic(&self) -> Option<BytesPerSec> {
        BytesPerSec::from_gbits(self.nic_gbits)
    }
}

/// The first kind for which something holds.
fn first(is: impl Fn(&Kind) -> bool) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| is(kind))
}

/// A kind by its name in the zoo.
pub(super) fn named(name: &str) -> Option<&'static Kind> {
    first(|kind| kind.name == name)
}

/// A kind by the maker and number of its device.
pub(super) fn of_device([vendor, device]: [u32; 2]) -> Option<&'static Kind> {
    first(|kind| vendor == NVIDIA && kind.ids.contains(&device))
}

/// A kind by its compute capability.
pub(super) fn of_capability(sm: u32) -> Option<&'static Kind> {
    first(|kind| kind.sm == sm)
}

/// A kind that has so many links of NVLink; none has an unknown `PCIe` card.
pub(super) fn of_nvlinks(links: u32) -> &'static Kind {
    let fits = |kind: &Kind| kind.nvlinks == links;
    let more = |kind: &Kind| links <= kind.nvlinks;
    let older = KINDS.iter().rev().find(|kind| 0 < links && more(kind));
    let exact = first(|kind| 0 < links && fits(kind));
    exact.or(older).unwrap_or(&KINDS[4])
}

/// A kind whose `PCIe` link is at least so fast: the oldest such generation.
pub(super) fn of_pcie(rate: BytesPerSec) -> &'static Kind {
    let gbytes = rate.as_gbytes();
    match gbytes {
        _ if gbytes < 20.0 => &KINDS[9],
        _ if gbytes < 40.0 => &KINDS[5],
        _ => &KINDS[0],
    }
}

/// A kind that is sold with NICs of that rate.
pub(super) fn of_nic(rate: BytesPerSec) -> &'static Kind {
    let gbits = rate.as_gbits();
    match gbits {
        _ if gbits < 150.0 => &KINDS[9],
        _ if gbits < 300.0 => &KINDS[5],
        _ if gbits < 600.0 => &KINDS[0],
        _ => &KINDS[15],
    }
}

/// The GPU that was chosen, or one that was found, with its name; a chosen one that is not known
/// here has the surroundings of the one that was found.
pub(super) fn chosen(
    choices: &Choices,
    found: &'static Kind,
    told: bool,
    notes: &mut Vec<String>,
) -> (String, &'static Kind) {
    if let Some(name) = &choices.gpu {
        return (name.clone(), named(name).unwrap_or(found));
    }
    if !told {
        notes.push(format!(
            "the file does not name the GPU: {} taken; --gpu names another",
            found.name
        ));
    }
    (found.name.to_owned(), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_that_are_picked_by_place_are_those_that_are_meant() {
        assert_eq!(of_nvlinks(0).name, "h100-pcie");
        assert_eq!(of_nvlinks(12).name, "a100-sxm-80gb");
        assert_eq!(of_nvlinks(18).name, "h100-sxm");
        assert_eq!(of_nvlinks(6).name, "v100-sxm2-16gb");
        let gbytes = |rate| BytesPerSec::from_gbytes(rate).unwrap();
        assert_eq!(of_pcie(gbytes(15.75)).name, "v100-sxm2-16gb");
        assert_eq!(of_pcie(gbytes(31.5)).name, "a100-sxm-80gb");
        assert_eq!(of_nic(gbytes(100.0)).name, "b300");
        assert_eq!(of_nic(gbytes(50.0)).name, "h100-sxm");
    }
}
