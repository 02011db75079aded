//! Packets under way, in slots that are used again, and lists of them without allocation.

/// No packet, no flow, no link.
pub(super) const NONE: u32 = u32::MAX;

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Payload.
    Data,
    /// A header whose payload was trimmed.
    Trimmed,
    /// An acknowledgement.
    Ack,
    /// A request for one packet again, or, in go-back-N, for all from one on.
    Nack,
    /// Credit.
    Pull,
    /// A congestion notification.
    Cnp,
}

impl Form {
    /// Whether it waits in the queue of headers, before data.
    #[inline]
    pub(super) const fn is_control(self) -> bool {
        !matches!(self, Self::Data)
    }
}

/// A queue marked it.
pub(super) const MARKED: u8 = 1;
/// It is not the first of its number.
pub(super) const RESENT: u8 = 2;
/// The sender wants an acknowledgement at once.
pub(super) const ASKS: u8 = 4;

/// A packet, in one line of a cache: a simulation is as fast as its packets are near.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct Packet {
    /// When it was queued, or, on a link, when it reaches the link's end.
    pub(super) at: u64,
    /// When the data packet left its source, which acknowledgements echo.
    pub(super) sent: u64,
    /// Of acknowledgements, which of the 64 numbers from [`Packet::base`] on have arrived; the
    /// credit granted so far (pull) or wanted so far (data).
    pub(super) word: u64,
    /// The flow that it belongs to, in both directions.
    pub(super) flow: u32,
    /// Its number, or the number that an acknowledgement answers.
    pub(super) number: u32,
    /// Of answers: all numbers below have arrived.
    pub(super) all_below: u32,
    /// Where in the table of routes the next link stands.
    pub(super) route: u32,
    /// Where the route goes on after a turn.
    pub(super) then: u32,
    /// The next packet of its list.
    pub(super) next: u32,
    /// The link over which it came.
    pub(super) from: u32,
    /// Bytes with header.
    pub(super) size: u16,
    /// What chose its way, echoed by acknowledgements.
    pub(super) entropy: u16,
    pub(super) form: Form,
    pub(super) flags: u8,
}

impl Packet {
    /// The number of the lowest bit of an acknowledgement: the 64 numbers up to its own, but none
    /// of which the receiver has all.
    #[inline]
    pub(super) fn base(number: u32, all_below: u32) -> u32 {
        number.saturating_sub(63).max(all_below)
    }
}

/// A list of packets or flows in order of arrival, linked through their `next`.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl List {
    pub(super) const EMPTY: Self = Self {
        head: NONE,
        tail: NONE,
    };

    #[inline]
    pub(super) const fn is_empty(self) -> bool {
        self.head == NONE
    }
}

/// All packets.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    pub(super) packets: Vec<Packet>,
    free: Vec<u32>,
}

impl Pool {
    #[inline]
    pub(super) fn add(&mut self, packet: Packet) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.packets[slot as usize] = packet;
            return slot;
        }
        let slot = u32::try_from(self.packets.len()).unwrap_or(NONE);
        self.packets.push(packet);
        slot
    }

    #[inline]
    pub(super) fn free(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// How many packets are under way or wait.
    pub(super) fn n_used(&self) -> usize {
        self.packets.len() - self.free.len()
    }

    #[inline]
    pub(super) fn get(&self, slot: u32) -> &Packet {
        &self.packets[slot as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> &mut Packet {
        &mut self.packets[slot as usize]
    }

    #[inline]
    pub(super) fn append(&mut self, list: &mut List, slot: u32) {
        self.packets[slot as usize].next = NONE;
        if list.head == NONE {
            list.head = slot;
        } else {
            self.packets[list.tail as usize].next = slot;
        }
        list.tail = slot;
    }

    #[inline]
    pub(super) fn take(&mut self, list: &mut List) -> u32 {
        let slot = list.head;
        list.head = self.packets[slot as usize].next;
        slot
    }

    /// Puts a packet at the end of a list in place of the last one, which comes back.
    pub(super) fn replace_last(&mut self, list: List, slot: u32) -> u32 {
        self.packets.swap(slot as usize, list.tail as usize);
        self.packets[list.tail as usize].next = NONE;
        slot
    }
}
