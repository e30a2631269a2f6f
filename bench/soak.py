#!/usr/bin/env python3
"""A long mixed hostile load: does memory stay flat, and is nothing left at its end?

usage: bench/soak.py WEIR [SECONDS] [--seed N]     (default 3,600 seconds, on 127.0.0.1)

Clients of every unpleasant kind at once: endless loops, traps, floods, uploads that break off, readers that stop reading,
garbage, half a head, hang-ups by FIN and RST in the middle of anything, reloads of the script; beside them polite clients that
have to get their answers. Each kind runs one after the other in tasks of its own, so the load is bounded. At the end all
counters have to be those of the start, and the least resident memory seen in the last fifth at most a tenth above that in the
second: what the requests of a moment take comes and goes, what leaks stays.
"""
import asyncio, os, random, socket, struct, sys, time
from served import Served

SCRIPT = r'''
# version @VERSION@
type Tree = Leaf | Node(left: Tree, right: Tree)

let hits: Store[Int] = store("hits")
let news: Topic[Text] = topic("news")

fn deep(n: Int) -> Int { 1 + deep(n + 1) }

fn chain(n: Int) -> Tree {
  var tree = Leaf
  for _ in 0..n { tree = Node(tree, Leaf) }
  tree
}

fn fill() -> Int {
  var all: List[Text] = []
  loop { all.push("x".repeat(1000)) }
  all.len()
}

fn count(n: Int) -> Stream[Int] = stream {
  var i = 0
  while i < n {
    yield i
    i = i + 1
  }
}

route GET "/ok" { "ok {hits.update("ok", 0, n => n + 1)?}\n" }
route GET "/loop" {
  var n = 0
  while true { n = (n + 1) % 1000 }
  "never"
}
route GET "/index" {
  let xs = [1, 2, 3]
  "{xs[10]}"
}
route GET "/overflow" { "{9223372036854775807 + req.path.len()}" }
route GET "/recursion" { "{deep(0)}" }
route GET "/fill" { "{fill()}" }
route GET "/deep" {
  let tree = chain(200000)
  match tree {
    Leaf => "leaf"
    Node(_, _) => "node"
  }
}
route GET "/sort" { "{(0..300000).map(n => (n * 7919) % 300007).sort().len()}" }
route GET "/generator" { count(20000).filter(n => n % 100 == 0).map(n => "{n}") }
route GET "/endless" { count(1000000000).map(n => "line {n} of a stream without an end") }
route GET "/sleep" {
  defer { let _ = hits.update("defers", 0, n => n + 1) }
  sleep(1h)
  "awake"
}
route GET "/par" { "{[1, 2, 3, 4].par-map(n => { sleep(5ms); n }).len()}" }
route GET "/timeout" {
  match timeout(2ms, () => sleep(1h)) {
    Ok(_) => "slept"
    Err(_) => "too long"
  }
}
route GET "/merge" { every(3ms).map(_ => "a").take(5).merge(every(2ms).map(_ => "b").take(5)) }
route GET "/child" { exec-stream("sh", ["-c", "echo one; sleep 100 & sleep 100"]) }
route GET "/tail" { tail-file("@FOLDER@/quiet.log") }
route GET "/news" { news.subscribe() }
route POST "/news" {
  news.publish(req.text()?)
  "published"
}
route GET "/proxy" { get-stream("http://127.0.0.1:@PORT@/generator") }
route POST "/upper" { req.lines().map(line => line.upper()) }
route POST "/json" {
  let body: {name: Text} = req.json()?
  {hello: body.name}
}
'''

# Stacks are pooled, the clock stops a moment later, and a store keeps what was put into it.
KEPT = ["stacks", "clock", "store_bytes"]
HOSTILE = ["/index", "/overflow", "/recursion", "/fill", "/deep", "/sort", "/none", "/ok/..", "/par", "/timeout", "/merge"]
HANGS = ["/sleep", "/endless", "/child", "/tail", "/news", "/proxy", "/generator", "/loop", "/par"]


