//! The manager that callers share who have made none of their own (urllib3: the function `request`).

use std::cell::OnceCell;
use std::rc::Rc;

use urlpool_core::driver::Manager;
use urlpool_core::types::ManagerSettings;

use crate::convert::Outcome;
use crate::net::WasiNet;

thread_local! {
    static MANAGER: OnceCell<Rc<Manager<WasiNet>>> = const { OnceCell::new() };
}

/// The manager, made when it is asked for first.
pub(crate) fn manager() -> Outcome<Rc<Manager<WasiNet>>> {
    MANAGER.with(|shared| match shared.get() {
        Some(manager) => Ok(Rc::clone(manager)),
        None => {
            let manager = Rc::new(Manager::new(WasiNet::new(), ManagerSettings::shared())?);
            Ok(Rc::clone(shared.get_or_init(|| manager)))
        }
    })
}
