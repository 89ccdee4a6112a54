//! The list of everything public, `docs/surface.txt`, against the sources: whoever
//! changes what users see changes the list, and sees it in the diff.
//!
//! Sources are read as text, and need the layout that rustfmt gives them. What a
//! macro writes is listed as the macro has it, and each call with what it fills in.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

const LIST: &str = "docs/surface.txt";

/// The crates of the workspace, users' first.
const CRATES: [(&str, &str); 4] = [
    ("tamis", "crates/tamis/src"),
    ("tamis-autograd", "crates/autograd/src"),
    ("tamis-exec", "crates/exec/src"),
    ("tamis-graph", "crates/graph/src"),
];

/// What says more about an item than its head.
const ATTRIBUTES: [&str; 4] = ["#[derive", "#[non_exhaustive", "#[deprecated", "#[cfg("];

/// An item as it is written: its attributes, what precedes its body, and its body.
struct Item<'t> {
    attributes: Vec<&'t str>,
    head: String,
    body: &'t str,
}

impl Item<'_> {
    fn is_public(&self) -> bool {
        self.head.starts_with("pub ") || self.head.starts_with("$(#[$attribute])* pub ")
    }

    fn is_of_tests(&self) -> bool {
        self.attributes.iter().any(|attribute| attribute.starts_with("#[cfg(test"))
    }

    /// The word after `pub`, `const` and `unsafe`, and what follows it.
    fn kind(&self) -> (&str, &str) {
        let mut rest = self.head.trim_start_matches("pub ");
        if rest.starts_with("const fn ") {
            rest = rest.trim_start_matches("const ");
        }
        rest.split_once(' ').unwrap_or((rest, ""))
    }

    fn attributes(&self) -> String {
        let shown = |attribute: &&&str| ATTRIBUTES.iter().any(|shown| attribute.starts_with(shown));
        self.attributes.iter().filter(shown).map(|attribute| format!(" {}", in_one_line(attribute))).collect()
    }
}

fn in_one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    [("( ", "("), (" )", ")"), (",)", ")"), ("{ }", "{}"), ("[ ", "["), (" ]", "]"), (",]", "]")]
        .into_iter()
        .fold(words, |text, (from, to)| text.replace(from, to))
}

/// A source without its comments and what its strings and characters hold.
fn without_comments(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    for line in source.lines() {
        let mut chars = line.char_indices().peekable();
        let mut in_string = false;
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if in_string => {
                    chars.next();
                    continue;
                }
                '"' => in_string = !in_string,
                '/' if !in_string && line[at..].starts_with("//") => break,
                '\'' if !in_string && line[at + 1..].chars().nth(1) == Some('\'') => {
                    chars.nth(1);
                    continue;
                }
                '\'' if !in_string && line[at..].starts_with("'\\") => {
                    chars.nth(2);
                    continue;
                }
                _ if in_string => continue,
                _ => {}
            }
            code.push(c);
        }
        code.push('\n');
    }
    code
}

/// Where the bracket that opens at the start of `text` is closed.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    let end = text.char_indices().find(|(_, c)| {
        depth += i32::from("([{".contains(*c)) - i32::from(")]}".contains(*c));
        depth == 0
    });
    end.map_or(text.len(), |(at, c)| at + c.len_utf8())
}

/// The items of a file, or those inside of a body. `separator` ends an item without body.
fn items(mut text: &str, separator: char) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    let mut attributes = Vec::new();
    loop {
        text = text.trim_start_matches(|c: char| c.is_whitespace() || c == separator || c == ';');
        if text.is_empty() {
            return items;
        }
        if text.starts_with("#[") || text.starts_with("#![") {
            let end = closing(&text[text.find('[').unwrap_or(0)..]) + text.find('[').unwrap_or(0);
            attributes.push(&text[..end]);
            text = &text[end..];
            continue;
        }
        let (head, body, rest) = item(text, separator);
        items.push(Item { attributes: std::mem::take(&mut attributes), head: in_one_line(head), body });
        text = rest;
    }
}

/// An item that starts here: its head, its body and what follows it.
fn item(text: &str, separator: char) -> (&str, &str, &str) {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '{' => {
                let end = at + closing(&text[at..]);
                return (&text[..at], &text[at + 1..end.max(at + 2) - 1], &text[end..]);
            }
            '(' | '[' => at += closing(&text[at..]),
            _ if c == separator => return (&text[..at], "", &text[at..]),
            _ => at += c.len_utf8(),
        }
    }
    (text, "", "")
}

