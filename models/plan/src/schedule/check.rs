//! Refuses a schedule that cannot run, with the first offending action.

use std::collections::BTreeSet;

use super::{Action, ActionKind, Need, Schedule, ScheduleError, count};

/// Where an action stands: device and position in its list.
#[derive(Clone, Copy)]
struct Place {
    device: u32,
    position: u32,
}

/// Places by kind, stage and micro-batch.
struct Places {
    n: usize,
    width: usize,
    of: Vec<Option<Place>>,
}

impl Places {
    fn index(&self, action: Action) -> usize {
        let kind = action.kind as usize;
        (kind * self.width + action.stage as usize) * self.n + action.micro_batch as usize
    }

    fn get(&self, action: Action) -> Option<Place> {
        self.of[self.index(action)]
    }

    /// Whether a full backward pass and a part of one are both there.
    fn overlaps(&self, action: Action) -> bool {
        let there = |kind| self.get(Action { kind, ..action }).is_some();
        match action.kind {
            ActionKind::Backward => there(ActionKind::InputGrad) || there(ActionKind::WeightGrad),
            ActionKind::InputGrad | ActionKind::WeightGrad => there(ActionKind::Backward),
            _ => false,
        }
    }

    /// The pass that gives a stage's input gradient.
    fn gradient(&self, stage: u32, micro_batch: u32) -> Option<(Action, Place)> {
        [ActionKind::Backward, ActionKind::InputGrad]
            .into_iter()
            .map(|kind| Action::new(kind, stage, micro_batch))
            .find_map(|action| Some((action, self.get(action)?)))
    }
}

impl Schedule {
    /// Whether the lists can run: every pass is there exactly once, on the device of its stage,
    /// and no order keeps a pass waiting forever. A schedule without any backward pass counts
    /// as forward only.
    ///
    /// # Errors
    ///
    /// The first offending action, with its device and position and what it waits for.
    pub fn check(&self) -> Result<(), ScheduleError> {
        if self.n_devices() == 0 || self.n_stages() == 0 || self.n_micro_batches == 0 {
            return Err(ScheduleError::Empty);
        }
        let devices = self.n_devices();
        for (stage, &device) in (0..).zip(&self.device_of_stage) {
            if devices <= device as usize {
                return Err(ScheduleError::NoSuchDevice {
                    stage,
                    device,
                    devices,
                });
            }
        }
        let used: BTreeSet<usize> = self.device_of_stage.iter().map(|d| *d as usize).collect();
        if let Some(device) = self.devices().find(|device| !used.contains(device)) {
            return Err(ScheduleError::Idle { device });
        }
        self.check_size()?;
        let places = self.places()?;
        self.check_complete(&places)?;
        self.check_order(&places)
    }

    /// Where there are fewer passes than stages times micro-batches, a forward pass is missing;
    /// finding it here keeps the tables below as small as the lists.
    fn check_size(&self) -> Result<(), ScheduleError> {
        let forwards: BTreeSet<(u32, u32)> = self
            .actions
            .iter()
            .filter(|action| action.kind == ActionKind::Forward)
            .map(|action| (action.micro_batch, action.stage))
            .collect();
        let missing = (0..self.n_micro_batches)
            .flat_map(|k| self.stages_of_micro_batch(k).map(move |stage| (k, stage)))
            .find(|at| !forwards.contains(at));
        missing.map_or(Ok(()), |(micro_batch, stage)| {
            Err(ScheduleError::Missing {
                device: self.device_of_stage[stage as usize] as usize,
                action: Action::new(ActionKind::Forward, stage, micro_batch),
            })
        })
    }

    fn places(&self) -> Result<Places, ScheduleError> {
        let n = self.n_micro_batches as usize;
        let width = self.n_stages().max(self.n_devices());
        let mut places = Places {
            n,
            width,
            of: vec![None; ActionKind::ALL.len() * width * n],
        };
        for device in 0..self.n_devices() {
            for (position, &action) in self.actions(device).iter().enumerate() {
                self.check_home(device, position, action)?;
                let whole = places.overlaps(action);
                let at = places.index(action);
                if whole || places.of[at].is_some() {
                    return Err(ScheduleError::Twice {
                        device,
                        position,
                        action,
                        whole,
                    });
                }
                places.of[at] = Some(Place {
                    device: count(device),
                    position: count(position),
                });
            }
        }
        Ok(places)
    }

    fn check_home(
        &self,
        device: usize,
        position: usize,
        action: Action,
    ) -> Result<(), ScheduleError> {
        let vocabulary = action.kind.is_vocabulary();
        let passes = if vocabulary {
            0..count(self.n_devices())
        } else {
            self.stages_of_micro_batch(action.micro_batch)
        };
        if !passes.contains(&action.stage) || self.n_micro_batches <= action.micro_batch {
            return Err(ScheduleError::OutOfRange {
                device,
                position,
                action,
                stages: self.n_stages(),
                micro_batches: self.n_micro_batches,
            });
        }
        let home = if vocabulary {
            action.stage
        } else {
            self.device_of_stage[action.stage as usize]
        };
        if home as usize != device {
            return Err(ScheduleError::WrongDevice {
                device,
                position,
                action,
                home,
            });
        }
        Ok(())
    }

