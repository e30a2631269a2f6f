"""A `weir httpd` under test: started from the text of a script, watched through its counters and its memory.

In: a binary, a script, flags. Out: a port to connect to, SIGUSR2 counters, resident memory, lines of its log.
Standard error is read by a thread: counters are one line of JSON among the lines of the log.
"""
import json, os, queue, re, signal, socket, struct, subprocess, tempfile, threading, time


class Served:
    def __init__(self, weir, script, *flags, env=None):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "app.weir")
        self.write(script)
        command = [weir, "httpd", self.path, "-p", "0", *flags]
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=env, errors="replace"
        )
        self.dumps, self.lines = queue.Queue(), []
        line = self.process.stderr.readline()
        found = re.search(r":(\d+)$", line.strip())
        if not found:
            raise SystemExit("weir did not start: " + line + self.process.stderr.read())
        self.port = int(found.group(1))
        threading.Thread(target=self.read, daemon=True).start()

    def write(self, script):
        """Puts another version of the script in the place of the one there, as editors do."""
        with open(self.path + ".new", "w") as file:
            file.write(script)
        os.rename(self.path + ".new", self.path)

    def read(self):
        for line in self.process.stderr:
            if line.startswith('{"') and '"scopes"' in line:
                self.dumps.put(json.loads(line))
            else:
                self.lines.append(line)
                del self.lines[:-10_000]

    def counters(self):
        self.process.send_signal(signal.SIGUSR2)
        return self.dumps.get(timeout=10)

    def at_rest(self, wanted, within=10):
        """The counters once those in `wanted` are as there, or as they are after `within` seconds."""
        deadline = time.monotonic() + within
        while True:
            now = self.counters()
            if all(now.get(name) == value for name, value in wanted.items()) or time.monotonic() > deadline:
                return now
            time.sleep(0.05)

    def rss(self):
        """Resident memory in KiB."""
        with open("/proc/%d/status" % self.process.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def get(self, path):
        """Status and body of a GET on a connection of its own."""
        with self.connect() as client:
            client.sendall(b"GET %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n" % path.encode())
            answer = b""
            while piece := client.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]) if head else 0, body

    def end(self):
        """Drains the server; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=20)
        finally:
            self.process.kill()


def hang_up(client, reset):
    """Closes a client's socket by FIN, or by RST."""
    if reset:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def full_listener():
    """A listener that completes no more handshakes, with the connections that fill it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    held = []
    for _ in range(4):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(listener.getsockname())
        held.append(client)
    return listener, held