class Load:
    def __init__(self, server, seed):
        self.server, self.random = server, random.Random(seed)
        self.done, self.failures, self.times, self.stopping = {}, [], [], False

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.server.port, limit=1 << 16)

    def count(self, kind):
        self.done[kind] = self.done.get(kind, 0) + 1

    async def answer(self, reader, patience=60):
        """Status of a whole answer; its body is read by its framing."""
        async def read():
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            lower = head.lower()
            if b"transfer-encoding: chunked" in lower:
                while True:
                    size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
                    await reader.readexactly(size + 2)
                    if size == 0:
                        return status
            for line in lower.split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    await reader.readexactly(int(line.split(b":")[1]))
            return status
        return await asyncio.wait_for(read(), patience)

    async def polite(self):
        """Keep-alive requests that have to succeed, soon."""
        reader, writer = await self.open()
        for _ in range(50):
            began = time.perf_counter()
            writer.write(b"GET /ok HTTP/1.1\r\nHost: soak\r\n\r\n")
            status = await self.answer(reader)
            self.times.append(time.perf_counter() - began)
            if status != 200:
                self.failures.append("a polite request got %d" % status)
            await asyncio.sleep(0.01)
        writer.close()

    async def hostile(self):
        path = self.random.choice(HOSTILE)
        reader, writer = await self.open()
        writer.write(b"GET %s HTTP/1.1\r\nHost: soak\r\n\r\n" % path.encode())
        await self.answer(reader)
        writer.close()

    async def endless_loop(self):
        """Runs into the CPU limit."""
        reader, writer = await self.open()
        writer.write(b"GET /loop HTTP/1.1\r\nHost: soak\r\n\r\n")
        status = await self.answer(reader)
        if status != 503:
            self.failures.append("an endless loop got %d" % status)
        writer.close()
        await asyncio.sleep(1)

    async def hang_up(self):
        reader, writer = await self.open()
        writer.write(b"GET %s HTTP/1.1\r\nHost: soak\r\n\r\n" % self.random.choice(HANGS).encode())
        wait = self.random.random() * 0.05
        try:
            await asyncio.wait_for(reader.read(self.random.randrange(1, 5000)), wait)
        except asyncio.TimeoutError:
            pass
        if self.random.random() < 0.5:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort() if self.random.random() < 0.5 else writer.close()

    async def stall(self):
        """Stops reading an endless body until the server has cut, which it does once the kernel takes no more for the deadline."""
        reader, writer = await self.open()
        writer.transport.pause_reading()
        writer.write(b"GET /endless HTTP/1.1\r\nHost: soak\r\n\r\n")
        await asyncio.sleep(10)
        writer.transport.resume_reading()
        left = 64 << 20
        try:
            while left > 0 and (piece := await asyncio.wait_for(reader.read(1 << 16), 20)):
                left -= len(piece)
            if left <= 0:
                self.failures.append("a client that reads nothing was not cut")
        except ConnectionError:
            pass
        writer.close()

    async def garbage(self):
        reader, writer = await self.open()
        writer.write(self.random.randbytes(self.random.randrange(1, 400)))
        if self.random.random() < 0.5:
            writer.write(b"\r\n\r\n")
        try:
            await asyncio.wait_for(reader.read(1000), 0.05)
        except asyncio.TimeoutError:
            pass
        writer.close()

    async def slow_head(self):
        _, writer = await self.open()
        for piece in (b"GET /ok HT", b"TP/1.1\r\nHo", b"st: so"):
            writer.write(piece)
            await asyncio.sleep(0.2)
        writer.close()

    async def upload(self):
        """Full duplex, to its end or broken off."""
        reader, writer = await self.open()
        writer.write(b"POST /upper HTTP/1.1\r\nHost: soak\r\nTransfer-Encoding: chunked\r\n\r\n")
        for n in range(self.random.randrange(1, 30)):
            line = b"line %d\n" % n
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
        if self.random.random() < 0.5:
            writer.write(b"0\r\n\r\n")
            status = await self.answer(reader)
            if status != 200:
                self.failures.append("an upload got %d" % status)
        writer.close()

    async def json(self):
        body = self.random.choice([b'{"name": "Ada"}', b'{"name": 5}', b"{", b"[" * 1000, b'{"name": "' + b"x" * 20000 + b'"}'])
        reader, writer = await self.open()
        writer.write(b"POST /json HTTP/1.1\r\nHost: soak\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await self.answer(reader)
        writer.close()

    async def publish(self):
        reader, writer = await self.open()
        writer.write(b"POST /news HTTP/1.1\r\nHost: soak\r\nContent-Length: 5\r\n\r\nhello")
        await self.answer(reader)
        writer.close()
        await asyncio.sleep(0.01)

    async def reload(self):
        await asyncio.sleep(1)
        version = self.random.randrange(1 << 30)
        self.server.write(self.server.script.replace("@VERSION@", str(version)))

    async def repeat(self, kind):
        while not self.stopping:
            try:
                await kind()
                self.count(kind.__name__)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.TimeoutError) as error:
                if kind in (self.polite, self.endless_loop):
                    self.failures.append("%s: %r" % (kind.__name__, error))
                self.count(kind.__name__ + " broken off")


