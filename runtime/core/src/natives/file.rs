//! The native that answers with a file.
//!
//! The file is opened when the script asks, so that it knows what came of it; what of the file is sent is decided when the script has
//! ended (`service::file`), for it may still change status and headers.

use super::response::{answer, check_value, finish};
use super::{Flow, PLAIN};
use crate::heap::Word;
use crate::media_types::media_type;
use crate::opening::{Absence, Opened, open};
use crate::scope::Scope;
use crate::value::{Gives, Handle, Own, Response, Text};
use crate::waiting::on_pool;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use weir_abi::layout::response;
use weir_abi::trap::Trap;
use weir_http::proto::date::http_date;

/// A response that sends the file at `path`, below `root` unless that is empty, with that content type unless it is empty; 404
/// or 403 where there is none to be had.
pub fn file_response(scope: &mut Scope, path: Text, root: Text, content_type: Text) -> Result<Flow, Trap> {
    check_value("Content-Type", content_type.as_str())?;
    let path = PathBuf::from(path.as_str());
    let root = (root.len() > 0).then(|| PathBuf::from(root.as_str()));
    let content_type = match content_type.as_str() {
        "" => media_type(&path).to_owned(),
        given => given.to_owned(),
    };
    let held = path.as_os_str().len();
    let job = move || open(&path, root.as_deref().map(Path::new));
    on_pool(scope, held, job, move |scope, result| match result {
        Ok(opened) => Ok(sending(scope, opened, &content_type)?.into_word()),
        Err(Absence::Missing) => absent(scope, 404, "Not Found\n"),
        Err(Absence::Forbidden) => absent(scope, 403, "Forbidden\n"),
        Err(Absence::Failed(why)) => {
            scope.fail::<()>("io", why);
            Ok(0)
        }
    })
}

fn sending(scope: &mut Scope, opened: Opened, content_type: &str) -> Result<Own<Response>, Trap> {
    let (etag, modified) = (etag(&opened), http_date(opened.modified));
    let fields = [
        ["Content-Type", content_type],
        ["Accept-Ranges", "bytes"],
        ["ETag", &etag],
        ["Last-Modified", &modified],
    ];
    let handle = scope.opened(opened)?;
    let headers = scope.text_list(fields.as_flattened().iter().copied());
    let made = headers
        .map_err(Trap::from)
        .and_then(|headers| finish(scope, 200, response::KIND_FILE, Some(headers), handle.get().word()));
    if made.is_err() {
        scope.give_up(handle);
    }
    made
}

/// An entity tag of what a file system knows: another size, or a change at another time, are other contents.
fn etag(opened: &Opened) -> String {
    let since = opened.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("\"{:x}-{:x}\"", since.as_nanos(), opened.size)
}

/// What a client is told that asks for what it cannot have.
fn absent(scope: &mut Scope, status: u16, text: &str) -> Result<Word, Trap> {
    let text = scope.text(text)?;
    Ok(answer(scope, status.into(), text, PLAIN)?.into_word())
}
