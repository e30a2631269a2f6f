//! Golden programs: a Weir program whose comments say how it is run and what comes out.
//!
//! Lines that begin with `#:` say how, anywhere in the file:
//!
//! ```text
//! #: args one two        arguments of the program
//! #: stdin a\nb\n        its standard input; \n \r \t \\ are escapes
//! #: command check --emit ir     `weir check --emit ir FILE` instead of `weir FILE`
//! #: get /path?query     serves the program and asks; one line per request, in order
//! #: head /path          likewise with HEAD
//! #: post /path TYPE BODY    likewise with POST, a Content-Type (`-` for none) and a body with escapes as in `stdin`
//! #: copies              tells how many objects were copied to be changed
//! #: contains TEXT       standard output must contain it; then no `#>` is compared
//! #: lacks TEXT          standard output must not contain it; likewise
//! #: file lib/a.weir     what follows, up to the next such line, is another file beside the program
//! ```
//!
//! The program runs without its expectation, from a copy in a scratch directory under the same name, so that neither
//! positions nor the source lines under diagnostics depend on what is expected.
//!
//! The end of the file is the expectation, in this order; `bless` rewrites it:
//!
//! ```text
//! #> a line of standard output, or of a response
//! #! a line of standard error; the time of a line of the log is written TIME
//! #= exit 1              where the exit code is not 0
//! ```
//!
//! A response is its status and Content-Type, then each chunk (or the sized body) as a quoted text, then `cut` where the
//! body did not come to its end.

use super::client::{Client, Response};
use super::weir_process::{Launch, Output, finish, weir};
use std::fs;
use std::path::Path;

/// A program and what it expects.
pub struct Golden {
    /// The program without its expectation.
    program: String,
    /// Further files: their names and texts.
    files: Vec<(String, String)>,
    /// The expectation's lines.
    expected: Vec<String>,
    /// The `#:` lines, without the mark.
    directives: Vec<String>,
}

impl Golden {
    /// Splits a file's text.
    pub fn parse(text: &str) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let cut = lines.iter().rposition(|l| !is_expectation(l)).map_or(0, |i| i + 1);
        let directives =
            lines[..cut].iter().filter_map(|l| l.strip_prefix("#: ")).map(str::to_owned).collect();
        let mut texts = vec![(String::new(), String::new())];
        for line in &lines[..cut] {
            match line.strip_prefix("#: file ") {
                Some(name) => texts.push((name.trim().to_owned(), String::new())),
                None => texts.last_mut().expect("the program is there").1.extend([line, "\n"]),
            }
        }
        let mut files = texts.into_iter().map(|(name, text)| (name, format!("{}\n", text.trim_end())));
        let (_, program) = files.next().expect("the program is there");
        let files = files.collect();
        Self {
            program,
            files,
            expected: lines[cut..].iter().map(|l| l.trim_end().to_owned()).collect(),
            directives,
        }
    }

    /// The rest of every directive that begins with `word`.
    fn directive<'a>(&'a self, word: &'a str) -> impl Iterator<Item = &'a str> {
        self.directives.iter().filter_map(move |d| match d.split_once(' ') {
            Some((first, rest)) => (first == word).then_some(rest),
            None => (d == word).then_some(""),
        })
    }

    /// Runs the program as `name` below `scratch` and gives the lines it should have expected.
    fn run(&self, scratch: &Path, name: &str) -> Result<Vec<String>, String> {
        let path = scratch.join(name);
        fs::create_dir_all(path.parent().expect("the name is relative")).map_err(|e| e.to_string())?;
        fs::write(&path, &self.program).map_err(|e| format!("{}: {e}", path.display()))?;
        let folder = path.parent().expect("the name is relative");
        for (name, text) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("the name is relative")).map_err(|e| e.to_string())?;
            fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        let stdin: String = self.directive("stdin").map(unescape).collect();
        let words = self.directives.iter().filter_map(|d| d.split_once(' '));
        let requests: Vec<(&str, &str)> =
            words.filter(|(word, _)| matches!(*word, "get" | "head" | "post")).collect();
        let output = if requests.is_empty() {
            self.run_command(scratch, name, &stdin)
        } else {
            serve(scratch, name, &stdin, &requests)
        };
        self.check_contents(&output.stdout)?;
        let loose = self.directive("contains").chain(self.directive("lacks")).next().is_some();
        let mut lines = Vec::new();
        if !loose {
            lines.extend(output.stdout.lines().map(|l| mark("#>", l)));
        }
        lines.extend(output.stderr.lines().map(|l| mark("#!", &without_time(&without_depth(l)))));
        if output.code != 0 {
            lines.push(format!("#= exit {}", output.code));
        }
        Ok(lines)
    }

    fn run_command(&self, dir: &Path, name: &str, stdin: &str) -> Output {
        let mut args: Vec<&str> = Vec::new();
        for command in self.directive("command") {
            args.extend(command.split_whitespace());
        }
        args.push(name);
        for list in self.directive("args") {
            args.extend(list.split_whitespace());
        }
        let mut command = weir();
        command.args(args).current_dir(dir);
        if self.directive("copies").next().is_some() {
            command.env("WEIR_SHOW_COPIES", "1");
        }
        finish(command, stdin)
    }

    fn check_contents(&self, stdout: &str) -> Result<(), String> {
        for text in self.directive("contains") {
            if !stdout.contains(text) {
                return Err(format!("standard output lacks {text:?}:\n{stdout}"));
            }
        }
        for text in self.directive("lacks") {
            if stdout.contains(text) {
                return Err(format!("standard output contains {text:?}:\n{stdout}"));
            }
        }
        Ok(())
    }
}

