//! A framework as one run has it: of its version, on its GPUs.

use std::borrow::Cow;

use cluster::GpuSpec;
use lower::{Framework, NEUTRAL, Scales};
use plan::Offers;
use profile::{HostCost, MemoryConstants};

use super::version::{holds, older};
use super::{Choices, DefaultShard, FrameworkFile, HostChoices, MemoryChoices};

/// A framework as one run has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Habits {
    /// What it does without being asked; nothing is scaled yet.
    pub framework: Framework,
    /// How data-parallel ranks share states, where a plan does not say.
    pub shard: Option<DefaultShard>,
    /// What it can run.
    pub offers: Offers,
    /// Its scalars on each kind of GPU.
    pub scales: Vec<Scales>,
    /// What its host takes, the nearest framework's first.
    host: Vec<HostChoices>,
    /// What it allocates besides tensors, the nearest framework's first.
    memory: Vec<MemoryChoices>,
    /// The first versions of all its releases.
    pub releases: Vec<String>,
    /// Its name, then that of its nearest framework, and so on.
    pub chain: Vec<String>,
}

impl Habits {
    /// Folds a chain of files.
    ///
    /// * `chain` — the framework's own file, then its nearest framework's, and so on. Releases
    ///   of those behind the first hold as their newest: their versions are counted otherwise.
    /// * `version` — of the framework; the newest where none is named.
    /// * `gpus` — the kinds of GPUs of the cluster.
    pub fn of(chain: &[FrameworkFile], version: Option<&str>, gpus: &[GpuSpec]) -> Self {
        let own = chain.first();
        let mut habits = Self {
            framework: NEUTRAL,
            shard: None,
            offers: Offers::default(),
            scales: vec![Scales::default(); gpus.len()],
            host: Vec::new(),
            memory: Vec::new(),
            releases: own.map_or_else(Vec::new, first_versions),
            chain: chain.iter().map(|file| file.name.clone()).collect(),
        };
        for (place, file) in chain.iter().enumerate().rev() {
            let version = version.filter(|_| place == 0);
            habits.add(file, version, gpus);
        }
        if let Some(own) = own {
            habits.framework.name = Cow::Owned(own.name.clone());
            habits.framework.source = Cow::Owned(own.source.clone());
        }
        habits
    }

    /// The same where a scenario chooses otherwise.
    pub fn choose(&mut self, choices: &Choices) {
        choices.apply(&mut self.framework, &mut self.shard);
        choices.offers.apply(&mut self.offers);
    }

    /// What the framework's host takes, over what the profile says.
    pub fn host(&self, profile: HostCost) -> HostCost {
        let chain = self.host.iter();
        chain.fold(profile, |host, choices| choices.over(host))
    }

    /// What the framework allocates besides tensors, over what the profile says.
    pub fn memory(&self, profile: MemoryConstants) -> MemoryConstants {
        let chain = self.memory.iter();
        let memory = chain.fold(profile, |memory, choices| choices.over(memory));
        if self.framework.deterministic {
            memory.deterministic()
        } else {
            memory
        }
    }

    fn add(&mut self, file: &FrameworkFile, version: Option<&str>, gpus: &[GpuSpec]) {
        file.choices.apply(&mut self.framework, &mut self.shard);
        file.choices.offers.apply(&mut self.offers);
        self.host.push(file.host.clone());
        self.memory.push(file.memory.clone());
        file.memory.apply(&mut self.framework);
        let mut releases: Vec<_> = file.releases.iter().collect();
        releases.retain(|release| holds(&release.from, version));
        releases.sort_by(|a, b| older(&a.from, &b.from));
        for release in &releases {
            if gpus.iter().all(|gpu| release.on.holds(gpu)) {
                release.choices.apply(&mut self.framework, &mut self.shard);
                release.choices.offers.apply(&mut self.offers);
            }
        }
        for (gpu, scales) in gpus.iter().zip(&mut self.scales) {
            file.scales.over(scales);
            for one in file.scales_on.iter().filter(|one| one.on.holds(gpu)) {
                one.scales.over(scales);
            }
            for release in releases.iter().filter(|release| release.on.holds(gpu)) {
                release.scales.over(scales);
            }
        }
    }
}

/// The first versions of a framework's releases, oldest first.
fn first_versions(file: &FrameworkFile) -> Vec<String> {
    let mut versions: Vec<String> = file
        .releases
        .iter()
        .map(|release| release.from.clone())
        .collect();
    versions.sort_by(|a, b| older(a, b));
    versions
}