    fn check_complete(&self, places: &Places) -> Result<(), ScheduleError> {
        let forward_only = self.is_forward_only();
        let missing = |device: u32, action| {
            Err(ScheduleError::Missing {
                device: device as usize,
                action,
            })
        };
        for micro_batch in 0..self.n_micro_batches {
            for stage in self.stages_of_micro_batch(micro_batch) {
                let device = self.device_of_stage[stage as usize];
                let pass = |kind| Action::new(kind, stage, micro_batch);
                let there = |kind| places.get(pass(kind)).is_some();
                if forward_only || there(ActionKind::Backward) {
                    continue;
                }
                match (there(ActionKind::InputGrad), there(ActionKind::WeightGrad)) {
                    (true, true) => {}
                    (true, false) => return missing(device, pass(ActionKind::WeightGrad)),
                    (false, true) => return missing(device, pass(ActionKind::InputGrad)),
                    (false, false) => return missing(device, pass(ActionKind::Backward)),
                }
            }
            if self.vocabulary.is_some() {
                for device in 0..count(self.n_devices()) {
                    for kind in &ActionKind::ALL[4..] {
                        let action = Action::new(*kind, device, micro_batch);
                        if places.get(action).is_none() {
                            return missing(device, action);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Runs the lists without durations and looks at what is left over.
    fn check_order(&self, places: &Places) -> Result<(), ScheduleError> {
        let mut done = vec![0; self.n_devices()];
        let mut total = 0;
        while total < self.actions.len() {
            for device in self.devices() {
                while self.runs_next(places, &done, device) {
                    done[device] += 1 + usize::from(self.is_pair_at(device, done[device]));
                }
            }
            let before = std::mem::replace(&mut total, done.iter().sum());
            if before == total {
                return Err(self.first_offender(places, &done));
            }
        }
        Ok(())
    }

    /// Whether a device has a further pass, and all that it needs has run.
    fn runs_next(&self, places: &Places, done: &[usize], device: usize) -> bool {
        let at = done[device];
        let end = at + 1 + usize::from(self.is_pair_at(device, at));
        let next = self.actions(device).get(at..end);
        next.is_some_and(|next| {
            let mut unmet = next.iter().map(|action| self.unmet(places, done, *action));
            unmet.all(|needs| needs.is_none())
        })
    }

    fn is_pair_at(&self, device: usize, position: usize) -> bool {
        self.is_pair(self.range(device).start + position)
    }

    /// A pass that the action needs and that has not run.
    fn unmet(&self, places: &Places, done: &[usize], action: Action) -> Option<(Action, Place)> {
        let k = action.micro_batch;
        let open =
            |(_, place): &(Action, Place)| done[place.device as usize] <= place.position as usize;
        let with_place = |action| Some((action, places.get(action)?));
        self.needs(action)
            .into_iter()
            .flatten()
            .find_map(|need| match need {
                Need::Forward { stage } => {
                    with_place(Action::new(ActionKind::Forward, stage, k)).filter(open)
                }
                Need::Gradient { stage } => places.gradient(stage, k).filter(open),
                Need::Every(kind) => (0..count(self.n_devices()))
                    .filter_map(|device| with_place(Action::new(kind, device, k)))
                    .find(open),
            })
    }

    /// A pass that waits for a later one of its own device; where there is none, the pass of
    /// the lowest device on the cycle of those that wait for each other.
    fn first_offender(&self, places: &Places, done: &[usize]) -> ScheduleError {
        let blocked = |device: usize| {
            let pair = usize::from(self.is_pair_at(device, done[device]));
            let end = (done[device] + 1 + pair).min(self.actions(device).len());
            let next = &self.actions(device)[done[device]..end];
            next.iter().find_map(|&action| {
                let (needs, place) = self.unmet(places, done, action)?;
                Some((action, needs, place))
            })
        };
        for device in self.devices() {
            if let Some((action, needs, place)) = blocked(device)
                && place.device as usize == device
            {
                return ScheduleError::OutOfOrder {
                    device,
                    position: done[device],
                    action,
                    needs,
                    needs_position: place.position as usize,
                };
            }
        }
        let device = cycle(self.n_devices(), |device| {
            blocked(device).map(|(_, _, place)| place.device as usize)
        });
        let (action, needs, place) = blocked(device).expect("a device on the cycle is blocked");
        ScheduleError::Deadlock {
            device,
            position: done[device],
            action,
            needs,
            needs_device: place.device as usize,
        }
    }
}

/// The lowest member of the cycle that following `next` from a blocked device ends in.
fn cycle(n: usize, next: impl Fn(usize) -> Option<usize>) -> usize {
    let mut at = (0..n)
        .find(|&device| next(device).is_some())
        .expect("a stuck schedule blocks a device");
    for _ in 0..n {
        at = next(at).expect("who is waited for is blocked too");
    }
    let mut lowest = at;
    let mut other = next(at).expect("the cycle is closed");
    while other != at {
        lowest = lowest.min(other);
        other = next(other).expect("the cycle is closed");
    }
    lowest
}
