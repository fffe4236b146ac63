//! `make bench`: Anemone beside prosody, ejabberd and the floor, in one run.
//!
//! A round starts every server of every stage once, one after the other, so
//! that whatever else the machine does in the meantime hits all of them; a
//! figure is the median of the rounds. Everything that is started is stopped
//! and removed again, when a case fails too.

pub mod cases;
pub mod machine;
pub mod scale;
pub mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::peer::certificates::Certificates;
use crate::peer::{Beds, Kind};
use cases::{Figures, Metric, Stage};
use scale::Scale;
use table::Table;

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How often.
    pub rounds: usize,
    /// Against whom.
    pub servers: Vec<Kind>,
    /// Which stages.
    pub stages: Vec<Stage>,
    /// Less of everything: to see that it works, not to compare.
    pub quick: bool,
    /// The binary `anemone`.
    pub anemone: PathBuf,
}

/// All figures of a run, one per round.
#[derive(Debug, Default)]
pub struct Results {
    values: BTreeMap<(Metric, Kind), Vec<f64>>,
    violations: BTreeMap<Kind, u64>,
    failures: Vec<String>,
}

impl Results {
    /// The figures of one server for one metric, in the order of the rounds.
    pub fn values(&self, metric: Metric, kind: Kind) -> &[f64] {
        self.values.get(&(metric, kind)).map_or(&[], Vec::as_slice)
    }

    /// Messages that this server lost, doubled, reordered or damaged.
    pub fn violations(&self, kind: Kind) -> u64 {
        self.violations.get(&kind).copied().unwrap_or(0)
    }

    /// Cases that could not be run, in words.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    fn add(&mut self, kind: Kind, figures: Figures) {
        for (metric, value) in figures.values {
            self.values.entry((metric, kind)).or_default().push(value);
        }
        *self.violations.entry(kind).or_default() += figures.violations;
    }
}

/// Runs everything and returns the table.
pub async fn run(options: &Options) -> Result<Table> {
    let scale = if options.quick { Scale::QUICK } else { Scale::FULL };
    let beds = Beds { certificates: Certificates::new()?, anemone: options.anemone.clone() };
    let mut versions = Vec::new();
    for &kind in &options.servers {
        let version = kind
            .version(&beds)
            .with_context(|| format!("{} is not there; see bench/setup.sh", kind.name()))?;
        versions.push((kind, version));
    }
    let mut results = Results::default();
    for round in 1..=options.rounds {
        for &stage in &options.stages {
            for &kind in options.servers.iter().filter(|&&kind| stage.includes(kind)) {
                eprintln!(
                    "round {round} of {}: {}, {}",
                    options.rounds,
                    stage.describe(),
                    kind.name()
                );
                match stage.run(&beds, kind, &scale).await {
                    Ok(figures) => results.add(kind, figures),
                    Err(error) => results.failures.push(format!(
                        "{}, {}: {error:#}",
                        stage.describe(),
                        kind.name()
                    )),
                }
            }
        }
    }
    Table::new(results, versions, options)
}
