//! A request being put together.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use urlpool_core::types::{
    Content, Error as ClientError, FieldsIn, Headers, Limit, Multipart, Part, PartData, Reading,
    Redirects, RequestOptions, Retries, Streamed, Timeouts, Writing,
};

use crate::asked::Asked;
use crate::convert;
use crate::error::Error;
use crate::function::{Function, Through, Wanted, place};
use crate::instance::{Parts, Slot};
use crate::instances::choose;
use crate::manager::PoolManager;
use crate::pending::{Pending, Progress};
use crate::response::Response;

/// What is read of an upload at a time.
const MAX_PUSH: usize = 64 * 1024;

/// A request that has not been sent. What is wrong with its parts is said when it is.
///
/// It has one body at most: the last of [`content`](Self::content), [`body`](Self::body), [`text`](Self::text), [`json`](Self::json),
/// [`form`](Self::form), [`multipart`](Self::multipart), [`fields`](Self::fields) and [`streamed`](Self::streamed) counts. What is not set
/// is inherited from the pool, and what the pool leaves open from the manager.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use urlpool_tests::{Origin, Reply};
/// # let server = Origin::new().reply(Reply::ok("hello")).start().await;
/// # let port = server.port();
/// use urlpool_host::{PoolManager, Retries, Timeouts};
///
/// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
/// let response = manager
///     .request("POST", format!("http://127.0.0.1:{port}/things"))
///     .header("Accept", "application/json")
///     .json(r#"{"name": "thing"}"#)
///     .retries(Retries::total(2))
///     .timeouts(Timeouts::default())
///     .send()
///     .await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    by: By,
    through: Through,
    method: String,
    url: String,
    content: Content,
    headers: Vec<(String, Vec<u8>)>,
    options: RequestOptions,
    is_exact: bool,
    is_cancellable: bool,
}

/// Who sends it.
enum By {
    One(Arc<Slot>),
    /// Whoever has time.
    Any(Arc<[PoolManager]>),
}

impl RequestBuilder {
    pub(crate) fn new(slot: Arc<Slot>, through: Through, method: String, url: String) -> Self {
        Self::by(By::One(slot), through, method, url)
    }

    pub(crate) fn spread(managers: Arc<[PoolManager]>, method: String, url: String) -> Self {
        Self::by(By::Any(managers), Through::Manager, method, url)
    }

    fn by(by: By, through: Through, method: String, url: String) -> Self {
        Self {
            by,
            through,
            method,
            url,
            content: Content::Empty,
            headers: Vec::new(),
            options: RequestOptions::default(),
            is_exact: false,
            is_cancellable: false,
        }
    }

    /// Adds a header. As soon as there is one, the manager's own headers are not sent: they are replaced, not merged.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds headers, for example those of [`make_headers`](crate::make_headers). Even none of them replace the manager's.
    pub fn headers(mut self, headers: Headers) -> Self {
        let own = self.options.headers.get_or_insert_default();
        headers.into_iter().for_each(|header| own.push(header));
        self
    }

