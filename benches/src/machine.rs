//! The machine and this process, as Linux reports them; unknown elsewhere.

use std::fs;

use serde_json::{Map, Value, json};

/// What results depend on besides the code.
pub(crate) fn describe() -> Value {
    json!({
        "cpu": field("/proc/cpuinfo", "model name"),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "huge_pages": read("/sys/kernel/mm/transparent_hugepage/enabled"),
        "compiled_for": compiled_for(),
        "versions": versions(),
    })
}

/// What was built, by the lock file that cargo wrote for it.
fn versions() -> Map<String, Value> {
    let mut lines = include_str!("../Cargo.lock").lines();
    let mut versions = Map::new();
    while let Some(line) = lines.next() {
        let name = line.strip_prefix("name = ").map(|name| name.trim_matches('"'));
        if let Some(name @ ("tamis" | "ndarray" | "candle-core" | "burn")) = name {
            let version = lines.next().and_then(|line| line.strip_prefix("version = ")).unwrap_or("");
            versions.insert(name.to_owned(), version.trim_matches('"').into());
        }
    }
    versions
}

/// The widest instructions that the compiler was allowed to use everywhere.
fn compiled_for() -> &'static str {
    if cfg!(target_feature = "avx512f") {
        "AVX-512"
    } else if cfg!(target_feature = "avx2") {
        "AVX2"
    } else {
        "the baseline of the architecture"
    }
}

/// The bytes that this process holds now.
pub(crate) fn resident() -> usize {
    kilobytes("VmRSS") * 1024
}

/// The most bytes that this process has held since [`forget_peak`].
pub(crate) fn peak() -> usize {
    kilobytes("VmHWM") * 1024
}

/// Starts [`peak`] anew, without the memory that is free but still held.
pub(crate) fn forget_peak() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: only memory that nobody uses is given back.
    unsafe {
        libc::malloc_trim(0);
    }
    // Where this is not allowed, the peak is that of the whole process.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn kilobytes(name: &str) -> usize {
    let text = field("/proc/self/status", name).unwrap_or_default();
    text.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = read(path)?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}
