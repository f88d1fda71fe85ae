//! What a store holds for its instance: WASI and its sandbox.

use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::grants::Grants;
use crate::manager::{Limits, Usage};
use crate::sandbox::{Sandbox, SandboxView};

/// More than a component that behaves has sockets, streams and pollables: each socket is a descriptor of the whole process.
const MAX_RESOURCES: usize = 16 * 1024;

pub(crate) struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    sandbox: Sandbox,
}

impl State {
    pub(crate) fn new(grants: Grants, limits: Limits) -> Self {
        let sandbox = Sandbox::new(grants, limits);
        // What the component's own panics would say; its errors come as values.
        let wasi = sandbox.wasi().inherit_stderr().build();
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        Self {
            wasi,
            table,
            sandbox,
        }
    }

    /// What it has at present.
    pub(crate) fn usage(&mut self) -> Usage {
        Usage {
            memory: self.sandbox.memory(),
            resources: self.table.iter_mut().count(),
        }
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl SandboxView for State {
    fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }
}
