//! What a card may and may not keep.

use super::*;

fn open(fd: i32, path: &str) -> Call {
    Call::Open { fd, path: path.into(), create: true, truncate: false }
}

fn write(fd: i32, at: u64, data: &[u8]) -> Call {
    Call::Write { fd, at: Some(at), data: data.to_vec() }
}

/// A folder, a file with 2,000 bytes, and 2,000 others over them.
fn overwritten(flushed: bool) -> Vec<Call> {
    let mut calls = vec![
        open(3, "/c/a"),
        write(3, 0, &[1; 2000]),
        Call::Sync(3),
        Call::Open { fd: 4, path: "/c".into(), create: false, truncate: false },
        Call::Sync(4),
        write(3, 0, &[2; 2000]),
    ];
    if flushed {
        calls.push(Call::Sync(3));
    }
    calls
}

fn images(calls: &[Call], lies: bool) -> Vec<Image> {
    let mut card = Card::new(Path::new("/c"), lies);
    calls.iter().for_each(|call| card.apply(call).unwrap());
    (0..500).map(|seed| card.cut(&mut Rng::with_seed(seed))).collect()
}

fn contents<'a>(images: &'a [Image], path: &str) -> Vec<Option<&'a Vec<u8>>> {
    images.iter().map(|image| image.files.get(Path::new(path))).collect()
}

#[test]
fn what_was_flushed_is_there_after_every_cut() {
    let images = images(&overwritten(true), false);
    assert!(contents(&images, "/c/a").iter().all(|found| *found == Some(&vec![2; 2000])));
}

#[test]
fn what_was_not_flushed_is_old_new_or_torn_at_sectors() {
    let images = images(&overwritten(false), false);
    let contents: Vec<_> = contents(&images, "/c/a").into_iter().flatten().collect();
    assert_eq!(contents.len(), images.len());
    assert!(contents.contains(&&vec![1; 2000]));
    assert!(contents.contains(&&vec![2; 2000]));
    let torn: Vec<_> = contents.iter().filter(|bytes| bytes.contains(&1) && bytes.contains(&2)).collect();
    assert!(torn.len() > 50, "{}", torn.len());
    for bytes in torn {
        assert!(bytes.chunks(SECTOR).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
    }
}

#[test]
fn a_card_that_lies_about_flushing_is_found_out() {
    let images = images(&overwritten(true), true);
    let contents = contents(&images, "/c/a");
    assert!(contents.contains(&None), "the name is lost");
    assert!(contents.contains(&Some(&vec![])), "the content is lost");
    assert!(contents.iter().flatten().any(|bytes| bytes.contains(&1)), "the former content is back");
}

#[test]
fn a_rename_without_flushing_the_content_first_can_leave_an_empty_file() {
    let mut calls = overwritten(true);
    let rename = Call::Rename { from: "/c/a.new".into(), to: "/c/a".into() };
    calls.extend([open(5, "/c/a.new"), write(5, 0, &[3; 100]), rename, Call::Sync(4)]);
    let found = images(&calls, false);
    assert!(contents(&found, "/c/a").contains(&Some(&vec![])));
    // And with it, it can't.
    calls.insert(calls.len() - 2, Call::Sync(5));
    let found = images(&calls, false);
    assert!(contents(&found, "/c/a").iter().all(|bytes| *bytes == Some(&vec![3; 100])));
}

#[test]
fn names_survive_in_their_order() {
    let calls = [open(3, "/c/1"), open(4, "/c/2"), Call::Remove("/c/1".into())];
    for image in images(&calls, false) {
        let names: Vec<_> = image.files.keys().map(|path| path.to_str().unwrap()).collect();
        assert!([vec![], vec!["/c/1"], vec!["/c/1", "/c/2"], vec!["/c/2"]].contains(&names), "{names:?}");
    }
}

#[test]
fn a_file_may_have_grown_without_its_content() {
    let calls = [open(3, "/c/a"), write(3, 0, &[7; 600]), write(3, 600, &[7; 600])];
    let images = images(&calls, false);
    let contents = contents(&images, "/c/a");
    assert!(contents.iter().flatten().any(|bytes| bytes.len() == 1200 && bytes.iter().all(|byte| *byte == 0)));
}

#[test]
fn a_file_that_was_never_made_means_that_something_was_overlooked() {
    let mut card = Card::new(Path::new("/c"), false);
    let call = Call::Open { fd: 3, path: "/c/a".into(), create: false, truncate: false };
    assert!(card.apply(&call).is_err());
}
