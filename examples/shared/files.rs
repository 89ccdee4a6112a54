//! Where the examples find their data and leave their pictures.

#![allow(dead_code, reason = "each example uses a part of it")]

use std::io;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A file of `examples/data`.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(ROOT).join("examples/data").join(name)
}

/// A file in a directory for what the examples write, which is made if it is not there.
pub(crate) fn output(name: &str) -> io::Result<PathBuf> {
    let directory = Path::new(ROOT).join("target/tamis-examples");
    std::fs::create_dir_all(&directory)?;
    Ok(directory.join(name))
}

/// The path as seen from the root of the project.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(ROOT).unwrap_or(path).display().to_string()
}