/// The name at the start of a text.
fn name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || "_$".contains(c))).unwrap_or(text.len());
    &text[..end]
}

/// What an `impl` is of, without parameters: the trait, if any, and the type.
fn parties(head: &str) -> (Option<&str>, &str) {
    let after = head.trim_start_matches("impl");
    let after = match after.starts_with('<') {
        true => after.split_once("> ").map_or(after, |(_, rest)| rest),
        false => after,
    };
    let last = |path: &str| path.split(['<', ' ']).next().unwrap_or_default().len();
    let short = |path| name_of_path(&path[..last(path)]);
    match after.trim().split_once(" for ") {
        Some((of, ty)) => (Some(short(of.trim())), short(ty.trim().trim_start_matches('&'))),
        None => (None, short(after.trim())),
    }
}

fn name_of_path(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// What is listed of a crate.
struct Lister {
    /// Traits and types that are not public.
    hidden: BTreeSet<String>,
    /// Macros that write what is public.
    macros: BTreeSet<String>,
    lines: BTreeSet<String>,
}

impl Lister {
    fn list(&mut self, text: &str) {
        for item in items(text, ';').iter().filter(|item| !item.is_of_tests()) {
            let (kind, rest) = item.kind();
            match kind {
                "impl" => self.list_impl(item),
                kind if kind.starts_with("impl<") => self.list_impl(item),
                "macro_rules!" => self.list_macro(item),
                "use" if item.is_public() => self.list_use(rest, item.body),
                "struct" | "enum" | "trait" if item.is_public() => self.list_type(item, kind),
                "mod" if item.is_public() => {
                    self.lines.insert(format!("{}{}", item.head, item.attributes()));
                    self.list(item.body);
                }
                "fn" | "const" | "static" | "type" if item.is_public() => {
                    self.lines.insert(format!("{}{}", item.head, item.attributes()));
                }
                _ => self.list_call(item),
            }
        }
    }

    fn list_use(&mut self, path: &str, names: &str) {
        let mut names: Vec<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if names.is_empty() {
            names.push("");
        }
        self.lines.extend(names.iter().map(|name| format!("pub use {path}{name}")));
    }

    fn list_type(&mut self, item: &Item<'_>, kind: &str) {
        // Private fields of a tuple are nobody's business.
        let head = match item.head.split_once('(') {
            Some((head, fields)) if kind == "struct" && !fields.starts_with("pub ") => format!("{head}(_)"),
            _ => item.head.clone(),
        };
        let owner = name(item.kind().1);
        self.lines.insert(format!("{head}{}", item.attributes()));
        for inner in items(item.body, if kind == "trait" { ';' } else { ',' }) {
            let body = if inner.body.is_empty() {
                String::new()
            } else {
                format!(" {{ {} }}", in_one_line(inner.body))
            };
            let line = match kind {
                "struct" if inner.is_public() => inner.head.trim_start_matches("pub ").to_owned(),
                "struct" => continue,
                "enum" => format!("{}{body}", inner.head),
                _ => inner.head.clone(),
            };
            self.lines.insert(format!("pub {kind} {owner}: {line}"));
        }
    }

    fn list_impl(&mut self, item: &Item<'_>) {
        let (of, ty) = parties(&item.head);
        if self.hidden.contains(ty) || of.is_some_and(|of| self.hidden.contains(of)) {
            return;
        }
        if of.is_some() {
            self.lines.insert(item.head.clone());
            return;
        }
        for inner in items(item.body, ';').iter().filter(|inner| inner.is_public()) {
            let line = inner.head.trim_start_matches("$(#[$attribute])* ");
            self.lines.insert(format!("{ty}: {line}{}", inner.attributes()));
        }
    }

    /// What a macro writes, with its placeholders.
    fn list_macro(&mut self, item: &Item<'_>) {
        let name = name(item.kind().1);
        if item.attributes.iter().any(|attribute| attribute.starts_with("#[macro_export")) {
            self.lines.insert(format!("{name}!"));
            return;
        }
        let lines: Vec<&str> = item.body.lines().map(str::trim).collect();
        for (at, line) in lines.iter().enumerate() {
            let of_public = match line.strip_prefix("impl") {
                Some(_) => {
                    let (of, ty) = parties(line);
                    of.is_some_and(|of| !self.hidden.contains(of)) && !self.hidden.contains(ty)
                }
                None => line.starts_with("pub fn") || line.starts_with("pub const fn"),
            };
            if of_public {
                let head = in_one_line(&lines[at..].join(" "));
                let head = head.split_once(" {").map_or(head.as_str(), |(head, _)| head);
                self.lines.insert(format!("{name}! writes {head}"));
                self.macros.insert(name.to_owned());
            }
        }
    }

    /// What the call of a macro fills in.
    fn list_call(&mut self, item: &Item<'_>) {
        let Some((name, arguments)) = item.head.split_once('!') else { return };
        if !self.macros.contains(name) {
            return;
        }
        if item.body.is_empty() {
            self.lines.insert(format!("{name}!{arguments}"));
        }
        let rows = items(item.body, ';');
        self.lines.extend(rows.iter().map(|row| format!("{name}! {}", without_attribute(&row.head))));
    }
}

/// A row of a call without the attribute that stands in it.
fn without_attribute(row: &str) -> String {
    let Some((before, rest)) = row.split_once("#[") else { return row.to_owned() };
    let after = rest.split_once("] ").map_or("", |(_, after)| after);
    format!("{before}{after}")
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).expect("tests run in the package's directory");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable directory").path()).collect();
    paths.sort();
    paths.retain(|path| !path.ends_with("tests") && !path.ends_with("tests.rs"));
    let inside = |path: PathBuf| match path.is_dir() {
        true => rust_files(&path),
        false => {
            Some(path).into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
        }
    };
    paths.into_iter().flat_map(inside).collect()
}

