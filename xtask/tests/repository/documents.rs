//! What the documentation says of itself is so: links lead somewhere, pictures are there and are taken by a journey, the
//! guides stand in both languages and use the words of the screen.

use std::{
    fs,
    path::{Path, PathBuf},
};
use xtask::{check::documents, prepare::root};

/// Each guide in English and in Indonesian.
const GUIDES: [(&str, &str); 4] =
    [("technician", "teknisi"), ("supervisor", "supervisor"), ("admin", "admin"), ("auditor", "auditor")];

/// Before a paragraph about what is not here yet: its words are not on the screen.
const PENDING: &str = "<!-- pending:";

fn dashboard() -> PathBuf {
    root().join("server/dashboard")
}

fn guide(folder: &str, name: &str) -> String {
    fs::read_to_string(root().join("docs").join(folder).join(name).with_extension("md")).unwrap()
}

/// Without what is shown as code.
fn prose(text: &str) -> String {
    let mut code = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What stands between two marks, each time.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    text.split(from).skip(1).filter_map(|rest| rest.split_once(to)).map(|(inside, _)| inside).collect()
}

/// Links and pictures of a text that lead to a file of the repository or to another place of the text.
fn targets(text: &str) -> Vec<String> {
    let text = prose(text);
    let all = between(&text, "](", ")").into_iter().chain(between(&text, "src=\"", "\""));
    let ours = all.filter(|target| !["https:", "http:", "mailto:"].iter().any(|scheme| target.starts_with(scheme)));
    ours.map(str::to_owned).collect()
}

/// How a heading is called in an address.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|char| char.is_alphanumeric() || ['-', '_'].contains(char)).collect()
}

fn has_heading(file: &Path, wanted: &str) -> bool {
    let text = prose(&fs::read_to_string(file).unwrap());
    text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line.trim_start_matches(['#', ' '])) == wanted)
}

/// What a check finds wrong in the texts, as `file: what`.
fn wrong(check: impl Fn(&Path, &str) -> Vec<String>) -> Vec<String> {
    let all = documents().unwrap();
    assert!(all.iter().any(|(file, _)| file.ends_with("docs/guides/technician.md")), "folders are looked through");
    let named = |(file, text): (PathBuf, String)| {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        check(&file, &text).into_iter().map(move |what| format!("{name}: {what}")).collect::<Vec<_>>()
    };
    all.into_iter().flat_map(named).collect()
}

#[test]
fn every_link_and_picture_of_a_text_leads_somewhere() {
    let dead = wrong(|file, text| {
        let leads = |target: &String| {
            let (path, place) = target.split_once('#').unwrap_or((target.as_str(), ""));
            let to = if path.is_empty() { file.to_owned() } else { file.with_file_name("").join(path) };
            to.exists() && (place.is_empty() || has_heading(&to, place))
        };
        targets(text).into_iter().filter(|target| !leads(target)).collect()
    });
    assert_eq!(dead, Vec::<String>::new());
}

#[test]
fn every_picture_of_a_screen_is_taken_by_a_journey() {
    let journeys = fs::read_dir(dashboard().join("e2e")).unwrap();
    let journeys: String = journeys.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let old = wrong(|_, text| {
        let names = targets(text).into_iter().filter_map(|target| {
            let file = Path::new(&target).file_name()?.to_string_lossy().into_owned();
            let step = file.strip_suffix("-phone.png").or_else(|| file.strip_suffix("-desktop.png"))?;
            Some(step.to_owned())
        });
        names.filter(|step| !journeys.contains(&format!("info, '{step}')"))).collect()
    });
    assert_eq!(old, Vec::<String>::new());
}

#[test]
fn each_guide_has_the_same_parts_and_pictures_in_both_languages() {
    let parts = |text: &str| text.lines().filter(|line| line.starts_with("## ")).count();
    let pictures =
        |text: &str| -> Vec<String> { targets(text).into_iter().filter(|to| to.ends_with(".png")).collect() };
    for (english, indonesian) in GUIDES {
        let (en, id) = (guide("guides", english), guide("panduan", indonesian));
        assert_eq!(parts(&en), parts(&id), "parts of {english}");
        assert_eq!(pictures(&en), pictures(&id), "pictures of {english}");
    }
}

#[test]
fn what_a_guide_prints_in_bold_stands_on_the_screen_just_so() {
    for (folder, ending) in [("guides", "en.ts"), ("panduan", "id.ts")] {
        let words = fs::read_dir(dashboard().join("src/lib/i18n")).unwrap().map(|entry| entry.unwrap().path());
        let words = words.filter(|path| path.to_string_lossy().ends_with(ending));
        let words: String = words.map(|path| fs::read_to_string(path).unwrap()).collect();
        let on_screen =
            |word: &&str| ['\'', '`', '"'].iter().any(|quote| words.contains(&format!("{quote}{word}{quote}")));
        for (english, indonesian) in GUIDES {
            let name = if folder == "guides" { english } else { indonesian };
            let text = prose(&guide(folder, name));
            let there: Vec<_> = text.split("\n\n").filter(|part| !part.contains(PENDING)).collect();
            let there = there.join("\n\n");
            let bold = there.split("**").skip(1).step_by(2);
            let strange: Vec<_> = bold.filter(|word| !on_screen(word)).collect();
            assert_eq!(strange, Vec::<&str>::new(), "of {folder}/{name}.md");
        }
    }
}
