"""Upgrades: 101 makes a tunnel of two connections, anything else stays HTTP; backpressure and half-closes hold."""
import os
import signal
import threading
import time

import pytest

from client import Cut, new_id, request
from upstream import OK, answer
from wire import wait_for

EXEC = "/api/v1/namespaces/dev/pods/web/exec?command=sh"
KINDS = {"websocket": ("GET", "websocket"), "spdy": ("POST", "SPDY/3.1")}


def switching(protocol, *fields):
    return ("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n%s\r\n" % (
        protocol, "".join(f + "\r\n" for f in fields))).encode()


def echo(stream):
    try:
        while True:
            data = stream.recv()
            if not data:
                break
            stream.send(data)
        stream.end()
    except (Cut, OSError):
        pass


def serve(upstream, protocol, run=echo, *fields, behind=b""):
    """Every upgrade is granted; run(stream) is the tunnel."""
    def script(ex):
        ex.body_read = True
        ex.send(switching(protocol, *fields) + behind)
        run(ex.stream)
        ex.stream.ended = True
    upstream.script = script


def ask(gw, kind, token=None, behind=b"", audit_id=None, target=EXEC, fields=()):
    method, protocol = KINDS[kind]
    c = gw.connect()
    c.send(request(method, target, "Connection: keep-alive, Upgrade", "Upgrade: " + protocol, *fields,
                   token=token or gw.world.admin, audit_id=audit_id) + behind)
    return c


@pytest.mark.parametrize("kind", KINDS)
def test_octets_flow_both_ways(gw, upstream, kind):
    """T-114, T-115: with the fields of the protocols, and those sent right behind the heads."""
    protocol = KINDS[kind][1]
    serve(upstream, protocol, echo, "Sec-WebSocket-Accept: x", "X-Stream-Protocol-Version: v4.channel.k8s.io",
          behind=b"from the server,")
    c = ask(gw, kind, behind=b"from the client", fields=("Sec-WebSocket-Key: k", "Sec-WebSocket-Version: 13",
                                                         "X-Stream-Protocol-Version: v5.channel.k8s.io",
                                                         "X-Stream-Protocol-Version: v4.channel.k8s.io"))
    a = c.answer()
    assert a.code == 101 and a.get("Upgrade") == protocol and a.get("Connection") == "Upgrade"
    assert a.get("Sec-WebSocket-Accept") == "x" and a.get("X-Stream-Protocol-Version") == "v4.channel.k8s.io"
    assert c.stream.exactly(31) == b"from the server,from the client"
    c.send(b"more")
    assert c.stream.exactly(4) == b"more"
    ex = upstream.only()
    assert ex.get("Upgrade") == protocol and ex.get("Connection") == "Upgrade"
    assert ex.all("X-Stream-Protocol-Version") == ["v5.channel.k8s.io", "v4.channel.k8s.io"]
    assert ex.index == 0, "upgrades take a fresh connection"
    assert gw.metric("tunnels") == 1
    c.close()
    gw.wait_metric("tunnels", 0)


def test_a_tunnel_has_two_audit_events(gw, upstream):
    """T-132: ResponseStarted before the first octet of the 101, ResponseComplete at the end."""
    serve(upstream, "websocket")
    audit_id = new_id()
    c = ask(gw, "websocket", audit_id=audit_id)
    assert c.answer().code == 101
    started, = gw.events(audit_id)
    assert started["stage"] == "ResponseStarted" and started["responseStatus"]["code"] == 101
    assert started["verb"] == "get" and started["objectRef"]["subresource"] == "exec"
    c.close()
    both = gw.events(audit_id, 2)
    assert [e["stage"] for e in both] == ["ResponseStarted", "ResponseComplete"]
    assert both[1]["responseStatus"]["code"] == 101


