"""Bytes over TLS as a test wants them: raw, with half-closes, resets and no help from an HTTP library."""
import socket
import ssl
import struct
import threading
import time


class Cut(Exception):
    """The peer ended, or broke, the connection where more had to come; data is what came before."""

    def __init__(self, data=b"", how="end"):
        super().__init__("%s after %d octets: %r" % (how, len(data), data[-200:]))
        self.data = data
        self.how = how


def wait_for(what, seconds=8.0, every=0.01, why="it did not happen"):
    """The first true value of what(); polling, so that nobody sleeps longer than needed."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(why() if callable(why) else why)
        time.sleep(every)


class Stream:
    """One TCP connection, with TLS if ctx is given.  One reader and one writer may be different threads."""

    def __init__(self, sock, ctx=None, server_side=False, name=None, session=None, timeout=10.0):
        self.sock = sock
        self.timeout = timeout
        self.buffer = b""
        self.ended = False  # our direction
        self.tls = None
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(timeout)
        if ctx is not None:
            self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
            self.tls = ctx.wrap_bio(self._in, self._out, server_side=server_side, server_hostname=name,
                                    session=session)
            self._handshake()

    def _flush(self):
        with self._write_lock:
            with self._lock:
                data = self._out.read()
            if data:
                self.sock.sendall(data)

    def _feed(self):
        """More ciphertext; False at the TCP end."""
        data = self.sock.recv(65536)
        with self._lock:
            if data:
                self._in.write(data)
            else:
                self._in.write_eof()
        return bool(data)

    def _handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                if not self._feed():
                    raise Cut(how="end in the handshake")
            except ssl.SSLError:
                self._flush()  # the alert
                raise
        self._flush()

    def send(self, data):
        if self.tls is None:
            self.sock.sendall(data)
            return
        with self._lock:
            self.tls.write(data)
        self._flush()

    def recv(self, timeout=None):
        """Some octets, or b"" at an orderly end; Cut on a reset, or an end without close_notify."""
        if self.buffer:
            data, self.buffer = self.buffer, b""
            return data
        self.sock.settimeout(self.timeout if timeout is None else timeout)
        try:
            return self._recv()
        except ConnectionError:
            raise Cut(how="reset") from None
        finally:
            try:
                self.sock.settimeout(self.timeout)
            except OSError:
                pass

    def _recv(self):
        if self.tls is None:
            return self.sock.recv(65536)
        while True:
            try:
                with self._lock:
                    return self.tls.read(65536)
            except ssl.SSLWantReadError:
                self._flush()
                self._feed()
            except ssl.SSLZeroReturnError:
                return b""
            except (ssl.SSLEOFError, ssl.SSLError):
                raise Cut(how="no close_notify") from None

    def until(self, mark, limit=1 << 20):
        """Octets up to and including mark."""
        data = b""
        while mark not in data:
            more = self.recv()
            if not more or len(data) > limit:
                raise Cut(data)
            data += more
        end = data.index(mark) + len(mark)
        self.buffer = data[end:] + self.buffer
        return data[:end]

    def exactly(self, n):
        data = b""
        while len(data) < n:
            try:
                more = self.recv()
            except Cut as cut:
                raise Cut(data, cut.how) from None
            if not more:
                raise Cut(data)
            data += more
        self.buffer = data[n:] + self.buffer
        return data[:n]

    def rest(self):
        """Everything up to the end, orderly or not."""
        data = b""
        while True:
            try:
                more = self.recv()
            except Cut:
                return data
            if not more:
                return data
            data += more

    def end(self):
        """End our direction only: close_notify and FIN; reading goes on."""
        if self.ended:
            return
        self.ended = True
        if self.tls is not None:
            with self._lock:
                try:
                    self.tls.unwrap()
                except ssl.SSLError:
                    pass
            self._flush()
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        try:
            self.end()
        except OSError:
            pass
        self.sock.close()

    def drop(self):
        """A FIN without close_notify, as a cut line looks."""
        self.sock.close()

    def reset(self):
        """An RST, as a crashed peer looks."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Message:
    """A head as it came, and a body once it was read."""

    def __init__(self, raw):
        lines = raw[:-4].decode("latin-1").split("\r\n")
        self.raw = raw
        self.start = lines[0]
        self.fields = [tuple(x.strip() for x in line.split(":", 1)) for line in lines[1:]]
        self.body = b""
        self.complete = False

    def all(self, name):
        return [v for n, v in self.fields if n.lower() == name.lower()]

    def get(self, name, default=None):
        return (self.all(name) or [default])[0]

    def has(self, name):
        return bool(self.all(name))

    def read_chunked(self, stream):
        while True:
            size = int(stream.until(b"\r\n")[:-2].split(b";")[0], 16)
            if size == 0:
                while stream.until(b"\r\n") != b"\r\n":
                    pass
                return
            data = stream.exactly(size + 2)
            if data[-2:] != b"\r\n":
                raise Cut(data, "bad chunk")
            self.body += data[:-2]

    def read_body(self, stream, until_close=False):
        """By its framing; complete tells whether the end was seen.  A cut one raises Cut."""
        try:
            if self.get("Transfer-Encoding", "").lower() == "chunked":
                self.read_chunked(stream)
            elif self.has("Content-Length"):
                self.body = stream.exactly(int(self.get("Content-Length")))
            elif until_close:
                while True:
                    more = stream.recv()
                    if not more:
                        break
                    self.body += more
        except Cut as cut:
            if not self.body:
                self.body = cut.data
            raise
        self.complete = True
        return self.body
