//! The public items of all crates, for tests of what is written about them.
//! Sources are read as text, so that what macros write is seen as well.

#![allow(dead_code, reason = "not every test that has this module needs all of it")]

use std::path::{Path, PathBuf};

const CRATES: &str = "crates";

/// The builders that macros write, by the macro that holds their template.
const TEMPLATES: [&str; 4] = ["unary_builders", "compare_builders", "scatter_builders", "reducing_builders"];

/// A public item with what is written about it.
pub(crate) struct Item {
    pub(crate) location: String,
    /// `Expr::sum`, or `grad` for a free function.
    pub(crate) name: String,
    pub(crate) kind: String,
    /// The lines of the documentation, without their slashes.
    pub(crate) doc: Vec<String>,
    /// The other names by which a search finds it.
    pub(crate) aliases: Vec<String>,
    /// From the name to the body.
    pub(crate) signature: String,
}

impl Item {
    /// Whether it is a function that builds an expression.
    pub(crate) fn is_builder(&self) -> bool {
        let Some((_, result)) = self.signature.rsplit_once("->") else { return false };
        let owned = ["Expr", "Masked", "At", "Graph"].map(|owner| format!("{owner}::"));
        let location = !self.name.contains("::") || owned.iter().any(|owner| self.name.starts_with(owner));
        let builds = ["Expr<", "Masked<", "At<", "::Gradients"].iter().any(|built| result.contains(built));
        self.kind == "fn" && location && builds
    }

    /// Whether the documentation holds a Rust example that asserts something.
    pub(crate) fn has_example(&self) -> bool {
        let mut fence: Option<bool> = None;
        for line in &self.doc {
            fence = match (line.trim().strip_prefix("```"), fence) {
                (Some(info), None) => Some(info.is_empty() || info == "rust"),
                (Some(_), Some(_)) => None,
                (None, Some(true)) if line.contains("assert") => return true,
                (None, open) => open,
            };
        }
        false
    }
}

/// All public items of all crates.
pub(crate) fn public_items() -> Vec<Item> {
    rust_files(Path::new(CRATES)).iter().flat_map(|path| items_of(path)).collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("tests run in the package's directory");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable directory").path()).collect();
    paths.sort();
    let is_source =
        |path: &Path| path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs");
    let inside = |path: PathBuf| match path.is_dir() {
        true => rust_files(&path),
        false => Some(path).into_iter().filter(|path| is_source(path)).collect(),
    };
    paths.into_iter().flat_map(inside).collect()
}

/// What the reader knows when it comes to a line.
#[derive(Default)]
struct Reader {
    /// The type whose `impl` is open.
    owner: Option<String>,
    /// The macro whose definition is open.
    defined: Option<String>,
    /// The macro whose call is open.
    called: Option<String>,
    /// Whether a private module inside of the file is open.
    private: bool,
    /// Whether an attribute of several lines is open.
    attribute: bool,
    /// The documentation so far of the item to come.
    doc: Vec<String>,
    /// Its other names so far.
    aliases: Vec<String>,
    /// The functions with a name for a placeholder, by the macro that writes them.
    templates: Vec<(String, Item)>,
    items: Vec<Item>,
}

fn items_of(path: &Path) -> Vec<Item> {
    let text = std::fs::read_to_string(path).expect("a readable source");
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let mut reader = Reader::default();
    for (i, line) in lines.iter().enumerate() {
        reader.read(&format!("{}:{}", path.display(), i + 1), line, &lines[i..]);
    }
    reader.items
}

