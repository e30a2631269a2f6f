//! The table of this pass's diagnostic codes: names E02xx, types E03xx, calls E04xx, patterns E05xx, routes E060x.

use weir_syntax::codes::Code;

const fn code(code: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code { code, title, explanation }
}

/// All of them, in order.
pub const CODES: &[Code] = &[
    code(
        "E0201",
        "unknown name",
        "Nothing of that name is visible here. Variables are visible from their `let` to the end of its block;\nfunctions and top-level `let`s are visible everywhere in the file.\n\n    let total = 3\n    print(totl)          # did you mean `total`?\n\nA hyphen between letters belongs to a name: `a-b` is one name, `a - b` a subtraction.",
    ),
    code(
        "E0202",
        "name bound twice",
        "A block binds a name once, so that one reading of the block tells what the name is.\n\n    let x = 1\n    let x = 2            # give one of them another name\n\nA block within the block may use the name for something else.",
    ),
    code(
        "E0203",
        "unknown type",
        "No type of that name is built in, declared in this file, or part of the standard library.\n\n    fn shout(t: String) = t.upper()     # the type is called `Text`",
    ),
    code(
        "E0204",
        "wrong number of types in brackets",
        "A generic type needs a type for each of its variables, any other type none.\n\n    fn first(xs: List) = xs[0]          # such as `List[Int]`",
    ),
    code(
        "E0205",
        "used before it is bound",
        "Top-level statements run from top to bottom. A function may stand anywhere, but when it runs, the top-level\n`let`s that it reads must have been bound.\n\n    print(limit())\n    let max-size = 10\n    fn limit() = max-size               # move the `let` above the `print`",
    ),
    code(
        "E0206",
        "top-level var in a function",
        "Functions, and with them all requests, share the top-level `let`s, which never change. A top-level `var` belongs to\nthe statements of the file alone.\n\n    var count = 0\n    fn next() = count + 1               # hand `count` over as an argument",
    ),
    code(
        "E0207",
        "assignment to a captured variable",
        "A lambda captures the values of the variables around it, not the variables: assigning to one would change nothing\noutside.\n\n    var sum = 0\n    xs.map(x => { sum = sum + x })      # for x in xs { sum = sum + x }\n\n`xs.fold(0, (sum, x) => sum + x)` builds a result step by step.",
    ),
    code(
        "E0208",
        "change of what is not a var",
        "Only a `var`, or a field or element of one, takes new values; `let`s, parameters, what a `for` binds, and functions keep\ntheirs.\n\n    let x = 1\n    x = 2                               # var x = 1\n    let xs = [1]\n    xs.push(2)                          # var xs = [1]",
    ),
    code(
        "E0209",
        "not assignable",
        "On the left of `=` stands a `var`, or a field or element of one.\n\n    user.name = \"Bo\"\n    users[0].name = \"Bo\"\n    first(users).name = \"Bo\"            # var user = first(users), then user.name = \"Bo\"",
    ),
    code(
        "E0210",
        "not offered by the module",
        "A module offers its public functions, which are called.\n\n    time.nwo()                          # did you mean `now`?\n    let f = time.now                    # time.now()",
    ),
    code(
        "E0211",
        "break or continue outside of a loop",
        "`break` and `continue` act on the innermost loop of the same function or lambda.\n\n    xs.map(x => { break })              # use a `for` loop instead of the lambda",
    ),
    code(
        "E0212",
        "return outside of a function",
        "The statements of a file are no function and give nothing.\n\n    return 3                            # put the statements into a function",
    ),
    code(
        "E0213",
        "type defined by itself",
        "An alias must lead to a type that exists without it, and a generic record may contain itself only with the same\ntypes. A record or each case of an enum that holds a value of its own type would go on without end.\n\n    type A = B\n    type B = A\n    type Grow[A] = { next: Grow[List[A]]? }\n    type Node = { next: Node }          # next: Node?",
    ),
    code(
        "E0214",
        "change of what is no variable",
        "A function whose first parameter is `var` changes the variable, field or element that it is called on.\n\n    [3, 1].push(2)                      # var xs = [3, 1], then xs.push(2)",
    ),
    code(
        "E0215",
        "mutating function as a value",
        "A function with a `var` parameter is called on a variable; it cannot be passed on as a value.\n\n    lists.map(push)                     # for i in 0..lists.len() { lists[i].push(0) }",
    ),
    code(
        "E0216",
        "value of a call that changes its variable",
        "A call of a mutating function changes the variable in place. Many of these functions give nothing besides.\n\n    xs = xs.push(1)                     # xs.push(1)",
    ),
    code(
        "E0217",
        "var parameter out of place",
        "A function may change one variable, the one that is passed first.\n\n    fn add(item: Item, var cart: Cart)  # fn add(var cart: Cart, item: Item)",
    ),
    code(
        "E0221",
        "unknown JSON naming rule",
        "What stands behind `with json:` says how JSON calls the fields that have no name of their own there:\n`kebab` (as they are written), `snake`, `camel` or `pascal`.\n\n    type User = { user-id: Int } with json: snake       # {\"user_id\": 1}",
    ),
    code(
        "E0222",
        "JSON names that clash",
        "The fields of an object have different names in JSON, and the field \"type\" of a case names the case.\n\n    type User = { user-id: Int, user: Int as \"user-id\" }     # give one of them another name there",
    ),
    code(
        "E0224",
        "a file that cannot be used",
        "`use` names a file of Weir declarations, relative to the file it stands in.\n\n    use \"lib/shapes.weir\"\n    use \"lib/2d.weir\" as plane\n    use \"lib/shapes.weir\" {Shape, area}",
    ),
    code(
        "E0225",
        "files that use each other",
        "A file is evaluated behind those it uses, so they cannot use it in turn. Move what both need into a third file.\n\n    use \"shared.weir\" {User}",
    ),
    code(
        "E0226",
        "a statement in a file that is used",
        "A file that others use holds declarations: functions, types, `let`s, tests. Only a program's main file has statements.\n\n    pub let limit = 10\n    pub fn double(n) = n * 2",
    ),
    code(
        "E0301",
        "wrong type",
        "A value of one type stands where one of another is needed. The second label says why it is needed.\n\n    let n: Int = \"12\"                   # \"12\".to-int() ?? 0",
    ),
    code(
        "E0302",
        "operator on other types",
        "Arithmetic works on two Ints or two Floats; `+` and `-` also on two Durations, and on a Time and a Duration; `-` on two Times;\n`*` and `/` on a Duration and an Int.\n\n    print(2 * 5s)                       # 5s * 2",
    ),
    code(
        "E0303",
        "texts joined with +",
        "Texts are put together by interpolation.\n\n    \"Hello, \" + name                    # \"Hello, {name}\"",
    ),
    code(
        "E0304",
        "no equality",
        "Values compare with `==` unless there is a function, a stream or a value of the runtime in them.\n\n    stdin() == stdin()                  # two streams are never compared",
    ),
    code(
        "E0305",
        "no order",
        "Every two values of one type have an order, unless there is a function, a stream or a value of the runtime in it.\n\n    max(x => x, y => y)                 # compare what they give",
    ),
    code(
        "E0306",
        "no text form",
        "Every value can stand in a text or be printed, unless there is a function, a stream or a value of the runtime in it.\n\n    print(x => x)",
    ),
    code(
        "E0307",
        "if without else as a value",
        "Without `else` there is no value when the condition does not hold.\n\n    let x: Int = if ready { 1 }         # if ready { 1 } else { 0 }",
    ),
    code(
        "E0308",
        "unknown field",
        "The type has no field of that name.\n\n    req.pth                             # did you mean `path`?\n    text.len                            # a method: text.len()",
    ),
    code(
        "E0309",
        "not indexable",
        "Lists have elements, `xs[i]`; lists and texts have slices, `xs[a..b]`, whose range is written in the brackets. A Text has\nno `t[i]`, because characters take one to four bytes.\n\n    \"abc\"[0]                            # \"abc\".chars()[0], or \"abc\".byte(0)",
    ),
    code(
        "E0310",
        "type not known",
        "Nothing in the program says what the type is.\n\n    let xs = []                         # let xs: List[Int] = []",
    ),
    code(
        "E0311",
        "type within itself",
        "A value would have to contain itself.\n\n    var xs = []\n    xs = [xs]",
    ),
    code(
        "E0312",
        "for over what is no sequence",
        "`for` walks over a Range, a List, a Map, a Set or a Stream.\n\n    for c in \"abc\" { }                  # for c in \"abc\".chars() { }\n    for i in 10 { }                     # for i in 0..10 { }",
    ),
    code(
        "E0313",
        "stream in a top-level let",
        "A stream is read once; a top-level `let` is there for every request.\n\n    let lines = stdin()                 # fn handle(req) { stdin() }",
    ),
    code(
        "E0314",
        "no response form",
        "`handle` answers with a Text, Bytes, a stream of either, a Response, `()`, data that becomes JSON, or an option or a result of one\nof these.\n\n    fn handle(req) { n => n + 1 }       # call the function and answer with its result",
    ),
    code(
        "E0315",
        "?? without an option or a result",
        "`x ?? y` gives `y` when `x` is `None` or an `Err`; other values are always there.\n\n    5 ?? 3                              # 5",
    ),
    code(
        "E0316",
        "in without a whole",
        "`x in xs` asks whether a List, Map, Set, Range or Text contains something.\n\n    1 in 5                              # 1 in 0..5",
    ),
    code(
        "E0317",
        "type too large",
        "Types are nested up to 256 deep and have up to 20,000 parts, each counted as often as it occurs.\n\n    let b = Pair(a, a)                  # and c = Pair(b, b), d = Pair(c, c), ...",
    ),
    code(
        "E0318",
        "unused value",
        "The value is computed and dropped, and computing it does nothing else. Methods give new values and leave the old as\nthey were.\n\n    n == 2                              # to assign: n = 2\n    xs.reverse()                        # xs = xs.reverse()",
    ),
    code(
        "E0320",
        "yield outside of a stream",
        "`yield` gives the next item of the `stream { }` that it stands in. A lambda within one is a function of its own.\n\n    fn numbers() = stream {\n      for n in 1..=3 { yield n }\n    }\n\n    stream { s.each(x => yield x) }     # stream { for x in s { yield x } }",
    ),
    code(
        "E0321",
        "value that nobody takes",
        "`stream`, `background` and `defer` blocks give no value: a stream gives its items by `yield`, and the others are only run.\n`return` alone ends the block.\n\n    stream {\n      if done { return 0 }              # return\n      yield 1\n    }",
    ),
    code(
        "E0323",
        "what ends with the request in work that outlives it",
        "`background { }` goes on when its request was answered. Streams and the request itself end with the request; values that were\ntaken out of them before go along.\n\n    let path = req.path\n    background { log.info(path) }",
    ),
    code(
        "E0330",
        "format for another type",
        "A format fits the type of its value: `+`, `0` and `,` are for numbers; `x X b o` for Ints; `e` and `f` for Floats. A precision is the number of digits behind the point of a Float, and the most characters of any other value; Ints have none.\n\n    \"{n:.2}\"                             # \"{n.to-float():.2}\"",
    ),
    code(
        "E0331",
        "cannot be a key",
        "The keys of a Map and the elements of a Set are found by what they hold. Functions, streams and the server's types are\nnot compared, so neither they nor what holds them can be one.\n\n    set(n => n + 1)                     # a list keeps functions: [n => n + 1]",
    ),
    code(
        "E0340",
        "? on what is always there",
        "`x?` is the value in an option or a result; when there is none the function is left with the `None` or the failure.\nOther values are always there.\n\n    5?                                  # 5",
    ),
    code(
        "E0341",
        "no room for a failure",
        "`?` and `fail` leave the function with a `None` or a failure, so its result is an option or a result.\n\n    fn port(t: Text) -> Int { t.to-int()? }             # -> Int?, or t.to-int() ?? 80\n    fn size(p: Text) -> Int? { fs.read(p)?.len() }      # -> Int!, or fs.read(p).ok()?.len()\n\nA function that declares no result gives what its `?` and `fail` need.",
    ),
    code(
        "E0342",
        "error of another type",
        "The errors of a function's results are of one type: `Error`, unless the declared result names another one.\n\n    type Wrong = Empty | Long\n    fn f(t: Text) -> Int! { check(t)? }                 # check(t).map-err(e => error(\"{e}\"))?\n    fn g(t: Text) -> Result[Int, Wrong] { check(t)? }\n\n`fail` takes an Error, or a Text that it makes one of.",
    ),
    code(
        "E0343",
        "failure that nobody looks at",
        "What gives a result may fail, and a failure is never dropped by accident.\n\n    save(order)                         # save(order)?\n\n`let _ = save(order)` drops it on purpose.",
    ),
    code(
        "E0350",
        "stream used again",
        "A stream is read once. Whoever it is passed to, or what is made of it, reads it; a loop and a consumer do. The variable has it\nno more, also in the next turn of a loop around.\n\n    let lines = stdin()\n    let upper = lines.map(l => l.upper())\n    lines.count()                       # upper.count(), or collect the lines into a list first\n\n`s.next()` takes single items of a stream in a `var` and leaves the rest there.",
    ),
    code(
        "E0351",
        "no JSON form",
        "Functions, streams and the types of the server have no JSON form, nor has anything they are in.\n\n    type Job = { name: Text, run: fn() -> Int }\n    json.encode(Job(\"a\", () => 1))      # leave the function out",
    ),
    code(
        "E0401",
        "wrong number of arguments",
        "Each parameter without a default is given one argument.\n\n    fn add(a, b) = a + b\n    add(1)                              # add(1, 2)",
    ),
    code(
        "E0402",
        "unknown parameter",
        "A named argument names one of the function's parameters. Function values have none.\n\n    respond(code: 404)                  # respond(status: 404)",
    ),
    code(
        "E0403",
        "argument given twice",
        "A parameter is given one argument, by place or by name.\n\n    fn f(a, b) = a + b\n    f(1, a: 2)                          # f(1, b: 2)",
    ),
    code("E0404", "not a function", "Only functions are called.\n\n    let x = 5\n    x(1)"),
    code(
        "E0405",
        "unknown method",
        "`x.f(y)` is a method of the type of `x`, or else the function `f(x, y)` of this file.\n\n    \"a\".uper()                          # did you mean `upper`?",
    ),
    code(
        "E0406",
        "field called as a method",
        "`x.f(...)` calls a method. A function in a field is taken out first.\n\n    op.run(1)                           # (op.run)(1)\n    user.name()                         # user.name",
    ),
    code(
        "E0407",
        "wrong parameters of handle",
        "`handle` is given the request.\n\n    fn handle() { \"hi\" }                # fn handle(req) { \"hi\" }",
    ),
    code(
        "E0408",
        "types grow without end",
        "A function without types on its parameters is checked for the types of each call. This one calls itself with a new\ntype each time.\n\n    fn f(x) { f([x]) }",
    ),
    code(
        "E0409",
        "missing field",
        "A record, or a case of an enum, is built with all fields that have no default.\n\n    type User = { id: Int, name: Text }\n    User(id: 1)                         # User(id: 1, name: \"Ada\")",
    ),
    code(
        "E0410",
        "unknown field in a record",
        "The record has no field of that name.\n\n    type User = { name: Text }\n    User(nam: \"Ada\")                    # did you mean `name`?",
    ),
    code(
        "E0411",
        "spread out of place",
        "`..record` stands first where a record of the same type is built.\n\n    f(..xs)                             # User(..user, name: \"Bo\")",
    ),
    code(
        "E0412",
        "private function",
        "A module's private functions serve itself.\n\n    text.slice(t, 0, 1)                 # t[0..1]",
    ),
    code(
        "E0413",
        "not a record",
        "Records are built with parentheses; values of other types are written or given by functions.\n\n    Int(\"3\")                            # \"3\".to-int()",
    ),
    code(
        "E0415",
        "wrong number of lambda parameters",
        "The lambda is called with another number of arguments than it has parameters.\n\n    xs.map((a, b) => a)                 # xs.map(a => a)",
    ),
    code(
        "E0501",
        "case not covered",
        "A `match` says what to do with every value.\n\n    match b { true => 1 }               # add `false => ...`, or `_ => ...`",
    ),
    code(
        "E0502",
        "arm never taken",
        "The arms above take every value that this one would.\n\n    match n { _ => 1, 5 => 2 }          # move `5` up",
    ),
    code(
        "E0503",
        "pattern of another type",
        "The pattern never takes a value of this type.\n\n    match \"1\".to-int() { 1 => \"one\", _ => \"\" }   # Some(1) => ...",
    ),
    code(
        "E0504",
        "pattern that may not fit",
        "`let` and `for` take every value: a name, or a pattern of tuples and records that takes all.\n\n    let Some(x) = find()                # if let Some(x) = find() { }",
    ),
    code(
        "E0505",
        "unknown case",
        "An option has the cases `Some(x)` and `None`, an enum those it is declared with. A pattern has a part for each value that\nthe case holds.\n\n    match o { Sme(x) => x, _ => 0 }     # did you mean `Some`?",
    ),
    code(
        "E0506",
        "name in a part of a joined pattern",
        "Only one of the patterns joined with `|` takes the value, so each binds the same names, to values of the same types.\n\n    Some(x) | None => x                 # an arm for each",
    ),
    code(
        "E0507",
        "empty range",
        "No Int is in the range, so the pattern takes nothing.\n\n    match n { 5..5 => 1, _ => 0 }       # 5..=5, or 5",
    ),
    code(
        "E0508",
        "patterns too many to compare",
        "Whether the arms of a `match` take every value is found out by looking at what they leave. These arms combine in more\nways than can be looked at in a short time.\n\n    match (a, b, c, d) { ... }          # match a { true => match b { ... } ... }",
    ),
    code(
        "E0509",
        "else that comes back",
        "When the pattern of a `let` does not fit, nothing is bound: its `else` leaves the block, the loop, the function or\nthe program.\n\n    let n = t.to-int() else { print(\"no number\") }      # ... return }",
    ),
    code(
        "E0601",
        "not a method of routes",
        "A route is declared for one of the methods GET POST PUT PATCH DELETE HEAD OPTIONS, or for ANY, which takes every method that\nhas no route of its own. HEAD is answered by the route for GET, and OPTIONS by the server, unless they are declared.\n\n    route get \"/\" { \"hi\" }              # GET",
    ),
    code(
        "E0602",
        "not a pattern",
        "A route's pattern is a path as a person reads it: it begins with `/`, and what stands between two slashes is either written\nout or one parameter, `{name}`, `{name: Int}` or, at the end, `{rest...}`. It has no escapes, no query and no fragment.\n\n    route GET \"/v{n}/users\" { n }       # route GET \"/{version}/users\" { version }",
    ),
    code(
        "E0603",
        "parameter of another type",
        "A parameter of a path is a Text, an Int, a Float or a Bool. A path where it cannot be read as one does not match.\n\n    route GET \"/users/{user: User}\" { } # {id: Int}, and find the user in the block",
    ),
    code(
        "E0604",
        "parameter of that name twice",
        "The parameters of a path are variables of the route's block, which also knows the request as `req`.\n\n    route GET \"/{a}/{a}\" { a }          # route GET \"/{a}/{b}\" { a }",
    ),
    code(
        "E0605",
        "two routes for the same requests",
        "Which of two routes answers does not depend on their order: a part that is written out comes before a Bool or an Int, these\nbefore a Float, that before a Text, and that before the rest of a path. These two are the same in every part.\n\n    route GET \"/users/{id}\" { id }\n    route GET \"/users/{name}\" { name }  # the same paths",
    ),
    code(
        "E0606",
        "route in a file that is used",
        "The main file has all the routes of a program, so that one look tells what it answers.\n\n    # users.weir\n    route GET \"/users\" { all() }        # pub fn all() { ... }, and the route into the main file",
    ),
    code(
        "E0607",
        "wrong parameters of around",
        "In a program with routes or `handle`, the server calls `around` for each request, with the request and a function that goes\non to its route.\n\n    fn around(req) { log.info(req.path) }    # fn around(req, next) { log.info(req.path) next(req) }",
    ),
    code(
        "E0608",
        "items that are no events",
        "An event stream sends events, and Texts as the data of events.\n\n    route GET \"/ticks\" { sse(every(1s)) }     # sse(every(1s).map(t => event(\"{t}\")))",
    ),
    code(
        "E0630",
        "shared state opened in a function",
        "What all requests share is opened once, while the program starts, and is used by the name of its top-level `let`.\n\n    fn handle(req) = store(\"hits\")      # let hits: Store[Int] = store(\"hits\")",
    ),
    code(
        "E0631",
        "value that belongs to one request",
        "What is put into a store or published to a topic is copied, so that any request may read it. Functions, streams and values\nof the server cannot be copied, nor can anything they are in.\n\n    let jobs: Store[fn() -> Int] = store(\"jobs\")      # Store[Int], with the data",
    ),
    code(
        "E0650",
        "no body for a request",
        "The items of a stream that is sent are Texts, each a line, or Bytes.\n\n    post-stream(url, body: every(1s))                       # .map(t => \"{t}\")\n    post-stream(url, body: orders.map(o => json.encode(o)?))",
    ),
];
