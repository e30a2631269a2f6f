//! What the optimiser makes of typical programs: which operations are there no more.

use super::source::ir_of;

/// How often a word of the printed form occurs.
fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

#[test]
fn a_tuple_that_stays_is_two_variables() {
    let text = ir_of(
        "fn fibonacci(n: Int) -> Int {\n  var pair = (0, 1)\n  for _ in 0..n {\n    let (a, b) = pair\n    \
         pair = (b, a + b)\n  }\n  let (a, _) = pair\n  a\n}\nprint(fibonacci(30))\nprint(fibonacci(9))",
        "main",
    );
    assert_eq!(count(&text, "new "), 0, "{text}");
}

#[test]
fn an_option_that_is_asked_at_once_is_not_made() {
    let text = ir_of(
        "fn at(xs: List[Int], i: Int) -> Int = match xs.get(i) {\n  Some(x) => x\n  None => -1\n}\n\
         print(at([1, 2], 1))",
        "main",
    );
    assert_eq!(count(&text, "new box"), 0, "{text}");
    assert_eq!(count(&text, "is-none"), 0, "{text}");
}

#[test]
fn an_index_below_the_length_is_not_checked() {
    let text = ir_of(
        "fn sum(xs: List[Int]) -> Int {\n  var all = 0\n  for i in 0..xs.len() { all = all + xs[i] * xs[i] }\n  all\n}\n\
         print(sum([1, 2]))",
        "main",
    );
    assert_eq!(count(&text, "get unchecked"), 1, "{text}");
    assert_eq!(count(&text, " get "), 1, "{text}");
}

#[test]
fn a_counter_below_something_steps() {
    let text = ir_of("var i = 0\nwhile i < 9 { i = i + 1 }\nprint(i)", "main");
    assert_eq!((count(&text, "step"), count(&text, "add")), (1, 0), "{text}");
}

#[test]
fn a_text_joined_to_itself_grows() {
    let text = ir_of("var s = \"\"\nfor i in 0..9 { s = \"{s}{i},\" }\nprint(s)", "main");
    assert_eq!((count(&text, "append"), count(&text, "concat")), (1, 0), "{text}");
}

#[test]
fn changes_of_one_element_take_it_once() {
    let text = ir_of(
        "type P = { x: Int, y: Int }\nfn move(var all: List[P], i: Int) {\n  all[i].x = all[i].x + 1\n  \
         all[i].y = all[i].y + 2\n}\nvar all = [P(1, 2), P(3, 4)]\nfor i in 0..all.len() { all.move(i) }\nprint(all)",
        "main",
    );
    assert_eq!((count(&text, "take"), count(&text, "unique")), (1, 2), "{text}");
}
