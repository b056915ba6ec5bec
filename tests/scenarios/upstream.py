"""A scripted API server: each test says, octet for octet, what it answers and when it closes.

Requests are recorded as they came.  The gateway's own health probes are answered apart and not recorded.
"""
import socket
import threading

from pki import server_context
from wire import Cut, Message, Stream, wait_for

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"
WATCH_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def answer(body=b"{}", status="200 OK", *fields):
    head = "HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n" % (status, "".join(f + "\r\n" for f in fields), len(body))
    return head.encode() + body


NOBODY = "kube-access-gateway:doctor"
BELIEVES = answer(b'{"status": {"userInfo": {"username": "%s"}}}' % NOBODY.encode(), "201 Created")


class Exchange(Message):
    """One request that reached the upstream, and the connection it came on."""

    def __init__(self, raw, server, stream, conn, index):
        super().__init__(raw)
        self.method, self.target, self.version = self.start.split(" ")
        self.server, self.stream, self.conn, self.index = server, stream, conn, index
        self.body_read = False
        self.ended = threading.Event()  # the connection has ended, from whichever side

    def read(self):
        self.body_read = True
        return self.read_body(self.stream)

    def send(self, data):
        self.stream.send(data)

    def close(self):
        self.stream.close()


class Upstream:
    def __init__(self, pair, host="127.0.0.1", port=0):
        self.ctx = server_context(pair)
        self.host = host
        self.port = port
        self.lock = threading.Lock()
        self.streams = {}
        self.listener = None
        self.clear()
        self.probe_answer = OK
        self.probes = 0
        self.believes = BELIEVES  # to whom asks with X-Remote-*; None: the script's
        self.reviews = 0
        self.conns = 0
        self.start()

    # --- what tests set and see ---
    def clear(self):
        """Forget requests and script."""
        self.requests = []
        self.replies(OK)

    def replies(self, data, then=None):
        """Every request gets these octets once its body was read; then is "close", "drop", "reset" or None."""
        def script(ex):
            ex.read()
            ex.send(data)
            if then:
                getattr(ex.stream, then)()
        self.script = script

    def wait(self, count=1, seconds=8.0):
        """The first count requests; more than count is a failure."""
        wait_for(lambda: len(self.requests) >= count, seconds, why=lambda: "%d of %d requests came" % (
            len(self.requests), count))
        assert len(self.requests) == count, [r.start for r in self.requests]
        return self.requests

    def only(self):
        return self.wait(1)[0]

    @property
    def url(self):
        return "https://%s:%d" % (self.host, self.port)

    # --- life ---
    def start(self):
        s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((self.host, self.port))
        s.listen(1024)
        self.port = s.getsockname()[1]
        self.listener = s
        threading.Thread(target=self._accept, args=(s,), daemon=True).start()

    def stop(self):
        """No listener and no connection any more, until start()."""
        listener, self.listener = self.listener, None
        if listener is not None:
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        self.close_all()

    def close_all(self):
        """End every connection at once, idle ones included."""
        with self.lock:
            sockets = list(self.streams.values())
        for s in sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        wait_for(lambda: not self.streams, why="a connection's thread lives on")

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.conns += 1
                number = self.conns
                self.streams[number] = sock
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock, number):
        seen = []
        try:
            stream = Stream(sock, self.ctx, server_side=True, timeout=60)
            while self._one(stream, number, seen):
                pass
        except (Cut, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.streams.pop(number, None)
            sock.close()
            for ex in seen:
                ex.ended.set()

    def _one(self, stream, number, seen):
        raw = stream.until(b"\r\n\r\n")
        ex = Exchange(raw, self, stream, number, len(seen))
        if ex.target == "/readyz" and ex.get("User-Agent", "").startswith("kube-access-gateway/"):
            self.probes += 1
            stream.send(self.probe_answer)
            return True
        if self.believes is not None and ex.get("X-Remote-User") == NOBODY:
            ex.read()
            self.reviews += 1
            stream.send(self.believes)
            return True
        seen.append(ex)
        script = self.script
        with self.lock:
            self.requests.append(ex)
        script(ex)
        if stream.sock.fileno() < 0:
            return False
        if not ex.body_read:
            ex.read()
        return not stream.ended
