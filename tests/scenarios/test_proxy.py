"""Outbound proxies: upstream.proxy on the way to the API servers, authentication.proxy on the way to issuers."""
import json
import socket
import threading
import time

import pytest

import tokens
from client import request
from gateway import SLOW
from policy import Policy, go_live
from proxy import OPEN, Proxy
from test_doctor import doctor, has
from test_tunnels import EXEC, KINDS, serve
from upstream import answer
from wire import wait_for

UNKNOWN = "api.cluster.invalid"  # a name that only the proxy resolves


@pytest.fixture
def proxy():
    made = Proxy()
    yield made
    made.stop()


@pytest.fixture
def behind(make_gateway, make_upstream, proxy):
    """A gateway whose API server only the proxy can reach, not started."""
    up = make_upstream()
    proxy.hosts[UNKNOWN] = (up.host, up.port)
    gw = make_gateway("https://%s:%d" % (UNKNOWN, up.port))
    gw.up = up
    gw.cluster["upstream"].update({"proxy": proxy.url, "tlsServerName": "kubernetes.default"})
    return gw


def test_the_api_server_is_reached_through_it(behind, proxy):
    """RFC 9110 9.3.6, RFC 9112 3.2.3: CONNECT with host and port; requests, probes and upgrades; the proxy resolves."""
    behind.config["workers"] = 1
    gw = behind.start()
    for _ in range(3):
        assert gw.ask().code == 200
    assert gw.up.requests[0].get("Host") == "%s:%d" % (UNKNOWN, gw.up.port)
    assert not any(r.has("Proxy-Connection") or r.has("Proxy-Authorization") for r in gw.up.requests)
    serve(gw.up, "websocket")
    with gw.connect() as c:
        c.send(request("GET", EXEC, "Connection: Upgrade", "Upgrade: " + KINDS["websocket"][1], token=gw.world.admin))
        assert c.answer().code == 101
        c.send(b"ping")
        assert c.stream.exactly(4) == b"ping"
    assert set(proxy.targets()) == {"%s:%d" % (UNKNOWN, gw.up.port)}
    head = proxy.asked[0]
    assert head.startswith("CONNECT ") and "\r\nHost: %s:%d\r\n" % (UNKNOWN, gw.up.port) in head
    assert "Authorization" not in head
    # One for the probe, one for the kept connection, one for the upgrade; more only where a probe came again.
    assert gw.up.conns - gw.up.probes <= 2


@pytest.mark.parametrize("pieces", [
    [OPEN[i:i + 1] for i in range(len(OPEN))],
    [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OPEN],
    [b"HTTP/1.0 299 Fine\r\nContent-Length: 5\r\nVia: 1.0 p\r\n", b"\r\n"],
], ids=["octet by octet", "behind an interim answer", "of HTTP/1.0 with a length"])
def test_answers_that_open_it(behind, proxy, pieces):
    """RFC 9110 9.3.6, 15.2: any 2xx, whatever length it tells; an interim answer says nothing."""
    proxy.replies(*pieces)
    gw = behind.start()
    assert gw.ask().code == 200