impl Reader {
    fn read(&mut self, location: &str, line: &str, rest: &[&str]) {
        let code = line.trim();
        if let Some(doc) = doc_of(code) {
            self.doc.push(doc);
            return;
        }
        if code.starts_with("#[") || code.starts_with("$(#[") {
            self.attribute = !code.ends_with([']', '*']);
            self.aliases.extend(aliases_of(code));
            return;
        }
        if self.attribute {
            self.attribute = !code.ends_with(")]");
            return;
        }
        let doc = std::mem::take(&mut self.doc);
        let aliases = std::mem::take(&mut self.aliases);
        if line == "}" || line == ");" {
            (self.owner, self.defined, self.called, self.private) = (None, None, None, false);
        } else if let Some(name) = code.strip_prefix("macro_rules! ") {
            let name = until(name, " {");
            // An exported macro has its documentation above the attribute.
            if rest.len() > 1 && !doc.is_empty() && !TEMPLATES.contains(&name) {
                let item = self.item(location, "macro", name, doc, String::new());
                self.items.push(Item { aliases, ..item });
            }
            self.defined = Some(name.to_owned());
        } else if let Some(name) = line.strip_suffix("! {") {
            self.called = Some(name.to_owned());
        } else if line.starts_with("mod ") && line.ends_with('{') {
            self.private = true;
        } else if line.starts_with("impl") || code.starts_with("impl") && self.defined.is_some() {
            self.owner = owner_of(code);
        } else if let Some((kind, name)) = public(code).filter(|_| !self.private) {
            let signature = until(&rest.join(" "), " {").to_owned();
            let item = Item { aliases, ..self.item(location, kind, name, doc, signature) };
            match self.defined.clone().filter(|_| name.starts_with('$')) {
                Some(defined) => self.templates.push((defined, item)),
                None => self.items.push(item),
            }
        } else if self.called.as_deref().is_some_and(|name| TEMPLATES.contains(&name)) {
            self.row(location, code, doc, aliases);
        }
    }

    /// A row of a macro's call: the names of builders that it writes.
    fn row(&mut self, location: &str, code: &str, doc: Vec<String>, aliases: Vec<String>) {
        let names: Vec<&str> = match (code.split_once(" => "), code.strip_suffix(';')) {
            (Some((name, _)), Some(_)) => vec![name],
            (None, Some(list)) => list.split(", ").collect(),
            _ => {
                (self.doc, self.aliases) = (doc, aliases);
                return;
            }
        };
        let called = self.called.clone();
        let written: Vec<Item> = (self.templates.iter())
            .filter(|(name, _)| Some(name) == called.as_ref())
            .zip(names)
            .map(|((_, template), name)| Item {
                location: location.to_owned(),
                name: format!("Expr::{name}"),
                kind: template.kind.clone(),
                doc: doc.iter().chain(&template.doc).cloned().collect(),
                aliases: aliases.clone(),
                signature: template.signature.clone(),
            })
            .collect();
        self.items.extend(written);
    }

    fn item(&self, location: &str, kind: &str, name: &str, doc: Vec<String>, signature: String) -> Item {
        let name = self.owner.as_ref().map_or(name.to_owned(), |owner| format!("{owner}::{name}"));
        let (location, kind) = (location.to_owned(), kind.to_owned());
        Item { location, name, kind, doc, aliases: Vec::new(), signature }
    }
}

/// A line of documentation, written as a comment or as an attribute.
fn doc_of(code: &str) -> Option<String> {
    let attribute = code.strip_prefix("#[doc = ").map(|doc| doc.trim_end_matches(']'));
    code.strip_prefix("///").or(attribute).map(str::to_owned)
}

/// The names in `#[doc(alias("…", "…"))]`.
fn aliases_of(code: &str) -> impl Iterator<Item = String> {
    let list = code.strip_prefix("#[doc(alias(").unwrap_or_default();
    list.split('"').skip(1).step_by(2).map(str::to_owned)
}

/// The kind and the name of a public item.
fn public(code: &str) -> Option<(&str, &str)> {
    let code = code.strip_prefix("pub ")?;
    let code = code.strip_prefix("const fn").map_or(code, |rest| &code[code.len() - rest.len() - 2..]);
    let (kind, rest) = code.split_once(' ')?;
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
    ["fn", "struct", "enum", "trait", "const", "type", "static"]
        .contains(&kind)
        .then_some((kind, &rest[..end]))
}

/// The type of an `impl`, without its parameters: of a trait, what it is for.
fn owner_of(code: &str) -> Option<String> {
    let head = until(code, " {");
    let name = head.rsplit(" for ").next()?.rsplit(' ').next()?;
    Some(until(name, "<").trim_start_matches("impl").to_owned())
}

pub(crate) fn until<'t>(text: &'t str, end: &str) -> &'t str {
    text.split(end).next().unwrap_or_default()
}
