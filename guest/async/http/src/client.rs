//! The manager of the instance, made when the first request comes.

use std::cell::OnceCell;
use std::rc::Rc;

use urlpool_core::driver::Manager;
use urlpool_core::policy::{DropIn, drop_in};
use urlpool_core::types::{Error, RequestOptions};
use urlpool_sockets::AsyncNet;

use crate::bindings::wasi::cli::environment::get_environment;

/// How requests are sent.
pub(crate) struct Client {
    pub(crate) manager: Manager<AsyncNet>,
    /// What each request starts from.
    pub(crate) options: RequestOptions,
}

thread_local! {
    static CLIENT: OnceCell<Result<Rc<Client>, Error>> = const { OnceCell::new() };
}

/// The client, as the environment asks for it.
pub(crate) fn shared() -> Result<Rc<Client>, Error> {
    CLIENT.with(|client| client.get_or_init(open).clone())
}

fn open() -> Result<Rc<Client>, Error> {
    let DropIn { settings, options } = drop_in(&get_environment())?;
    let manager = Manager::new(AsyncNet, settings)?;
    Ok(Rc::new(Client { manager, options }))
}
