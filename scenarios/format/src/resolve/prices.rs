//! What prices kernels and collectives: the profiles.

use cluster::{Cluster, GpuSpec};
use lower::{ScaleKey, Scales};
use profile::{CommProfile, Profile, ProfileSpec};

use super::Resolver;
use crate::comm;
use crate::error::Problem;
use crate::library::At;
use crate::scenario::Scale;
use crate::zoo::Shelf;

impl Resolver<'_> {
    /// A profile for each kind of GPU: the user's, the zoo's, else from the data sheet.
    pub(super) fn profiles(&mut self, cluster: &Cluster) -> Option<(Vec<Profile>, CommProfile)> {
        let (own, comm) = self.given_profiles();
        self.check_network(cluster, &comm);
        for (spec, _) in &own {
            if !cluster.kinds().iter().any(|gpu| is_for(spec, &gpu.name)) {
                let (name, gpu) = (&spec.name, &spec.gpu);
                self.warnings.push(format!(
                    "profile {name:?} is of {gpu:?}, which the cluster does not have"
                ));
            }
        }
        let mut profiles = Vec::new();
        for gpu in cluster.kinds() {
            let named = own.iter().find(|(spec, _)| is_for(spec, &gpu.name));
            let (spec, at) = match named {
                Some((spec, at)) => (Some(spec.clone()), at.clone()),
                None => (self.shipped(&gpu.name), At::default()),
            };
            let Some(spec) = spec else {
                let reason = if self.is_power_limited(gpu) {
                    "no profile of this GPU: its data sheet with usual efficiencies; the clock that \
                     its lower power limit leaves is not published, so the full one is taken"
                } else {
                    "no profile of this GPU: its data sheet with usual efficiencies"
                };
                self.assume(
                    "settings.profiles",
                    &format!("{} (nominal)", gpu.name),
                    reason,
                );
                profiles.push(Profile::nominal(gpu));
                continue;
            };
            match Profile::build(&spec, gpu) {
                Ok(profile) => profiles.push(profile),
                Err(errors) => self.keep(
                    errors
                        .iter()
                        .map(|error| {
                            at.failure(Problem::Refused {
                                message: format!("profile {:?}: {error}", spec.name),
                                hint: error.hint(),
                            })
                        })
                        .collect(),
                ),
            }
        }
        (profiles.len() == cluster.kinds().len()).then_some((profiles, comm))
    }

    /// The user's profiles of GPUs, and the zoo's constants of collectives with those of the
    /// cluster's file and of the scenario in front.
    pub(super) fn given_profiles(&mut self) -> (Vec<(ProfileSpec, At)>, CommProfile) {
        let mut own = Vec::new();
        let mut comm = comm::fitted().clone();
        if let Some(measured) = &self.measured {
            comm = comm.with(measured.clone());
        }
        for (index, name) in self.spec.settings.profiles.iter().enumerate() {
            let at = self.at(&format!("settings.profiles[{index}]"));
            match self.library.profile(name, &at) {
                Ok(file) => {
                    if let Some(over) = file.comm {
                        comm = comm.with(over);
                    }
                    own.extend(file.gpu.map(|spec| (spec, at)));
                }
                Err(failures) => self.keep(failures),
            }
        }
        comm.scale_network(self.scale().link_latency);
        // Each file was checked by itself; together they may have more entries than are counted.
        for error in comm.check() {
            self.refuse("settings.profiles", &error, error.hint());
        }
        (own, comm)
    }

    /// The factors on what is known of the cluster.
    pub(super) fn scale(&self) -> Scale {
        let section = self.spec.cluster.as_ref();
        section.map_or_else(Scale::default, |section| section.scale)
    }

    /// What faster or slower kernels do to their times, on top of what was fitted.
    pub(super) fn faster(&mut self, fitted: Vec<Scales>) -> Vec<Scales> {
        const KERNELS: [ScaleKey; 6] = [
            ScaleKey::Gemm,
            ScaleKey::Grouped,
            ScaleKey::Attention,
            ScaleKey::Stream,
            ScaleKey::Scan,
            ScaleKey::Optimizer,
        ];
        let speed = self.scale().gpu_speed;
        if speed.to_bits() == 1.0_f64.to_bits() {
            return fitted;
        }
        self.assume(
            "cluster.scale.gpu_speed",
            &format!("{speed}"),
            "on kernels alone: launches and the host stay, and MFU is over the data sheet's peak",
        );
        let faster = |mut scales: Scales| {
            for key in KERNELS {
                scales[key] /= speed;
            }
            scales
        };
        fitted.into_iter().map(faster).collect()
    }

    /// A fabric that asks for a network must find it.
    fn check_network(&mut self, cluster: &Cluster, comm: &CommProfile) {
        let Some(name) = cluster.network() else {
            return;
        };
        if comm.network_named(name).is_none() {
            let known = comm.network.iter().map(|entry| entry.name.clone());
            let problem = Problem::UnknownName {
                what: "network of a profile",
                name: name.to_owned(),
                known: known.collect(),
            };
            self.fail("cluster.fabric", problem);
        }
    }

    /// Whether the zoo has the same chip, with equal peaks, at a higher power limit.
    fn is_power_limited(&self, gpu: &GpuSpec) -> bool {
        let sheets = Shelf::Gpus.names();
        let mut others = sheets.filter_map(|name| self.library.gpu(name, &At::default()).ok());
        others.any(|other| {
            let chip = |gpu: &GpuSpec| (gpu.architecture.clone(), gpu.sms, gpu.form.clone());
            chip(&other) == chip(gpu)
                && other.peaks == gpu.peaks
                && gpu.tdp.as_f64() < other.tdp.as_f64()
        })
    }

    fn shipped(&self, gpu: &str) -> Option<ProfileSpec> {
        let name = self.library.profile_of(gpu)?;
        self.library.profile(name, &At::default()).ok()?.gpu
    }
}

/// Whether a profile holds for a GPU: measured on it, or on one with the same chip.
fn is_for(spec: &ProfileSpec, gpu: &str) -> bool {
    let same = |name: &String| name.eq_ignore_ascii_case(gpu);
    same(&spec.gpu) || spec.relatives.iter().any(same)
}
