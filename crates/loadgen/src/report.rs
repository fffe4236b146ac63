//! What a run found, for people and for programs.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::histogram::Histogram;
use crate::sequence::Verdict;

/// The result of one mode against one server.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The mode, as on the command line.
    pub mode: &'static str,
    /// The figures, in the order in which they are read best.
    pub figures: Vec<Figure>,
    /// What became of the messages, for modes that send any.
    pub messages: Option<Verdict>,
}

/// One number with its unit.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// Its name, the same in every run.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// Its unit.
    pub unit: &'static str,
}

impl Report {
    /// A report without figures.
    pub fn new(mode: &'static str) -> Self {
        Self { mode, figures: Vec::new(), messages: None }
    }

    /// Appends a figure.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64, unit: &'static str) -> Self {
        self.figures.push(Figure { name, value, unit });
        self
    }

    /// Appends the quantiles of a histogram in milliseconds.
    #[must_use]
    pub fn with_quantiles(self, histogram: &Histogram) -> Self {
        [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0)]
            .into_iter()
            .fold(self, |report, (name, q)| report.with(name, millis(histogram.quantile(q)), "ms"))
    }

    /// Sets what became of the messages.
    #[must_use]
    pub fn with_messages(mut self, verdict: Verdict) -> Self {
        self.messages = Some(verdict);
        self
    }

    /// The value of a figure.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// How many messages were lost, doubled, reordered or damaged.
    pub fn violations(&self) -> u64 {
        self.messages.map_or(0, |verdict| verdict.violations())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Figure { name, value, unit } in &self.figures {
            writeln!(f, "  {name:<28} {:>12} {unit}", plain(*value))?;
        }
        if let Some(verdict) = &self.messages {
            let Verdict { sent, delivered, lost, doubled, reordered, damaged } = verdict;
            writeln!(
                f,
                "  {sent} sent, {delivered} delivered: {lost} lost, {doubled} doubled, \
                 {reordered} reordered, {damaged} damaged"
            )?;
        }
        Ok(())
    }
}

/// A number with three significant digits or all of its integer ones.
pub fn plain(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.digits$}")
}

/// A duration in milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Microseconds of `total` per item.
pub fn micros_each(total: Duration, items: u64) -> f64 {
    total.as_secs_f64() * 1e6 / items.max(1) as f64
}

/// The middle one of an odd number of values, the mean of the middle two of an
/// even number; `None` of none.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    let lower = sorted[(sorted.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_numbers() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn numbers_have_the_digits_they_deserve() {
        assert_eq!(
            [1234.5, 12.345, 1.2345, 0.12345, 0.0].map(plain),
            ["1234", "12.3", "1.23", "0.123", "0"]
        );
    }
}
