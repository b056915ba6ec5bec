"""The door: targets, methods, hosts and sizes that no request may have, whoever sends it."""
import pytest

from client import request
from pki import client_context

PODS = "/api/v1/namespaces/dev/pods"

BAD_PATHS = [
    "/api/../secret", "/api/v1/..", "/api/./v1", "/api/%2e%2e/x", "/api/%2E/x", "/api/.%2e/x", "/api//v1", "//api",
    "/api/v1//namespaces", "/api/a%2fb", "/api/a%2Fb", "/api/a%5cb", "/api/a\\b", "/api/%00", "/api/%0a", "/api/%7f",
    "/api/%", "/api/%2", "/api/%zz", "/api/%ff", "/api/%c0%ae", "/api/%ed%a0%80", "/api/caf\xe9", "/api#x", "*", "api",
    "https://gw.example.com", "gw.example.com:443", "?a=b", "/api/v1/namespaces/dev/pods/a/proxy/../b",
]


@pytest.mark.parametrize("target", BAD_PATHS)
def test_bad_targets(gw, world, upstream, target):
    """T-57, T-58: 400 for an administrator as for nobody, before authentication, nothing upstream."""
    with gw.connect() as c:
        a = c.ask("GET", target, token=world.admin)
        assert a.code == 400 and a.status()["reason"] == "BadRequest", (target, a.body)
    with gw.connect() as c:
        assert c.ask("GET", target).code == 400
    assert upstream.requests == []
    assert gw.event(a.audit_id)["responseStatus"]["code"] == 400


@pytest.mark.parametrize("target", [
    PODS + "/a/proxy/x//y", PODS + "/a/proxy/x%2fy", "/api/v1/namespaces/dev/services/s/proxy/a%5Cb/",
    "/api/v1/namespaces/d%C3%A9v/pods", "/api/...", "/api/.a", "/api/", "/", "/api/%20", "/api/a%3Fb"])
def test_odd_but_good_targets_travel_as_they_are(gw, upstream, target):
    """T-57: the tail of a proxy subresource may hold encoded slashes and empty segments."""
    assert gw.ask("GET", target).code == 200
    assert upstream.only().target == target


@pytest.mark.parametrize("method,code", [("CONNECT", 405), ("TRACE", 405), ("BREW", 405), ("get", 405),
                                         ("OPTIONS", 200), ("GETT", 405), ("PROPFIND", 405)])
def test_methods(gw, world, upstream, method, code):
    """T-12: known ones only, by case; OPTIONS has the empty verb, which a * rule allows."""
    with gw.connect() as c:
        a = c.ask(method, PODS, token=world.admin)
        assert a.code == code
        if code == 405:
            assert a.status()["reason"] == "MethodNotAllowed"
            c.expect_end()
    assert len(upstream.requests) == (code == 200)


def test_options_needs_a_star_rule(gw, world, upstream):
    """T-12: the sentence has an empty verb, hence two blanks."""
    a = gw.ask("OPTIONS", PODS, token=world.reader)
    assert a.code == 403 and 'User "rita" cannot  resource "pods"' in a.status()["message"]


@pytest.mark.parametrize("host", [
    "", "a b", "a/b", "a@b", "gw.example.com:x", "gw.example.com:", "[::1", "a\\b"])
def test_bad_hosts(gw, world, upstream, host):
    """T-21: exactly one valid host with an optional port."""
    with gw.connect() as c:
        a = c.ask("GET", PODS, token=world.admin, host=host)
    assert a.code == (200 if host == "gw.example.com:" else 400), a.body


@pytest.mark.parametrize("host", ["anything.example.org", "127.0.0.1:6443", "[::1]:443", "GW.example.com."])
def test_any_valid_host_is_accepted(gw, world, upstream, host):
    """Only another configured cluster's name is refused."""
    with gw.connect() as c:
        assert c.ask("GET", PODS, token=world.admin, host=host).code == 200
    assert upstream.only().get("Host") == "127.0.0.1:%d" % upstream.port


