//! A part of a list of named things: those with a text, in some order, those after one, so many. Stable while others come and
//! go, because it goes on by name and not by counting; and what the questions for such parts have in common. Knows not what
//! is in the list.

use super::error::Problem;
use serde::Deserialize;
use shared::DeviceName;
use std::cmp::Ordering;
use std::fmt::Display;
use utoipa::{IntoParams, ToSchema};

/// Most of one answer, where a limit is asked for.
const MOST: u32 = 1000;

/// Which part. Without a limit it is all of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// Only those with this text in name, serial or location, in whatever case.
    q: Option<String>,
    /// Only those at this location.
    location: Option<String>,
    /// In which order; by name if absent.
    #[param(inline)]
    order: Option<Order>,
    /// Only those after this one: `next` of the answer before, which was in the same order.
    after: Option<String>,
    /// At most so many, 1 to 1000; all if absent.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

/// In which order: `-` is the other way round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Order {
    /// pi-2 before pi-10.
    #[default]
    #[serde(rename = "name")]
    Name,
    /// pi-10 before pi-2.
    #[serde(rename = "-name")]
    NameDown,
    /// By location, and at one by name; those without a location first.
    #[serde(rename = "location")]
    Location,
    /// The other way round.
    #[serde(rename = "-location")]
    LocationDown,
}

/// What is looked at of one thing of the list.
#[derive(Clone, Copy)]
pub struct Looks<'a> {
    /// Its name.
    pub name: &'a str,
    /// Where it stands.
    pub location: Option<&'a str>,
    /// The serial of its board.
    pub serial: Option<&'a str>,
}

impl Order {
    fn is_by_location(self) -> bool {
        matches!(self, Self::Location | Self::LocationDown)
    }

    fn compare(self, a: Looks<'_>, b: Looks<'_>) -> Ordering {
        let by_name = place(a.name).cmp(&place(b.name));
        let by_location = a.location.unwrap_or_default().cmp(b.location.unwrap_or_default());
        let up = if self.is_by_location() { by_location.then(by_name) } else { by_name };
        if matches!(self, Self::NameDown | Self::LocationDown) { up.reverse() } else { up }
    }

    /// Where a list goes on after this one. No name has a `/`.
    fn cursor(self, Looks { name, location, .. }: Looks<'_>) -> String {
        if self.is_by_location() { format!("{}/{name}", location.unwrap_or_default()) } else { name.to_owned() }
    }

    /// Reads it back.
    fn place_of(self, cursor: &str) -> Result<Looks<'_>, Problem> {
        if !self.is_by_location() {
            return Ok(Looks { name: cursor, location: None, serial: None });
        }
        let parts = cursor.rsplit_once('/');
        let (location, name) =
            parts.ok_or_else(|| Problem::invalid("after", "it is not the `next` of an answer in this order"))?;
        Ok(Looks { name, location: Some(location), serial: None })
    }
}

impl Page {
    /// The part of a list, and where it goes on; none at the end.
    ///
    /// # Errors
    /// When it is asked for more than is given, or to go on from where no answer ended.
    pub fn of<T>(self, list: Vec<T>, looks: impl Fn(&T) -> Looks<'_>) -> Result<(Vec<T>, Option<String>), Problem> {
        let limit = self.limit.map(|limit| within("limit", limit, MOST)).transpose()?;
        let order = self.order.unwrap_or_default();
        let after = self.after.as_deref().map(|cursor| order.place_of(cursor)).transpose()?;
        let text = self.q.as_ref().map(|text| text.to_lowercase());
        let has = |part: Option<&str>, text: &str| part.is_some_and(|part| part.to_lowercase().contains(text));
        let wanted = |thing: &T| {
            let seen = looks(thing);
            let found =
                |text: &String| [Some(seen.name), seen.location, seen.serial].into_iter().any(|part| has(part, text));
            text.as_ref().is_none_or(found)
                && self.location.as_deref().is_none_or(|wanted| seen.location == Some(wanted))
                && after.is_none_or(|after| order.compare(seen, after) == Ordering::Greater)
        };
        let mut part: Vec<T> = list.into_iter().filter(wanted).collect();
        part.sort_by(|a, b| order.compare(looks(a), looks(b)));
        let limit = limit.map_or(usize::MAX, |limit| limit as usize);
        let is_more = part.len() > limit;
        part.truncate(limit);
        let next = part.last().filter(|_| is_more).map(|last| order.cursor(looks(last)));
        Ok((part, next))
    }
}

