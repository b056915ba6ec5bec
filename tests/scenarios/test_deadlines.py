"""Deadlines, on a clock that the test moves: who is waited for, and how long."""
import threading
import time

import pytest

from client import Cut, new_id, request
from test_tunnels import ask, serve
from upstream import OK, WATCH_HEAD, chunk
from wire import wait_for

PODS = "/api/v1/namespaces/dev/pods"
PIECE = 16384


def queued(port, peer):
    """Octets of the connection from port to peer that the kernel holds, on both sides."""
    total = 0
    with open("/proc/net/tcp", encoding="ascii") as f:
        for line in f.readlines()[1:]:
            _, local, remote, _, queues = line.split()[:5]
            ports = int(local.split(":")[1], 16), int(remote.split(":")[1], 16)
            tx, rx = (int(x, 16) for x in queues.split(":"))
            if ports == (port, peer):
                total += tx
            elif ports == (peer, port):
                total += rx
    return total


def ended_by(gw, audit_id, count):
    return gw.events(audit_id, count)[-1]["annotations"].get("kube-access-gateway/ended-by")


class Stuck:
    """A client that reads nothing, until some octets wait in the gateway and the API server has no more."""

    def __init__(self, gw, up, target):
        self.go, self.sent = threading.Semaphore(0), 0
        self.last = threading.Event()
        up.script = self.script
        self.audit_id = new_id()
        before = gw.metric("client_sent_bytes_total")
        self.client = gw.connect()
        self.client.send(request("GET", target, token=gw.world.admin, audit_id=self.audit_id))
        peer = self.client.stream.sock.getsockname()[1]

        def waits():
            self.go.release()
            wait_for(lambda: gw.metric("client_sent_bytes_total") - before == self.sent and self.sent)
            if self.sent - queued(gw.port, peer) <= PIECE / 2:
                return False
            time.sleep(0.3)  # the kernels may find some more room
            return self.sent - queued(gw.port, peer) > PIECE / 2
        wait_for(waits, 30, 0)

    def script(self, ex):
        ex.read()
        ex.send(WATCH_HEAD)
        while True:
            self.go.acquire()
            if self.last.is_set():
                break
            self.sent += PIECE
            ex.send(chunk(b"x" * PIECE))
        ex.send(b"0\r\n\r\n")

    def end(self):
        self.last.set()
        self.go.release()


@pytest.mark.parametrize("target,seconds,events", [(PODS, 30, 1), (PODS + "?watch=1", 600, 2)])
def test_a_client_that_takes_nothing_is_let_go(make_gateway, make_upstream, clock, target, seconds, events):
    """T-39: though the API server has nothing more for it, and all that came fits our buffer."""
    up = make_upstream()
    gw = make_gateway(up, workers=1).start(env=clock.env)
    s = Stuck(gw, up, target)
    clock.jump(gw, seconds - 2)
    assert gw.metric("exchanges") == 1
    clock.jump(gw, 3)
    gw.wait_metric("exchanges", 0)
    assert ended_by(gw, s.audit_id, events) == "blocked client"
    s.end()


def test_an_answer_ends_when_the_client_has_it(make_gateway, make_upstream, clock):
    """T-39: its record and its deadlines last until the kernel has taken all; the upstream is free before."""
    up = make_upstream()
    gw = make_gateway(up, workers=1).start(env=clock.env)
    s = Stuck(gw, up, PODS)
    s.end()
    assert gw.metric("exchanges") == 1 and gw.audit() == []
    clock.jump(gw, 28)
    a = s.client.answer()
    assert len(a.body) == s.sent
    assert gw.event(s.audit_id)["annotations"].get("kube-access-gateway/ended-by") is None
    gw.wait_metric("exchanges", 0)
    up.replies(OK)
    assert s.client.ask(token=gw.world.admin).code == 200


def test_a_whole_answer_that_nobody_takes(make_gateway, make_upstream, clock):
    """T-39: no connection waits in our buffer for ever."""
    up = make_upstream()
    gw = make_gateway(up, workers=1).start(env=clock.env)
    s = Stuck(gw, up, PODS)
    s.end()
    clock.jump(gw, 28)
    assert gw.metric("connections") >= 1
    clock.jump(gw, 31)
    gw.wait_metric("exchanges", 0)
    assert ended_by(gw, s.audit_id, 1) == "blocked client"
    with pytest.raises(Cut):
        s.client.answer()


@pytest.mark.parametrize("target,limited", [
    ("/api/v1/namespaces/dev/pods", True), ("/api/v1/namespaces/dev/pods?watch=1", True),
    ("/api/v1/namespaces/dev/pods/web/exec?command=sh", True), ("/api/v1/namespaces/dev/pods/web/attach", True),
    ("/api/v1/namespaces/dev/pods/web/portforward", True), ("/api/v1/namespaces/dev/pods/web/log?follow=1", False),
    ("/api/v1/namespaces/dev/pods/web/proxy/", False)])