/// Runs the golden program `name` of `dir` in `scratch` and compares; with `bless`, rewrites its expectation instead. Gives
/// whether the file was rewritten.
pub fn check(dir: &Path, scratch: &Path, name: &str, bless: bool) -> Result<bool, String> {
    let path = dir.join(name);
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let golden = Golden::parse(&text);
    let actual = golden.run(scratch, name)?;
    if actual == golden.expected {
        return Ok(false);
    }
    if !bless {
        return Err(difference(&golden.expected, &actual));
    }
    let mut text = golden.program.clone();
    for (name, file) in &golden.files {
        text.push_str(&format!("\n#: file {name}\n{file}"));
    }
    if !actual.is_empty() {
        text.push('\n');
    }
    for line in &actual {
        text.push_str(line);
        text.push('\n');
    }
    fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(true)
}

fn is_expectation(line: &str) -> bool {
    ["#>", "#!", "#="].iter().any(|mark| line.starts_with(mark))
}

/// A line of a stack trace without the number of frames that are left out: how many fit is no part of the language.
fn without_depth(line: &str) -> String {
    match line.strip_prefix("  ... ").and_then(|rest| rest.split_once(' ')) {
        Some((count, rest)) if count.parse::<u64>().is_ok() => format!("  ... many {rest}"),
        _ => line.to_owned(),
    }
}

fn mark(mark: &str, line: &str) -> String {
    format!("{mark} {line}").trim_end().to_owned()
}

/// Serves the program, asks the requests one after the other and writes the responses down.
fn serve(dir: &Path, name: &str, stdin: &str, requests: &[(&str, &str)]) -> Output {
    let launch = Launch::new(&[name, "--log-format", "off"]).dir(dir).piped_stdin();
    let mut server = match launch.try_start() {
        Ok(server) => server,
        Err(output) => return output,
    };
    let mut input = server.stdin.take().expect("the launch asked for a pipe");
    // A program that never reads its input may leave it: a failing write is then right.
    let _ = std::io::Write::write_all(&mut input, stdin.as_bytes());
    drop(input);
    let mut stdout = String::new();
    for (method, target) in requests {
        let mut client = server.connect();
        match *method {
            "post" => post(&mut client, target),
            _ => client.request(&method.to_uppercase(), target, ""),
        }
        let response = if *method == "head" { client.response_to_head() } else { client.response() };
        write_response(&response, &mut stdout);
    }
    Output { code: 0, stdout, stderr: String::new() }
}

/// A line of the log with `TIME` for when it was written.
fn without_time(line: &str) -> String {
    let is_time = |word: &str| word.len() == 24 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    match line.split_once(' ') {
        Some((time, rest)) if time.is_ascii() && is_time(time) => format!("TIME {rest}"),
        _ => line.to_owned(),
    }
}

/// Sends what stands behind `post`.
fn post(client: &mut Client, words: &str) {
    let mut words = words.splitn(3, ' ');
    let (target, kind) = (words.next().unwrap_or("/"), words.next().unwrap_or("-"));
    let body = unescape(words.next().unwrap_or(""));
    let kind = if kind == "-" { String::new() } else { format!("Content-Type: {kind}\r\n") };
    client.request("POST", target, &format!("{kind}Content-Length: {}\r\n", body.len()));
    client.send(body);
}

fn write_response(response: &Response, out: &mut String) {
    let kind = response.head.field("content-type").map_or(String::new(), |t| format!(" {t}"));
    out.push_str(&format!("{}{kind}\n", response.status()));
    for field in ["location", "allow"] {
        if let Some(value) = response.head.field(field) {
            out.push_str(&format!("{field}: {value}\n"));
        }
    }
    for piece in response.pieces.iter().filter(|p| !p.is_empty()) {
        out.push_str(&format!("{piece:?}\n"));
    }
    if !response.complete {
        out.push_str("cut\n");
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            c => out.push(c),
        }
    }
    out
}

/// Both sides in full, lines that agree unmarked up to the first difference.
fn difference(expected: &[String], actual: &[String]) -> String {
    let same = expected.iter().zip(actual).take_while(|(e, a)| e == a).count();
    let mut out = String::new();
    for line in &expected[..same] {
        out.push_str(&format!("      {line}\n"));
    }
    for line in &expected[same..] {
        out.push_str(&format!("want  {line}\n"));
    }
    for line in &actual[same..] {
        out.push_str(&format!("got   {line}\n"));
    }
    out
}
