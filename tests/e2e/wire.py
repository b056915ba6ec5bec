"""Requests without a client library, for what kubectl does not show: heads, connections, other source addresses."""
import http.client
import json
import socket
import ssl

WEBSOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": "v5.channel.k8s.io"}
SPDY = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1", "X-Stream-Protocol-Version": "v4.channel.k8s.io"}


class Answer:
    """status, headers, body; json() parses it."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)


def connect(side, timeout=20):
    tls = ssl.create_default_context(cafile=side.cluster.path(side.ca))
    return http.client.HTTPSConnection("127.0.0.1", side.port, context=tls, timeout=timeout)


def begin(conn, side, user, method, path, body=None, headers=None):
    """Sends a request and returns the response with its body still to be read."""
    head = {"Accept": "application/json", **(headers or {})}
    if side.tokens[user]:
        head["Authorization"] = "Bearer " + side.tokens[user]
    if body is not None:
        head["Content-Type"] = "application/json"
    conn.request(method, path, None if body is None else json.dumps(body), head)
    return conn.getresponse()


def ask(side, user, method, path, body=None, headers=None):
    conn = connect(side)
    try:
        return Answer(begin(conn, side, user, method, path, body, headers))
    finally:
        conn.close()


def pods(side, rest=""):
    return "/api/v1/namespaces/%s/pods%s" % (side.namespace, rest)


def is_closed(port, source, seconds):
    """Whether a connection from the address `source`, on which nothing is sent, is closed within some seconds."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds, source_address=(source, 0)) as s:
        try:
            return s.recv(1) == b""
        except socket.timeout:
            return False
        except ConnectionError:
            return True