async def run(server, seconds, seed):
    load = Load(server, seed)
    kinds = [load.polite] * 4 + [load.hostile] * 2 + [load.endless_loop] + [load.hang_up] * 6 + [load.stall] * 4
    kinds += [load.garbage, load.slow_head, load.upload, load.upload, load.json, load.publish, load.reload]
    tasks = [asyncio.create_task(load.repeat(kind)) for kind in kinds]
    began, samples = time.monotonic(), []
    told, step = 0, max(5, seconds // 60)
    while (passed := time.monotonic() - began) < seconds:
        await asyncio.sleep(min(1, seconds - passed))
        samples.append(server.rss())
        if passed < told + step:
            continue
        times, load.times = sorted(load.times), []
        p99 = times[int(len(times) * 0.99)] * 1e3 if times else 0
        least = min(samples[-step:])
        print("%6.0f s  RSS from %6d KiB  polite p99 %7.1f ms  %s" % (passed, least, p99, load.done), flush=True)
        told = passed
    load.stopping = True
    _, stuck = await asyncio.wait(tasks, timeout=30)
    load.failures += ["%s has not come to an end" % kinds[tasks.index(task)].__name__ for task in stuck]
    return load, samples


def main():
    weir = sys.argv[1]
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 3600
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 1
    # A port of its own for the proxy handler to ask: the server's, once it is known.
    flags = ["--log-format", "off", "--workers", "2", "--cpu-limit", "300ms", "--mem-limit", "32mb", "--stall-timeout", "2s", "--header-timeout", "2s", "--watch"]
    probe = socket.create_server(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    import tempfile
    folder = tempfile.TemporaryDirectory()
    open(folder.name + "/quiet.log", "w").close()
    script = SCRIPT.replace("@FOLDER@", folder.name).replace("@PORT@", str(port))
    server = Served(weir, script.replace("@VERSION@", "0"), "-l", "127.0.0.1:%d" % port, *flags)
    server.script = script
    server.get("/ok")
    rest = server.at_rest({"sockets": 0, "scopes": 0})
    load, samples = asyncio.run(run(server, seconds, seed))
    end = server.at_rest(rest, within=30)
    print("at the start %s\nat the end   %s" % (rest, end))
    fifth = max(1, len(samples) // 5)
    warm, last = min(samples[fifth : 2 * fifth] or samples), min(samples[-fifth:])
    print("RSS behind the warm-up %d KiB, at the end %d KiB (%+.1f %%)" % (warm, last, (last / warm - 1) * 100))
    for failure in sorted(set(load.failures)):
        print("%s (%d times)" % (failure, load.failures.count(failure)))
    code = server.end()
    left = {name: (rest[name], end[name]) for name in rest if rest[name] != end[name] and name not in KEPT}
    if left or load.failures or code != 0 or last > warm * 1.1:
        sys.exit("not at rest: %s, exit code %s" % (left, code))


main()
