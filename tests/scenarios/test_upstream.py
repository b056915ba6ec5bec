"""Toward the API server: bad answers, lost connections, several servers, and that answers never mix."""
import os
import socket
import threading
import time

import pytest

from client import Cut, new_id, request
from clock import build_shim
from gateway import SLOW
from upstream import OK, answer, chunk
from wire import wait_for

PODS = "/api/v1/namespaces/dev/pods"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

BAD = [
    b"nonsense\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/1.1 20 OK\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 099 OK\r\n\r\n", b"HTTP/1.1 200 O\x01K\r\n\r\n", b"HTTP/1.1  200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-A : 1\r\n\r\n", b"HTTP/1.1 200 OK\r\nX-A: 1\r\n folded\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-A: a\0b\r\n\r\n", b"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 120 + b"\r\n",
    b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"HTTP/1.1 100 Go\r\n\r\n" * 17 + OK,
]


@pytest.mark.parametrize("raw", BAD, ids=lambda b: repr(b[:50]))
def test_bad_answers(gw, world, upstream, raw):
    """T-27: 502 and close both; a Status, and the reason in the log."""
    upstream.replies(raw)
    audit_id = new_id()
    c = gw.connect()
    a = c.ask(token=world.admin, audit_id=audit_id)
    assert a.code == 502 and a.status()["reason"] == "ServiceUnavailable"
    c.expect_end()
    assert upstream.only().ended.wait(5)
    assert gw.event(audit_id)["responseStatus"]["code"] == 502
    gw.wait_log("upstream cluster=prod", audit_id)


def test_interim_answers_are_read_over(gw, world, upstream):
    """T-27: up to 16 of them."""
    upstream.replies(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 16 + OK)
    a = gw.ask("GET", PODS)
    assert a.code == 200 and a.body == b"{}"


CUT = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", b"12345"), (CHUNKED + chunk(b"12345"), b"12345"),
    (CHUNKED + chunk(b"12345") + b"5\r\n12", b"12345"), (CHUNKED + chunk(b"12345") + b"zz\r\n", b"12345"),
    (CHUNKED + chunk(b"12345") + b"0\r\nX-A\r\n\r\n", b"12345"),
    (CHUNKED + chunk(b"12345") + b"5\r\n12345678", b"12345"),
]


@pytest.mark.parametrize("how", ["close", "drop", "reset"])
@pytest.mark.parametrize("raw,sent", CUT, ids=lambda b: repr(b[-20:]))
def test_cut_answers_are_visibly_broken(gw, world, upstream, raw, sent, how):
    """T-08, T-27, T-108: no last chunk, a short length, then the end; audited, not reused."""
    def script(ex):
        ex.read()
        ex.send(raw)
        time.sleep(0.05 if how == "reset" else 0)
        getattr(ex.stream, how)()
    upstream.script = script
    audit_id = new_id()
    c = gw.connect()
    c.send(request("POST", PODS, token=world.admin, audit_id=audit_id))
    with pytest.raises(Cut) as cut:
        a = c.answer()
        assert a.code != 200, "a cut answer looks whole"
        raise Cut(sent)
    assert cut.value.data.startswith(sent[:3]) or cut.value.data in (b"", sent[:2], b"12", b"12345678")
    assert c.stream.rest() == b""
    e = gw.event(audit_id)
    assert e["responseStatus"]["code"] in (200, 502)


def test_an_answer_until_close_needs_close_notify(gw, world, upstream):
    """T-108: without it the message is truncated, and the client sees that."""
    upstream.replies(b"HTTP/1.1 200 OK\r\n\r\nhello", then="drop")
    c = gw.connect()
    c.send(request(token=world.admin))
    with pytest.raises(Cut):
        c.answer()


@pytest.mark.parametrize("method,count,code", [("GET", 2, 200), ("HEAD", 2, 200), ("POST", 1, 502), ("DELETE", 1, 502)])
def test_the_retry_rule(gw, world, upstream, method, count, code):
    """Once, only if the connection was reused and no octet came, GET and HEAD only."""
    upstream.close_all()  # no idle connection from before
    with gw.connect() as c:
        assert c.ask(token=world.admin).code == 200  # leaves one pooled connection for this loop
        upstream.clear()
        served = []

        def script(ex):
            ex.read()
            served.append(ex)
            if len(served) == 1:
                ex.stream.close()
            else:
                ex.send(OK)
        upstream.script = script
        before = gw.metric("upstream_retried_total")
        c.send(request(method, PODS, token=world.admin))
        assert c.answer(method).code == code
    assert served[0].index >= 1, "the connection was not reused"
    upstream.wait(count)
    if count == 2:
        assert served[1].index == 0, "the repetition must take a fresh connection"
    gw.wait_metric("upstream_retried_total", before + count - 1)
    # A connection that is not pooled ends with its request: only those of probes and of the pool may be left.
    if count == 2:
        assert served[1].ended.wait(5)


def test_no_retry_on_a_fresh_connection(gw, world, upstream):
    upstream.close_all()
    upstream.script = lambda ex: ex.stream.close()
    assert gw.ask("GET", PODS).code == 502
    upstream.only()


