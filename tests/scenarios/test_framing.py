"""HTTP/1.1 framing: what is ambiguous is refused and closed, what is clear goes through octet for octet."""
import json
import time

import pytest

from client import new_id, request
from upstream import OK, answer, chunk
from wire import Cut, wait_for

PODS = "/api/v1/namespaces/dev/pods"
CHUNKED = "Transfer-Encoding: chunked"

# name, rule, head lines behind Host and Authorization (or a whole head that begins with a method), body, code
BAD = [
    ("length and chunked", "T-17", ["Content-Length: 5", CHUNKED], b"0\r\n\r\n", 400),
    ("chunked and length", "T-17", [CHUNKED, "Content-Length: 5"], b"0\r\n\r\n", 400),
    ("two lengths", "T-15", ["Content-Length: 2", "Content-Length: 3"], b"{}", 400),
    ("equal lengths", "T-15", ["Content-Length: 2", "Content-Length: 2"], b"{}", 400),
    ("length list", "T-15", ["Content-Length: 2, 2"], b"{}", 400),
    ("length sign", "T-15", ["Content-Length: +2"], b"{}", 400),
    ("length minus", "T-15", ["Content-Length: -1"], b"", 400),
    ("length hex", "T-15", ["Content-Length: 0x2"], b"{}", 400),
    ("length empty", "T-15", ["Content-Length:"], b"", 400),
    ("length blank inside", "T-15", ["Content-Length: 1 0"], b"{}", 400),
    ("length too large", "T-15", ["Content-Length: 9223372036854775808"], b"", 400),
    ("two codings", "T-16", [CHUNKED, CHUNKED], b"0\r\n\r\n", 400),
    ("coding list", "T-16", ["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n", 501),
    ("coding identity", "T-16", ["Transfer-Encoding: identity"], b"", 501),
    ("coding with tab", "T-16", ["Transfer-Encoding: \x0bchunked"], b"0\r\n\r\n", 400),
    ("coding look-alike", "T-29", ["Transfer_Encoding: chunked"], b"0\r\n\r\n", 400),
    ("length look-alike", "T-29", ["Content_Length: 3"], b"abc", 400),
    ("blank before colon", "T-13", ["Content-Length : 2"], b"{}", 400),
    ("folded field", "T-13", ["X-A: 1", " folded: 2"], b"", 400),
    ("no colon", "T-13", ["nonsense"], b"", 400),
    ("empty name", "T-13", [": value"], b"", 400),
    ("name not a token", "T-13", ["X(A): 1"], b"", 400),
    ("NUL in value", "T-14", ["X-A: a\0b"], b"", 400),
    ("control in value", "T-14", ["X-A: a\x01b"], b"", 400),
    ("bare LF", "T-10", ["X-A: 1\nX-B: 2"], b"", 400),
    ("bare CR", "T-10", ["X-A: 1\rX-B: 2"], b"", 400),
    ("CR CR LF", "T-10", ["X-A: 1\r"], b"", 400),
    ("second Host", "T-21", ["Host: other.example.com"], b"", 400),
    ("Connection names Authorization", "T-46", ["Connection: Authorization"], b"", 400),
    ("Connection names Host", "T-46", ["Connection: close, host"], b"", 400),
    ("two expectations", "T-25", ["Expect: 100-continue", "Expect: 100-continue", "Content-Length: 1"], b"", 417),
    ("unknown expectation", "T-25", ["Expect: the-best"], b"", 417),
    ("upgrade with body", "T-116", ["Connection: Upgrade", "Upgrade: websocket", "Content-Length: 2"], b"{}", 400),
]

LINES = [
    ("two blanks", "T-11", b"GET  /api HTTP/1.1", 400),
    ("tab", "T-11", b"GET\t/api HTTP/1.1", 400),
    ("blank at end", "T-11", b"GET /api HTTP/1.1 ", 400),
    ("no version", "T-11", b"GET /api", 400),
    ("blank in target", "T-11", b"GET /a b HTTP/1.1", 400),
    ("version 2.0", "T-11", b"GET /api HTTP/2.0", 505),
    ("version 1.2", "T-11", b"GET /api HTTP/1.2", 505),
    ("version 0.9", "T-11", b"GET /api HTTP/0.9", 505),
    ("version in lower case", "T-11", b"GET /api http/1.1", 400),
    ("method not a token", "T-12", b"G@T /api HTTP/1.1", 400),
    ("HTTP/2 preface", "T-44", b"PRI * HTTP/2.0", 505),
]


def refused(gw, upstream, raw, code):
    """The refusal, that the connection ends behind it, and that nothing went upstream."""
    c = gw.connect()
    c.send(raw)
    a = c.answer()
    assert a.code == code, (a.code, a.body)
    assert a.status()["status"] == "Failure"
    assert a.get("Connection") == "close"
    c.expect_end()
    assert upstream.requests == []
    return a


@pytest.mark.parametrize("name,rule,lines,body,code", BAD, ids=[x[0].replace(" ", "-") for x in BAD])
def test_ambiguous_heads_are_refused(gw, world, upstream, name, rule, lines, body, code):
    """T-10, T-13..T-17, T-21, T-25, T-29, T-46, T-116: a 400 (417, 501) Status, close, nothing upstream."""
    smuggled = request("GET", "/smuggled", token=world.admin)
    refused(gw, upstream, request("POST", PODS, *lines, token=world.admin) + body + smuggled, code)


@pytest.mark.parametrize("name,rule,line,code", LINES, ids=[x[0].replace(" ", "-") for x in LINES])
def test_bad_request_lines(gw, world, upstream, name, rule, line, code):
    """T-11, T-12, T-44: method, one blank, target, one blank, version."""
    refused(gw, upstream, line + b"\r\nHost: gw.example.com\r\n\r\n", code)


def test_a_bad_head_is_audited_without_verb(gw, upstream):
    """T-132: a head that could not be parsed has a ResponseComplete with an empty verb and the status."""
    a = refused(gw, upstream, b"GET /api HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)
    e = gw.event(a.audit_id)
    assert e["verb"] == "" and e["responseStatus"]["code"] == 400 and e["user"] == {}
    assert "objectRef" not in e
    line = gw.wait_log("refused", a.audit_id)
    assert "stage=head" in line and "code=400" in line and "source=127.0.0.1" in line


def test_two_empty_lines_may_precede_a_request(gw, world, upstream):
    """T-11: two are read over, a third is refused."""
    with gw.connect() as c:
        c.send(b"\r\n\r\n" + request(token=world.admin))
        assert c.answer().code == 200
    upstream.clear()
    refused(gw, upstream, b"\r\n\r\n\r\n" + request(token=world.admin), 400)


@pytest.mark.parametrize("body", [
    b"x\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"0x2\r\n{}\r\n0\r\n\r\n", b"1_0\r\n", b" 2\r\n{}\r\n0\r\n\r\n", b"\r\n",
    b"8000000000000000\r\n", b"00000000000000002\r\n{}\r\n0\r\n\r\n", b"2\n{}\r\n0\r\n\r\n", b"2;a=\"\x01\"\r\n{}\r\n",
    b"2;" + b"a" * 300 + b"\r\n{}\r\n", b"2\r\n{}x\r\n0\r\n\r\n", b"2\r\n{}\n0\r\n\r\n", b"0\r\nbad trailer\r\n\r\n",
    b"0\r\n" + b"A: b\r\n" * 33 + b"\r\n"], ids=lambda b: repr(b[:18]))
def test_bad_chunks(gw, world, upstream, body):
    """T-18, T-19, T-20: 400 and close; the upstream's request is left unfinished, never completed."""
    c = gw.connect()
    c.send(request("POST", PODS, CHUNKED, token=world.admin) + body)
    a = c.answer()
    assert a.code == 400 and a.status()["reason"] == "BadRequest"
    c.expect_end()
    for ex in upstream.requests:
        assert ex.ended.wait(5) and not ex.complete
        assert b"0\r\n\r\n" not in ex.stream.buffer


def test_a_bad_chunk_within_a_body_never_completes_the_request(gw, world, upstream):
    """T-18, T-24: good chunks go on, then the bad one ends both sides."""
    c = gw.connect()
    c.send(request("POST", PODS, CHUNKED, token=world.admin) + chunk(b"first"))
    ex = upstream.only()
    wait_for(lambda: ex.body == b"first", why="the first chunk did not go on")
    c.send(b"zz\r\n")
    assert c.answer().code == 400
    c.expect_end()
    assert ex.ended.wait(5) and not ex.complete and ex.body == b"first"


def test_a_cut_body_never_completes_the_request(gw, world, upstream):
    """T-24, T-108: a client that ends within its body; the upstream sees a cut, not an end."""
    c = gw.connect()
    c.send(request("POST", PODS, "Content-Length: 10", token=world.admin) + b"12345")
    ex = upstream.only()
    c.close()
    assert ex.ended.wait(5) and not ex.complete and ex.body == b"12345"


def test_chunked_both_ways(gw, world, upstream):
    """T-19, T-20: extensions and trailers are dropped, and trailers never become fields."""
    def script(ex):
        ex.read()
        ex.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n3\r\ndef\r\n0\r\nX-T: 1\r\n\r\n")
    upstream.script = script
    c = gw.connect()
    c.send(request("POST", PODS, "transfer-encoding: CHUNKED", token=world.admin) +
           b"4;name=\"a;b\"\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\nX-Remote-User: root\r\nContent-Length: 3\r\n\r\n")
    a = c.answer()
    assert a.code == 200 and a.body == b"abcdef"
    ex = upstream.only()
    assert ex.body == b'{"a":1}' and ex.complete and b"root" not in ex.raw + ex.stream.buffer
    assert c.ask(token=world.admin).code == 200  # and the connection goes on


def test_a_length_is_sent_on_in_canonical_form(gw, world, upstream):
    """T-15."""
    c = gw.connect()
    c.send(request("POST", PODS, "Content-Length: 0002", token=world.admin) + b"{}")
    assert c.answer().code == 200
    assert upstream.only().all("Content-Length") == ["2"]


def test_pipelined_requests_are_answered_in_order_each_judged_for_itself(gw, world, upstream):
    """T-23: the second is somebody else's, and refused."""
    def script(ex):
        ex.send(answer(ex.target.encode()))
    upstream.script = script
    c = gw.connect()
    c.send(request("GET", "/a", token=world.admin) + request("GET", "/b", token=world.nobody) +
           request("GET", "/c", token=world.admin) + request("GET", "/d"))
    codes = [(a.code, a.body[:2]) for a in (c.answer(), c.answer(), c.answer(), c.answer())]
    assert codes == [(200, b"/a"), (403, b"{\""), (200, b"/c"), (401, b"{\"")]
    assert [r.target for r in upstream.requests] == ["/a", "/c"]


def test_nothing_is_read_behind_a_closing_request(gw, world, upstream):
    """T-23."""
    c = gw.connect()
    c.send(request("GET", "/a", "Connection: close", token=world.admin) + request("GET", "/b", token=world.admin))
    assert c.answer().get("Connection") == "close"
    c.expect_end()
    assert upstream.only().target == "/a"


@pytest.mark.parametrize("size,goes_on", [(0, True), (60000, True), (200000, False)])
def test_an_early_refusal_drains_a_small_body_or_closes(gw, world, upstream, size, goes_on):
    """T-24: at most 64 KiB; body octets are never parsed as a request."""
    c = gw.connect()
    body = request("GET", "/smuggled", token=world.admin).ljust(size, b"\n")[:size]
    c.send(request("POST", PODS, token=world.nobody, body=body))
    assert c.answer().code == 403
    if goes_on:
        assert c.ask("GET", "/next", token=world.admin).code == 200
        assert upstream.only().target == "/next"
    else:
        c.expect_end()
        assert upstream.requests == []


def test_an_early_refusal_waits_two_seconds_for_a_body(gw, world, upstream):
    """T-24: then the connection closes."""
    c = gw.connect()
    c.send(request("POST", PODS, "Content-Length: 10", token=world.nobody) + b"123")
    assert c.answer().code == 403
    begin = time.monotonic()
    c.expect_end()
    assert 1.0 < time.monotonic() - begin < 9
    assert upstream.requests == []


@pytest.mark.parametrize("target", ["https://gw.example.com/api?x=%2f#", "https://gw.example.com/api/v1?a=b",
                                    "https://GW.example.com/api"])
def test_absolute_targets_go_upstream_in_origin_form(gw, world, upstream, target):
    """T-21, T-58: path and query as they came."""
    path = target[len("https://gw.example.com"):]
    a = gw.ask("GET", target)
    if "#" in target:
        assert a.code in (200, 400)
        return
    assert a.code == 200
    ex = upstream.only()
    assert ex.target == path and ex.get("Host") == "127.0.0.1:%d" % upstream.port
    assert gw.event(a.audit_id)["requestURI"] == path


def test_an_absolute_target_must_agree_with_host(gw, world, upstream):
    """T-21."""
    refused(gw, upstream, request("GET", "https://other.example.com/api", token=world.admin), 400)


@pytest.mark.parametrize("target", ["/api/v1/namespaces/dev/pods?limit=5&labelSelector=a%3Db%2Cc&x=%zz", "/apis?a=b?c",
                                    "/api/v1/namespaces/d%65v/pods", "/api/?", "/api/v1/namespaces/dev/pods/?a&&b="])
def test_path_and_query_travel_octet_for_octet(gw, upstream, target):
    """T-58: decoded for the decision, sent on as received."""
    assert gw.ask("GET", target).code == 200
    assert upstream.only().target == target


def test_head_204_and_304_have_no_body(gw, world, upstream):
    """RFC 9110 6.4.1; the connection is in step afterwards."""
    c = gw.connect()
    upstream.replies(b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n")
    a = c.ask("HEAD", PODS, token=world.admin)
    assert a.code == 200 and a.get("Content-Length") == "1234"
    upstream.replies(b"HTTP/1.1 204 No Content\r\n\r\n")
    a = c.ask("DELETE", PODS + "/a", token=world.admin)
    assert a.code == 204 and not a.has("Content-Length")
    upstream.replies(b"HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n")
    assert c.ask(token=world.admin).code == 304
    upstream.replies(OK)
    assert c.ask(token=world.admin).body == b"{}"
    assert c.ask("HEAD", PODS, token=world.nobody).code == 403
    assert c.ask(token=world.admin).body == b"{}"


def test_continue_is_sent_after_authorization_only(gw, world, upstream):
    """T-25: 100 before the body, for a request that is allowed."""
    c = gw.connect()
    c.send(request("POST", PODS, "Expect: 100-continue", "Content-Length: 2", token=world.admin))
    assert c.head().code == 100
    c.send(b"{}")
    assert c.answer().code == 200
    ex = upstream.only()
    assert ex.body == b"{}" and not ex.has("Expect")
    upstream.clear()
    c = gw.connect()
    c.send(request("POST", PODS, "Expect: 100-continue", "Content-Length: 2", token=world.nobody))
    a = c.answer()
    assert a.code == 403 and a.interim == []
    assert upstream.requests == []


def test_a_final_answer_in_place_of_continue(gw, world, upstream):
    """T-25, T-28: an upstream that answers before the body leaves no half-used connection behind."""
    def script(ex):
        ex.body_read = True
        ex.send(answer(b"no", "413 Too Large"))
    upstream.script = script
    c = gw.connect()
    c.send(request("POST", PODS, "Expect: 100-continue", "Content-Length: 5", token=world.admin))
    assert c.answer().code == 413
    ex = upstream.only()
    assert ex.ended.wait(5)


def test_http_1_0(gw, world, upstream):
    """T-26: no chunked answer, closes unless keep-alive was asked for."""
    upstream.replies(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    c = gw.connect()
    a = c.ask("GET", PODS, token=world.admin, version="HTTP/1.0")
    assert a.code == 200 and a.body == b"abc" and not a.has("Transfer-Encoding")
    upstream.replies(OK)
    c = gw.connect()
    assert c.ask("GET", PODS, token=world.admin, version="HTTP/1.0").body == b"{}"
    c.expect_end()
    c = gw.connect()
    for _ in range(2):
        a = c.ask("GET", PODS, "Connection: keep-alive", token=world.admin, version="HTTP/1.0")
        assert a.code == 200 and a.get("Connection") == "keep-alive"
    upstream.clear()
    refused(gw, upstream, request("POST", PODS, CHUNKED, token=world.admin, version="HTTP/1.0"), 400)


def test_a_body_until_close_becomes_chunks(gw, world, upstream):
    """RFC 9112 6.3: an answer delimited by the end of its connection."""
    upstream.replies(b"HTTP/1.1 200 OK\r\n\r\nhello", then="close")
    c = gw.connect()
    a = c.ask(token=world.admin)
    assert a.body == b"hello" and a.get("Transfer-Encoding") == "chunked"
    upstream.replies(OK)
    assert c.ask(token=world.admin).code == 200


def test_a_request_without_body_gets_no_framing(gw, world, upstream):
    """RFC 9110 8.6: POST without body says so; GET says nothing."""
    gw.ask("POST", PODS)
    gw.ask("GET", PODS)
    first, second = upstream.wait(2)
    assert first.all("Content-Length") == ["0"] and not second.has("Content-Length")


def test_large_bodies_stream(gw, world, upstream):
    """Section 5: no limit of its own, never held whole."""
    data = bytes(range(256)) * 4096 * 4

    def script(ex):
        ex.send(answer(ex.read()))
    upstream.script = script
    before = gw.memory()
    a = gw.ask("POST", PODS, body=data)
    assert a.body == data
    assert gw.grown(before) < 4 * 1024


def test_a_slow_head_is_refused(gw, world, upstream):
    """T-06: 408 after 10 s from its first octet, which more octets do not renew."""
    c = gw.connect()
    begin = time.monotonic()
    raw = request(token=world.admin)
    c.send(raw[:20])
    time.sleep(5)
    c.send(raw[20:30])
    a = c.answer()
    assert a.code == 408 and a.status()["reason"] == "Timeout"
    assert 9 < time.monotonic() - begin < 12.5
    c.expect_end()
    assert upstream.requests == []


def test_a_head_in_single_octets(gw, world, upstream):
    """T-10: how the octets arrive makes no difference."""
    c = gw.connect()
    for octet in request("GET", "/api", token=world.admin):
        c.send(bytes([octet]))
    assert c.answer().code == 200


def test_a_client_that_goes_is_audited_and_ends_the_upstream(gw, world, upstream):
    """T-28, T-132: no answer came, one ResponseComplete says so, and the upstream connection is not reused."""
    upstream.script = lambda ex: ex.ended.wait(5)
    audit_id = new_id()
    c = gw.connect()
    c.send(request(token=world.admin, audit_id=audit_id))
    ex = upstream.only()
    c.close()
    e = gw.event(audit_id)
    assert e["responseStatus"] == {"metadata": {}, "status": "Success", "message": "Connection closed early",
                                   "code": 200}
    assert e["annotations"]["kube-access-gateway/ended-by"] == "client"
    with pytest.raises(Cut):
        ex.stream.until(b"\r\n\r\n")


def test_refusals_are_status_objects(gw, upstream):
    """T-07: key order and the final newline as the API server writes them."""
    with gw.connect() as c:
        a = c.ask()
    assert a.body == (b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",'
                      b'"message":"Unauthorized","reason":"Unauthorized","code":401}\n')
    assert a.get("Content-Type") == "application/json" and json.loads(a.body)
