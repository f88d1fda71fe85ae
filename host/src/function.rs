//! Which function of the component sends a request, and where its fields go.
//!
//! The component has no function for some requests; those are refused here, before anything is sent.

use urlpool_core::policy::encode::has_fields_in_query;
use urlpool_core::types::{
    Content, Error as ClientError, FieldsIn, Method, Multipart, Part, PartData,
};

use crate::instance::Handle;

/// Names and values.
type Pairs = Vec<(String, String)>;

/// Through what a request is sent.
#[derive(Clone, Copy)]
pub(crate) enum Through {
    /// The manager.
    Manager,
    /// A pool of it.
    Pool(Handle),
    /// The manager that the component has for callers without one.
    Shared,
}

/// Which function of the component.
pub(crate) enum Function {
    Request,
    Urlopen,
    EncodeUrl(Pairs),
    Start,
    PoolRequest(Handle),
    PoolUrlopen(Handle),
    PoolStart(Handle),
    Shared,
}

/// What is wanted of the component besides the answer to a plain request.
pub(crate) struct Wanted {
    /// The method as it is written.
    pub(crate) is_exact: bool,
    /// These fields in the query, whatever the method.
    pub(crate) query: Option<Pairs>,
    /// A request that goes on beside others.
    pub(crate) is_started: bool,
}

impl Function {
    /// The one that does what is wanted.
    ///
    /// # Errors
    /// [`ClientError::InvalidRequest`] where there is none.
    pub(crate) fn of(through: Through, wanted: Wanted) -> Result<Self, ClientError> {
        let Wanted {
            is_exact,
            query,
            is_started,
        } = wanted;
        match (through, query) {
            (Through::Manager, Some(fields)) if !is_exact && !is_started => {
                Ok(Self::EncodeUrl(fields))
            }
            (_, Some(_)) => Err(refused("fields for the query of any method")),
            (Through::Manager, None) if is_started => Ok(Self::Start),
            (Through::Manager, None) if is_exact => Ok(Self::Urlopen),
            (Through::Manager, None) => Ok(Self::Request),
            (Through::Pool(pool), None) if is_started => Ok(Self::PoolStart(pool)),
            (Through::Pool(pool), None) if is_exact => Ok(Self::PoolUrlopen(pool)),
            (Through::Pool(pool), None) => Ok(Self::PoolRequest(pool)),
            (Through::Shared, None) if is_started || is_exact => {
                Err(refused("more than a plain request"))
            }
            (Through::Shared, None) => Ok(Self::Shared),
        }
    }
}

fn refused(what: &str) -> ClientError {
    ClientError::InvalidRequest(format!(
        "a request that is sent this way cannot have {what}"
    ))
}

/// What goes into the body, and what into the query whatever the method.
///
/// # Errors
/// [`ClientError::InvalidRequest`] for what cannot go into a query.
pub(crate) fn place(
    content: Content,
    fields_in: FieldsIn,
    method: &str,
) -> Result<(Content, Option<Pairs>), ClientError> {
    let parts = match content {
        Content::Fields(parts) if !parts.is_empty() => parts,
        content => return Ok((content, None)),
    };
    match fields_in {
        FieldsIn::Body => {
            let form = Multipart {
                parts,
                ..Multipart::default()
            };
            Ok((Content::Multipart(form), None))
        }
        FieldsIn::Query if !has_fields_in_query(&Method::parse(method)?) => {
            let pairs = parts.into_iter().map(pair).collect::<Result<_, _>>()?;
            Ok((Content::Empty, Some(pairs)))
        }
        _ => Ok((Content::Fields(parts), None)),
    }
}

/// A field of a query.
fn pair(part: Part) -> Result<(String, String), ClientError> {
    let refused = |name| {
        ClientError::InvalidRequest(format!(
            "the field {name:?} cannot go into a query: only names and values of text can"
        ))
    };
    match part {
        Part {
            name,
            filename: None,
            content_type: None,
            headers,
            data: PartData::Bytes(value),
        } if headers.is_empty() => match String::from_utf8(value) {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(refused(name)),
        },
        Part { name, .. } => Err(refused(name)),
    }
}
