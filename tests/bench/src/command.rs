//! Parts (c) and (e): the binary `urlpool` as a process, how long it takes and how much memory.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;
use urlpool_tests::nginx::Nginx;
use wasmtime::{Result, bail, format_err};

use crate::Scale;
use crate::place::Place;
use crate::rounds::median;
use crate::table::{Goal, Quantity, Row, Table};

const SOON: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(120);

/// From the start of the process to its end, with one GET in between.
pub(crate) async fn start(
    table: &mut Table,
    scale: Scale,
    place: &Place,
    nginx: &Nginx,
) -> Result<()> {
    let url = nginx.http("/small");
    let mut first = Vec::new();
    let mut later = Vec::new();
    for _ in 0..scale.first_starts {
        let cache = tempfile::tempdir()?;
        first.push(run(place, cache.path(), &url).await?);
        for _ in 0..scale.later_starts.div_ceil(scale.first_starts) {
            later.push(run(place, cache.path(), &url).await?);
        }
    }
    for (what, times, goal) in [
        ("first time, nothing compiled", first, None),
        (
            "later times",
            later,
            Some(Goal::AtMost(Quantity::Time(SOON))),
        ),
    ] {
        let time = Quantity::Time(median(times));
        table.add(Row::alone(
            "(c) urlpool URL, start to end",
            what,
            time,
            goal,
        ));
    }
    Ok(())
}

async fn run(place: &Place, cache: &Path, url: &str) -> Result<Duration> {
    let started = Instant::now();
    let ended = urlpool(place, cache).arg(url).status();
    let status = tokio::time::timeout(PATIENCE, ended).await??;
    let took = started.elapsed();
    if !status.success() {
        bail!("urlpool {url} ended with {status}");
    }
    Ok(took)
}

/// The most memory that was resident at once, after a small body and after a large one that is streamed away.
pub(crate) async fn memory(table: &mut Table, place: &Place, nginx: &Nginx) -> Result<()> {
    let cache = tempfile::tempdir()?;
    run(place, cache.path(), &nginx.http("/small")).await?;
    for (what, path) in [("one small body", "/small"), ("one large body", "/large")] {
        for url in [nginx.http(path), nginx.https(path)] {
            let scheme = url.split(':').next().unwrap_or_default();
            let what = format!("{what}, {scheme}");
            let peak = tokio::time::timeout(PATIENCE, peak(place, cache.path(), nginx, &url));
            let peak = Quantity::Bytes(peak.await??);
            table.add(Row::alone("(e) peak memory of urlpool", &what, peak, None));
        }
    }
    Ok(())
}

/// The process is asked for a second URL, which is ours: it is held there while its peak is read.
async fn peak(place: &Place, cache: &Path, nginx: &Nginx, url: &str) -> Result<u64> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let held = format!("http://{}/", listener.local_addr()?);
    let mut process = urlpool(place, cache)
        .arg("--cacert")
        .arg(nginx.authority_file())
        .args([url, &held])
        .spawn()?;
    let (mut stream, _) = tokio::select! {
        accepted = listener.accept() => accepted?,
        ended = process.wait() => bail!("urlpool {url} ended early: {}", ended?),
    };
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            bail!("urlpool {url} hung up");
        }
    }
    let id = process
        .id()
        .ok_or_else(|| format_err!("urlpool has ended"))?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await?;
    let ended = process.wait().await?;
    if !ended.success() {
        bail!("urlpool {url} ended with {ended}");
    }
    let kibibytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or_else(|| format_err!("the kernel tells no peak"))?;
    Ok(kibibytes.parse::<u64>()? * 1024)
}

/// The binary, its compiled code kept in that folder.
pub(crate) fn urlpool(place: &Place, cache: &Path) -> Command {
    let mut command = Command::new(&place.command);
    command
        .env("URLPOOL_CACHE_DIR", cache)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}