def test_no_retry_once_octets_came(gw, world, upstream):
    with gw.connect() as c:
        assert c.ask(token=world.admin).code == 200
        upstream.clear()
        upstream.replies(b"HTTP/1.1 200", then="close")
        assert c.ask(token=world.admin).code == 502
    upstream.only()


def test_upstream_down_and_up_again(make_gateway, make_upstream, world):
    """T-126: 503 with Retry-After and a Status; readyz says so, the gateway recovers by itself."""
    up = make_upstream()
    up.stop()
    gw = make_gateway(up).start(ready=False)
    assert gw.admin("/readyz")[0] == 503
    assert "[-]upstream prod " + up.url in gw.admin("/readyz?verbose")[1]
    with gw.connect() as c:
        a = c.ask(token=world.admin)
        assert a.code == 503 and a.get("Retry-After") == "1"
        assert a.status()["reason"] == "ServiceUnavailable" and a.status()["details"] == {"retryAfterSeconds": 1}
        up.start()
        wait_for(lambda: c.ask(token=world.admin).code == 200, 5, 0.1)
    gw.wait_ready()
    gw.wait_log("upstream cluster=prod", "up")


@pytest.mark.parametrize("answered,ready", [(b"401 Unauthorized", True), (b"403 Forbidden", True),
                                            (b"500 Internal", False), (b"503 Busy", False)])
def test_what_ready_means(make_gateway, make_upstream, answered, ready):
    """Any answer below 500 to /readyz counts."""
    up = make_upstream()
    up.probe_answer = b"HTTP/1.1 " + answered + b"\r\nContent-Length: 0\r\n\r\n"
    gw = make_gateway(up).start(ready=False)
    wait_for(lambda: up.probes, why="no probe came")
    wait_for(lambda: ("[+]upstream" if ready else answered[:3].decode()) in gw.admin("/readyz?verbose")[1])
    assert (gw.admin("/readyz")[0] == 200) == ready


@pytest.mark.parametrize("first", ["nobody", "an error"])
@pytest.mark.skipif(SLOW != 1, reason="a preloaded resolver and a sanitizer do not go together")
def test_one_address_that_answers_is_enough(make_gateway, make_upstream, tmp_path, first):
    """Also where a name has several addresses, and the first is of no use."""
    up = make_upstream(host="127.0.0.2")
    if first == "an error":
        bad = make_upstream(host="127.0.0.1", port=up.port)
        bad.probe_answer = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    gw = make_gateway("https://api.example.com:%d" % up.port)
    gw.cluster["upstream"]["tlsServerName"] = "kubernetes.default"
    gw.start(env={**os.environ, "LD_PRELOAD": build_shim(tmp_path, "resolve"),
                  "RESOLVE": "api.example.com=127.0.0.1,127.0.0.2"})
    assert "[+]upstream prod https://api.example.com" in gw.admin("/readyz?verbose")[1]
    if first == "nobody":
        assert gw.ask("GET", PODS).code == 200
    else:
        assert bad.probes > 0 and up.probes > 0


def test_several_servers_are_used_in_turn(make_gateway, make_upstream, world):
    ups = [make_upstream(host="127.0.0.%d" % i) for i in (1, 2, 3)]
    for up in ups:
        up.replies(OK[:-2].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + b"{}")
    gw = make_gateway(*ups, workers=1).start()
    for _ in range(9):
        assert gw.ask("GET", PODS).code == 200
    assert [len(up.requests) for up in ups] == [3, 3, 3]
    assert {up.requests[0].get("Host") for up in ups} == {up.url[8:] for up in ups}


@pytest.mark.parametrize("fault", ["down", "wrong certificate"])
def test_failover(make_gateway, make_upstream, world, fault):
    """A dial or handshake that fails goes on to the next; POST too, since nothing was sent."""
    good = make_upstream()
    bad = make_upstream(world.other_ca.issue("bad", "IP:127.0.0.2") if fault != "down" else None, host="127.0.0.2")
    if fault == "down":
        bad.stop()
    gw = make_gateway(bad, good, workers=1).start()
    for _ in range(4):
        assert gw.ask("POST", PODS, body=b"{}").code == 200
    assert len(good.requests) == 4 and bad.requests == []
    assert gw.admin("/readyz")[0] == 200 and "[-]upstream" in gw.admin("/readyz?verbose")[1]


@pytest.mark.parametrize("kind", ["other CA", "other name"])
def test_a_wrong_upstream_certificate(make_gateway, make_upstream, world, kind):
    """T-108: chain and name are verified, nothing is sent before; 503, and the log says why."""
    pair = (world.other_ca if kind == "other CA" else world.ca).issue(
        "wrong", "IP:127.0.0.1" if kind == "other CA" else "IP:10.0.0.1,DNS:else.example.com")
    up = make_upstream(pair)
    gw = make_gateway(up).start(ready=False)
    a = gw.ask("GET", PODS)
    assert a.code == 503
    gw.wait_log("upstream cluster=prod", "certificate")
    assert up.requests == [] and up.probes == 0
    assert gw.admin("/readyz")[0] == 503


