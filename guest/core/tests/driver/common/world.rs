//! A manager, and the simulated network under it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use urlpool_core::driver::{Manager, Response};
use urlpool_core::sim::{Listener, Script, SimNet};
use urlpool_core::types::{
    ConnectionInfo, Content, Error, Event, ManagerSettings, PoolSettings, Reading, RequestOptions,
    Retries, Timeouts,
};

use super::{NOW, text};

/// A manager that records what it does, in a world of its own.
pub(crate) struct World {
    pub(crate) net: SimNet,
    pub(crate) manager: Manager<SimNet>,
}

/// A response that was read to its end.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) connection: ConnectionInfo,
}

/// Where the host of that name is: its first letter decides.
pub(crate) fn address(host: &str) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, host.as_bytes()[0]).into()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(ManagerSettings::default())
    }

    pub(crate) fn of_pools(pool: PoolSettings) -> Self {
        Self::with(ManagerSettings {
            pool,
            ..ManagerSettings::default()
        })
    }

    /// A world whose requests are tried again like this.
    pub(crate) fn retrying(retries: Retries) -> Self {
        Self::of_pools(PoolSettings {
            retries,
            ..PoolSettings::default()
        })
    }

    pub(crate) fn timed(timeouts: Timeouts) -> Self {
        Self::of_pools(PoolSettings {
            timeouts,
            ..PoolSettings::default()
        })
    }

    pub(crate) fn with(settings: ManagerSettings) -> Self {
        let net = SimNet::new();
        net.set_wall_clock(NOW);
        let events = settings.events.or(Some(1000));
        // What one attempt comes to is what most tests are about; those about retries say which.
        let mut pool = settings.pool;
        if pool.retries == Retries::default() {
            pool.retries = Retries::off();
        }
        let settings = ManagerSettings {
            events,
            pool,
            ..settings
        };
        let manager = Manager::new(net.clone(), settings).expect("the settings are right");
        Self { net, manager }
    }

    /// A world of one plain server, `a.test`.
    pub(crate) fn serving(scripts: Vec<Script>) -> Self {
        let world = Self::new();
        world.serve("a.test", scripts);
        world
    }

    /// Puts a plain server behind a name.
    pub(crate) fn serve(&self, host: &str, scripts: Vec<Script>) {
        self.listen(host, 80, Listener::Accept(scripts));
    }

    /// Puts anybody behind a name.
    pub(crate) fn listen(&self, host: &str, port: u16, listener: Listener) {
        self.net.name(host, &[address(host)]);
        self.net
            .listen(SocketAddr::new(address(host), port), listener);
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) fn send(
        &self,
        method: &str,
        url: &str,
        content: Content,
    ) -> Result<Response<SimNet>, Error> {
        let options = RequestOptions::default();
        self.net
            .run(self.manager.request(method, url, content, options))
    }

    /// Sends a GET and waits for the head of its response.
    pub(crate) fn open(&self, url: &str) -> Response<SimNet> {
        self.send("GET", url, Content::Empty)
            .expect("the head comes")
    }

    /// Sends a GET and waits for the head of its response, whose body is to be read like this.
    pub(crate) fn open_reading(
        &self,
        url: &str,
        reading: Reading,
    ) -> Result<Response<SimNet>, Error> {
        let options = RequestOptions {
            reading,
            ..RequestOptions::default()
        };
        let request = self.manager.request("GET", url, Content::Empty, options);
        self.net.run(request)
    }

    /// Reads a body to its end or its failure, at most `max` bytes at a time.
    pub(crate) fn pieces(
        &self,
        response: &mut Response<SimNet>,
        max: usize,
    ) -> (Vec<Vec<u8>>, Option<Error>) {
        let mut pieces = Vec::new();
        loop {
            match self.read(response, max) {
                Ok(piece) if piece.is_empty() => return (pieces, None),
                Ok(piece) => pieces.push(piece),
                Err(error) => {
                    assert_eq!(self.read(response, max).as_ref(), Err(&error), "again");
                    return (pieces, Some(error));
                }
            }
        }
    }

    /// Sends a GET and reads the response to its end.
    pub(crate) fn get(&self, url: &str) -> Result<Reply, Error> {
        let response = self.send("GET", url, Content::Empty)?;
        self.finish(response)
    }

    /// Sends a POST and reads the response to its end.
    pub(crate) fn post(&self, url: &str, body: &[u8]) -> Result<Reply, Error> {
        let response = self.send("POST", url, Content::Bytes(body.to_vec()))?;
        self.finish(response)
    }

    /// Reads a response to its end.
    pub(crate) fn finish(&self, mut response: Response<SimNet>) -> Result<Reply, Error> {
        let body = self.net.run(response.read_all(u64::MAX))?;
        let head = response.head().clone();
        Ok(Reply {
            status: head.status,
            body,
            connection: head.connection,
        })
    }

    /// All that the client wrote on a connection.
    pub(crate) fn sent(&self, connection: usize) -> String {
        text(&self.net.writes(connection).concat())
    }

    /// The next piece of a body.
    pub(crate) fn read(
        &self,
        response: &mut Response<SimNet>,
        max: usize,
    ) -> Result<Vec<u8>, Error> {
        self.net.run(response.read(max))
    }

    /// The virtual time that `act` takes.
    pub(crate) fn timed_by<T>(&self, act: impl FnOnce() -> T) -> (T, Duration) {
        let before = self.net.elapsed();
        let outcome = act();
        (outcome, self.net.elapsed() - before)
    }

    /// Why connections were closed since the events were taken last.
    pub(crate) fn closings(&self) -> Vec<(u64, String)> {
        let closed = |event| match event {
            Event::Closed { number, reason } => Some((number, reason)),
            _ => None,
        };
        self.manager
            .take_events()
            .into_iter()
            .filter_map(closed)
            .collect()
    }
}
