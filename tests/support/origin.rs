//! A well-behaved HTTP/1.1 server.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::authority::Tls;
use crate::reply::{Reply, Then};
use crate::server::{Conversation, Link, Server};

/// What a server will answer. Replies come in the order given, whatever the connection; the last is repeated.
#[derive(Default)]
pub struct Origin {
    replies: Vec<Reply>,
    by_target: HashMap<String, Reply>,
    tls: Option<Tls>,
    on_ipv6: bool,
    next: AtomicUsize,
}

impl Origin {
    /// A server that has no reply yet; without any it answers 200 with an empty body.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a reply.
    #[must_use]
    pub fn reply(mut self, reply: Reply) -> Self {
        self.replies.push(reply);
        self
    }

    /// Answers requests for `target` with this and nothing else.
    #[must_use]
    pub fn at(mut self, target: impl Into<String>, reply: Reply) -> Self {
        self.by_target.insert(target.into(), reply);
        self
    }

    /// Speaks TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = Some(tls);
        self
    }

    /// Listens on `[::1]`; see [`has_ipv6`](crate::has_ipv6).
    #[must_use]
    pub fn on_ipv6(mut self) -> Self {
        self.on_ipv6 = true;
        self
    }

    /// Starts to listen.
    pub async fn start(mut self) -> Server {
        let (tls, on_ipv6) = (self.tls.take(), self.on_ipv6);
        Server::start(self, tls, on_ipv6).await
    }

    fn reply_to(&self, target: &str) -> Reply {
        if let Some(reply) = self.by_target.get(target) {
            return reply.clone();
        }
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.replies
            .get(next)
            .or_else(|| self.replies.last())
            .cloned()
            .unwrap_or_else(|| Reply::ok(""))
    }

    /// Answers one request and says what follows.
    pub(crate) async fn answer(&self, link: &mut Link, method: &str, target: &str) -> Then {
        let reply = self.reply_to(target);
        if let Some(gate) = reply.gate()
            && !link.unless_ended(gate.passed()).await
        {
            return Then::Drop;
        }
        if !link.unless_ended(tokio::time::sleep(reply.delay())).await {
            return Then::Drop;
        }
        let (mut head, body) = (reply.head_bytes(), reply.body_bytes(method == "HEAD"));
        if let Some(gate) = reply.body_gate() {
            if !link.send(&head).await || !link.unless_ended(gate.passed()).await {
                return Then::Drop;
            }
            head.clear();
        }
        head.extend_from_slice(&body);
        if link.send(&head).await {
            reply.then()
        } else {
            Then::Drop
        }
    }
}

impl Conversation for Origin {
    async fn talk(&self, mut link: Link) {
        for served in 0.. {
            let ledger = link.ledger.clone();
            let next = ledger.until(link.number, |connection| connection.requests.len() > served);
            if !link.unless_ended(next).await {
                return;
            }
            let (method, target) = ledger.look(|connections| {
                let request = connections
                    .get(link.number)
                    .and_then(|connection| connection.requests.get(served))
                    .expect("the request that was waited for");
                (request.method(), request.target())
            });
            match self.answer(&mut link, &method, &target).await {
                Then::Next => {}
                Then::Finish => break,
                Then::Drop => return,
            }
        }
        link.finish().await;
        link.drained().await;
    }
}
