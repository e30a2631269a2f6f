#!/usr/bin/env python3
"""How long a script takes from the command line to its end when it does hardly anything: what checking and compiling cost.

    bench/compile.py [WEIR] [LINES ...]        default: target/release/weir 0 100 1000 10000

For each number of lines, best of ten runs in milliseconds: `weir check` (front end), `weir check --emit ir` (also lowering,
optimising, counting, and printing it), `weir FILE` (also machine code, and running it). 0 lines is `print("hello")`.
The script is made here: functions over records, enums, lists, texts and closures, each called once, and a main that is a
tenth of the lines.
"""
import os
import subprocess
import sys
import tempfile
import time

UNIT = """
type Item{n} = {{ id: Int, name: Text, price: Float, tags: List[Text] }}

type Event{n} = Added{n}(item: Item{n}) | Removed{n}(id: Int) | Renamed{n}(id: Int, name: Text) | Cleared{n}

fn total{n}(items: List[Item{n}]) -> Float {{
  var sum = 0.0
  for item in items {{
    if item.tags.contains("free") {{ continue }}
    sum = sum + item.price
  }}
  sum
}}

fn apply{n}(items: List[Item{n}], event: Event{n}) -> List[Item{n}] = match event {{
  Added{n}(item) => items.concat([item])
  Removed{n}(id) => items.filter(i => i.id != id)
  Renamed{n}(id, name) => items.map(i => if i.id == id {{ Item{n}(..i, name: name) }} else {{ i }})
  Cleared{n} => []
}}

fn find{n}(items: List[Item{n}], wanted: Text) -> Int? {{
  for i in 0..items.len() {{
    if items[i].name == wanted {{ return Some(i) }}
  }}
  None
}}

fn describe{n}(items: List[Item{n}]) -> Text {{
  let names = items.map(i => "{{i.id}}: {{i.name.upper()}}")
  let first = match find{n}(items, "b") {{
    Some(at) => "b stands at {{at}}"
    None => "there is no b"
  }}
  "{{names.join(", ")}}; {{first}}; {{total{n}(items)}}"
}}

let start{n} = [Item{n}(id: {n}, name: "a", price: 1.5, tags: []), Item{n}(id: {n} + 1, name: "b", price: 2, tags: ["free"])]
let end{n} = apply{n}(apply{n}(start{n}, Renamed{n}({n}, "c")), Removed{n}(7))
if describe{n}(end{n}).len() < {n} % 7 {{ print("short: {{end{n}.len()}}") }}
"""


def script(lines):
    """A program of about that many lines."""
    if lines == 0:
        return 'print("hello")\n'
    text, n = "", 0
    while text.count("\n") < lines:
        text += UNIT.format(n=n)
        n += 1
    return text


def best(command, runs=10):
    """The least time of a command in milliseconds, and what it was on the processor then."""
    least = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        least = min(least, time.perf_counter() - start)
    return least * 1000


def main():
    weir = sys.argv[1] if len(sys.argv) > 1 else "target/release/weir"
    sizes = [int(a) for a in sys.argv[2:]] or [0, 100, 1000, 10000]
    print(f"{'lines':>6} {'check':>8} {'ir':>8} {'run':>8}  ms")
    with tempfile.TemporaryDirectory() as folder:
        for lines in sizes:
            file = os.path.join(folder, "script.weir")
            with open(file, "w") as out:
                out.write(script(lines))
            times = [best([weir, "check", file]), best([weir, "check", "--emit", "ir", file]), best([weir, file])]
            print(f"{lines:>6} " + " ".join(f"{t:8.1f}" for t in times), flush=True)


main()
