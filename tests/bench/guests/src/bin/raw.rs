//! The limit for `http`: a loop over a bare socket.

use urlpool_bench_guests::{Error, Task, Wire, run};

fn main() -> Result<(), Error> {
    let task = Task::from_arguments()?;
    run(&mut Wire::connect(task.address)?, &task)
}
