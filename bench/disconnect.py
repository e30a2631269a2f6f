#!/usr/bin/env python3
"""How soon an upstream learns that the client of a proxying handler hung up, and whether anything is left behind.

usage: bench/disconnect.py WEIR [ROUNDS]     (default 10,000 rounds, in waves of 100, on 127.0.0.1)

Each round opens a stream through `get-stream` of a silent upstream, closes the client's socket (in turn by FIN and RST, before
and after the upstream's head) and takes the time until the upstream reads the end. At the end the server's SIGUSR2 counters
have to be those of the start.
"""
import json, os, re, select, signal, socket, struct, subprocess, sys, tempfile, time

WAVE = 100
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello\n\r\n"


def start(weir, port):
    script = tempfile.NamedTemporaryFile("w", suffix=".weir")
    script.write('fn handle(req) { get-stream("http://127.0.0.1:%d/") }\n' % port)
    script.flush()
    server = subprocess.Popen([weir, "httpd", script.name, "-p", "0", "--log-format", "off"], stderr=subprocess.PIPE, text=True)
    line = server.stderr.readline()
    return server, int(re.search(r":(\d+)$", line.strip()).group(1)), script


def counters(server):
    server.send_signal(signal.SIGUSR2)
    return json.loads(server.stderr.readline())


def at_rest(server, start):
    """The counters once they are `start` again, or as they are after 5 s."""
    deadline = time.monotonic() + 5
    while True:
        now = counters(server)
        if now == start or time.monotonic() > deadline:
            return now


def wave(port, listener, kind):
    reset, after_head = kind & 1, kind & 2
    pairs = []
    for _ in range(WAVE):
        client = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
        upstream, _ = listener.accept()
        upstream.recv(4096)
        if after_head:
            upstream.sendall(HEAD)
            got = b""
            while b"hello" not in got:
                got += client.recv(4096)
        pairs.append((client, upstream))
    times = []
    for client, upstream in pairs:
        if reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        began = time.perf_counter()
        client.close()
        if not select.select([upstream], [], [], 10)[0]:
            sys.exit("an upstream did not see the end within 10 s")
        times.append(time.perf_counter() - began)
        try:
            if upstream.recv(1):
                sys.exit("an upstream got bytes instead of the end")
        except ConnectionResetError:
            pass
        upstream.close()
    return times


def main():
    weir, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server, port, script = start(weir, listener.getsockname()[1])
    try:
        wave(port, listener, 2)
        rest = at_rest(server, dict(counters(server), scopes=0, fibers=0, chunks=0, objects=0, resources=0, streams=0, upstreams=0, timers=0, sockets=0))
        times = []
        for n in range(rounds // WAVE):
            times += wave(port, listener, n % 4)
        times.sort()
        end = at_rest(server, rest)
        print("%d disconnects: median %.3f ms, p99 %.3f ms, max %.3f ms" % (len(times), *(times[int(len(times) * q)] * 1e3 for q in (0.5, 0.99)), times[-1] * 1e3))
        print("at the start %s" % json.dumps(rest))
        print("at the end   %s" % json.dumps(end))
        if rest != end:
            sys.exit("something is left")
    finally:
        server.kill()


main()
