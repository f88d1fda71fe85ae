//! What was measured, beside what it is compared with and what was hoped for.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use wasmtime::Result;

use crate::Scale;

/// A measured value.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) enum Quantity {
    /// Less is better.
    Time(Duration),
    /// Bytes in a second; more is better.
    Rate(f64),
    /// Less is better.
    Bytes(u64),
}

impl Quantity {
    /// How fast that many bytes went by.
    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody measures more than 2^53 bytes"
    )]
    pub(crate) fn rate(bytes: u64, time: Duration) -> Self {
        Self::Rate(bytes as f64 / time.as_secs_f64())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "nobody measures more than 2^53 bytes"
    )]
    fn number(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64() * 1e6,
            Self::Rate(rate) => rate / 1e6,
            Self::Bytes(bytes) => bytes as f64,
        }
    }

    fn unit(self) -> &'static str {
        match self {
            Self::Time(_) => "microseconds",
            Self::Rate(_) => "megabytes a second",
            Self::Bytes(_) => "bytes",
        }
    }

    fn json(self, name: &str) -> Value {
        json!({"name": name, "value": self.number(), "unit": self.unit()})
    }

    /// How many times as fast as `theirs` this is.
    fn speed_against(self, theirs: Self) -> f64 {
        match self {
            Self::Rate(_) => self.number() / theirs.number(),
            Self::Time(_) | Self::Bytes(_) => theirs.number() / self.number(),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) if *time >= Duration::from_millis(10) => {
                write!(f, "{:.1} ms", time.as_secs_f64() * 1e3)
            }
            Self::Time(_) => write!(f, "{:.1} us", self.number()),
            Self::Rate(_) => write!(f, "{:.0} MB/s", self.number()),
            Self::Bytes(bytes) if *bytes < 1_000_000 => {
                write!(f, "{:.1} KiB", self.number() / 1024.0)
            }
            Self::Bytes(_) => write!(f, "{:.2} MB", self.number() / 1e6),
        }
    }
}

/// What is hoped for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At most this many times as long as the other takes.
    TimesItsTime(f64),
    /// At least this many times as fast as the other.
    TimesItsRate(f64),
    /// No more than this.
    AtMost(Quantity),
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimesItsTime(times) => write!(f, "<= {times} x its time"),
            Self::TimesItsRate(times) => write!(f, ">= {times} x its rate"),
            Self::AtMost(most) => write!(f, "<= {most}"),
        }
    }
}

/// Another contender and its value.
pub(crate) struct Compared {
    name: String,
    value: Quantity,
}

impl Compared {
    pub(crate) fn new(name: &str, value: Quantity) -> Self {
        let name = name.to_owned();
        Self { name, value }
    }
}

/// One line of the table.
pub(crate) struct Row {
    part: &'static str,
    name: String,
    ours: Quantity,
    theirs: Option<Compared>,
    goal: Option<Goal>,
}

impl Row {
    /// A comparison.
    pub(crate) fn against(
        part: &'static str,
        name: &str,
        ours: Quantity,
        theirs: Compared,
        goal: Option<Goal>,
    ) -> Self {
        Self {
            part,
            name: name.to_owned(),
            ours,
            theirs: Some(theirs),
            goal,
        }
    }

    /// A value of ours that is compared with nothing but its goal.
    pub(crate) fn alone(
        part: &'static str,
        name: &str,
        ours: Quantity,
        goal: Option<Goal>,
    ) -> Self {
        Self {
            part,
            name: name.to_owned(),
            ours,
            theirs: None,
            goal,
        }
    }

    /// Both as the goal puts it: how many times as long, or else how many times as fast.
    fn ratio(&self) -> Option<f64> {
        let speed = self.ours.speed_against(self.theirs.as_ref()?.value);
        match self.goal {
            Some(Goal::TimesItsTime(_)) => Some(1.0 / speed),
            _ => Some(speed),
        }
    }

