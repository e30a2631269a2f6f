//! The table of diagnostic codes: what `weir explain` shows.
//!
//! Each pass keeps its own table of [`Code`]s (this crate's is [`SYNTAX`], `E01xx`); a code is never reused.

/// One diagnostic code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Such as `E0101`.
    pub code: &'static str,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why it is a mistake and how to mend it, with an example; plain text.
    pub explanation: &'static str,
}

/// The codes of this crate, in order.
pub const SYNTAX: &[Code] = &[
    Code {
        code: "E0101",
        title: "something else was expected",
        explanation: "The program breaks off where the grammar wants something else. The message says what could have stood \
there and what was found.\n\n    let x = * 2        # expected an expression, found `*`\n    let x = 3 * 2\n\nStatements end \
at the end of the line. A line goes on inside open brackets, behind an operator, and where the next line starts with `.` or an \
operator other than `-`.",
    },
    Code {
        code: "E0102",
        title: "a bracket is never closed",
        explanation: "An opening bracket has no partner. The message points at the opening bracket and at the place where its \
partner was expected; with several candidates, the indentation tells which one is meant.\n\n    print(join(xs, \", \")\n    \
print(join(xs, \", \"))",
    },
    Code {
        code: "E0103",
        title: "a bracket closes nothing",
        explanation: "A closing bracket has no opening one before it, or one of another kind.\n\n    fn f() {\n      1\n    }\n    }            # closes nothing",
    },
    Code {
        code: "E0104",
        title: "a text or an interpolation is not closed",
        explanation: "A text in double quotes ends on the line it starts on, and so does every interpolation in it. A text over \
several lines stands in triple quotes and loses the indentation its lines have in common.\n\n    let a = \"one line\"\n    let b = \
\"\"\"\n      two\n      lines\n      \"\"\"\n\nA brace itself is written `\\{`.",
    },
    Code {
        code: "E0105",
        title: "not an escape",
        explanation: "A backslash in a text starts one of these escapes: \\n \\t \\r \\\" \\\\ \\{ \\} \\u{1F30A}. A raw text, \
r\"...\", has no escapes and no interpolations: r\"C:\\new\".",
    },
    Code {
        code: "E0106",
        title: "not a number",
        explanation: "Whole numbers are written 42, 1_000_000, 0xff or 0b1010 and have 64 bits. Durations carry a unit: 10ns, \
5us, 250ms, 5s, 10m, 2h, 1d. Sizes are numbers: 64kb is 65536; kb, mb, gb and tb are powers of 1024. Neither takes a fraction: \
write 1500ms for one and a half seconds.",
    },
    Code {
        code: "E0107",
        title: "a character that the language does not use",
        explanation: "Outside of texts and comments a program is made of ASCII letters, digits and the marks of the language. \
Texts are written with straight double quotes.",
    },
    Code {
        code: "E0108",
        title: "a name is not spelled as names are",
        explanation: "Values and functions have kebab-case names, `get-stream`; types have CamelCase names, `Request`. A hyphen \
joins when a letter follows it directly: `n-1` is a subtraction. No name contains or starts with an underscore; `_` alone stands \
for a value that is not used.",
    },
    Code {
        code: "E0109",
        title: "a reserved word is used as a name",
        explanation: "Some words are part of the language or kept for it, and cannot be names: and as assert break continue \
defer else fail false fn for if in let loop match not or pub return route test true type use var while yield.\n\n    let type = \
\"a\"      # no\n    let kind = \"a\"",
    },
    Code {
        code: "E0110",
        title: "comparisons do not chain",
        explanation: "The result of a comparison is a Bool, which is not compared any further.\n\n    if 0 < x < 10 { }        \
# no\n    if 0 < x and x < 10 { }\n\nTo compare two Bools, use parentheses: (a < b) == (c < d).",
    },
    Code {
        code: "E0111",
        title: "`=` in a condition",
        explanation: "`=` assigns, `==` compares. An assignment is a statement and has no value, so it cannot be a condition.\n\n    \
if x = 3 { }         # no\n    if x == 3 { }",
    },
    Code {
        code: "E0112",
        title: "a spelling of another language",
        explanation: "There is one spelling for each construct:\n\n    and, or, not         (not &&, ||, !)\n    fn                   \
(not function, def, fun)\n    let, var             (not const, let mut)\n    else if              (not elif)\n    x = x + 1            \
(not x += 1, x++)\n    None                 (not null, nil)\n    if c { a } else { b }  (not c ? a : b)\n    \"text\"               \
(not 'text', f\"text\")\n    # comment            (not //, /* */)\n    x.pow(y)             (not x ** y)\n    x.shift-left(n)      \
(not x << n)\n    true                 (not True)\n    List[Int]            (not List<Int>)\n    for i in 0..n { }    (not for (let i = 0; i < n; i++) { })",
    },
    Code {
        code: "E0113",
        title: "a block is expected",
        explanation: "What follows the head of `if`, `else`, `match`, `for`, `while`, `loop`, `defer`, `test` and `fn` is a block in braces, and its `{` \
stands on the line of the head. Indentation means nothing, and no `:` starts a block.\n\n    if ready {\n      go()\n    }",
    },
    Code {
        code: "E0114",
        title: "`let` or `var` without a value",
        explanation: "Every name has a value from the start; there is no null it could have instead.\n\n    var count        # no\n    \
var count = 0\n\nWhere the value depends on something, use an expression: let size = if big { 10 } else { 1 }.",
    },
    Code {
        code: "E0115",
        title: "a comma is missing",
        explanation: "Arguments, list items, parameters and fields are separated by commas, also when each stands on a line of \
its own. A comma after the last one is allowed. Arms of a `match` are separated by a new line or a comma.",
    },
    Code {
        code: "E0116",
        title: "the wrong arrow",
        explanation: "`=>` stands in front of a value, in lambdas and in the arms of a `match`: x => x + 1. `->` stands in front of \
a result type: fn f(x: Int) -> Int. A function with a short body is written fn f(x) = x + 1.",
    },
    Code {
        code: "E0117",
        title: "not part of the language yet",
        explanation: "The language will have it, and this version does not. Until then the message names another way where there \
is one.",
    },
    Code {
        code: "E0118",
        title: "nested too deeply",
        explanation: "Brackets nest up to 256 levels, and a single expression has a few hundred operators, calls and `else if`s in a \
row. Give parts of the expression a name with `let`, put them into functions, or keep the parts in a list and join or fold it.",
    },
    Code {
        code: "E0119",
        title: "an empty interpolation",
        explanation: "`{` in a text starts an expression, whose value becomes part of the text. Braces themselves are written `\\{` \
and `\\}`: \"\\{\\}\".",
    },
    Code {
        code: "E0120",
        title: "`native` outside of the standard library",
        explanation: "`native` binds a declaration to a function or type of the runtime. Only the standard library does so; a program \
calls its functions.",
    },
    Code {
        code: "E0121",
        title: "a statement where a value is expected",
        explanation: "Assignments, `let` and `assert` have no value. As the result of an arm or lambda they stand in a block:\n\n    \
match x {\n      0 => return\n      n => { total = total + n }\n    }\n\n`return`, `break`, `continue`, `fail` and `yield` may stand there \
as they are, and behind `??`.",
    },
    Code {
        code: "E0122",
        title: "an interpolation or a Float in a pattern",
        explanation: "A text in a pattern is compared as it is written. To compare with a computed one, bind a name and add a guard:\n\n    \
match word {\n      w if w == \"{prefix}-end\" => stop()\n      _ => go()\n    }\n\nA Float is seldom exactly another one; compare it in a guard too, as in `x if x < 1.5 => ...`.",
    },
    Code {
        code: "E0123",
        title: "a declaration inside a block",
        explanation: "Functions and types are declared at the top level of a file. Inside a block, bind a lambda:\n\n    let double = x \
=> x * 2",
    },
    Code {
        code: "E0124",
        title: "`var` where it cannot stand",
        explanation: "A lambda changes no variable of its caller; what it computes, it gives back:\n\n    xs.map(x => x + 1)\n\n\
A function can, by a first parameter `var self`. What other modules see is bound by `pub let`.",
    },
    Code {
        code: "E0125",
        title: "not a format",
        explanation: "Behind the colon of an interpolation stands how its value is written: \
`[[fill]align][+][0][width][,][.precision][kind]`. Each part may be left out; their order is fixed.\n\n    \
\"{x:.2}\"      two digits behind the point\n    \"{name:<10}\"  at least 10 characters, at the left; `>` at the right, `^` in the \
middle\n    \"{t:*^20}\"    filled up with stars\n    \"{n:+}\"       with a sign also when it is positive\n    \
\"{n:05}\"      zeros between the sign and the digits\n    \"{n:,}\"       thousands separated\n    \
\"{n:x}\"       hexadecimal; `X` in capitals, `b` binary, `o` octal\n    \"{x:.3e}\"     with an exponent",
    },
];
