//! Counts what became of the vectors, and says so.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::vector::{Answer, Vector};

/// More of a failure says no more.
const MAX_SHOWN: usize = 600;

/// What became of the vectors.
#[derive(Default)]
pub(crate) struct Tally {
    /// Of each module, how many passed, failed and are listed.
    modules: BTreeMap<String, [u64; 3]>,
    failures: Vec<Value>,
    differences: Vec<Value>,
}

#[derive(Clone, Copy)]
enum Outcome {
    Passed,
    Failed,
    Listed,
}

impl Tally {
    pub(crate) fn count(&mut self, vector: &Vector, answer: Answer) {
        let outcome = match (answer, vector.difference()) {
            (Ok(()), None) => Outcome::Passed,
            (Ok(()), Some(reason)) => {
                self.fail(vector, &format!("passes, but is listed: {reason}"))
            }
            (Err(why), None) => self.fail(vector, &why),
            (Err(why), Some(reason)) => {
                let row = json!({"name": vector.name(), "reason": reason, "how": shown(&why)});
                self.differences.push(row);
                Outcome::Listed
            }
        };
        let counts = self.modules.entry(vector.module().to_owned()).or_default();
        if let Some(count) = counts.get_mut(outcome as usize) {
            *count += 1;
        }
    }

    fn fail(&mut self, vector: &Vector, why: &str) -> Outcome {
        let why = shown(why);
        println!("FAILED {}: {why}", vector.name());
        self.failures
            .push(json!({"name": vector.name(), "why": why}));
        Outcome::Failed
    }

    /// Says how many there were of which kind; whether that is good.
    pub(crate) fn end(&self, floor: u64) -> bool {
        for (module, [passed, failed, listed]) in &self.modules {
            println!("{module}: {passed} passed, {failed} failed, {listed} listed differences");
        }
        let [passed, failed, listed] = self.counts();
        let all = passed + failed + listed;
        println!(
            "vectors: {passed} passed, {failed} failed, {listed} listed differences, {all} in all"
        );
        if all < floor {
            println!("vectors: there must be {floor} at least");
        }
        failed == 0 && all >= floor
    }

    /// All of it as JSON.
    pub(crate) fn report(&self, about: &Value) -> String {
        let [passed, failed, listed] = self.counts();
        let report = json!({
            "passed": passed,
            "failed": failed,
            "listed": listed,
            "tests": about["modules"],
            "vectors": self.modules,
            "failures": self.failures,
            "differences": self.differences,
        });
        format!("{report:#}\n")
    }

    fn counts(&self) -> [u64; 3] {
        let add = |[a, b, c]: [u64; 3], [x, y, z]: &[u64; 3]| [a + x, b + y, c + z];
        self.modules.values().fold([0; 3], add)
    }
}

fn shown(why: &str) -> String {
    why.chars().take(MAX_SHOWN).collect()
}
