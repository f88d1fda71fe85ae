//! State without I/O: the ledger of pools, the HTTP/1.1 codec, what is said to proxies, a streamed form, the decoders of content. Bytes and
//! instants go in, decisions and values come out.

pub mod connect;
pub mod decode;
pub mod h1;
pub mod multipart;
pub mod pool;
pub mod socks;
