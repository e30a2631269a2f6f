#!/usr/bin/env python3
"""What a client that leaves cancels: each blocking operation, left by FIN and by RST, many times.

usage: bench/cancel.py WEIR [ROUNDS] [OPERATION...]     (default 10,000 rounds in all, in waves, on 127.0.0.1)

Each round opens a request whose handler blocks in one operation, hangs up once it does, and waits until the request's `defer`
has run: a line in a file. Upstreams have to see their end and children to be gone. At the end every SIGUSR2 counter has
to be that of the start.
"""
import os, select, socket, sqlite3, subprocess, sys, tempfile, threading, time
from served import Served, full_listener, hang_up

WAVE = 50

SCRIPT = r'''
let begun: Store[Int] = store("begun")
let ended: Store[Int] = store("ended")
let kept: Store[Int] = store("kept", file: "@FOLDER@/kept.db")
let news: Topic[Text] = topic("news")

fn count(of: Store[Int], op: Text) -> ()! {
  let _ = of.update(op, 0, n => n + 1)?
}

fn block(req: Request, op: Text) -> ()! {
  defer { count(ended, op)? }
  count(begun, op)?
  match op {
    "connect" => for line in get-stream("http://127.0.0.1:@FULL@/") { print(line) }
    "tls" => for line in get-stream("https://127.0.0.1:@SILENT@/") { print(line) }
    "first-byte" => for line in get-stream("http://127.0.0.1:@SILENT@/") { print(line) }
    "next-line" => for line in get-stream("http://127.0.0.1:@TALKING@/") { print(line) }
    "sleep" => sleep(1h)
    "channel" => {
      let items: Channel[Text] = channel(capacity: 1)
      let feeder = spawn {
        sleep(1h)
        items.send("late")
      }
      for item in items.stream() { print(item) }
      let _ = feeder.wait()
    }
    "topic" => for item in news.subscribe() { print(item) }
    "tail" => for line in tail-file("@FOLDER@/quiet.log") { print(line) }
    "child" => for line in exec-stream("sh", ["-c", "sleep 3600 & sleep 3600"]) { print(line) }
    "run" => {
      let _ = process.run("sleep", ["3600"])?
    }
    "file-store" => {
      kept.set("k", 1)?
    }
    "par" => {
      let _ = par(() => sleep(1h), () => sleep(2h))
    }
    "par-map" => {
      let _ = [1, 2, 3].par-map(n => sleep(1h * n), limit: 2)
    }
    "timeout" => {
      timeout(1h, () => sleep(2h))?
    }
    "race" => {
      race(() => sleep(1h), () => sleep(2h))
    }
    "request-body" => for line in req.lines() { print(line) }
    "loop" => {
      var n = 0
      while true { n = (n + 1) % 1000 }
    }
    _ => fail "no such operation"
  }
}

fn handle(req) {
  let parts = req.path.split("/")
  match parts[1] {
    "ended" => "{ended.get(parts[2])? ?? 0}"
    "begun" => "{begun.get(parts[2])? ?? 0}"
    "block" => {
      block(req, parts[2])?
      "done\n"
    }
    # The handler has returned: what the operation blocks is the body.
    "stream" => stream {
      yield "first"
      block(req, parts[2])?
    }
    "slow-client" => {
      stream {
        defer { count(ended, "slow-client")? }
        count(begun, "slow-client")?
        while true { yield "x".repeat(10000) }
      }
    }
    _ => not-found()
  }
}
'''

OPERATIONS = [
    "connect", "tls", "first-byte", "next-line", "sleep", "channel", "topic", "tail", "child", "run", "file-store",
    "par", "par-map", "timeout", "race", "request-body", "loop", "slow-client",
]
# Stacks are pooled, the clock stops a moment later, and a store keeps what was put into it.
KEPT = ["stacks", "clock", "store_bytes"]


class Upstream:
    """Accepts connections; says nothing, or a head and a line; counts those that it saw the end of."""

    def __init__(self, talks):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.talks, self.open, self.opened, self.ends = talks, {}, 0, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        poll = select.epoll()
        poll.register(self.listener, select.EPOLLIN)
        while True:
            for number, _ in poll.poll():
                if number == self.listener.fileno():
                    client, _ = self.listener.accept()
                    self.open[client.fileno()] = client
                    self.opened += 1
                    poll.register(client, select.EPOLLIN)
                    continue
                client = self.open[number]
                try:
                    got = client.recv(65536)
                except ConnectionResetError:
                    got = b""
                if not got:
                    poll.unregister(client)
                    del self.open[number]
                    client.close()
                    self.ends += 1
                elif self.talks:
                    client.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n")


