"""Watches: heads and events at once, no cut while quiet, and an end on either side is an end on both."""
import os
import time

import pytest

from client import new_id, request
from upstream import WATCH_HEAD, chunk
from wire import wait_for

WATCH = "/api/v1/namespaces/dev/pods?watch=1"


class Watch:
    """A watch through the gateway; the test is the API server's part."""

    def __init__(self, gw, upstream, target=WATCH, audit_id=None):
        upstream.clear()
        upstream.script = self.hold
        self.client = gw.connect()
        self.client.send(request("GET", target, token=gw.world.admin, audit_id=audit_id))
        self.ex = upstream.only()

    @staticmethod
    def hold(ex):
        ex.read()
        ex.send(WATCH_HEAD)
        ex.ended.wait(0)
        try:
            ex.ahead = ex.stream.recv(timeout=60)  # only its end is expected
        except (OSError, ValueError):
            ex.ahead = b""
        ex.stream.close()

    def event(self, data):
        self.ex.send(chunk(data))
        line = int(self.client.stream.until(b"\r\n")[:-2], 16)
        got = self.client.stream.exactly(line + 2)[:-2]
        assert got == data


def test_head_and_events_come_at_once(gw, upstream):
    """The head before any event, each event as it is sent; all audited."""
    audit_id = new_id()
    w = Watch(gw, upstream, audit_id=audit_id)
    a = w.client.head()
    assert a.code == 200 and a.get("Transfer-Encoding") == "chunked"
    started, = gw.events(audit_id)
    assert started["stage"] == "ResponseStarted" and started["verb"] == "watch"
    for n in range(20):
        begin = time.monotonic()
        w.event(b'{"type":"ADDED","n":%d}\n' % n)
        assert time.monotonic() - begin < 2
    assert gw.metric("long_running_exchanges") == 1
    w.client.close()
    both = gw.events(audit_id, 2)
    assert both[1]["stage"] == "ResponseComplete"
    assert both[1]["annotations"]["kube-access-gateway/ended-by"] == "client"
    gw.wait_metric("long_running_exchanges", 0)


def test_large_events_are_whole(gw, upstream):
    """T-117: an event of a mebibyte; chunks may be cut anew, octets may not."""
    w = Watch(gw, upstream)
    w.client.head()
    data = os.urandom(1 << 20)
    w.ex.send(chunk(data) + b"0\r\n\r\n")
    got = b""
    while True:
        size = int(w.client.stream.until(b"\r\n")[:-2], 16)
        got += w.client.stream.exactly(size + 2)[:-2]
        if size == 0:
            break
    assert got == data
    assert w.client.ask("GET", "/a%2f..").code == 400  # and the connection goes on


@pytest.mark.parametrize("how", ["close", "drop", "reset"])
def test_a_client_that_leaves_ends_the_upstream(gw, upstream, how):
    """T-117: within moments, not at the next event."""
    w = Watch(gw, upstream)
    w.client.head()
    w.event(b"one")
    getattr(w.client.stream, how)()
    assert w.ex.ended.wait(5)


def test_a_quiet_watch_is_not_cut_and_reloads_do_not_touch_it(gw, upstream):
    """No timeout cuts a quiet watch; T-127: a reload disturbs none."""
    w = Watch(gw, upstream)
    w.client.head()
    w.event(b"before")
    begin = time.monotonic()
    gw.reload()
    gw.reload()
    time.sleep(max(0, 10 - (time.monotonic() - begin)))
    w.event(b"after")
    assert not w.ex.ended.is_set()
    w.client.close()


def test_the_servers_end_is_the_clients_end(gw, upstream):
    """A timeout of the API server ends a watch cleanly, and the connection goes on."""
    w = Watch(gw, upstream)
    w.client.head()
    w.event(b"one")
    w.ex.send(b"0\r\n\r\n")
    assert w.client.stream.exactly(5) == b"0\r\n\r\n"
    upstream.clear()
    assert w.client.ask("GET", "/api", token=gw.world.admin).code == 200


def test_an_idle_watch_is_small(gw, upstream):
    """Section 11: it holds no arena and no buffer."""
    watches = [Watch(gw, upstream) for _ in range(4)]
    for w in watches:
        w.client.head()
    before = gw.memory()
    more = [Watch(gw, upstream) for _ in range(40)]
    for w in more:
        w.client.head()
    assert gw.grown(before) / 40 < 128
    for w in watches + more:
        w.client.close()
    wait_for(lambda: gw.metric("long_running_exchanges") == 0)
