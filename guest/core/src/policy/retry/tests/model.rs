//! The rules against urllib3's arithmetic, which counts down below nothing and looks at the lowest count.

use proptest::prelude::*;

use super::*;

/// `False`, `None` or a number, which may become negative.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Count {
    False,
    Any,
    Left(i64),
}

impl Count {
    const fn of(budget: Budget) -> Self {
        match budget {
            Off => Self::False,
            Unlimited => Self::Any,
            AtMost(left) => Self::Left(left as i64),
        }
    }

    const fn less(self) -> Self {
        match self {
            Self::Left(left) => Self::Left(left - 1),
            other => other,
        }
    }
}

/// `Retry` as urllib3 has it, with what it is documented to do where a budget is `False`.
#[derive(Clone, Debug)]
struct Model {
    /// In the order of `ONE_OF_EACH`, after the total.
    counts: [Count; 6],
    any_method: bool,
    raises: bool,
}

impl Model {
    fn after(&mut self, method: &str, outcome: Outcome) -> Verdict {
        let (at, needs_method) = match outcome {
            Refused => (1, false),
            Silent | Broken => (2, true),
            Redirect => (3, false),
            Status(_) | Later(_) => (4, true),
            Untrusted => (5, false),
        };
        let by_retry_after_alone = matches!(outcome, Later(_));
        let is_not_retried = match outcome {
            Status(status) => status != 500,
            Later(_) => !matches!(self.counts[0], Count::Left(1..)),
            _ => false,
        };
        if self.counts[0] == Count::False
            || self.counts[at] == Count::False
            || is_not_retried
            || (needs_method && !self.any_method && method == "POST")
        {
            return HandOut;
        }
        let mut counts = self.counts;
        counts[0] = counts[0].less();
        counts[at] = counts[at].less();
        let is_exhausted = counts
            .iter()
            .any(|count| matches!(count, Count::Left(left) if *left < 0));
        let is_response = matches!(outcome, Redirect | Status(_)) || by_retry_after_alone;
        if is_exhausted && is_response && !self.raises {
            return HandOut;
        }
        self.counts = counts;
        if is_exhausted { Exhausted } else { Again }
    }
}

fn budgets() -> impl Strategy<Value = Budget> {
    prop_oneof![
        Just(Off),
        Just(Unlimited),
        Just(Unlimited),
        (0..6_u32).prop_map(AtMost),
        (0..6_u32).prop_map(AtMost),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop::sample::select(vec![
        Refused,
        Silent,
        Broken,
        Untrusted,
        Status(500),
        Status(404),
        Later(503),
        Redirect,
    ])
}

proptest! {
    /// Whatever comes in whatever order, every decision up to the end is urllib3's, and the history has each attempt that was spent.
    #[test]
    fn decisions_agree_with_urllib3s_counting(
        budgets in prop::array::uniform6(budgets()),
        any_method: bool,
        raises: bool,
        steps in prop::collection::vec((prop::sample::select(vec!["GET", "POST"]), outcomes()), 0..20),
    ) {
        let [total, connect, read, redirect, status, other] = budgets;
        let mut retry = of(Retries {
            total: Some(total),
            connect: Some(connect),
            read: Some(read),
            redirect: Some(redirect),
            status: Some(status),
            other: Some(other),
            methods: any_method.then_some(RetriedMethods::Any),
            statuses: Some(vec![500]),
            raise_on_redirect: Some(raises),
            raise_on_status: Some(raises),
            ..Retries::default()
        });
        let mut model = Model { counts: budgets.map(Count::of), any_method, raises };
        let mut spent = 0;
        for (method, outcome) in steps {
            let verdict = after(&mut retry, method, outcome);
            prop_assert_eq!(verdict, model.after(method, outcome), "{} {:?}", method, outcome);
            spent += usize::from(verdict != HandOut);
            prop_assert_eq!(retry.history().len(), spent);
            if verdict == Exhausted {
                break;
            }
            let left = retry.remaining();
            let left = [left.total, left.connect, left.read, left.redirect, left.status, left.other];
            prop_assert_eq!(left.map(|budget| Count::of(budget.unwrap())), model.counts);
        }
    }
}
