"""TLS: versions, names, ALPN, tickets, and what is no TLS at all."""
import re
import socket
import ssl
import subprocess
import time

import pytest

from client import request
from upstream import answer
from wire import Cut

PODS = "/api/v1/namespaces/dev/pods"
V = ssl.TLSVersion
REFUSED = (ssl.SSLError, Cut, ConnectionError)


def s_client(gw, *args, data=b""):
    r = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % gw.port, "-CAfile", gw.world.ca.cert,
                        *args], input=data, capture_output=True, timeout=20, check=False)
    return r.returncode, (r.stdout + r.stderr).decode("utf-8", "replace")


@pytest.mark.parametrize("version,name", [(V.TLSv1_2, "TLSv1.2"), (V.TLSv1_3, "TLSv1.3")])
def test_versions_that_are_spoken(gw, world, upstream, version, name):
    """T-100."""
    with gw.connect(ctx=gw.context(lowest=version, highest=version)) as c:
        assert c.stream.tls.version() == name
        assert c.ask("GET", PODS, token=world.admin).code == 200


@pytest.mark.parametrize("flag", ["-tls1", "-tls1_1"])
def test_older_versions_are_refused(gw, upstream, flag):
    """T-100."""
    before = gw.metric("tls_handshakes_failed_total")
    code, text = s_client(gw, flag, "-cipher", "ALL:@SECLEVEL=0")
    assert code != 0 and "Cipher is (NONE)" in text
    gw.wait_metric("tls_handshakes_failed_total", before + 1)


def test_min_version_1_3(make_gateway, make_upstream, world):
    """T-100: 1.2 is then reachable by no hello."""
    gw = make_gateway(make_upstream())
    gw.config["listeners"][0]["tls"]["minVersion"] = "1.3"
    gw.start()
    assert gw.ask("GET", PODS).code == 200
    with pytest.raises(REFUSED):
        gw.connect(ctx=gw.context(highest=V.TLSv1_2))
    code, text = s_client(gw, "-tls1_2")
    assert code != 0 and "Cipher is (NONE)" in text


@pytest.mark.parametrize("alpn,chosen", [((), None), (("http/1.1",), "http/1.1"), (("h2", "http/1.1"), "http/1.1"),
                                         (("http/1.1", "h2"), "http/1.1")])
def test_alpn(gw, world, upstream, alpn, chosen):
    """T-103: no ALPN means HTTP/1.1."""
    with gw.connect(ctx=gw.context(alpn=alpn)) as c:
        assert c.stream.tls.selected_alpn_protocol() == chosen
        assert c.ask("GET", PODS, token=world.admin).code == 200


@pytest.mark.parametrize("alpn", [("h2",), ("spdy/3.1", "http/1.0")])
def test_no_common_protocol_ends_the_handshake(gw, upstream, alpn):
    """T-103."""
    with pytest.raises(REFUSED):
        c = gw.connect(ctx=gw.context(alpn=alpn))
        c.answer()


def test_an_http_2_preface_is_refused(gw, upstream):
    """T-44: ALPN alone selects."""
    c = gw.connect(ctx=gw.context(alpn=("http/1.1",)))
    c.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9))
    assert c.answer().code == 505
    c.expect_end()


def named(make_gateway, upstream, world):
    gw = make_gateway(upstream)
    gw.config["listeners"][0]["tls"]["certificates"] = [gw.certificate(world.gateway_pair),
                                                        gw.certificate(world.rsa_pair)]
    gw.cluster["serverNames"] = ["gw.example.com", "rsa.example.com", "127.0.0.1"]
    return gw.start()


def test_the_name_picks_the_certificate(make_gateway, make_upstream, world):
    """T-107: the first is the default; case and a final dot do not count; RSA and ECDSA both work."""
    gw = named(make_gateway, make_upstream(), world)
    for name, common in (("rsa.example.com", "gateway-rsa"), ("RSA.example.com", "gateway-rsa"),
                         ("gw.example.com", "gateway"), (None, "gateway")):
        for version in (V.TLSv1_2, V.TLSv1_3):
            with gw.connect(ctx=gw.context(lowest=version, highest=version), name=name) as c:
                subject = dict(x[0] for x in c.stream.tls.getpeercert()["subject"])
                assert subject["commonName"] == common
                assert c.ask("GET", PODS, token=world.admin, host=name or "127.0.0.1").code == 200


def test_an_unknown_name_is_closed(make_gateway, make_upstream, world):
    gw = named(make_gateway, make_upstream(), world)
    for name in ("else.example.com", "gw.example.com.evil.org", "example.com"):
        with pytest.raises(REFUSED):
            gw.connect(name=name)
    assert gw.ask("GET", PODS).code == 200


