"""A client that sends the octets it is told to, and says exactly what came back."""
import json
import socket
import uuid

from wire import Cut, Message, Stream


def request(method="GET", target="/api/v1/namespaces/dev/pods", *fields, token=None, host="gw.example.com",
            body=None, version="HTTP/1.1", audit_id=None):
    """The octets of a request; fields are whole lines.  body adds a Content-Length."""
    lines = ["%s %s %s" % (method, target, version)]
    if host is not None:
        lines.append("Host: " + host)
    if token is not None:
        lines.append("Authorization: Bearer " + token)
    if audit_id is not None:
        lines.append("Audit-ID: " + audit_id)
    if body is not None:
        lines.append("Content-Length: %d" % len(body))
    lines += fields
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")


def new_id():
    return uuid.uuid4().hex


class Answer(Message):
    def __init__(self, raw):
        super().__init__(raw)
        parts = self.start.split(" ", 2)
        self.version, self.code = parts[0], int(parts[1])

    def status(self):
        """The Status object of a refusal."""
        document = json.loads(self.body)
        assert document["kind"] == "Status" and document["code"] == self.code, document
        return document

    @property
    def audit_id(self):
        return self.get("Audit-ID")


class Client:
    """One connection to the gateway."""

    def __init__(self, address, ctx, source=None, name=None, session=None, timeout=15.0):
        sock = socket.create_connection(address, timeout, (source, 0) if source else None)
        try:
            self.stream = Stream(sock, ctx, name=name, session=session, timeout=timeout)
        except BaseException:
            sock.close()
            raise

    def send(self, data):
        self.stream.send(data)
        return self

    def head(self):
        """The next head, interim ones included."""
        return Answer(self.stream.until(b"\r\n\r\n"))

    def answer(self, method="GET"):
        """The next whole answer; interim ones are in .interim."""
        interim = []
        while True:
            a = self.head()
            if a.code == 101 or a.code >= 200:
                break
            interim.append(a)
        a.interim = interim
        if method == "HEAD" or a.code in (101, 204, 304):
            a.complete = True
            return a
        a.read_body(self.stream, until_close=True)
        return a

    def ask(self, *args, **kw):
        """Send a request and return its answer."""
        self.send(request(*args, **kw))
        return self.answer(args[0] if args else "GET")

    def expect_end(self):
        """Nothing more comes, and the gateway ends the connection."""
        data = self.stream.rest()
        assert data == b"", data[:300]

    def close(self):
        self.stream.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


__all__ = ["Answer", "Client", "Cut", "new_id", "request"]
