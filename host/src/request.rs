//! A request being put together.

use std::sync::Arc;

use urlpool_core::types::{
    Content, Error as ClientError, FieldsIn, Headers, Limit, Multipart, Part, Redirects,
    RequestOptions, Retries, Streamed, Timeouts,
};

use crate::asked::{Asked, Through};
use crate::convert;
use crate::error::Error;
use crate::instance::{Parts, Slot};
use crate::pending::Pending;
use crate::response::Response;

/// A request that has not been sent. What is wrong with its parts is said when it is.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    slot: Arc<Slot>,
    through: Through,
    method: String,
    url: String,
    content: Content,
    headers: Vec<(String, Vec<u8>)>,
    options: RequestOptions,
    is_exact: bool,
}

impl RequestBuilder {
    pub(crate) fn new(slot: Arc<Slot>, through: Through, method: String, url: String) -> Self {
        Self {
            slot,
            through,
            method,
            url,
            content: Content::Empty,
            headers: Vec::new(),
            options: RequestOptions::default(),
            is_exact: false,
        }
    }

    /// Adds a header. As soon as there is one, the manager's own headers are not sent.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Gives it a body of bytes.
    pub fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.content(Content::Bytes(bytes.into()))
    }

    /// Gives it a body of JSON text, and `Content-Type: application/json` unless a header names one.
    pub fn json(self, text: impl Into<String>) -> Self {
        self.content(Content::Json(text.into()))
    }

    /// Gives it names and values as an HTML form sends them.
    pub fn form(self, pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        self.content(Content::Form(pairs.into_iter().collect()))
    }

    /// Gives it a form with files.
    pub fn multipart(self, form: Multipart) -> Self {
        self.content(Content::Multipart(form))
    }

    /// Gives it fields: in the query of DELETE, GET, HEAD and OPTIONS, in a multipart body of any other method (urllib3: `fields`).
    pub fn fields(self, fields: impl IntoIterator<Item = Part>) -> Self {
        self.content(Content::Fields(fields.into_iter().collect()))
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

    /// Sets timeouts; what they leave open is the manager's.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.options.timeouts = timeouts;
        self
    }

    /// Says when it is tried again; what that leaves open is the manager's.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.options.retries = retries;
        self
    }

    /// Says whether redirects are followed, which they are unless this is called.
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.options.redirects = redirects;
        self
    }

    /// Says how long to wait for a connection where the pool may not open one.
    pub fn pool_timeout(mut self, limit: Limit) -> Self {
        self.options.pool_timeout = Some(limit);
        self
    }

    /// Sets everything at once that has no call of its own, replacing what was set before. Headers added by
    /// [`RequestBuilder::header`] count beside those of the options.
    pub fn options(mut self, options: RequestOptions) -> Self {
        self.options = options;
        self
    }

    /// Sends the method exactly as it is written, instead of in upper case (urllib3: `urlopen`).
    pub fn exact_method(mut self) -> Self {
        self.is_exact = true;
        self
    }

    /// Sends it and waits for the head of the response.
    ///
    /// # Errors
    /// [`Error::Client`] with what the component says, or what became of the sandbox.
    pub async fn send(self) -> Result<Response, Error> {
        let asked = self.asked()?;
        let mut call = match asked.through {
            Through::Manager => asked.slot.begin().await?,
            Through::Pool(pool) => asked.slot.begin_with(pool).await?,
        };
        let outcome = async {
            let resource = call
                .answer(async |parts: Parts<'_>| asked.open(parts).await)
                .await?;
            let head = call
                .value(async |parts| {
                    let response = parts.blocking.response();
                    response.call_head(parts.store, resource).await
                })
                .await?;
            Ok((call.handle(resource), head))
        };
        let outcome = outcome.await;
        let (handle, head) = call.end_with(outcome)?;
        Response::of(
            asked.slot,
            handle,
            asked.method,
            convert::response_head(head),
        )
    }

    /// Starts it and returns at once. It goes on whenever the manager is used and waits for anything.
    ///
    /// # Errors
    /// As for [`RequestBuilder::send`]; what happens later is said by [`Pending::response`].
    pub async fn start(self) -> Result<Pending, Error> {
        let asked = self.asked()?;
        let mut call = match asked.through {
            Through::Manager => asked.slot.begin().await?,
            Through::Pool(pool) => asked.slot.begin_with(pool).await?,
        };
        let outcome = call
            .answer(async |parts: Parts<'_>| asked.begin(parts).await)
            .await;
        let outcome = outcome.map(|resource| call.handle(resource));
        let handle = call.end_with(outcome)?;
        Ok(Pending::new(asked.slot, handle, asked.method))
    }

    fn asked(self) -> Result<Asked, Error> {
        let Self {
            slot,
            through,
            method,
            url,
            content,
            headers,
            mut options,
            is_exact,
        } = self;
        if !headers.is_empty() {
            let own = options.headers.get_or_insert_default();
            Headers::parse(headers)?
                .into_iter()
                .for_each(|header| own.push(header));
        }
        let content = match (options.writing.fields_in, content) {
            (FieldsIn::Body, Content::Fields(parts)) if !parts.is_empty() => {
                Content::Multipart(Multipart {
                    parts,
                    ..Multipart::default()
                })
            }
            (FieldsIn::Query, Content::Fields(_)) => {
                return Err(ClientError::InvalidRequest(
                    "fields go into the query of their own accord, or by writing them into the URL"
                        .into(),
                )
                .into());
            }
            (_, content) => content,
        };
        Ok(Asked {
            slot,
            through,
            method,
            url,
            body: convert::body(content),
            options: convert::request_options(options),
            is_exact,
        })
    }
}