@pytest.mark.parametrize("raw", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x00" * 4096, b"SSH-2.0-x\r\n",
                                 b"\x16\x03\x01\x40\x00" + b"\x01" * 70000, b"\x80\x2e\x01\x00\x02" + b"a" * 60,
                                 b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n"], ids=lambda b: repr(b[:12]))
def test_garbage_on_the_tls_port(gw, world, upstream, raw):
    """T-94, T-99: one connection, no HTTP answer, nobody else notices."""
    before = gw.metric("tls_handshakes_failed_total")
    with socket.create_connection(("127.0.0.1", gw.port), 10) as s:
        try:
            s.sendall(raw)
            got = b""
            while True:
                more = s.recv(4096)
                if not more:
                    break
                got += more
        except ConnectionError:
            pass
        assert b"HTTP" not in got and len(got) < 32
    gw.wait_metric("tls_handshakes_failed_total", before + 1)
    assert gw.ask("GET", PODS).code == 200


def test_an_unfinished_handshake_is_ended(gw, world, upstream):
    """T-06: after 10 s."""
    with socket.create_connection(("127.0.0.1", gw.port), 15) as s:
        begin = time.monotonic()
        s.sendall(b"\x16\x03\x01")
        assert s.recv(10) == b""
        assert 9 < time.monotonic() - begin < 13


@pytest.mark.parametrize("version", [V.TLSv1_2, V.TLSv1_3])
def test_sessions_are_resumed_by_ticket(gw, world, upstream, version):
    """T-105: and requests on a resumed session are judged for themselves."""
    ctx = gw.context(lowest=version, highest=version)
    with gw.connect(ctx=ctx) as c:
        assert c.ask("GET", PODS, token=world.admin).code == 200
        session = c.stream.tls.session
        assert session is not None and session.has_ticket and not c.stream.tls.session_reused
    with gw.connect(ctx=ctx, session=session) as c:
        assert c.stream.tls.session_reused
        assert c.ask("GET", PODS).code == 401


def test_tickets_are_worth_nothing_after_a_restart(make_gateway, make_upstream, world):
    """T-106: ticket keys are in memory only."""
    gw = make_gateway(make_upstream()).start()
    ctx = gw.context(highest=V.TLSv1_2)
    with gw.connect(ctx=ctx) as c:
        c.ask("GET", PODS, token=world.admin)
        session = c.stream.tls.session
    gw.stop()
    gw.start()
    with gw.connect(ctx=ctx, session=session) as c:
        assert not c.stream.tls.session_reused
        assert c.ask("GET", PODS, token=world.admin).code == 200


def test_no_renegotiation(gw, upstream):
    """T-101."""
    p = subprocess.Popen(["openssl", "s_client", "-connect", "127.0.0.1:%d" % gw.port, "-tls1_2", "-CAfile",
                          gw.world.ca.cert], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    p.stdin.write(b"R\n")
    p.stdin.flush()
    out = p.communicate(timeout=15)[0].decode("utf-8", "replace")
    assert "Secure Renegotiation" in out
    assert "RENEGOTIATING" not in out or "no renegotiation" in out or "alert" in out or "error" in out.lower()


def test_a_new_certificate_counts_after_a_reload(make_gateway, make_upstream, world):
    """Open connections go on with the old one."""
    gw = make_gateway(make_upstream()).start()
    old = gw.connect()
    gw.config["listeners"][0]["tls"]["certificates"] = [gw.certificate(world.rsa_pair)]
    gw.reload()
    with gw.connect() as c:
        assert ("commonName", "gateway-rsa") in [x[0] for x in c.stream.tls.getpeercert()["subject"]]
    assert old.ask("GET", PODS, token=world.admin).code == 200


def test_a_request_cut_by_a_missing_close_notify_goes_nowhere(gw, world, upstream):
    """T-108: truncated, not complete."""
    c = gw.connect()
    c.send(request("POST", PODS, "Transfer-Encoding: chunked", token=world.admin) + b"2\r\n{}\r\n")
    ex = upstream.only()
    c.stream.drop()
    assert ex.ended.wait(5) and not ex.complete


def test_early_data_is_not_offered(gw, world, upstream):
    """T-104."""
    code, text = s_client(gw, "-tls1_3", "-sess_out", "/dev/null", data=b"Q")
    assert code == 0 and "Cipher is TLS" in text
    assert not re.search("Max Early Data: [1-9]", text)


def records(data):
    """(type, length) of each TLS record."""
    found = []
    while data:
        n = int.from_bytes(data[3:5], "big")
        found.append((data[0], n))
        data = data[5 + n:]
    return found


@pytest.mark.parametrize("size,count", [(2, 1), (8000, 1), (40000, 5)])
def test_a_small_answer_is_one_record(gw, world, upstream, size, count):
    """Section 11: head and body go out together where both are at hand."""
    body = b"x" * size
    upstream.replies(answer(body))
    with gw.connect() as c:
        assert c.ask("GET", PODS, token=world.admin).body == body  # tickets come before it
        raw, feed = [], c.stream.sock.recv

        class Spy:
            def __getattr__(self, name):
                return getattr(sock, name)

            @staticmethod
            def recv(n):
                raw.append(feed(n))
                return raw[-1]
        sock, c.stream.sock = c.stream.sock, Spy()
        assert c.ask("GET", PODS, token=world.admin).body == body
        c.stream.sock = sock
    seen = records(b"".join(raw))
    assert all(kind == 23 for kind, _ in seen) and len(seen) <= count, seen


def test_an_answer_that_is_cut_at_once_shows_what_came(gw, world, upstream):
    """T-27: head and part of the body in the turn that ends it are passed on before the break."""
    upstream.replies(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", then="close")
    c = gw.connect()
    c.send(request("POST", PODS, token=world.admin))
    assert c.head().code == 200
    with pytest.raises(Cut) as cut:
        c.stream.exactly(9)
    assert cut.value.data == b"abc"