/// A number of a request that lies between 1 and the most that is given.
///
/// # Errors
/// Names the field.
pub fn within<N: Copy + PartialOrd + From<u8> + Display>(field: &str, value: N, most: N) -> Result<N, Problem> {
    if (N::from(1)..=most).contains(&value) {
        return Ok(value);
    }
    Err(Problem::invalid(field, format!("{value} is not between 1 and {most}")))
}

/// A time that begins before it ends, as far as either is said.
///
/// # Errors
/// Names the field.
pub fn in_order(from: Option<i64>, to: Option<i64>) -> Result<(), Problem> {
    match (from, to) {
        (Some(from), Some(to)) if from >= to => Err(Problem::invalid("from", "it must be before `to`")),
        _ => Ok(()),
    }
}

/// Where a name stands: pi-2 before pi-10, as in every list of devices.
pub(super) fn place(name: &str) -> (Option<u32>, &str) {
    let number = name.parse::<DeviceName>().ok().and_then(|name| name.number());
    (number, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 5] = ["tambak", "pi-1", "pi-2", "pi-10", "pi-11"];

    fn part(page: Page, names: &[&'static str]) -> (Vec<&'static str>, Option<String>) {
        let part = page.of(names.to_vec(), |name| Looks {
            name,
            location: Some(if name.ends_with('1') { "Kolam 1" } else { "Kolam 2" }),
            serial: Some("10000000A3C40011"),
        });
        part.unwrap()
    }

    #[test]
    fn a_list_is_walked_page_by_page_although_others_come_and_go() {
        let page = |after: Option<&str>| Page { limit: Some(2), after: after.map(str::to_owned), ..Page::default() };
        assert_eq!(part(page(None), &NAMES), (vec!["tambak", "pi-1"], Some("pi-1".to_owned())));
        let without = ["tambak", "pi-2", "pi-3", "pi-10", "pi-11"];
        assert_eq!(part(page(Some("pi-1")), &without), (vec!["pi-2", "pi-3"], Some("pi-3".to_owned())));
        assert_eq!(part(page(Some("pi-3")), &NAMES), (vec!["pi-10", "pi-11"], None));
        assert_eq!(part(Page::default(), &NAMES), (NAMES.to_vec(), None), "all, if nothing is said");
    }

    #[test]
    fn every_order_is_walked_page_by_page_with_every_name_once() {
        let walk = |order: Order| {
            let (mut seen, mut after) = (vec![], None);
            loop {
                let page = Page { order: Some(order), limit: Some(2), after, ..Page::default() };
                let (names, next) = part(page, &NAMES);
                seen.extend(names);
                if next.is_none() {
                    return seen;
                }
                after = next;
            }
        };
        assert_eq!(walk(Order::Name), NAMES);
        assert_eq!(walk(Order::NameDown), ["pi-11", "pi-10", "pi-2", "pi-1", "tambak"]);
        assert_eq!(walk(Order::Location), ["pi-1", "pi-11", "tambak", "pi-2", "pi-10"]);
        assert_eq!(walk(Order::LocationDown), ["pi-10", "pi-2", "tambak", "pi-11", "pi-1"]);
    }

    #[test]
    fn where_no_answer_ended_none_goes_on() {
        let page = Page { order: Some(Order::Location), after: Some("pi-1".to_owned()), ..Page::default() };
        assert!(page.of(vec![()], |()| Looks { name: "pi-2", location: None, serial: None }).is_err());
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_too_much_is_refused() {
        let page = |q: &str| Page { q: Some(q.to_owned()), ..Page::default() };
        assert_eq!(part(page("KOLAM 1"), &NAMES).0, ["pi-1", "pi-11"]);
        assert_eq!(part(page("a3c4"), &NAMES).0.len(), 5);
        let at = Page { location: Some("Kolam 2".to_owned()), ..Page::default() };
        assert_eq!(part(at, &NAMES).0, ["tambak", "pi-2", "pi-10"]);
        for limit in [0, MOST + 1] {
            let page = Page { limit: Some(limit), ..Page::default() };
            assert!(page.of(vec![()], |()| Looks { name: "", location: None, serial: None }).is_err());
        }
    }
}
