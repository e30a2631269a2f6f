//! "Did you mean ...?": the known name that is closest to a misspelt one.

/// The name of `known` closest to `wanted`, if one is close enough to be meant: within a third of the length in
/// insertions, deletions, replacements and swaps of neighbours. Of equally close ones the first wins.
///
/// A name that other languages have for a known one means that one.
pub fn closest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted_key = key(wanted);
    let elsewhere: String = wanted_key.iter().collect();
    let ours = ELSEWHERE.iter().find(|(theirs, _)| *theirs == elsewhere).map(|&(_, ours)| ours);
    let limit = (wanted_key.len() / 3).max(1);
    let mut best: Option<(usize, &'a str)> = None;
    for name in known {
        if name == wanted {
            continue;
        }
        if ours == Some(name) {
            return Some(name);
        }
        let distance = distance(&wanted_key, &key(name));
        // A one-letter name is close to every other one, which says nothing.
        if distance <= limit
            && distance < wanted_key.len().max(1)
            && best.is_none_or(|(least, _)| distance < least)
        {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// What other languages call something, as [`key`] has it, and what Weir calls it.
const ELSEWHERE: [(&str, &str); 32] = [
    ("length", "len"),
    ("size", "len"),
    ("count", "len"),
    ("append", "push"),
    ("add", "push"),
    ("extend", "concat"),
    ("includes", "contains"),
    ("has", "contains"),
    ("indexof", "find"),
    ("reduce", "fold"),
    ("every", "all"),
    ("some", "any"),
    ("where", "filter"),
    ("collect", "list"),
    ("strip", "trim"),
    ("touppercase", "upper"),
    ("uppercase", "upper"),
    ("toupper", "upper"),
    ("tolowercase", "lower"),
    ("lowercase", "lower"),
    ("tolower", "lower"),
    ("parseint", "to-int"),
    ("int", "to-int"),
    ("parsefloat", "to-float"),
    ("float", "to-float"),
    ("bytes", "to-bytes"),
    ("encode", "to-bytes"),
    ("characters", "chars"),
    ("replaceall", "replace"),
    ("sorted", "sort"),
    ("reversed", "reverse"),
    ("skip", "drop"),
];

/// What is compared: case and separators do not count, so that `getStream` means `get-stream`.
fn key(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '-' | '_')).map(|c| c.to_ascii_lowercase()).collect()
}

/// The restricted Damerau-Levenshtein distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn the_closest_name_wins() {
        let known = ["print", "println", "get-stream", "lines", "to-int"];
        assert_eq!(closest("prnit", known), Some("print"));
        assert_eq!(closest("getStream", known), Some("get-stream"));
        assert_eq!(closest("get_steam", known), Some("get-stream"));
        assert_eq!(closest("line", known), Some("lines"));
        assert_eq!(closest("toint", known), Some("to-int"));
    }

    #[test]
    fn names_of_other_languages_are_known() {
        assert_eq!(closest("length", ["lines", "len"]), Some("len"));
        assert_eq!(closest("toUpperCase", ["upper", "lower"]), Some("upper"));
        assert_eq!(closest("length", ["lines"]), None);
    }

    #[test]
    fn what_is_far_is_not_meant() {
        assert_eq!(closest("zebra", ["print", "lines"]), None);
        assert_eq!(closest("x", ["y", "z"]), None);
        assert_eq!(closest("", ["y"]), None);
    }
}