def test_host_is_required_in_1_1(gw, world, upstream):
    """T-21."""
    with gw.connect() as c:
        assert c.ask("GET", PODS, token=world.admin, host=None).code == 400
    with gw.connect() as c:
        assert c.ask("GET", PODS, token=world.admin, host=None, version="HTTP/1.0").code == 200


def two_clusters(make_gateway, first, second):
    gw = make_gateway(first)
    gw.cluster["serverNames"] = ["a.example.com"]
    other = {**gw.cluster, "name": "test", "serverNames": ["b.example.com"],
             "upstream": {**gw.cluster["upstream"], "servers": [second.url]}}
    gw.config["clusters"].append(other)
    return gw.start()


def test_the_name_picks_the_cluster_and_a_foreign_host_is_refused(make_gateway, make_upstream, world):
    """T-107, T-21: 421 where Host or the absolute target names another cluster; case and final dot do not count."""
    first, second = make_upstream(), make_upstream()
    gw = two_clusters(make_gateway, first, second)
    for name, mine, foreign in (("A.example.com", first, "b.example.com"), ("b.example.com", second, "a.example.com")):
        with gw.connect(name=name) as c:
            assert c.ask("GET", PODS, token=world.admin, host=name).code == 200
        assert mine.only().target == PODS
        for host in (foreign, foreign.upper() + ":6443", foreign + "."):
            with gw.connect(name=name) as c:
                a = c.ask("GET", PODS, token=world.admin, host=host)
                assert a.code == 421 and a.status()["reason"] == "BadRequest"
                c.expect_end()
        with gw.connect(name=name) as c:
            assert c.ask("GET", "https://%s/api" % foreign, token=world.admin, host=foreign).code == 421
        mine.clear()
    assert first.requests == second.requests == []


@pytest.mark.parametrize("name", [None, "c.example.com", "xa.example.com"])
def test_no_name_or_an_unknown_one_is_closed(make_gateway, make_upstream, world, name):
    """Two clusters on a listener, and nothing tells which."""
    gw = two_clusters(make_gateway, make_upstream(), make_upstream())
    with pytest.raises(Exception) as caught:
        gw.connect(ctx=client_context(world.ca), name=name)
    assert "Assertion" not in type(caught.value).__name__
    gw.wait_log("no cluster for server name")


@pytest.mark.parametrize("raw,code", [
    (b"GET /" + b"a" * 17000, 414),
    (b"GET /" + b"a" * 17000 + b" HTTP/1.1\r\n\r\n", 414),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + b"a" * 50000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(b"X-%d: %s\r\n" % (i, b"a" * 900) for i in range(80)) + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a" * 70000, 431),
], ids=["line", "whole-line", "field", "head", "count", "endless"])
def test_sizes(gw, upstream, raw, code):
    """T-22: 414 or 431, close; memory does not grow first."""
    before = gw.memory()
    c = gw.connect()
    c.send(raw)
    a = c.answer()
    assert a.code == code and a.status()["code"] == code
    c.stream.rest()
    assert gw.grown(before) < 2048
    assert upstream.requests == []


def test_sizes_at_the_limit(gw, world, upstream):
    """T-05, T-22: a long line, many fields and a large head that are just allowed."""
    target = "/api/" + "a" * (16384 - len("GET /api/ HTTP/1.1"))
    assert gw.ask("GET", target).code == 200
    fields = ["X-%d: %s" % (i, "v" * 500) for i in range(98)]
    assert gw.ask("GET", PODS, *fields).code == 200
    assert gw.ask("GET", PODS, "X-Long: " + "v" * 40000).code == 200
    assert [len(r.target) for r in upstream.wait(3)][0] == len(target)


def test_refusals_before_authentication_repeat_nothing(gw, world, upstream):
    """T-07: fixed texts."""
    with gw.connect() as c:
        c.send(request("GET", "/api/<script>/..", token=world.admin))
        assert b"script" not in c.answer().body
