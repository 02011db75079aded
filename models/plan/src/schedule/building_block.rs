//! V-Half and V-Min: a building block repeated, then squeezed.
//!
//! A building block fixes when one micro-batch passes each device, in slots of one pass. It
//! repeats every six slots, the work of a micro-batch on a device with two chunks; how long a
//! block holds its activations decides the peak memory. Weight gradients take the slots that
//! stay free. Then every pass moves to the earliest slot that its inputs and the peak of the
//! repeated pattern allow, which shortens warm-up and cool-down.
//!
//! Source: Qi, Wan, Amar and Lin, "Pipeline Parallelism with Controllable Memory", `NeurIPS`
//! 2024, sections 3 and 4 and appendix.

use super::{Action, ActionKind, Schedule, count, v_placement};

/// Slots between two repetitions: two forwards, input gradients and weight gradients.
const INTERVAL: u32 = 6;

/// V-Half: about half of 1F1B's activations, `⌊(p + 2)/2⌋` micro-batches at most, and about
/// half of its bubble with equal times.
pub fn v_half(n_devices: u32, n_micro_batches: u32) -> Schedule {
    v_half_ahead(n_devices, n_micro_batches, 0)
}

/// V-Half with `ahead` repetitions between the last stage's forward and backward pass.
pub(super) fn v_half_ahead(p: u32, n_micro_batches: u32, ahead: u32) -> Schedule {
    let shift = if p.is_multiple_of(2) { 3 } else { 0 } + ahead * INTERVAL;
    let blocks = (0..p)
        .map(|i| {
            [
                2 * i,
                3 * p - i - 2,
                3 * p + shift + 2 * i - 1,
                6 * p + shift - i - 2,
            ]
        })
        .collect();
    repeat(blocks, n_micro_batches)
}

/// V-Min: about a third of 1F1B's activations, `⌊(p + 4)/3⌋` micro-batches at most, at about
/// two thirds of its bubble with equal times.
pub fn v_min(p: u32, n_micro_batches: u32) -> Schedule {
    let shift = if p.is_multiple_of(3) { 2 } else { 0 };
    let blocks = (0..p)
        .map(|i| [i, 2 * p - i - 1, 2 * p + shift + i, 4 * p + shift - i - 1])
        .collect();
    repeat(blocks, n_micro_batches)
}

/// A pass of a device, by its place in the block: forwards of chunk 0 and 1, input gradients
/// of chunk 1 and 0, weight gradients of chunk 1 and 0.
const KINDS: [(ActionKind, usize); 6] = [
    (ActionKind::Forward, 0),
    (ActionKind::Forward, 1),
    (ActionKind::InputGrad, 1),
    (ActionKind::InputGrad, 0),
    (ActionKind::WeightGrad, 1),
    (ActionKind::WeightGrad, 0),
];

/// The slots of one device.
struct Device {
    /// Slot of each pass, by place in the block and micro-batch.
    slot: [Vec<u32>; 6],
    /// Whether a slot is taken.
    taken: Vec<bool>,
    /// Activations held after each slot.
    level: Vec<i32>,
}

/// Repeats a block of four slots a device and squeezes the result.
fn repeat(blocks: Vec<[u32; 4]>, n: u32) -> Schedule {
    let p = blocks.len();
    let mut devices: Vec<Device> = blocks
        .into_iter()
        .map(|block| Device::repeated(block, n))
        .collect();
    let cap = devices
        .iter()
        .flat_map(|device| device.level.iter().copied())
        .max()
        .unwrap_or(0);
    squeeze(&mut devices, n, cap);
    drain(&mut devices, n);
    let lists: Vec<Vec<Action>> = (0..p).map(|i| devices[i].list(p, i, n)).collect();
    Schedule::unchecked(v_placement(count(p)), n, &lists)
}

/// Moves every pass, in the order of the pattern, to the earliest slot that is free, comes
/// after what it needs and keeps the device at or below `cap` activations.
fn squeeze(devices: &mut [Device], n: u32, cap: i32) {
    for (_, i, place, k) in by_time(devices, n, &[0, 1, 2, 3, 4, 5]) {
        let from = devices[i].slot[place][k];
        let ready = ready(devices, i, place, k);
        let to = devices[i].earliest(from, ready, place < 2, cap);
        devices[i].shift(place, k, to);
    }
}

/// After a device's last forward pass nothing is added to its memory, so input gradients go
/// first, as early as they can, and weight gradients fill what stays free.
fn drain(devices: &mut [Device], n: u32) {
    let last_forward: Vec<u32> = devices
        .iter()
        .map(|device| {
            device.slot[..2]
                .iter()
                .flatten()
                .copied()
                .max()
                .unwrap_or(0)
        })
        .collect();
    for (device, &last) in devices.iter_mut().zip(&last_forward) {
        for place in [4, 5] {
            for &slot in &device.slot[place] {
                if last < slot {
                    device.taken[slot as usize] = false;
                }
            }
        }
    }
    for (slot, i, place, k) in by_time(devices, n, &[2, 3]) {
        if last_forward[i] < slot {
            let ready = ready(devices, i, place, k).max(last_forward[i] + 1);
            let to = devices[i].first_free(ready, slot);
            devices[i].shift(place, k, to);
        }
    }
    for (i, device) in devices.iter_mut().enumerate() {
        device.refill_weight_gradients(last_forward[i]);
    }
}

