//! What a caller asks for, written for one attempt after another.

use std::borrow::Cow;
use std::rc::Rc;

use super::exchange::Outgoing;
use super::upload::{BodySource, Streaming, Upload};
use crate::machine::h1::{LAST_CHUNK, chunk_into, request_head};
use crate::machine::pool::{IfClosed, Key};
use crate::policy::encode::{self, Encoded};
use crate::policy::fields::{self, Fields};
use crate::policy::framing::RequestFraming;
use crate::policy::redirect::Hop;
use crate::policy::route::{self, Route};
use crate::policy::target;
use crate::policy::{Profile, RetryRules, Spans};
use crate::types::{
    Content, Error, Headers, Limit, Limits, Method, Payload, Reading, Redirects, RequestOptions,
    Retries, Timeouts, Url, Writing,
};

/// As much as goes out in one write: the head, and of the body what fits beside it. WASI hosts take no more at a time.
const MAX_FLIGHT: usize = 64 * 1024;

/// A request as its caller describes it.
pub(super) struct Order<'a> {
    pub(super) method: &'a str,
    pub(super) url: Url,
    pub(super) content: Content,
    /// Where a streamed body comes from.
    pub(super) source: Option<Box<dyn BodySource + 'a>>,
    pub(super) options: RequestOptions,
}

/// How a request may be sent.
pub(super) struct Terms {
    pub(super) redirects: Redirects,
    pub(super) if_closed: IfClosed,
    pub(super) reading: Reading,
    pub(super) asked: Asked,
    pub(super) inherited: Inherited,
}

/// What a request asks for itself of what it would inherit otherwise.
pub(super) struct Asked {
    timeouts: Timeouts,
    pool_timeout: Option<Limit>,
    retries: Retries,
}

/// What it comes to in a pool, with nothing left to inherit.
pub(super) struct Inherited {
    pub(super) spans: Spans,
    pub(super) retries: Rc<RetryRules>,
    pub(super) limits: Limits,
}

impl Asked {
    /// What holds for requests through a pool with this profile.
    pub(super) fn of(&self, profile: &Profile) -> Result<Inherited, Error> {
        let spans = profile.spans.overridden(self.timeouts)?;
        Ok(Inherited {
            spans: spans.with_pool_timeout(self.pool_timeout),
            retries: profile.retries_with(&self.retries),
            limits: profile.limits,
        })
    }
}

impl<'a> Order<'a> {
    /// The request, and the terms that what it leaves open is inherited for: from its pool, and its headers from `headers`. `random` makes a
    /// boundary.
    pub(super) fn accept(
        self,
        profile: &Profile,
        headers: &Headers,
        if_closed: IfClosed,
        random: impl FnOnce() -> [u8; 16],
    ) -> Result<(Request<'a>, Terms), Error> {
        let Order {
            method,
            url,
            content,
            source,
            options,
        } = self;
        let asked = Asked {
            timeouts: options.timeouts,
            pool_timeout: options.pool_timeout,
            retries: options.retries,
        };
        let terms = Terms {
            redirects: options.redirects,
            if_closed,
            reading: options.reading,
            inherited: asked.of(profile)?,
            asked,
        };
        let headers = options.headers.unwrap_or_else(|| headers.clone());
        let target = (Method::parse(method)?, url);
        let body = (content, source);
        let request = Request::new(target, headers, body, options.writing, random)?;
        Ok((request, terms))
    }
}

/// What is asked for, as it stands before our own fields are added.
pub(super) struct Request<'s> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Headers,
    payload: Payload,
    /// Of the payload, where the caller's headers name none.
    content_type: Option<String>,
    writing: Writing,
    /// Where a streamed payload comes from.
    upload: Option<Upload<'s>>,
}

impl<'s> Request<'s> {
    /// The request that a caller has described. `random` makes a boundary.
    fn new(
        (method, url): (Method, Url),
        headers: Headers,
        (content, source): (Content, Option<Box<dyn BodySource + 's>>),
        writing: Writing,
        random: impl FnOnce() -> [u8; 16],
    ) -> Result<Self, Error> {
        let asked = encode::Asked {
            method: &method,
            headers: &headers,
            fields_in: writing.fields_in,
        };
        let Encoded {
            url,
            payload,
            content_type,
        } = encode::encode(url, content, &asked, random)?;
        let source = source.filter(|_| payload.is_streamed());
        if payload.is_streamed() && source.is_none() {
            return Err(Error::InvalidRequest(
                "nothing hands the streamed body over; start the request and push it".into(),
            ));
        }
        Ok(Self {
            upload: source.map(Upload::new),
            method,
            url,
            headers,
            payload,
            content_type,
            writing,
        })
    }

    /// Whether the body can be sent once more: nothing of it was taken yet, or it can be wound back.
    pub(super) fn can_be_sent_again(&self) -> bool {
        self.payload.may_be_resent() || self.upload.as_ref().is_none_or(|upload| !upload.has_begun)
    }

    /// Winds the body back where some of it was sent before. Only for one that can be sent again.
    pub(super) fn rewind(&mut self) {
        if let Some(upload) = self.upload.as_mut().filter(|upload| upload.has_begun) {
            upload.source.rewind();
            upload.has_begun = false;
        }
    }

    /// Writes the request, as far as it is there.
    pub(super) fn write(&mut self, fields: &Fields, key: &Key) -> Outgoing<'_, 's> {
        let Self {
            method,
            url,
            payload,
            upload,
            ..
        } = self;
        let bytes = payload.as_bytes();
        let room = bytes.len().min(MAX_FLIGHT);
        let mut flight = request_head(
            method,
            target::of_request(url, &key.origin, &key.route),
            &fields.headers,
            room,
        );
        let streaming = upload
            .as_mut()
            .map(|upload| Streaming::new(upload, fields.framing, payload));
        let mut rest = Cow::Borrowed(bytes);
        if fields.framing == RequestFraming::Chunked && streaming.is_none() {
            let mut framed = Vec::new();
            chunk_into(bytes, &mut framed);
            framed.extend_from_slice(LAST_CHUNK);
            rest = Cow::Owned(framed);
        }
        if !fields.awaits_continue {
            let together = rest.len().min(MAX_FLIGHT.saturating_sub(flight.len()));
            flight.extend_from_slice(rest.get(..together).unwrap_or_default());
            rest = match rest {
                Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(together..).unwrap_or_default()),
                Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(together)),
            };
        }
        Outgoing {
            flight,
            rest,
            streaming,
            awaits_continue: fields.awaits_continue,
        }
    }

    /// Its fields as they are sent on a route.
    pub(super) fn fields(&self, route: &Route) -> Result<Fields, Error> {
        let forwarded = match route {
            Route::Forward(proxy) => {
                let skipped = self.writing.skipped;
                Some(route::forwarded(&self.headers, &self.url, skipped, proxy))
            }
            Route::Direct | Route::Tunnel(_) | Route::Socks(..) => None,
        };
        fields::of_request(&fields::Asked {
            method: &self.method,
            url: &self.url,
            payload: &self.payload,
            content_type: self.content_type.as_deref(),
            headers: forwarded.as_ref().unwrap_or(&self.headers),
            writing: self.writing,
        })
    }

    /// Makes it the one that a redirect asks for.
    pub(super) fn turn(&mut self, hop: Hop) {
        let Hop {
            url,
            method,
            headers,
            keeps_content,
        } = hop;
        if !keeps_content {
            self.payload = Payload::None;
            self.content_type = None;
            self.upload = None;
            self.writing.is_chunked = false;
        }
        self.url = url;
        self.method = method;
        self.headers = headers;
    }
}