REFUSALS = {
    "407": (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            "the proxy refuses with status 407: it asks for a password"),
    "403": (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnope", "the proxy refuses with status 403"),
    "101": (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "the proxy "),
    "early": (OPEN + b"hello", "the proxy sends what nobody asked for"),
    "garbage": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the proxy's answer is not HTTP: "),
    "endless": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40000, "the proxy's answer is too long"),
    "cut": (b"HTTP/1.1 200 O", "the proxy closed the connection"),
    "nothing": (b"", "the proxy closed the connection"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_proxy_that_refuses(behind, proxy, kind):
    """The operator reads that it is the proxy; the client gets a 503 and nothing of it."""
    octets, words = REFUSALS[kind]
    proxy.replies(octets, opens=False)
    gw = behind.start(ready=False)
    wait_for(lambda: words in gw.admin("/readyz?verbose")[1], 8 * SLOW, why=lambda: gw.admin("/readyz?verbose")[1])
    a = gw.ask()
    assert a.code == 503 and b"proxy" not in a.body
    gw.wait_log("upstream https://%s" % UNKNOWN, words)
    proxy.replies(OPEN)
    gw.wait_ready(20)
    assert gw.ask().code == 200


def test_a_proxy_that_breaks_off(behind, proxy):
    """A reset is the proxy's as well: the API server, which was never reached, is not looked at."""
    proxy.breaks = True
    gw = behind.start(ready=False)
    gw.wait_log("down: the proxy broke the connection")
    has(doctor(gw, code=1)["FAIL"], "the proxy broke the connection: is upstream.proxy right")


def test_a_proxy_that_is_not_there(behind):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        behind.cluster["upstream"]["proxy"] = "http://127.0.0.1:%d" % s.getsockname()[1]
        gw = behind.start(ready=False)
        gw.wait_log("to the proxy: connection refused")
        assert gw.ask().code == 503
    gw.cluster["upstream"]["proxy"] = "http://proxy.invalid:3128"
    gw.reload()
    gw.wait_log("down: the proxy's name does not resolve")


def test_another_way_after_a_reload(make_gateway, make_upstream, proxy):
    """A kept connection goes the old way until its next request: not one more goes straight."""
    up = make_upstream()
    gw = make_gateway(up).start()
    assert gw.ask().code == 200 and not proxy.asked
    gw.cluster["upstream"]["proxy"] = proxy.url
    gw.reload()
    wait_for(lambda: proxy.asked, why="no probe went through it")
    seen = len(up.requests)
    assert gw.ask().code == 200
    assert len(up.requests) == seen + 1 and len(proxy.asked) >= 2
    del gw.cluster["upstream"]["proxy"]
    gw.reload()
    asked = len(proxy.asked)
    assert gw.ask().code == 200 and len(proxy.asked) == asked


def test_ways_change_under_load(make_gateway, make_upstream, proxy):
    """Requests lose nothing while reloads, and the addresses that follow them, replace what they are sent to."""
    up, other = make_upstream(), make_upstream()
    gw = make_gateway(up).start()
    done, codes = threading.Event(), []

    def client():
        while not done.is_set():
            codes.append(gw.ask().code)
    clients = [threading.Thread(target=client) for _ in range(4)]
    for c in clients:
        c.start()
    for n in range(12):
        gw.cluster["upstream"]["servers"] = [up.url, other.url] if n % 2 == 0 else [up.url]
        gw.cluster["upstream"].pop("proxy", None)
        if n % 3 == 0:
            gw.cluster["upstream"]["proxy"] = proxy.url
        gw.reload()
        time.sleep(0.05)
    done.set()
    for c in clients:
        c.join()
    assert set(codes) == {200} and len(codes) > 12 and proxy.asked and other.requests


def test_roles_come_through_it(make_gateway, make_upstream, proxy):
    """upstream.proxy is on the way of the policy's credential, too."""
    up, source = make_upstream(), make_upstream()
    policy = Policy(source)
    policy.install()
    gw = go_live(make_gateway(up), source)
    gw.cluster["upstream"]["proxy"] = proxy.url
    gw.start()
    assert "127.0.0.1:%d" % source.port in proxy.targets()
    gw.stop()
    policy.end_watches("cut")


def test_keys_come_through_it(make_gateway, make_upstream, world, proxy, tmp_path):
    """T-84: discovery and keys by authentication.proxy, TLS verified as ever; the API server is reached straight."""
    up, issuer_server = make_upstream(), make_upstream(world.ca.issue("far", "DNS:issuer.invalid"))
    issuer = tokens.Issuer(tmp_path, "https://issuer.invalid:%d" % issuer_server.port)
    proxy.hosts["issuer.invalid"] = (issuer_server.host, issuer_server.port)

    def script(ex):
        ex.read()
        body = issuer.jwks() if ex.target == "/keys" else {"issuer": issuer.url, "jwks_uri": issuer.url + "/keys"}
        ex.send(answer(json.dumps(body).encode()))
    issuer_server.script = script
    gw = make_gateway(up)
    gw.write_json("authentication.json", tokens.authentication((issuer.url, world.ca.text())))
    del gw.cluster["authentication"]["jwksFiles"]
    gw.cluster["authentication"]["proxy"] = proxy.url
    gw.start()
    assert gw.ask(token=issuer.token("ann", "admins")).code == 200
    assert set(proxy.targets()) == {"issuer.invalid:%d" % issuer_server.port}


def test_doctor_goes_the_same_way(behind, proxy):
    gw = behind
    found = doctor(gw)
    has(found["ok"], "prod upstream https://%s" % UNKNOWN, "answers /readyz with status 200 over verified TLS")
    assert not any(UNKNOWN in line and "does not resolve" in line for line in found["FAIL"])
    proxy.replies(REFUSALS["403"][0], opens=False)
    has(doctor(gw, code=1)["FAIL"], "the proxy refuses with status 403", "upstream.proxy")
    gw.cluster["upstream"]["proxy"] = "http://proxy.invalid:3128"
    has(doctor(gw, code=1)["FAIL"], "prod proxy proxy.invalid", "does not resolve")


@pytest.mark.parametrize("value, words", [
    ("https://p:3128", "must be http://HOST or http://HOST:PORT"),
    ("p:3128", "must be http://HOST or http://HOST:PORT"),
    ("http://", "must be http://HOST or http://HOST:PORT"),
    ("http://p:0", "must be http://HOST or http://HOST:PORT"),
    ("http://p:65536", "must be http://HOST or http://HOST:PORT"),
    ("http://p/path", "must be http://HOST or http://HOST:PORT"),
    ("http://[::1", "must be http://HOST or http://HOST:PORT"),
    ("http://u:secret@p:3128", "has a user name or a password"),
])
@pytest.mark.parametrize("section", ["upstream", "authentication"])
def test_mistakes(make_gateway, section, value, words):
    gw = make_gateway()
    gw.cluster[section]["proxy"] = value
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and "clusters[0].%s.proxy: %s" % (section, words) in r.stdout + r.stderr
    assert "secret" not in r.stdout + r.stderr
