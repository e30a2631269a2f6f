//! Natives of `answer.weir`, and `fetch`, `get-stream` and `post-stream` of `prelude.weir`.

use super::stream::lines_of;
use super::{BINARY, Flow, PLAIN};
use crate::client::{Asking, Head, Order, ReplyBody, Terms, Upload};
use crate::failure::{BAD_GATEWAY, Failure};
use crate::heap::Word;
use crate::limits::Limits;
use crate::scope::{Operation, Scope};
use crate::stream::{BytesOf, UpstreamPieces, readable};
use crate::value::{Bytes as Data, Gives, List, Own, Resource, Stream, Text};
use bytes::{Bytes, BytesMut};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use weir_abi::trap::Trap;
use weir_abi::types::{TypeDesc, TypeId};

/// What the library's functions say: `texts` is URL, method, content type, then names and values of fields in turn; `terms`
/// is a timeout in nanoseconds where it is above 0, the number of redirections, and whether only public addresses are asked.
fn order(limits: &Limits, items: Option<&Upload>, texts: List, content: Data, terms: List) -> Order {
    let mut texts = texts.texts().map(|text| text.as_str().to_owned());
    let mut next = || texts.next().unwrap_or_default();
    let (url, method, mut media_type) = (next(), next(), next());
    if let Some(upload) = items {
        media_type = if upload.is_lines() { PLAIN } else { BINARY }.to_owned();
    }
    let mut fields = Vec::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        fields.push((name, value));
    }
    let term = |at: usize| terms.words().get(at).map_or(0, |word| *word as i64);
    let terms = Terms {
        connect: Duration::from_millis(limits.connect_timeout as u64),
        first_byte: Duration::from_millis(limits.first_byte_timeout as u64),
        timeout: u64::try_from(term(0)).ok().filter(|nanos| *nanos > 0).map(Duration::from_nanos),
        redirects: u32::try_from(term(1)).unwrap_or(0),
        public_only: term(2) != 0,
    };
    Order { url, method, fields, media_type, content: Bytes::copy_from_slice(content.as_bytes()), terms }
}

/// The body that the items of a stream are.
fn upload(scope: &mut Scope, item: TypeId, items: Option<Own<Stream>>) -> Result<Option<Upload>, Trap> {
    let Some(items) = items else { return Ok(None) };
    let is_lines = matches!(scope.type_desc(item), TypeDesc::Text);
    Ok(Some(Upload::new(scope.take_stream(items)?, is_lines)))
}

/// Asks an upstream and gives its answer; `None` with a recorded failure when there is none.
pub fn fetch_ask(
    scope: &mut Scope,
    item: TypeId,
    texts: List,
    content: Data,
    items: Option<Own<Stream>>,
    terms: List,
) -> Result<Flow, Trap> {
    let upload = upload(scope, item, items)?;
    let order = order(scope.app().limits(), upload.as_ref(), texts, content, terms);
    let asking = Asking::new(order, upload, scope)?;
    scope.pending = Some(Box::new(Ask(asking)));
    Ok(Flow::Wait)
}

/// An upstream that is asked.
struct Ask(Asking);

impl Operation for Ask {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        Poll::Ready(match ready!(self.0.poll(scope, cx)) {
            Ok(body) => scope.answer(body).map(Gives::into_word).map_err(Trap::from),
            Err(failure) => scope.record(failure),
        })
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        self.0.close(scope);
    }
}

/// The lines of what an upstream answers, which is asked at the first pull.
pub fn fetch_lines(
    scope: &mut Scope,
    item: TypeId,
    texts: List,
    content: Data,
    items: Option<Own<Stream>>,
    terms: List,
) -> Result<Own<Stream>, Trap> {
    let upload = upload(scope, item, items)?;
    let order = order(scope.app().limits(), upload.as_ref(), texts, content, terms);
    let pieces = UpstreamPieces::of_order(order, upload);
    lines_of(scope, pieces)
}

/// The status.
pub fn answer_status(scope: &mut Scope, answer: Resource) -> i64 {
    scope.answer_head(answer).status.as_u16().into()
}

/// The URL that answered.
pub fn answer_url(scope: &mut Scope, answer: Resource) -> Result<Own<Text>, Trap> {
    let head = scope.answer_head(answer);
    Ok(scope.text(&head.url)?)
}

/// The headers.
pub fn answer_headers(scope: &mut Scope, answer: Resource) -> Result<Own<Resource>, Trap> {
    let head = scope.answer_head(answer);
    Ok(scope.fields(head)?)
}

