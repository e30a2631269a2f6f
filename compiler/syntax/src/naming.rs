//! How names are spelled: values and functions in kebab-case, types in CamelCase.

/// `getStream`, `get_stream`, `HTTPServer`, `MAX_SIZE` as kebab-case names; empty when no name is left.
pub fn kebab_case(name: &str) -> String {
    let bytes = name.as_bytes();
    let mut out = String::with_capacity(name.len() + 4);
    for (index, &byte) in bytes.iter().enumerate() {
        let lower_before =
            index > 0 && (bytes[index - 1].is_ascii_lowercase() || bytes[index - 1].is_ascii_digit());
        let upper_before = index > 0 && bytes[index - 1].is_ascii_uppercase();
        let lower_after = bytes.get(index + 1).is_some_and(u8::is_ascii_lowercase);
        match byte {
            b'_' | b'-' => {
                // A hyphen joins only in front of a letter.
                if !out.is_empty()
                    && bytes.get(index + 1).is_some_and(u8::is_ascii_alphabetic)
                    && !out.ends_with('-')
                {
                    out.push('-');
                }
            }
            _ => {
                if byte.is_ascii_uppercase()
                    && (lower_before || upper_before && lower_after)
                    && !out.is_empty()
                    && !out.ends_with('-')
                {
                    out.push('-');
                }
                out.push(char::from(byte.to_ascii_lowercase()));
            }
        }
    }
    if out.starts_with(|c: char| c.is_ascii_digit()) { String::new() } else { out }
}

/// Whether a text is a name in kebab-case: a small letter, then letters, digits, and hyphens in front of letters.
pub fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes.iter().enumerate().all(|(at, byte)| match byte {
            b'-' => bytes.get(at + 1).is_some_and(u8::is_ascii_alphabetic),
            _ => byte.is_ascii_alphanumeric(),
        })
}

/// `user_name`, `user-name`, `USER_NAME`, `user` as CamelCase names.
pub fn camel_case(name: &str) -> String {
    let shouting = !name.bytes().any(|b| b.is_ascii_lowercase());
    let mut out = String::with_capacity(name.len());
    for part in name.split(['_', '-']).filter(|part| !part.is_empty()) {
        let (first, rest) = part.split_at(1);
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(&if shouting { rest.to_ascii_lowercase() } else { rest.to_string() });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{camel_case, kebab_case};

    #[test]
    fn names_change_their_case() {
        for (name, kebab) in [
            ("getStream", "get-stream"),
            ("get_stream", "get-stream"),
            ("HTTPServer", "http-server"),
            ("MAX_SIZE", "max-size"),
            ("sha_256", "sha256"),
            ("_x", "x"),
            ("_", ""),
        ] {
            assert_eq!(kebab_case(name), kebab);
        }
        assert_eq!(camel_case("user_name"), "UserName");
        assert_eq!(camel_case("MAX_SIZE"), "MaxSize");
        assert_eq!(camel_case("user-name"), "UserName");
    }
}