def test_the_client_ends_first(gw, upstream):
    """T-117: its half-close arrives, and what the server still says comes back."""
    def run(stream):
        data = b""
        while True:
            more = stream.recv()
            if not more:
                break
            data += more
        stream.send(b"got " + data)
        stream.end()
    serve(upstream, "SPDY/3.1", run)
    c = ask(gw, "spdy")
    assert c.answer().code == 101
    c.send(b"all")
    c.stream.end()
    assert c.stream.exactly(7) == b"got all"
    assert c.stream.recv() == b""


def test_the_server_ends_first(gw, upstream):
    """T-117: its half-close arrives, and what the client still says goes up."""
    got = []

    def run(stream):
        stream.send(b"bye")
        stream.end()
        while True:
            data = stream.recv()
            if not data:
                break
            got.append(data)
    serve(upstream, "websocket", run)
    c = ask(gw, "websocket")
    assert c.answer().code == 101
    assert c.stream.exactly(3) == b"bye" and c.stream.recv() == b""
    c.send(b"still here")
    wait_for(lambda: b"".join(got) == b"still here", why=lambda: repr(got))
    c.stream.end()
    gw.wait_metric("tunnels", 0)


@pytest.mark.parametrize("how", ["reset", "drop"])
@pytest.mark.parametrize("side", ["client", "server"])
def test_a_broken_side_ends_the_other(gw, upstream, side, how):
    """T-117."""
    broken = threading.Event()

    def run(stream):
        stream.send(stream.exactly(1))
        if side == "client":
            echo(stream)
        else:
            broken.wait(5)
            getattr(stream, how)()
    serve(upstream, "websocket", run)
    c = ask(gw, "websocket")
    assert c.answer().code == 101
    c.send(b"x")
    assert c.stream.exactly(1) == b"x"
    ex = upstream.only()
    if side == "client":
        getattr(c.stream, how)()
        assert ex.ended.wait(8)
    else:
        broken.set()
        c.stream.rest()
    gw.wait_metric("tunnels", 0, 8)


def test_a_mebibyte_comes_back_whole(gw, upstream):
    """T-117."""
    serve(upstream, "websocket")
    c = ask(gw, "websocket")
    assert c.answer().code == 101
    data = os.urandom(1 << 20)
    writer = threading.Thread(target=lambda: (c.send(data), c.stream.end()))
    writer.start()
    assert c.stream.exactly(len(data)) == data
    writer.join()
    assert c.stream.recv() == b""


def test_a_101_that_finds_nobody_is_no_tunnel(gw, upstream):
    """T-117: the client's reset and the API server's 101 come in one turn; what was never counted is not taken off."""
    go = threading.Event()

    def script(ex):
        ex.body_read = True
        go.wait(10)
        ex.send(switching("websocket"))
        ex.stream.ended = True
    upstream.script = script
    c = ask(gw, "websocket")
    upstream.only()
    gw.signal(signal.SIGSTOP)
    try:
        c.stream.reset()
        go.set()
        time.sleep(0.3)
    finally:
        gw.signal(signal.SIGCONT)
    gw.wait_metric("exchanges", 0)
    assert gw.metric("tunnels") == 0 and gw.metric("long_running_exchanges") == 0