def asked(server, kind, op):
    return int(server.get("/%s/%s" % (kind, op))[1])


def until(what, wanted, happened, within=20):
    deadline = time.monotonic() + within
    while (now := happened()) != wanted:
        if time.monotonic() > deadline:
            sys.exit("%s: %s instead of %s after %d s" % (what, now, wanted, within))
        time.sleep(0.005)


def request(op, form):
    if op == "slow-client":
        return b"GET /slow-client HTTP/1.1\r\nHost: bench\r\n\r\n"
    if op == "request-body":
        return b"POST /%s/%s HTTP/1.1\r\nHost: bench\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nline\n\r\n" % (form.encode(), op.encode())
    return b"GET /%s/%s HTTP/1.1\r\nHost: bench\r\n\r\n" % (form.encode(), op.encode())


def wave(server, op, form, reset, size, total):
    """Opens requests, hangs up once all of them block; how long it took until all of them had ended."""
    clients = []
    for _ in range(size):
        client = server.connect()
        client.sendall(request(op, form))
        clients.append(client)
    total[op] += size
    until("%s began" % op, total[op], lambda: asked(server, "begun", op))
    began = time.perf_counter()
    for client in clients:
        hang_up(client, reset)
    until("%s ended" % op, total[op], lambda: asked(server, "ended", op))
    return time.perf_counter() - began


def children(server):
    """Processes that descend from the server, or did before their parent ended: those of its operations are `sleep`s."""
    found = subprocess.run(["pgrep", "-c", "-x", "sleep"], capture_output=True, text=True)
    return int(found.stdout or 0)


def main():
    weir = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    chosen = sys.argv[3:] or OPERATIONS
    full, _held = full_listener()
    ups = {"silent": Upstream(False), "talking": Upstream(True)}
    folder = tempfile.TemporaryDirectory()
    open(folder.name + "/quiet.log", "w").close()
    script = SCRIPT.replace("@FULL@", str(full.getsockname()[1])).replace("@FOLDER@", folder.name)
    for name, up in ups.items():
        script = script.replace("@%s@" % name.upper(), str(up.port))
    # Endless loops shall be cancelled, not run into their limit.
    server = Served(weir, script, "--log-format", "off", "--cpu-limit", "60s", "--request-timeout", "1h", "--workers", "2")
    sleeps = children(server)
    total = dict.fromkeys(OPERATIONS, 0)
    lock = None
    if "file-store" in chosen:
        server.get("/block/file-store")
        until("a first write", 1, lambda: asked(server, "ended", "file-store"))
        total["file-store"] = 1
        # Another process holds the file: every write waits.
        lock = sqlite3.connect(folder.name + "/kept.db", isolation_level=None, check_same_thread=False)
    server.get("/ended/none")
    rest = server.at_rest({"sockets": 0, "scopes": 0})
    forms = ["block", "stream"]
    kinds = [(form, reset) for form in forms for reset in (False, True)]
    per_kind = max(1, rounds // len(chosen) // len(kinds))
    print("%-14s %8s %12s %12s" % ("operation", "rounds", "wave median", "wave max"))
    for op in chosen:
        size = min(WAVE, per_kind, 4 if op == "loop" else WAVE)
        times = []
        if op == "file-store":
            lock.execute("begin exclusive")
        for form, reset in kinds:
            if op == "slow-client" and form == "stream":
                continue
            left = per_kind if op != "loop" else min(per_kind, 100)
            while left > 0:
                times.append(wave(server, op, form, reset, min(size, left), total))
                left -= size
        if op == "file-store":
            lock.execute("rollback")
        times.sort()
        print("%-14s %8d %9.1f ms %9.1f ms" % (op, total[op], times[len(times) // 2] * 1e3, times[-1] * 1e3), flush=True)
    for name, up in ups.items():
        until("%s upstream's ends" % name, up.opened, lambda: up.ends)
    until("children", sleeps, lambda: children(server))
    end = server.at_rest(rest)
    print("at the start %s" % rest)
    print("at the end   %s" % end)
    for op in chosen:
        if asked(server, "ended", op) != total[op]:
            sys.exit("%s: a defer ran twice, or not" % op)
    left = {name: (rest[name], end[name]) for name in rest if rest[name] != end[name] and name not in KEPT}
    if server.end() != 0:
        sys.exit("the server did not end well")
    if left:
        sys.exit("something is left: %s" % left)


main()
