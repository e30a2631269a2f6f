#!/usr/bin/env python3
"""What reloading a script under load costs, and whether anything of old versions stays.

usage: bench/reload.py WEIR [RELOADS]     (default 10,000, on 127.0.0.1)

A process of its own keeps asking over four connections, and reads one long stream after the other, while the script is
rewritten and the server told to load it (SIGHUP), each time when the version before serves. Every answer must be whole, of the
newest version or the one before, and of none older than the last one on its connection; each stream stays with the version that it
began with. Memory is looked at when a tenth of the reloads is done and at the end; modules, chunks and objects must be those of the start.
"""
import json, multiprocessing, os, re, signal, socket, subprocess, sys, tempfile, time

SCRIPT = """let words = (0..500).map(i => "word {i} of %d")

type Shape = Circle(radius: Float) | Square(side: Float)

fn area(shape) = match shape {
  Circle(radius) => 3.14 * radius * radius
  Square(side) => side * side
}

fn handle(req) {
  if req.path == "/stream" {
    return every(10ms).take(20).map(t => "%d {words.len()}")
  }
  let shapes = [Circle(1.0), Square(2.0)]
  "%d {shapes.map(s => area(s))}\\n"
}
"""


def write(path, number):
    with open(path + ".new", "w") as file:
        file.write(SCRIPT.replace("%d", str(number)))
    os.rename(path + ".new", path)


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.bytes = b""
        self.last = 0

    def line(self):
        while b"\n" not in self.bytes:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.bytes += more
        line, self.bytes = self.bytes.split(b"\n", 1)
        return line.decode().rstrip("\r")

    def ask(self, path):
        self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: bench\r\n\r\n" % path)
        while self.line():
            pass

    def answer(self):
        """The version that answers a plain request."""
        self.ask(b"/")
        version = int(self.line().split()[0])
        if version < self.last:
            raise ValueError("version %d after %d" % (version, self.last))
        self.last = version

    def stream(self):
        self.ask(b"/stream")
        versions = set()
        while int(self.line(), 16):
            versions.add(self.line())
            self.line()
        self.line()
        if len(versions) != 1:
            raise ValueError("a stream of %s" % versions)


def load(port, stop, asked, failed):
    plain, streaming = [Connection(port) for _ in range(4)], Connection(port)
    while not stop.value:
        try:
            for connection in plain:
                for _ in range(5):
                    connection.answer()
                    asked.value += 1
            streaming.stream()
            asked.value += 1
        except Exception as error:
            failed.value += 1
            print("failed: %r" % error, file=sys.stderr)
            plain, streaming = [Connection(port) for _ in range(4)], Connection(port)


def resident(pid):
    with open("/proc/%d/status" % pid) as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))


def counters(server):
    server.send_signal(signal.SIGUSR2)
    while True:
        line = server.stderr.readline()
        if line.startswith("{"):
            return json.loads(line)


def at_rest(server, start):
    deadline = time.monotonic() + 10
    kept = ("modules", "chunks", "objects", "scopes", "fibers")
    while True:
        now = counters(server)
        if all(now[name] == start[name] for name in kept) or time.monotonic() > deadline:
            return now


def main():
    weir, reloads = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    directory = tempfile.TemporaryDirectory()
    path = os.path.join(directory.name, "app.weir")
    write(path, 0)
    server = subprocess.Popen(
        [weir, "httpd", path, "-p", "0", "--log-format", "off", "--workers", "2"], stderr=subprocess.PIPE, text=True
    )
    try:
        port = int(re.search(r":(\d+)$", server.stderr.readline().strip()).group(1))
        start = counters(server)
        stop, asked, failed = (multiprocessing.Value("i", 0) for _ in range(3))
        loader = multiprocessing.Process(target=load, args=(port, stop, asked, failed))
        loader.start()
        times, memory = [], []
        for number in range(1, reloads + 1):
            write(path, number)
            server.send_signal(signal.SIGHUP)
            while True:
                line = server.stderr.readline()
                found = re.search(r"reloaded .* \((\d+) ms\)", line)
                if found:
                    times.append(int(found.group(1)))
                    break
                print(line, end="", file=sys.stderr)
            if number in (max(reloads // 10, 1), reloads):
                memory.append(resident(server.pid))
        stop.value = 1
        loader.join()
        end = at_rest(server, start)
        times.sort()
        print("%d reloads: median %d ms, p99 %d ms" % (reloads, times[reloads // 2], times[reloads * 99 // 100]))
        print("%d requests and streams, %d failed" % (asked.value, failed.value))
        print("resident %d KiB after %d reloads, %d KiB at the end" % (memory[0], max(reloads // 10, 1), memory[-1]))
        print("at the start %s" % json.dumps(start))
        print("at the end   %s" % json.dumps(end))
        if failed.value or memory[-1] > memory[0] * 1.05 or end["modules"] != start["modules"]:
            sys.exit("something failed or stayed")
    finally:
        server.kill()


main()
