//! URLs of upstreams.
//!
//! In: text. Out: where to connect and what to ask for, or why it cannot be asked.

use http::Uri;
use http::uri::PathAndQuery;

/// Where a request goes: what two URLs share that may know each other's credentials (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `https`
    pub is_tls: bool,
    /// A name in lower case or an address, without brackets.
    pub host: String,
    /// 80 or 443 unless the URL says another one.
    pub port: u16,
}

/// A URL taken apart.
#[derive(Clone, Debug)]
pub struct Target {
    uri: Uri,
    /// Where it leads.
    pub origin: Origin,
}

impl Target {
    /// Takes a URL apart; says why it is none that can be asked.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url.parse().map_err(|_| match url.is_ascii() {
            true => "it is not a URL",
            false => "a URL is ASCII; `url.encode` makes its parts so",
        })?;
        let is_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err("a URL begins with http:// or https://"),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("a URL must not hold a user name or password; send an authorization header");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err("it names no host");
        }
        // `Authority::port` has none where it is no number.
        let port = match authority.as_str().strip_prefix(authority.host()).unwrap_or("").strip_prefix(':') {
            Some(port) if !port.is_empty() => {
                port.parse().map_err(|_| "its port is not a number up to 65535")?
            }
            _ if is_tls => 443,
            _ => 80,
        };
        Ok(Self { origin: Origin { is_tls, host, port }, uri })
    }

    /// The URL, without fragment.
    pub fn url(&self) -> String {
        self.uri.to_string()
    }

    /// What the request's `host` field says.
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// What the request line asks for.
    pub fn path(&self) -> &str {
        self.uri.path_and_query().map_or("/", PathAndQuery::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let cases = [
            ("http://Example.COM", false, "example.com", 80, "/"),
            ("https://a.b/c?d#e", true, "a.b", 443, "/c?d"),
            ("http://[::1]:8080/x", false, "::1", 8080, "/x"),
        ];
        for (url, is_tls, host, port, path) in cases {
            let target = Target::parse(url).expect(url);
            assert_eq!(target.origin, Origin { is_tls, host: host.to_owned(), port }, "{url}");
            assert_eq!(target.path(), path, "{url}");
        }
        assert_eq!(Target::parse("https://a.b/c?d#e").expect("a URL").url(), "https://a.b/c?d");
    }

    #[test]
    fn what_cannot_be_asked_is_told() {
        let cases = [
            ("", "not a URL"),
            ("/events", "begins with http"),
            ("ftp://localhost/", "begins with http"),
            ("http://user:secret@localhost/", "user name"),
            ("http://local host/", "not a URL"),
            ("http://a:99999/", "port"),
            ("http://ü/", "ASCII"),
        ];
        for (url, why) in cases {
            let error = Target::parse(url).expect_err(url);
            assert!(error.contains(why), "{url}: {error}");
        }
    }
}
