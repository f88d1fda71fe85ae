//! The manager that callers share who have made none of their own (urllib3: the function `request`).

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Duration;

use urlpool_core::driver::Manager;
use urlpool_core::types::{Limit, ManagerSettings, PoolSettings, Timeouts};

use crate::convert::Outcome;
use crate::net::WasiNet;

/// How long urllib3's function waits for a connection and for each answer.
const TIMEOUT: Limit = Limit::After(Duration::from_secs(3));

thread_local! {
    static MANAGER: OnceCell<Rc<Manager<WasiNet>>> = const { OnceCell::new() };
}

/// The manager, made when it is asked for first.
pub(crate) fn manager() -> Outcome<Rc<Manager<WasiNet>>> {
    MANAGER.with(|shared| match shared.get() {
        Some(manager) => Ok(Rc::clone(manager)),
        None => {
            let manager = Rc::new(Manager::new(WasiNet::new(), settings())?);
            Ok(Rc::clone(shared.get_or_init(|| manager)))
        }
    })
}

fn settings() -> ManagerSettings {
    ManagerSettings {
        pool: PoolSettings {
            timeouts: Timeouts {
                connect: Some(TIMEOUT),
                read: Some(TIMEOUT),
                ..Timeouts::default()
            },
            ..PoolSettings::default()
        },
        ..ManagerSettings::default()
    }
}