/// Traits and types of a source that are public, or that are not.
fn types(text: &str, is_public: bool) -> impl Iterator<Item = String> {
    let lines = text.lines().map(str::trim).filter(move |line| line.starts_with("pub ") == is_public);
    let code = lines.map(|line| {
        ["pub ", "pub(crate) ", "pub(super) "].iter().find_map(|head| line.strip_prefix(head)).unwrap_or(line)
    });
    let named = code.filter_map(|line| {
        ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| line.strip_prefix(kind))
    });
    named.map(|rest| name(rest).to_owned())
}

fn surface() -> String {
    let read = |path: &PathBuf| without_comments(&std::fs::read_to_string(path).expect("a readable source"));
    let sources_of = |directory| rust_files(Path::new(directory)).iter().map(read).collect::<Vec<String>>();
    let crates = CRATES.map(|(name, directory)| (name, sources_of(directory)));
    let all = crates.iter().flat_map(|(_, sources)| sources);
    let public: BTreeSet<String> = all.flat_map(|source| types(source, true)).collect();
    let mut text = String::new();
    for (crate_name, sources) in &crates {
        // A private type may have the name of a public one of another crate.
        let private = sources.iter().flat_map(|source| types(source, false));
        let hidden = private.filter(|name| !public.contains(name)).chain(["Drop".to_owned()]).collect();
        let mut lister = Lister { hidden, macros: BTreeSet::new(), lines: BTreeSet::new() };
        for source in sources.iter().chain(sources) {
            // Twice, since a macro may be called in an earlier file than that which defines it.
            lister.list(source);
        }
        writeln!(text, "# {crate_name}\n").expect("a string takes everything");
        lister.lines.iter().for_each(|line| writeln!(text, "{line}").expect("a string takes everything"));
        text.push('\n');
    }
    text
}

#[test]
fn the_list_of_the_surface_is_that_of_the_sources() {
    let found = surface();
    if std::env::var_os("TAMIS_SURFACE").is_some_and(|word| word == "write") {
        std::fs::write(LIST, &found).expect("the list can be written");
    }
    let listed = std::fs::read_to_string(LIST).unwrap_or_default();
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (listed.lines().collect(), found.lines().collect());
    let gone: Vec<String> = old.difference(&new).map(|line| format!("- {line}")).collect();
    let added: Vec<String> = new.difference(&old).map(|line| format!("+ {line}")).collect();
    assert!(
        listed == found,
        "users see other items than {LIST} says:\n{}\nif that is meant, `TAMIS_SURFACE=write cargo test --test \
         surface` writes the list",
        [gone, added].concat().join("\n")
    );
}