/// The failure of a second reader.
fn read_before() -> Failure {
    Failure::of_kind("failed", "the body of the answer was read before")
}

/// The lines of the body.
pub fn answer_lines(scope: &mut Scope, answer: Resource) -> Result<Own<Stream>, Trap> {
    let pieces = match scope.take_answer(answer) {
        None => UpstreamPieces::failed(read_before()),
        Some(mut body) => match readable(body.head()) {
            Ok(()) => UpstreamPieces::of_body(body),
            Err(failure) => {
                body.close(scope);
                UpstreamPieces::failed(failure)
            }
        },
    };
    lines_of(scope, pieces)
}

/// The bytes of the body as they come.
pub fn answer_chunks(scope: &mut Scope, answer: Resource) -> Result<Own<Stream>, Trap> {
    let pieces = match scope.take_answer(answer) {
        None => UpstreamPieces::failed(read_before()),
        Some(body) => UpstreamPieces::of_body(body),
    };
    Ok(scope.stream(Box::new(BytesOf::new(pieces)))?)
}

/// The body as text; `None` with a recorded failure when it is not UTF-8, too long or breaks off.
pub fn answer_text(scope: &mut Scope, answer: Resource) -> Result<Flow, Trap> {
    collect(scope, answer, true)
}

/// The body; `None` with a recorded failure when it is too long or breaks off.
pub fn answer_bytes(scope: &mut Scope, answer: Resource) -> Result<Flow, Trap> {
    collect(scope, answer, false)
}

fn collect(scope: &mut Scope, answer: Resource, is_text: bool) -> Result<Flow, Trap> {
    let Some(body) = scope.take_answer(answer) else { return scope.record(read_before()).map(Flow::Done) };
    let head = Rc::clone(body.head());
    scope.pending =
        Some(Box::new(Collect { body, head, is_text, first: None, more: BytesMut::new(), held: 0 }));
    Ok(Flow::Wait)
}

/// A body that is read whole.
struct Collect {
    body: ReplyBody,
    head: Rc<Head>,
    is_text: bool,
    /// The only piece so far.
    first: Option<Bytes>,
    /// All, once there were two.
    more: BytesMut,
    /// What is charged to the heap for both.
    held: usize,
}

impl Collect {
    fn add(&mut self, scope: &mut Scope, piece: Bytes) -> Result<(), Failure> {
        if scope.heap_mut().charge(piece.len()).is_err() {
            let url = &self.head.url;
            let message = format!("the answer of {url} is longer than the heap has room for");
            return Err(Failure::new(BAD_GATEWAY, message).with_kind("limit"));
        }
        self.held += piece.len();
        if self.first.is_none() && self.more.is_empty() {
            self.first = Some(piece);
            return Ok(());
        }
        if let Some(first) = self.first.take() {
            self.more.extend_from_slice(&first);
        }
        self.more.extend_from_slice(&piece);
        Ok(())
    }

    fn done(&mut self, scope: &mut Scope) -> Result<Word, Trap> {
        let bytes = match self.first.take() {
            Some(only) => only,
            None => std::mem::take(&mut self.more).freeze(),
        };
        if self.is_text {
            let refused = readable(&self.head).err().or_else(|| {
                let error = std::str::from_utf8(&bytes).err()?;
                let (url, at) = (&self.head.url, error.valid_up_to());
                let message = format!("byte {at} of the answer of {url} is not UTF-8");
                Some(Failure::new(BAD_GATEWAY, message).with_kind("invalid"))
            });
            if let Some(failure) = refused {
                return scope.record(failure);
            }
        }
        Ok(scope.kept_bytes(bytes)?.into_word())
    }
}

impl Operation for Collect {
    fn poll(&mut self, scope: &mut Scope, cx: &mut Context<'_>) -> Poll<Result<Word, Trap>> {
        let end = loop {
            match ready!(self.body.poll_piece(scope, cx)) {
                Ok(Some(piece)) => {
                    if let Err(failure) = self.add(scope, piece) {
                        break Err(failure);
                    }
                }
                Ok(None) => break Ok(()),
                Err(failure) => break Err(failure),
            }
        };
        self.body.close(scope);
        scope.heap_mut().uncharge(std::mem::take(&mut self.held));
        Poll::Ready(match end {
            Ok(()) => self.done(scope),
            Err(failure) => scope.record(failure),
        })
    }

    fn close(mut self: Box<Self>, scope: &mut Scope) {
        scope.heap_mut().uncharge(self.held);
        self.body.close(scope);
    }
}