    /// Gives it a body of bytes, with their `Content-Length`.
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.content(Content::Bytes(bytes.into()))
    }

    /// Gives it a body of text in UTF-8, without a `Content-Type`.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.content(Content::Text(text.into()))
    }

    /// Gives it a body of JSON text, and `Content-Type: application/json` unless a header names one (urllib3: `json`, which encodes too).
    pub fn json(self, text: impl Into<String>) -> Self {
        self.content(Content::Json(text.into()))
    }

    /// Gives it names and values as an HTML form sends them. None are no body.
    pub fn form<N: Into<String>, V: Into<String>>(
        self,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs = pairs.into_iter();
        let pairs = pairs.map(|(name, value)| (name.into(), value.into()));
        self.content(Content::Form(pairs.collect()))
    }

    /// Gives it a form with files.
    pub fn multipart(self, form: Multipart) -> Self {
        self.content(Content::Multipart(form))
    }

    /// Gives it fields: in the query of DELETE, GET, HEAD and OPTIONS, in a multipart body of any other method (urllib3: `fields`). None
    /// are no body.
    pub fn fields(self, fields: impl IntoIterator<Item = Part>) -> Self {
        self.content(Content::Fields(fields.into_iter().collect()))
    }

    /// Says where its [`fields`](Self::fields) go, whatever the method (urllib3: `request_encode_url`, `request_encode_body`).
    ///
    /// In the query they join those that are there; they hold text and no files. That can be had of [`send`](Self::send), through a manager,
    /// with the method in upper case; a request of another kind is refused with `InvalidRequest`, unless its method has them there anyway.
    pub fn fields_in(mut self, place: FieldsIn) -> Self {
        self.options.writing.fields_in = place;
        self
    }

    /// Gives it a body that is pushed once it has been started with [`RequestBuilder::start`].
    pub fn streamed(self, body: Streamed) -> Self {
        self.content(Content::Streamed(body))
    }

    /// Gives it any body.
    pub fn content(mut self, content: Content) -> Self {
        self.content = content;
        self
    }

    /// Sets timeouts; what they leave open is inherited.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = timeouts;
        self
    }

    /// Says when it is tried again; what that leaves open is inherited.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.options.retries = retries;
        self
    }

    /// Says whether redirects are followed, which they are unless this is called.
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.options.redirects = redirects;
        self
    }

    /// Says how long to wait for a connection where the pool may not open one (urllib3: `pool_timeout`).
    pub fn pool_timeout(mut self, limit: Limit) -> Self {
        self.options.pool_timeout = Some(limit);
        self
    }

    /// Says how it is written: framing, `Expect`, which headers are left out, where fields go.
    pub fn writing(mut self, writing: Writing) -> Self {
        self.options.writing = writing;
        self
    }

    /// Says how its response is read: decoding, limits, and whether the body is read before there is a response.
    pub fn reading(mut self, reading: Reading) -> Self {
        self.options.reading = reading;
        self
    }

    /// Lets a request through a pool be for another host, which its server is then asked for as a proxy is (urllib3:
    /// `assert_same_host=False`). A manager takes no notice of it.
    pub fn may_leave_host(mut self) -> Self {
        self.options.may_leave_host = true;
        self
    }

    /// Sets all options at once, replacing what was set before. Headers added by [`RequestBuilder::header`] count beside those of the
    /// options.
    pub fn options(mut self, options: RequestOptions) -> Self {
        self.options = options;
        self
    }

    /// Sends the method exactly as it is written, instead of in upper case (urllib3: `urlopen`).
    pub fn exact_method(mut self) -> Self {
        self.is_exact = true;
        self
    }

    /// Lets [`send`](Self::send) and [`Response::chunk`] be given up: their futures can then be dropped, by `select!` or a timeout, at the cost
    /// of this request's connection alone, while otherwise the instance goes with every other request in it.
    ///
    /// They wait in turns of at most 20 ms and let others have the instance in between, so requests of several clones of a manager go on
    /// together. That makes a small request some microseconds slower, which is why it is not the default. What reads a body by
    /// [`chunk`](Response::chunk), which all do but [`read_full`](Response::read_full), [`read_line`](Response::read_line) and
    /// [`read_chunk`](Response::read_chunk), can be given up too. The request is [started](Self::start), so it needs a manager, and its
    /// fields go where the method has them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use urlpool_tests::{Gate, Origin, Reply};
    /// # let gate = Gate::new();
    /// # let origin = Origin::new().at("/slow", Reply::ok("").after(&gate)).reply(Reply::ok("hello"));
    /// # let server = origin.start().await;
    /// # let port = server.port();
    /// use std::time::Duration;
    /// use urlpool_host::PoolManager;
    ///
    /// let manager = PoolManager::builder().allow("127.0.0.1", port).build().await?;
    /// let mut kept = manager.get(format!("http://127.0.0.1:{port}/")).send().await?;
    /// let slow = manager.get(format!("http://127.0.0.1:{port}/slow")).cancellable();
    /// let given_up = tokio::time::timeout(Duration::from_millis(50), slow.send()).await;
    /// assert!(given_up.is_err());
    /// assert_eq!(kept.chunk().await?.as_deref(), Some(&b"hello"[..])); // nothing happened to it
    /// # Ok(())
    /// # }
    /// ```
    pub fn cancellable(mut self) -> Self {
        self.is_cancellable = true;
        self
    }

    /// Sends it and waits for the head of the response; the body stays to be read (urllib3: `request` with `preload_content=False`).
    ///
    /// Dropped before, it takes the instance along with every other request in it, unless it is [`cancellable`](Self::cancellable): see
    /// [giving a call up](crate::PoolManager#giving-a-call-up). [`RequestBuilder::timeouts`] end it without harm.
    ///
    /// # Errors
    /// [`Error::Client`]
    /// - with `InvalidUrl`, `UnsupportedScheme`, `InvalidRequest` where nothing was sent because of what was asked,
    /// - with `PoolTimeout` where no connection came free in time, or ever would,
    /// - with `NameResolution`, `ConnectionFailed`, `Denied`, `Tls` where there is no connection,
    /// - with `ConnectTimeout`, `ReadTimeout`, `DeadlineExceeded` where time ran out,
    /// - with `Protocol` where the connection broke or the answer is not HTTP,
    /// - with `RetriesExhausted`, `TooManyRedirects` where [`Retries`] allow no more,
    /// - through a pool, with `HostChanged` and `PoolClosed`,
    /// - with [`Reading::is_preloaded`], what [`Response::chunk`] fails with;
    ///
    /// or what became of the sandbox.
    pub async fn send(self) -> Result<Response, Error> {
        // One that waits for its caller would wait for ever.
        if self.is_cancellable && !is_pushed(&self.content) {
            return self.begin(true).await?.response().await;
        }
        let asked = self.asked(false)?;
        let call = asked.begin().await?;
        let open = async |parts: Parts<'_>| asked.run(parts).await;
        Response::take(&asked.slot, call, &asked.method, open).await
    }

    /// Starts it and returns at once. It goes on whenever the manager is used and waits for anything.
    ///
    /// # Errors
    /// [`Error::Client`] with `InvalidUrl`, `UnsupportedScheme` or `InvalidRequest`, or what became of the sandbox. What happens later is said
    /// by [`Pending::response`].
    pub async fn start(self) -> Result<Pending, Error> {
        self.begin(false).await
    }

    async fn begin(self, is_cancellable: bool) -> Result<Pending, Error> {
        let asked = self.asked(true)?;
        let mut call = asked.begin().await?;
        let outcome = call.answer(async |parts| asked.run(parts).await).await;
        let outcome = outcome.map(|resource| call.handle(resource));
        let handle = call.end_with(outcome)?;
        Ok(Pending::new(asked, handle, is_cancellable))
    }

    /// Sends it with a body that is read from a source meanwhile: `length` bytes, or with `None` all that there are, chunked
    /// (`pipe.send-from`; urllib3: a `body` that is a file).
    ///
    /// The source cannot be read a second time, so where the body would have to be sent again the answer is `BodyNotReplayable`. While the
    /// source is waited for, nothing else happens: a timeout or an answer that comes first is noticed when it has brought something, and the
    /// future can be dropped at the cost of this one connection.
    ///
    /// # Errors
    /// As for [`RequestBuilder::send`], and [`Error::Client`] with `InvalidRequest` where the source breaks or is not as long as `length`.
    pub async fn send_from(
        self,
        source: &mut (impl AsyncRead + Unpin + ?Sized),
        length: Option<u64>,
    ) -> Result<Response, Error> {
        let body = Streamed {
            length,
            can_rewind: false,
        };
        let mut pending = self.streamed(body).start().await?;
        let mut buffer = vec![0; MAX_PUSH];
        loop {
            let count = source.read(&mut buffer).await.map_err(|cause| {
                ClientError::InvalidRequest(format!("the body could not be read: {cause}"))
            })?;
            let progress = match buffer.get(..count) {
                None | Some([]) => pending.finish().await?,
                Some(piece) => pending.write(piece).await?,
            };
            if count == 0 || progress != Progress::Accepted {
                return pending.response().await;
            }
        }
    }

    fn asked(self, is_started: bool) -> Result<Asked, Error> {
        let Self {
            by,
            through,
            mut method,
            url,
            content,
            headers,
            mut options,
            is_exact,
            is_cancellable: _,
        } = self;
        if !is_exact {
            method.make_ascii_uppercase();
        }
        if !headers.is_empty() {
            let own = options.headers.get_or_insert_default();
            Headers::parse(headers)?
                .into_iter()
                .for_each(|header| own.push(header));
        }
        let (content, query) = place(content, options.writing.fields_in, &method)?;
        let wanted = Wanted {
            is_exact,
            query,
            is_started,
        };
        let function = Function::of(through, wanted)?;
        // Last, so that nothing comes between the choice and the call that it is made for.
        let slot = match by {
            By::One(slot) => slot,
            By::Any(managers) => choose(&managers, &url)
                .ok_or_else(|| Error::Setup("there is no instance".into()))?,
        };
        Ok(Asked {
            function,
            slot,
            method,
            url,
            body: convert::body(content),
            options: convert::request_options(options),
        })
    }
}

/// Whether some of a body is pushed by the caller.
fn is_pushed(content: &Content) -> bool {
    let is_streamed = |part: &Part| matches!(part.data, PartData::Streamed(_));
    match content {
        Content::Streamed(_) => true,
        Content::Multipart(form) => form.parts.iter().any(is_streamed),
        Content::Fields(parts) => parts.iter().any(is_streamed),
        _ => false,
    }
}
