//! Rules of style that no compiler knows, for every source file of the repository.

use std::{fs, path::Path};
use xtask::prepare::root;

/// More is two rooms in one.
const MOST_LINES: usize = 400;

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    const NOT_OURS: [&str; 5] = ["target", "node_modules", "dist", ".git", ".tirta"];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) {
                sources(&path, found);
            }
        } else if [".rs", ".ts", ".svelte", ".sql", ".toml"].iter().any(|end| name.ends_with(end)) {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root()).unwrap().to_string_lossy().into_owned(), text));
        }
    }
}

/// The files of which `is_bad` is true.
fn bad(ending: &str, is_bad: impl Fn(&str, &str) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    sources(&root(), &mut all);
    assert!(all.iter().any(|(name, _)| name == "xtask/tests/repository/tidy.rs"), "the repository is looked through");
    all.retain(|(name, text)| name.ends_with(ending) && is_bad(name, text));
    all.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn every_rust_file_opens_by_saying_what_it_owns() {
    assert_eq!(bad(".rs", |_, text| !text.starts_with("//! ")), Vec::<String>::new());
}

#[test]
fn no_file_is_longer_than_a_person_reads() {
    // Tests may be long, and nobody reads the dashboard's generated types: the OpenAPI document is their text.
    let exempt = |name: &str| ["/tests/", "/e2e/", "schema.d.ts"].iter().any(|part| name.contains(part));
    assert_eq!(bad("", |name, text| !exempt(name) && text.lines().count() > MOST_LINES), Vec::<String>::new());
}

#[test]
fn nothing_is_left_for_later_in_a_comment() {
    // In two parts, so that this file is none of them.
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    assert_eq!(bad("", |_, text| words.iter().any(|word| text.contains(word))), Vec::<String>::new());
}

#[test]
fn no_file_has_white_space_at_the_end_of_a_line_or_tabs() {
    let untidy = |text: &str| text.lines().any(|line| line.ends_with(' ') || line.contains('\t'));
    assert_eq!(bad("", |_, text| untidy(text) || !text.ends_with('\n')), Vec::<String>::new());
}
