#!/usr/bin/env python3
"""What a request feels of hostile handlers beside it on the same worker.

usage: bench/hostile.py WEIR [SECONDS] [PATH...]     (default 3 s for each handler of bench/hostile.weir, on 127.0.0.1)

Two clients ask for the hostile path over and over while another takes the time of `/ok`, one request after the other over one
connection. The table has the latencies of `/ok` in milliseconds and the statuses of the hostile handler. At the end the
server's SIGUSR2 counters have to be those of the start, and `/ok` has to answer.
"""
import json, multiprocessing, os, re, signal, socket, subprocess, sys, threading, time

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = ["--mem-limit", "1gb", "--cpu-limit", "5s", "--workers", "1", "--log-format", "off", "-p", "0"]


def start(weir):
    server = subprocess.Popen(
        [weir, "httpd", os.path.join(HERE, "hostile.weir"), *FLAGS],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    line = server.stderr.readline()
    lines = []

    def read():
        for line in server.stderr:
            if line.startswith("{"):
                lines.append(json.loads(line))

    threading.Thread(target=read, daemon=True).start()
    return server, int(re.search(r":(\d+)$", line.strip()).group(1)), lines


def counters(server, lines):
    seen = len(lines)
    server.send_signal(signal.SIGUSR2)
    while len(lines) == seen:
        time.sleep(0.001)
    return lines[-1]


def hostile(port, path, until, told):
    statuses = []
    while time.monotonic() < until:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(0.25)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode())
            answer = b""
            while time.monotonic() < until:
                try:
                    piece = client.recv(1 << 16)
                except TimeoutError:
                    continue
                except ConnectionResetError:
                    break
                if not piece:
                    break
                answer = answer or piece
            statuses.append(answer[9:12].decode() or "-")
    told.put(statuses)


def measure(port, path, seconds):
    # Processes of their own: what they read is not to delay the one that measures.
    told, until = multiprocessing.Queue(), time.monotonic() + seconds
    clients = [multiprocessing.Process(target=hostile, args=(port, path, until, told)) for _ in range(2)]
    for client in clients:
        client.start()
    times = []
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < until:
            began = time.perf_counter()
            client.sendall(b"GET /ok HTTP/1.1\r\nHost: bench\r\n\r\n")
            if not client.recv(4096).startswith(b"HTTP/1.1 200"):
                sys.exit(f"/ok was not answered beside {path}")
            times.append(time.perf_counter() - began)
            # A steady stream of requests, not a queue.
            time.sleep(0.0005)
    statuses = [status for _ in clients for status in told.get()]
    for client in clients:
        client.join()
    return sorted(times), statuses


def main():
    weir = sys.argv[1]
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 3
    paths = sys.argv[3:] or re.findall(r'^    "(/[a-z0-9-]+)" =>', open(os.path.join(HERE, "hostile.weir")).read(), re.M)
    server, port, lines = start(weir)
    try:
        print(f"{'beside':14} {'p50':>8} {'p99':>8} {'max':>8}   requests  statuses")
        for path in paths:
            times, statuses = measure(port, path, seconds)
            at = lambda part: 1000 * times[min(len(times) - 1, int(len(times) * part))]
            seen = " ".join(f"{statuses.count(s)}x{s}" for s in sorted(set(statuses)))
            print(f"{path:14} {at(0.5):8.2f} {at(0.99):8.2f} {1000 * times[-1]:8.2f} {len(times):10}  {seen}", flush=True)
        deadline = time.monotonic() + 10
        alive = ["scopes", "fibers", "chunks", "objects", "resources", "streams", "sockets"]
        while any(counters(server, lines)[name] for name in alive) and time.monotonic() < deadline:
            time.sleep(0.1)
        print("at the end:", json.dumps(counters(server, lines)))
    finally:
        server.kill()


main()
