#!/usr/bin/env python3
"""What clients cost that stop reading: memory of the server, bytes that an upstream could send, and how they are cut.

usage: bench/stalled.py WEIR [CLIENTS]     (default 50 clients, each of a body of 1 GB, on 127.0.0.1)

Each client reads the head and the first 64 KiB and then nothing. The body is made by the handler, or proxied from an upstream in
this script, which sends as fast as it can. The server may grow by 8 MiB and 256 KiB for each client; the upstreams must be held
back, and every client cut after the stall timeout.
"""
import os, re, selectors, socket, subprocess, sys, tempfile, time

STALL = 4.0
BODY = 1 << 30
ALLOWED = lambda clients: 8 * 1024 + clients * 256
LINES = (b"a line of a body that nobody reads to its end, sixty-four bytes.\n" * 252)[:16380]
CHUNK = b"%x\r\n%s\r\n" % (len(LINES), LINES)
SCRIPT = """
route GET "/made" { (0..16777216).stream().map(n => "{n:>62}\\n") }
route GET "/proxied" { get-stream("http://127.0.0.1:%d/") }
"""


def start(weir, port):
    script = tempfile.NamedTemporaryFile("w", suffix=".weir")
    script.write(SCRIPT % port)
    script.flush()
    log = tempfile.TemporaryFile("w+")
    command = [weir, "httpd", script.name, "-p", "0", "--stall-timeout", "%dms" % (STALL * 1000), "--workers", "1", "--log-format", "json"]
    server = subprocess.Popen(command, stderr=log)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        log.seek(0)
        found = re.search(r"listening on http://127\.0\.0\.1:(\d+)\n", log.read())
        if found:
            return server, int(found.group(1)), script, log
        time.sleep(0.01)
    sys.exit("the server does not start")


def resident(server):
    """KiB of the process in memory: in all, and what no file backs."""
    with open("/proc/%d/status" % server.pid) as status:
        text = status.read()
    return [int(re.search(name + r":\s+(\d+) kB", text).group(1)) for name in ("VmRSS", "RssAnon")]


class Upstreams:
    """Accepts connections and sends each a chunked body of `BODY` bytes as fast as it is taken."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.sent, self.rest = {}, {}

    def turn(self, wait):
        for key, events in self.selector.select(wait):
            peer = key.fileobj
            if peer is self.listener:
                peer, _ = self.listener.accept()
                peer.setblocking(False)
                self.sent[peer], self.rest[peer] = 0, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                self.selector.register(peer, selectors.EVENT_READ)
                continue
            if events & selectors.EVENT_READ:
                # The request; an answer must not come before it.
                peer.recv(65536)
                self.selector.modify(peer, selectors.EVENT_WRITE)
                continue
            try:
                for _ in range(16):
                    count = peer.send(self.rest[peer])
                    self.sent[peer] += count
                    self.rest[peer] = self.rest[peer][count:] or CHUNK
            except BlockingIOError:
                pass
            except OSError:
                self.close(peer)
                continue
            if self.sent[peer] > BODY:
                self.close(peer)

    def close(self, peer):
        self.selector.unregister(peer)
        peer.close()

    def open(self):
        return len(self.selector.get_map()) - 1


def ask(port, path, upstreams):
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"GET %s HTTP/1.1\r\nHost: bench\r\n\r\n" % path.encode())
    client.setblocking(False)
    got, begin = 0, b""
    while got < 65536:
        upstreams.turn(0.001)
        try:
            data = client.recv(65536 - got)
        except BlockingIOError:
            continue
        if not data:
            sys.exit("%s: the body ended after %d bytes" % (path, got))
        got, begin = got + len(data), begin or data
        if not begin.startswith(b"HTTP/1.1 200 "):
            sys.exit("%s: %r" % (path, begin))
    return client


def measure(server, port, log, path, clients, upstreams):
    # Once before: what is set up for the first request of a kind is not the clients'.
    ask(port, path, upstreams).close()
    settle(upstreams, 0.5)
    log.seek(0)
    before, cut = resident(server), log.read().count('"stalled"')
    upstreams.sent.clear()
    held = [ask(port, path, upstreams) for _ in range(clients)]
    most, began, asked = before, time.monotonic(), len(upstreams.sent)
    throttled, deadline = None, began + 4 * STALL
    while time.monotonic() < deadline:
        upstreams.turn(0.02)
        most = [max(pair) for pair in zip(most, resident(server))]
        if throttled is None and time.monotonic() > began + STALL / 2:
            throttled = max(upstreams.sent.values(), default=0)
        log.seek(0)
        if log.read().count('"stalled"') - cut == clients:
            break
    took = time.monotonic() - began
    settle(upstreams, 0.5)
    log.seek(0)
    stalled, after = log.read().count('"stalled"') - cut, resident(server)
    grown = most[0] - before[0]
    print("%-9s %4d clients: RSS %6d -> %6d KiB (+%d, %d a client; allowed +%d; anonymous +%d), %6d KiB afterwards"
          % (path, clients, before[0], most[0], grown, grown / clients, ALLOWED(clients), most[1] - before[1], after[0]))
    print("%-9s %4d cut as stalled after %.1f s" % ("", stalled, took))
    if asked:
        print("%-9s each upstream could send %d KiB by half of that time, %d KiB in all; %d are open now"
              % ("", throttled / 1024, max(upstreams.sent.values()) / 1024, upstreams.open()))
    for client in held:
        client.close()
    is_held_back = not asked or (max(upstreams.sent.values()) < BODY / 16 and upstreams.open() == 0)
    return grown <= ALLOWED(clients) and stalled == clients and is_held_back


def settle(upstreams, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        upstreams.turn(0.02)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    clients = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    upstreams = Upstreams()
    server, port, _script, log = start(sys.argv[1], upstreams.port)
    try:
        good = [measure(server, port, log, path, clients, upstreams) for path in ("/made", "/proxied")]
    finally:
        server.terminate()
        server.wait()
    sys.exit(0 if all(good) else "above what is allowed")


main()