def test_the_deadline_of_an_answers_head(make_gateway, make_upstream, clock, target, limited):
    """T-06: 70 s for what the API server answers at once; a quiet log and a proxied service may take their time."""
    up, go = make_upstream(), threading.Event()

    def script(ex):
        ex.read()
        go.wait(20)
        ex.send(OK)
    up.script = script
    gw = make_gateway(up, workers=1).start(env=clock.env)
    c = gw.connect()
    c.send(request("GET", target, token=gw.world.admin))
    up.wait()
    clock.jump(gw, 68)
    assert gw.metric("exchanges") == 1
    clock.jump(gw, 3 if limited else 7200)
    if not limited:
        go.set()
    a = c.answer()
    assert a.code == (504 if limited else 200)
    if limited:
        assert a.status()["reason"] == "Timeout"
    go.set()


def test_the_deadline_of_a_held_review(make_gateway, make_upstream, clock):
    """T-06: 30 s for each piece of what is held, then 408; whatever came, nothing of it goes upstream."""
    up = make_upstream()
    gw = make_gateway(up, workers=1).start(env=clock.env)
    c = gw.connect()
    c.send(request("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "Content-Type: application/json",
                   "Content-Length: 100", token=gw.world.admin) + b'{"spec"')
    gw.wait_metric("exchanges", 1)
    for piece in (b":", b"{"):
        clock.jump(gw, 28)
        assert gw.metric("exchanges") == 1
        c.send(piece)
        time.sleep(0.2)
    clock.jump(gw, 28)
    assert gw.metric("exchanges") == 1
    clock.jump(gw, 3)
    a = c.answer()
    assert a.code == 408 and a.status()["reason"] == "Timeout"
    assert up.requests == []


@pytest.mark.parametrize("wall,ends", [(0, False), (7200, True)])
def test_a_watch_looks_at_the_wall_clock(make_gateway, make_upstream, clock, wall, ends):
    """T-118, T-124: every five minutes; a clock that was set ahead ends it then and not after the hour it had left."""
    up = make_upstream()
    go = threading.Event()

    def script(ex):
        ex.read()
        ex.send(WATCH_HEAD)
        go.wait(20)
    up.script = script
    gw = make_gateway(up, workers=1).start(env=clock.env)
    audit_id = new_id()
    c = gw.connect()
    c.send(request("GET", PODS + "?watch=1", audit_id=audit_id,
                   token=gw.world.issuer.token("ann", "admins", exp=int(time.time()) + 3600)))
    assert c.head().code == 200
    clock.set_wall(wall)
    clock.jump(gw, 290)
    time.sleep(0.2)
    assert gw.metric("long_running_revoked_total") == 0
    clock.jump(gw, 15)
    if ends:
        assert c.stream.exactly(5) == b"0\r\n\r\n"
        assert ended_by(gw, audit_id, 2) == "token-expired"
    else:
        clock.jump(gw, 305)
        time.sleep(0.2)
        assert gw.metric("long_running_revoked_total") == 0
    go.set()


@pytest.mark.parametrize("first", ["client", "server"])
def test_half_a_tunnel_is_not_held_for_ever(make_gateway, make_upstream, clock, first):
    """T-117: one direction has ended: as long as the other moves it goes on, and for 10 minutes without."""
    up, go, tunnel = make_upstream(), threading.Event(), []

    def run(stream):
        tunnel.append(stream)
        go.wait(30)
    serve(up, "websocket", run)
    gw = make_gateway(up, workers=1)
    gw.cluster["limits"] = {"sessionMaxAge": "0s"}  # or a day would end it for its age
    gw.start(env=clock.env)
    audit_id = new_id()
    c = ask(gw, "websocket", audit_id=audit_id)
    assert c.answer().code == 101
    clock.jump(gw, 7 * 3600)  # within sessionMaxAge
    assert gw.metric("tunnels") == 1, "a quiet tunnel was cut"
    wait_for(lambda: tunnel)
    if first == "client":
        c.stream.end()
        assert tunnel[0].recv() == b""
        giver, taker = tunnel[0], c.stream
    else:
        tunnel[0].end()
        assert c.stream.recv() == b""
        giver, taker = c.stream, tunnel[0]
    for _ in range(3):
        clock.jump(gw, 500)
        giver.send(b"x")
        assert taker.exactly(1) == b"x"
    clock.jump(gw, 590)
    assert gw.metric("tunnels") == 1
    clock.jump(gw, 20)
    gw.wait_metric("tunnels", 0)
    assert ended_by(gw, audit_id, 2) == "half-closed tunnel"
    go.set()
