//! Which crate may know which, read from the manifests; and that what they
//! depend on is really used, and that one module alone is unsafe.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A crate of the workspace: its manifest and the directory of its source.
struct Member {
    name: &'static str,
    manifest: &'static str,
    source: &'static str,
}

const GRAPH: Member =
    Member { name: "tamis-graph", manifest: "crates/graph/Cargo.toml", source: "crates/graph/src" };
const EXEC: Member =
    Member { name: "tamis-exec", manifest: "crates/exec/Cargo.toml", source: "crates/exec/src" };
const AUTOGRAD: Member =
    Member { name: "tamis-autograd", manifest: "crates/autograd/Cargo.toml", source: "crates/autograd/src" };
const FACADE: Member = Member { name: "tamis", manifest: "Cargo.toml", source: "crates/tamis/src" };

const MEMBERS: [Member; 4] = [GRAPH, EXEC, AUTOGRAD, FACADE];

impl Member {
    /// The names in the manifest's tables of this kind, such as `dependencies`,
    /// for any target.
    fn names_in(&self, kind: &str) -> BTreeSet<String> {
        let manifest = read(self.manifest);
        let mut names = BTreeSet::new();
        let mut inside = false;
        for line in manifest.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(table) = line.strip_prefix('[') {
                let table = table.trim_matches(['[', ']']);
                let own = table.rsplit("'.").next().unwrap_or(table);
                inside = own == kind;
                names.extend(
                    own.strip_prefix(kind).and_then(|rest| rest.strip_prefix('.')).map(str::to_owned),
                );
            } else if inside && let Some((key, _)) = line.split_once('=') {
                names.insert(key.trim().split('.').next().unwrap_or_default().trim_matches('"').to_owned());
            }
        }
        names
    }

    /// The crates of this workspace among the normal dependencies.
    fn crates(&self) -> Vec<String> {
        self.names_in("dependencies").into_iter().filter(|name| name.starts_with("tamis")).collect()
    }

    /// The source without comments, line by line.
    fn code(&self) -> Vec<(PathBuf, String)> {
        let mut lines = Vec::new();
        for path in rust_files(Path::new(self.source)) {
            let text = read(&path);
            let code = text.lines().map(|line| line.split("//").next().unwrap_or_default().to_owned());
            lines.extend(code.map(|line| (path.clone(), line)));
        }
        lines
    }
}

fn read(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The Rust files below `directory`, relative to the repository.
fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    files(directory).into_iter().filter(is_rust).collect()
}

/// All files below `directory`, relative to the repository.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        let absolute = Path::new(env!("CARGO_MANIFEST_DIR")).join(&directory);
        for entry in std::fs::read_dir(absolute).expect("the directory is there") {
            let entry = entry.expect("the directory is readable");
            let path = directory.join(entry.file_name());
            if entry.path().is_dir() {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{} has no files", directory.display());
    found
}

/// Whether `line` contains `word` with no part of a name around it.
fn has_word(line: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_name) && !line[at + word.len()..].starts_with(is_name))
}

#[test]
fn the_graph_knows_neither_evaluation_nor_gradients() {
    assert_eq!(GRAPH.crates(), [""; 0]);
}

#[test]
fn evaluation_knows_the_graph_alone() {
    assert_eq!(EXEC.crates(), ["tamis-graph"]);
}

#[test]
fn gradients_know_the_graph_alone() {
    assert_eq!(AUTOGRAD.crates(), ["tamis-graph"]);
}

#[test]
fn the_facade_is_the_only_crate_that_knows_all() {
    assert_eq!(FACADE.crates(), ["tamis-autograd", "tamis-exec", "tamis-graph"]);
}

#[test]
fn tests_and_builds_of_the_crates_need_the_facade_at_most() {
    for package in [GRAPH, EXEC, AUTOGRAD] {
        let mut others = package.names_in("dev-dependencies");
        others.extend(package.names_in("build-dependencies"));
        let crates: Vec<&String> = others.iter().filter(|name| name.starts_with("tamis-")).collect();
        assert!(crates.is_empty(), "{} reaches {crates:?} through its tests", package.name);
    }
}

#[test]
fn no_crate_names_a_crate_it_does_not_depend_on() {
    for package in [GRAPH, EXEC, AUTOGRAD] {
        for other in [EXEC, AUTOGRAD].iter().filter(|other| other.name != package.name) {
            let path = other.name.replace('-', "_");
            for (file, line) in package.code() {
                assert!(!has_word(&line, &path), "{} names {path}: {line}", file.display());
            }
        }
    }
}

/// Inside of exec: a module, and those that it may not name. What a region is does not depend
/// on the machine, for one.
const WALLS: [(&str, &[&str]); 7] = [
    ("region", &["machine", "fuse", "program", "plan", "evaluation", "kernel", "fast"]),
    ("fuse", &["machine", "plan", "evaluation", "kernel", "fast"]),
    ("program", &["machine", "fuse", "plan", "evaluation", "kernel", "fast"]),
    ("explain", &["machine", "fuse", "plan", "evaluation", "kernel", "fast"]),
    ("machine", &["fuse", "program", "plan", "evaluation", "fast"]),
    ("evaluation", &["fuse", "plan", "diagnosis", "simplify"]),
    ("kernel", &["machine", "region", "fuse", "program", "plan", "evaluation", "fast"]),
];

