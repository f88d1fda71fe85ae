//! State without I/O: the ledger of pools and the HTTP/1.1 codec. Bytes and instants go in, decisions and values come out.

pub mod h1;
pub mod pool;
