"""An OpenID provider in trouble: slow, huge, or away for an hour and for a day. What was good stays good for a day."""
import json
import threading
import time

import pytest

import tokens
from gateway import SLOW
from test_tokens import provided, provider  # noqa: F401: a fixture
from upstream import answer
from wire import wait_for


def later(gw, clock, seconds):
    """So many seconds later by both clocks; the control thread, which fetches keys, has looked at them."""
    gw.admin("/livez")
    clock.wall += int(seconds * 1000)
    clock.jump(gw, seconds)
    gw.admin("/livez")


def failures(gw):
    return gw.log().count("warn  keys issuer=")


def token(provider, ahead=0):  # noqa: F811
    """Good so many seconds from now."""
    now = int(time.time()) + ahead
    return provider.issuer.token("ann", "admins", iat=now, nbf=now, exp=now + 3600)


@pytest.mark.parametrize("what", ["discovery", "keys"])
def test_one_that_says_nothing(make_gateway, make_upstream, world, provider, clock, what):  # noqa: F811
    """T-84: five seconds for a document; a token waits for it no longer; others do not wait at all."""
    go, serve = threading.Event(), provider.server.script
    gw = provided(make_gateway, world, provider, make_upstream(), workers=1)

    def script(ex):
        if (ex.target == "/keys") == (what == "keys"):
            go.wait(30)
        serve(ex)
    provider.server.script = script
    gw.start(ready=False, env=clock.env)
    wait_for(lambda: provider.server.requests, 8 * SLOW)
    assert gw.ask(token="a.b.c").code == 401
    later(gw, clock, 6)
    gw.wait_log("keys issuer=" + provider.issuer.url, what + ": timed out")
    assert "[-]issuer " + provider.issuer.url in gw.admin("/readyz?verbose")[1]
    go.set()
    later(gw, clock, 3)
    gw.wait_ready()
    assert gw.ask(token=token(provider)).code == 200


def huge_set(provider):  # noqa: F811
    """Above 1 MiB, and good but for that."""
    return json.dumps({**provider.issuer.jwks(), "more": "x" * (1 << 20)}).encode()


def many_keys(provider):  # noqa: F811
    key = provider.issuer.jwks()["keys"][0]
    return json.dumps({"keys": [{**key, "kid": "k%d" % i} for i in range(101)]}).encode()


TROUBLE = {
    "above 1 MiB": (lambda p: answer(huge_set(p)), "keys: the answer is too long"),
    "more than 100 keys": (lambda p: answer(many_keys(p)), "its key set is not usable"),
    "no keys": (lambda p: answer(b'{"keys":[]}'), "its key set is not usable"),
    "an error": (lambda p: answer(b"", "503 Service Unavailable"), "answered with status 503"),
    "a redirect": (lambda p: answer(b"", "301 Moved", "Location: https://evil/"), "answered with status 301"),
    "cut": (lambda p: b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", "keys: "),
    "compressed": (lambda p: answer(b"x", "200 OK", "Content-Encoding: gzip"), "the answer is compressed"),
}


@pytest.mark.parametrize("kind", TROUBLE)
def test_trouble_at_a_refresh(make_gateway, make_upstream, world, provider, clock, kind):  # noqa: F811
    """T-84, T-86: what is no good key set replaces nothing; the log says so, and the next one that is good counts."""
    reply, words = TROUBLE[kind]
    gw = provided(make_gateway, world, provider, make_upstream(), workers=1).start(env=clock.env)
    serve = provider.server.script

    def script(ex):
        if ex.target != "/keys":
            return serve(ex)
        ex.read()
        ex.send(reply(provider))
        if kind == "cut":
            ex.close()
    provider.server.script = script
    later(gw, clock, 481)
    gw.wait_log("keys issuer=" + provider.issuer.url, words)
    assert gw.ask(token=token(provider, 481)).code == 200
    assert gw.admin("/readyz")[0] == 200
    provider.server.script = serve
    before = provider.fetches()
    later(gw, clock, 61)
    wait_for(lambda: provider.fetches() > before, 8 * SLOW)
    assert gw.ask(token=token(provider, 542)).code == 200


def test_one_that_is_away_for_an_hour_and_for_a_day(make_gateway, make_upstream, world, provider, clock):  # noqa: F811
    """T-86, T-87: its keys stay in force for 24 h from the last good fetch, and then no token of it counts."""
    gw = provided(make_gateway, world, provider, make_upstream(), workers=1).start(env=clock.env)
    assert gw.ask(token=token(provider)).code == 200
    provider.server.stop()
    passed = 0
    for hours in (1, 12, 23.9):
        later(gw, clock, hours * 3600 - passed)
        passed = hours * 3600
        seen = failures(gw)
        assert gw.ask(token=token(provider, int(passed))).code == 200, hours
        wait_for(lambda: failures(gw) >= max(1, seen), 8 * SLOW)  # pylint: disable=cell-var-from-loop
    later(gw, clock, 24 * 3600 + 120 - passed)
    passed = 24 * 3600 + 120
    gw.wait_log("no refresh for 24 h, its tokens are refused now")
    wait_for(lambda: gw.ask(token=token(provider, int(passed))).code == 401, 8 * SLOW)
    provider.server.start()
    later(gw, clock, 61)
    wait_for(lambda: gw.ask(token=token(provider, int(passed) + 61)).code == 200, 8 * SLOW)


def test_a_key_that_was_withdrawn(make_gateway, make_upstream, world, provider, clock, tmp_path):  # noqa: F811
    """T-87: refused after the next refresh, remembered verdicts included."""
    provider.issuer.keys.append(tokens.Key(tmp_path, "old"))
    gw = provided(make_gateway, world, provider, make_upstream(), workers=1).start(env=clock.env)
    old = provider.issuer.token("ann", "admins", key=provider.issuer.keys[1], exp=int(time.time()) + 7200)
    assert gw.ask(token=old).code == 200
    provider.issuer.keys.pop()
    assert gw.ask(token=old).code == 200  # nobody knows yet
    before = provider.fetches()
    later(gw, clock, 481)
    wait_for(lambda: provider.fetches() > before, 8 * SLOW)
    wait_for(lambda: gw.ask(token=old).code == 401, 8 * SLOW)
    assert gw.ask(token=token(provider, 481)).code == 200