/// All passes of these places in a block, sorted by slot: (slot, device, place, micro-batch).
fn by_time(devices: &[Device], n: u32, places: &[usize]) -> Vec<(u32, usize, usize, usize)> {
    let mut passes = Vec::with_capacity(devices.len() * places.len() * n as usize);
    for (i, device) in devices.iter().enumerate() {
        for &place in places {
            passes.extend((0..n as usize).map(|k| (device.slot[place][k], i, place, k)));
        }
    }
    passes.sort_unstable();
    passes
}

/// The first slot after everything that a pass needs, the pass of the same kind before it
/// included, which keeps micro-batches in order.
fn ready(devices: &[Device], i: usize, place: usize, k: usize) -> u32 {
    let mut after = Vec::with_capacity(3);
    let own = &devices[i].slot;
    match place {
        0 | 2 if 0 < i => after.push(devices[i - 1].slot[place][k]),
        1 | 3 if i + 1 < devices.len() => after.push(devices[i + 1].slot[place][k]),
        _ => {}
    }
    match place {
        1..=3 => after.push(own[place - 1][k]),
        4 | 5 => after.push(own[place - 2][k]),
        _ => {}
    }
    if 0 < k {
        after.push(own[place][k - 1]);
    }
    after.into_iter().map(|slot| slot + 1).max().unwrap_or(0)
}

impl Device {
    fn repeated(block: [u32; 4], n: u32) -> Self {
        let mut slot: [Vec<u32>; 6] = Default::default();
        for (place, first) in block.into_iter().enumerate() {
            slot[place] = (0..n).map(|k| first + k * INTERVAL).collect();
        }
        let n_slots = (block[3] + n * INTERVAL + 2 * n + 2) as usize;
        let mut device = Self {
            slot,
            taken: vec![false; n_slots],
            level: vec![0; n_slots],
        };
        for place in 0..4 {
            for k in 0..n as usize {
                let at = device.slot[place][k] as usize;
                debug_assert!(!device.taken[at], "two passes of a block in one slot");
                device.taken[at] = true;
            }
        }
        device.refill_weight_gradients(0);
        device.level = device.levels();
        device
    }

    /// Puts the weight gradients of slots from `from` on into the first free slots after
    /// their input gradients, in the order of these; earlier ones stay.
    fn refill_weight_gradients(&mut self, from: u32) {
        let n = self.slot[0].len();
        let mut kept = [0; 2];
        for (chunk, count) in kept.iter_mut().enumerate() {
            let slots = &mut self.slot[4 + chunk];
            *count = slots.partition_point(|&slot| 0 < from && slot <= from);
            slots.truncate(*count);
        }
        let mut inputs: Vec<(u32, usize)> = (0..2)
            .flat_map(|chunk| (kept[chunk]..n).map(move |k| (chunk, k)))
            .map(|(chunk, k)| (self.slot[2 + chunk][k], chunk))
            .collect();
        inputs.sort_unstable();
        let mut at = from;
        for (input, chunk) in inputs {
            at = at.max(input + 1);
            while self.is_taken(at) {
                at += 1;
            }
            self.take(at);
            self.slot[4 + chunk].push(at);
        }
    }

    fn is_taken(&self, slot: u32) -> bool {
        self.taken.get(slot as usize).copied().unwrap_or(false)
    }

    fn take(&mut self, slot: u32) {
        let slot = slot as usize;
        if self.taken.len() <= slot {
            self.taken.resize(slot + 1, false);
            self.level.resize(slot + 1, 0);
        }
        self.taken[slot] = true;
    }

    fn levels(&self) -> Vec<i32> {
        let mut level = vec![0; self.taken.len()];
        for place in [0, 1] {
            for &slot in &self.slot[place] {
                level[slot as usize] += 1;
            }
        }
        for place in [4, 5] {
            for &slot in &self.slot[place] {
                level[slot as usize] -= 1;
            }
        }
        let mut sum = 0;
        for value in &mut level {
            sum += *value;
            *value = sum;
        }
        level
    }

    /// The earliest slot from `ready` on to which the pass of slot `from` may move.
    fn earliest(&self, from: u32, ready: u32, adds: bool, cap: i32) -> u32 {
        let mut lowest = from;
        while ready < lowest && (!adds || self.level[lowest as usize - 1] < cap) {
            lowest -= 1;
        }
        self.first_free(lowest, from)
    }

    /// The first free slot in `from .. end`, or `end`.
    fn first_free(&self, from: u32, end: u32) -> u32 {
        (from..end)
            .find(|&slot| !self.taken[slot as usize])
            .unwrap_or(end)
    }

    /// Moves a pass to an earlier free slot.
    fn shift(&mut self, place: usize, k: usize, to: u32) {
        let from = self.slot[place][k];
        if to == from {
            return;
        }
        let change = match place {
            0 | 1 => 1,
            4 | 5 => -1,
            _ => 0,
        };
        for level in &mut self.level[to as usize..from as usize] {
            *level += change;
        }
        self.taken[from as usize] = false;
        self.taken[to as usize] = true;
        self.slot[place][k] = to;
    }

    fn list(&self, p: usize, device: usize, n: u32) -> Vec<Action> {
        let stages = [device, 2 * p - 1 - device];
        let mut list: Vec<(u32, Action)> = Vec::with_capacity(6 * n as usize);
        for (place, (kind, chunk)) in KINDS.into_iter().enumerate() {
            list.extend((0..n).map(|k| {
                let action = Action::new(kind, count(stages[chunk]), k);
                (self.slot[place][k as usize], action)
            }));
        }
        list.sort_unstable();
        list.into_iter().map(|(_, action)| action).collect()
    }
}
