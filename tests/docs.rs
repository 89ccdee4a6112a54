//! Every public item is documented, every builder of an op shows itself in an
//! example that runs, and every link of a page leads somewhere.

mod sources;

use std::path::{Path, PathBuf};

use sources::{Item, public_items, until};

fn list(items: &[&Item]) -> String {
    items.iter().map(|item| format!("\n  {} {} ({})", item.kind, item.name, item.location)).collect()
}

#[test]
fn every_public_item_is_documented() {
    let items = public_items();
    let bare: Vec<&Item> = items.iter().filter(|item| item.doc.is_empty()).collect();
    println!("{} public items, {} without documentation", items.len(), bare.len());
    assert!(items.len() > 300, "the source is read: {} items", items.len());
    assert!(bare.is_empty(), "{} public items are not documented:{}", bare.len(), list(&bare));
}

#[test]
fn every_builder_has_an_example_that_asserts() {
    let items = public_items();
    let builders: Vec<&Item> = items.iter().filter(|item| item.is_builder()).collect();
    let bare: Vec<&Item> = builders.iter().copied().filter(|item| !item.has_example()).collect();
    println!("{} builders, {} without an example", builders.len(), bare.len());
    assert!(builders.len() > 150, "the source is read: {} builders", builders.len());
    assert!(bare.is_empty(), "{} builders have no example that asserts:{}", bare.len(), list(&bare));
}

/// The pages that people read, from the root of the package.
fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir("docs").expect("the pages are in `docs`");
    let mut pages: Vec<PathBuf> = docs.map(|entry| entry.expect("a readable directory").path()).collect();
    pages.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(PathBuf::from));
    pages.sort();
    pages
}

/// The anchors of a page's headings: lower case, words joined by `-`.
fn anchors(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap_or_default();
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        words
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .collect::<String>()
            .replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let (mut count, mut broken) = (0, Vec::new());
    for page in pages() {
        let text = std::fs::read_to_string(&page).expect("a readable page");
        for link in text.split("](").skip(1).map(|rest| until(rest, ")")) {
            if link.starts_with("http") {
                continue;
            }
            count += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap_or(Path::new("")).join(file),
            };
            let found =
                target.exists() && (anchor.is_empty() || anchors(&target).iter().any(|a| a == anchor));
            if !found {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    println!("{count} links");
    assert!(broken.is_empty(), "links that lead nowhere:\n  {}", broken.join("\n  "));
}