    fn is_met(&self) -> Option<bool> {
        match (self.goal?, self.ratio()) {
            (Goal::AtMost(most), _) => Some(self.ours <= most),
            (Goal::TimesItsTime(times), ratio) => Some(ratio? <= times),
            (Goal::TimesItsRate(times), ratio) => Some(ratio? >= times),
        }
    }

    /// Ours, value, theirs, value, ratio, goal, verdict.
    fn cells(&self) -> [String; 7] {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let theirs = self.theirs.as_ref();
        let unit = match self.goal {
            Some(Goal::TimesItsTime(_)) => "its time",
            _ => "its rate",
        };
        [
            self.name.clone(),
            self.ours.to_string(),
            or_dash(theirs.map(|theirs| theirs.name.clone())),
            or_dash(theirs.map(|theirs| theirs.value.to_string())),
            or_dash(self.ratio().map(|ratio| format!("{ratio:.2} x {unit}"))),
            or_dash(self.goal.map(|goal| goal.to_string())),
            or_dash(
                self.is_met()
                    .map(|met| if met { "met" } else { "MISSED" }.to_owned()),
            ),
        ]
    }

    fn json(&self) -> Value {
        json!({
            "part": self.part,
            "ours": self.ours.json(&self.name),
            "theirs": self.theirs.as_ref().map(|theirs| theirs.value.json(&theirs.name)),
            "ratio": self.ratio(),
            "goal": self.goal.map(|goal| goal.to_string()),
            "met": self.is_met(),
        })
    }
}

/// All lines, and how they came about.
pub(crate) struct Table {
    scale: Scale,
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Table {
    pub(crate) fn new(scale: Scale) -> Self {
        Self {
            scale,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// What the reader has to know.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Puts the rows in the order of their parts' letters; within a part they stay as they came.
    pub(crate) fn sort(&mut self) {
        self.rows
            .sort_by_key(|row| row.part.split(' ').next().unwrap_or_default());
    }

    pub(crate) fn print(&self) {
        let heads = ["ours", "", "theirs", "", "ratio", "goal", ""].map(str::to_owned);
        let cells: Vec<_> = self.rows.iter().map(Row::cells).collect();
        let mut widths = heads.clone().map(|head| head.len());
        for cells in &cells {
            for (width, cell) in widths.iter_mut().zip(cells) {
                *width = cell.len().max(*width);
            }
        }
        let line = |cells: &[String; 7]| {
            let padded: Vec<_> = cells
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            format!("  {}", padded.join("  ")).trim_end().to_owned()
        };
        println!("{}", self.how());
        println!("{}", line(&heads));
        let mut part = "";
        for (row, cells) in self.rows.iter().zip(&cells) {
            if row.part != part {
                part = row.part;
                println!("{part}");
            }
            println!("{}", line(cells));
        }
        for note in &self.notes {
            println!("note: {note}");
        }
    }

    /// Writes the same as JSON.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let report = json!({
            "how": self.how(),
            "rows": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "notes": self.notes,
        });
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(path, format!("{report:#}\n"))?)
    }

    fn how(&self) -> String {
        let Scale {
            rounds,
            requests,
            bulk_rounds,
            bulk_bytes,
            first_starts,
            later_starts,
            lookups,
            reconnects,
            coded_bytes,
            slow_rounds,
        } = self.scale;
        format!(
            "Medians of alternating rounds on one machine. With client and server on one CPU, against nginx: {rounds} rounds of {requests} requests (a, i, l), {reconnects} with a new connection (j), {bulk_rounds} of {} MiB (b), {rounds} of {lookups} lookups, {requests} requests or {reconnects} with a new connection (f); against a server in this process: {bulk_rounds} of {} MiB (g). With all CPUs: {first_starts} first and {later_starts} later starts (c), {slow_rounds} rounds of 200 requests (h).",
            bulk_bytes >> 20,
            coded_bytes >> 20
        )
    }
}