#[test]
fn a_module_of_exec_does_not_name_what_makes_or_runs_it() {
    let source = Path::new(EXEC.source);
    for (module, others) in WALLS {
        let is_own = |path: &PathBuf| {
            let inside = path.strip_prefix(source).unwrap_or(path);
            let is_test = inside.ends_with("tests.rs") || inside.iter().any(|part| part == "tests");
            !is_test && (inside.starts_with(module) || inside == Path::new(&format!("{module}.rs")))
        };
        let code: Vec<(PathBuf, String)> = EXEC.code().into_iter().filter(|(path, _)| is_own(path)).collect();
        assert!(!code.is_empty(), "exec has no module {module}");
        for (file, line) in &code {
            let named = others.iter().find(|other| has_word(line, &format!("crate::{other}")));
            assert!(named.is_none(), "{} names {named:?}: {line}", file.display());
        }
    }
}

#[test]
fn every_dependency_is_used_by_the_crate_that_names_it() {
    for member in MEMBERS {
        let code = member.code();
        for dependency in member.names_in("dependencies") {
            let path = format!("{}::", dependency.replace('-', "_"));
            let used = code.iter().any(|(_, line)| {
                line.match_indices(&path)
                    .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            assert!(used, "{} depends on {dependency} and never uses it", member.name);
        }
    }
}

#[test]
fn the_libraries_the_project_is_built_on_are_all_in_use() {
    let used: BTreeSet<String> = MEMBERS.iter().flat_map(|member| member.names_in("dependencies")).collect();
    for library in ["approx", "ndarray", "petgraph", "smallvec", "thiserror"] {
        assert!(used.contains(library), "{library} is used by no crate");
    }
}

/// The files of the one module that may hold unsafe code.
const RAW: [&str; 2] = ["crates/exec/src/raw.rs", "crates/exec/src/raw/simd.rs"];

#[test]
fn one_module_may_be_unsafe() {
    for member in MEMBERS {
        for (file, line) in member.code() {
            let allowed =
                RAW.iter().any(|raw| file == Path::new(raw)) || line.trim() == r#"#![deny(unsafe_code)]"#;
            assert!(
                allowed || !has_word(&line, "unsafe") && !has_word(&line, "unsafe_code"),
                "{}: {line}",
                file.display()
            );
        }
    }
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    RAW.into_iter().for_each(every_unsafe_block_of);
}

fn every_unsafe_block_of(file: &str) {
    let text = read(file);
    let lines: Vec<&str> = text.lines().collect();
    for (i, line) in lines.iter().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if !has_word(code, "unsafe") {
            continue;
        }
        let mut above = lines[..i].iter().rev();
        let reason = above.find(|line| !line.trim_start().starts_with("// ") || line.contains("SAFETY:"));
        assert!(reason.is_some_and(|line| line.contains("SAFETY:")), "{file}:{}: no reason given", i + 1);
    }
}

#[test]
fn the_compiler_forbids_unsafe_code_in_every_other_crate() {
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("\nunsafe_code = \"forbid\"\n"));
    for member in MEMBERS {
        let lints = if member.name == EXEC.name {
            "\nunsafe_code = \"deny\"\n"
        } else {
            "[lints]\nworkspace = true\n"
        };
        assert!(read(member.manifest).contains(lints), "{} has other lints", member.name);
    }
}

#[test]
fn every_member_of_the_workspace_is_tested_here() {
    let manifest = read("Cargo.toml");
    let members = r#"members = ["crates/graph", "crates/exec", "crates/autograd"]"#;
    assert!(manifest.contains(members), "a new crate needs its arrows asserted above");
}

/// The page that lists the files of an op, and the folder that need not speak of it.
const ADDING: &str = "docs/adding-an-op.md";
const LATER: &str = "tests/fixtures";

#[test]
fn an_op_is_written_in_the_files_that_the_page_lists() {
    let page = read(ADDING);
    let example = page.split("`Unary::").nth(1).and_then(|rest| rest.split('`').next()).expect("an example");
    let steps = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| step"));
    let cells = steps.filter_map(|line| line.split('|').nth(2));
    let listed: BTreeSet<String> =
        cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
    let sources = ["crates", "tests", "docs"].into_iter().flat_map(|folder| files(Path::new(folder)));
    let speaks = |path: &PathBuf| read(path).to_lowercase().contains(&example.to_lowercase());
    let found: BTreeSet<String> = sources
        .chain([PathBuf::from("CHANGELOG.md")])
        .filter(|path| path != Path::new(ADDING) && !path.starts_with(LATER) && speaks(path))
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(listed, found, "left: what {ADDING} lists for {example}; right: what speaks of it");
    assert!(listed.len() <= 9, "an op takes {} files", listed.len());
}