def test_tls_server_name_is_what_is_verified(make_gateway, make_upstream, world):
    """Apart from the address dialled."""
    up = make_upstream(world.ca.issue("named", "DNS:kubernetes.default"))
    gw = make_gateway(up)
    gw.cluster["upstream"]["tlsServerName"] = "kubernetes.default"
    gw.start()
    assert gw.ask("GET", PODS).code == 200


def test_a_server_that_never_answers_the_handshake(make_gateway, make_upstream, world):
    """T-06, T-126: the connect deadline of 5 s, then the next server."""
    good = make_upstream()
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(16)
        gw = make_gateway("https://127.0.0.1:%d" % deaf.getsockname()[1], good, workers=1).start()
        begin = time.monotonic()
        assert gw.ask("GET", PODS).code == 200
        assert gw.ask("GET", PODS).code == 200
        assert time.monotonic() - begin < 8


def test_pooled_connections_never_mix_answers(gw, world, upstream):
    """T-28: many clients at once, each gets its own answer every time; connections are reused."""
    def script(ex):
        ex.read()
        body = ex.target.encode() * 200
        if hash(ex.target) % 3 == 0:
            ex.send(CHUNKED + chunk(body[:500]) + chunk(body[500:]) + b"0\r\n\r\n")
        else:
            ex.send(answer(body))
    upstream.script = script
    wrong = []

    def client(n):
        with gw.connect() as c:
            for i in range(25):
                target = "/api/%d/%d" % (n, i)
                a = c.ask("GET", target, token=world.admin)
                if a.code != 200 or a.body != target.encode() * 200:
                    wrong.append((target, a.code, a.body[:100]))
    reused = gw.metric("upstream_reused_total")
    threads = [threading.Thread(target=client, args=(n,)) for n in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == [] and len(upstream.requests) == 400
    assert gw.metric("upstream_reused_total") - reused > 200


def test_the_pool_keeps_no_more_than_it_may(make_gateway, make_upstream, world):
    """64 idle connections a loop and cluster, from the moment that they are put back."""
    up, go = make_upstream(), threading.Event()

    def script(ex):
        ex.read()
        go.wait(20)
        ex.send(OK)
    up.script = script
    gw = make_gateway(up, workers=1).start()
    clients = [gw.connect() for _ in range(80)]
    for c in clients:
        c.send(request(token=world.admin))
    up.wait(80, 20)
    go.set()
    for c in clients:
        assert c.answer().code == 200
    wait_for(lambda: len(up.streams) <= 65, why=lambda: "%d connections are kept" % len(up.streams))  # a probe's too
    assert len(up.streams) >= 64
    assert clients[0].ask(token=world.admin).code == 200


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"x"])
def test_octets_behind_an_answer_spoil_the_connection(gw, world, upstream, extra):
    """T-28: no octet of them reaches another request."""
    upstream.close_all()
    upstream.replies(OK + extra)
    with gw.connect() as c:
        for _ in range(3):
            assert c.ask(token=world.admin).body == b"{}"
    assert [r.index for r in upstream.wait(3)] == [0, 0, 0]


def test_an_answer_before_the_body_is_relayed(gw, world, upstream):
    """T-25, T-28: the API server refuses early; the client sees its words, the connection is not reused."""
    def script(ex):
        ex.body_read = True
        ex.send(answer(b"no", "409 Conflict"))
    upstream.script = script
    c = gw.connect()
    c.send(request("POST", PODS, "Content-Length: 100000", token=world.admin) + b"x" * 1000)
    a = c.answer()
    assert a.code == 409 and a.body == b"no"
    assert upstream.only().ended.wait(6)


def test_answers_of_every_class_pass(gw, world, upstream):
    """Section 2: what the API server says is passed on; redirects are not followed."""
    for status in ("200 OK", "201 Created", "302 Found", "404 Not Found", "409 Conflict", "429 Slow", "500 Oops"):
        upstream.replies(answer(b"{}", status, "Location: https://10.0.0.1/", "Retry-After: 3"))
        a = gw.ask("GET", PODS)
        assert a.start == "HTTP/1.1 " + status and a.get("Location") and a.get("Retry-After") == "3"
    assert len(upstream.requests) == 7


def test_long_heads_wait_their_turn(gw, world, upstream):
    """T-23, T-117: answers with heads of 60 KB to pipelined requests, and a client that reads none until all are sent."""
    field = "X-Long: " + "h" * 48000
    upstream.replies(answer(b"{}", "200 OK", field, "X-Also: " + "i" * 12000))
    c, count = gw.connect(timeout=30), 300
    wire = request(token=world.admin) * count
    writer = threading.Thread(target=c.send, args=(wire,))
    writer.start()
    seen = [0, 0]

    def is_still():
        seen.append(len(upstream.requests))
        return seen[-1] == seen[-3] and seen[-1] > 0
    wait_for(is_still, 20, 0.3)
    assert len(upstream.requests) < count, "the client's buffers took everything"
    for _ in range(count):
        a = c.answer()
        assert a.code == 200 and len(a.get("X-Long")) == 48000 and a.body == b"{}"
    writer.join()
