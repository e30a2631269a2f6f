//! Redirections: where an answer sends the next request, and what that one is (RFC 9110, section 15.4).

use super::target::Target;
use fluent_uri::{Uri, UriRef};
use http::header::{self, HeaderMap, HeaderName};
use http::{Method, StatusCode};

/// Fields that are for one origin's eyes.
const CREDENTIALS: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, header::PROXY_AUTHORIZATION];
/// Fields that tell of a body.
const OF_BODY: [HeaderName; 5] = [
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CONTENT_LANGUAGE,
    header::CONTENT_LOCATION,
    header::CONTENT_LENGTH,
];

/// What is asked next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// The answer is the last one.
    Stay,
    /// The same request goes elsewhere.
    Again,
    /// A request without body goes elsewhere, by that method.
    Get(Method),
}

/// What an answer with that status to that method says about the next request.
pub fn next(status: StatusCode, method: &Method) -> Next {
    let without = |method: &Method| match *method {
        Method::HEAD => Next::Get(Method::HEAD),
        _ => Next::Get(Method::GET),
    };
    match status.as_u16() {
        303 => without(method),
        // What all clients do, and the standard allows.
        301 | 302 if *method == Method::POST => without(method),
        301 | 302 | 307 | 308 => Next::Again,
        _ => Next::Stay,
    }
}

/// Where `location` leads from `from`; says why it leads nowhere.
pub fn follow(from: &Target, location: &str) -> Result<Target, String> {
    let refused = |why: &str| format!("redirects to {location}, which cannot be asked: {why}");
    let base = from.url();
    let resolved = match (Uri::parse(base.as_str()), UriRef::parse(location)) {
        (Ok(base), Ok(reference)) => reference.resolve_against(&base).map_err(|e| refused(&e.to_string()))?,
        (Err(error), _) | (_, Err(error)) => return Err(refused(&error.to_string())),
    };
    let target = Target::parse(resolved.as_str()).map_err(refused)?;
    if from.origin.is_tls && !target.origin.is_tls {
        return Err(refused("it would leave TLS"));
    }
    Ok(target)
}

/// Takes out what another origin must not see.
pub fn drop_credentials(fields: &mut HeaderMap) {
    for name in CREDENTIALS {
        fields.remove(name);
    }
    // A host of the program's own choice was for the first request.
    fields.remove(header::HOST);
}

/// Takes out what told of a body.
pub fn drop_body(fields: &mut HeaderMap) {
    for name in OF_BODY {
        fields.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_change_or_stay() {
        let status = |code| StatusCode::from_u16(code).expect("a status");
        let cases = [
            (303, Method::PUT, Next::Get(Method::GET)),
            (303, Method::HEAD, Next::Get(Method::HEAD)),
            (301, Method::POST, Next::Get(Method::GET)),
            (302, Method::PUT, Next::Again),
            (302, Method::GET, Next::Again),
            (307, Method::POST, Next::Again),
            (308, Method::POST, Next::Again),
            (304, Method::GET, Next::Stay),
            (300, Method::GET, Next::Stay),
            (200, Method::GET, Next::Stay),
        ];
        for (code, method, expected) in cases {
            assert_eq!(next(status(code), &method), expected, "{code} {method}");
        }
    }

    #[test]
    fn locations_are_resolved() {
        let from = |url| Target::parse(url).expect("a URL");
        let cases = [
            ("http://a/b/c?d", "../e", Ok("http://a/e")),
            ("http://a/b", "//c:81/d", Ok("http://c:81/d")),
            ("http://a/b", "https://c/", Ok("https://c/")),
            ("https://a/b", "http://a/", Err("leave TLS")),
            ("http://a/b", "ftp://a/", Err("begins with http")),
            ("http://a/b", "http://u:p@a/", Err("user name")),
            ("http://a/b", "a b", Err("cannot be asked")),
        ];
        for (base, location, expected) in cases {
            match (follow(&from(base), location), expected) {
                (Ok(target), Ok(url)) => assert_eq!(target.url(), url),
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (other, _) => panic!("{base} {location}: {other:?}"),
            }
        }
    }
}