@pytest.mark.parametrize("slow", ["client", "server"])
def test_backpressure(gw, upstream, slow):
    """T-117, T-39: a paused reader costs no more than the buffers, no CPU, and nothing is lost."""
    total = 24 << 20
    resume = threading.Event()
    count = [0]

    def pour(stream):
        for _ in range(total // 65536):
            stream.send(b"x" * 65536)
        stream.end()

    def swallow(stream):
        resume.wait(20)
        while True:
            data = stream.recv()
            if not data:
                return
            count[0] += len(data)

    def run(stream):
        try:
            (pour if slow == "client" else swallow)(stream)
            if slow == "client":
                echo(stream)
        except (Cut, OSError):
            pass
    serve(upstream, "websocket", run)
    c = ask(gw, "websocket")
    c.stream.timeout = 30
    assert c.answer().code == 101
    memory = gw.memory()
    if slow == "server":
        writer = threading.Thread(target=pour, args=(c.stream,))
        writer.start()
    settled = [0, 0]

    def is_still():
        settled.append(gw.metric("client_received_bytes_total") + gw.metric("client_sent_bytes_total"))
        return settled[-1] == settled[-3] and settled[-1] > 0
    wait_for(is_still, 10, 0.2)
    cpu = gw.cpu_seconds()
    time.sleep(1)
    assert gw.cpu_seconds() - cpu < 0.25, "a paused side is polled again and again"
    assert gw.grown(memory) < 1024
    resume.set()
    if slow == "client":
        swallow(c.stream)
        c.stream.end()
    else:
        writer.join()
    wait_for(lambda: count[0] == total, 20, why=lambda: "%d of %d octets" % (count[0], total))
    gw.wait_metric("tunnels", 0, 8)


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "400 Bad Request", "403 Forbidden", "500 Oops"])
def test_any_other_answer_stays_http(gw, world, upstream, status):
    """T-115: redirects are handed back; octets behind the request stay HTTP; the upstream connection is closed."""
    upstream.replies(answer(b"no", status, "Location: https://10.1.1.1/"))
    c = ask(gw, "websocket", behind=request("GET", "/next", token=world.nobody))
    a = c.answer()
    assert a.start == "HTTP/1.1 " + status and a.body == b"no" and not a.has("Upgrade")
    assert upstream.only().ended.wait(5)
    assert c.answer().code == 403  # the pipelined request, judged for itself


def test_a_101_for_another_protocol_is_refused(gw, upstream):
    """T-27, T-115."""
    upstream.replies(switching("SPDY/3.1"))
    assert ask(gw, "websocket").answer().code == 502


def test_a_refused_upgrade_is_a_status(gw, world, upstream):
    """T-114: authorization comes first; the connection goes on as HTTP."""
    c = ask(gw, "spdy", token=world.nobody)
    assert c.answer().status()["reason"] == "Forbidden"
    assert upstream.requests == []
    assert c.ask("GET", "/next", token=world.admin).code == 200


@pytest.mark.parametrize("fields", [
    ["Connection: Upgrade", "Upgrade: h2c"], ["Connection: Upgrade", "Upgrade: TLS/1.0"], ["Upgrade: websocket"],
    ["Connection: Upgrade", "Upgrade: websocket, SPDY/3.1"],
    ["Connection: Upgrade", "Upgrade: websocket", "Upgrade: SPDY/3.1"], ["Connection: Upgrade"]])
def test_other_upgrades_go_on_as_http(gw, upstream, fields):
    """T-44, T-114: dropped; the request is an ordinary one."""
    a = gw.ask("GET", EXEC, *fields)
    assert a.code == 200 and not a.has("Upgrade")
    ex = upstream.only()
    assert not ex.has("Upgrade") and not ex.has("Connection")


def test_no_upgrade_in_http_1_0(gw, upstream):
    """T-26."""
    assert gw.ask("GET", EXEC, "Connection: Upgrade", "Upgrade: websocket", version="HTTP/1.0").code == 200
    assert not upstream.only().has("Upgrade")


def test_many_tunnels_never_share_octets(gw, upstream):
    """T-117."""
    serve(upstream, "websocket")
    wrong = []

    def client(n):
        c = ask(gw, "websocket")
        if c.answer().code != 101:
            wrong.append(n)
        mine = bytes([n]) * 30000
        for _ in range(10):
            c.send(mine)
            if c.stream.exactly(len(mine)) != mine:
                wrong.append(n)
        c.close()
    threads = [threading.Thread(target=client, args=(n,)) for n in range(20)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []
    gw.wait_metric("tunnels", 0, 8)


def test_an_upgrade_takes_no_pooled_connection(gw, world, upstream):
    """Fresh, and never returned."""
    assert gw.ask("GET", "/api").code == 200
    upstream.clear()
    upstream.replies(OK)
    c = ask(gw, "websocket")
    assert c.answer().code == 200
    ex = upstream.only()
    assert ex.index == 0 and ex.ended.wait(5)
