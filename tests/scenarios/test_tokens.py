"""Tokens and issuers: what is refused reads alike, and keys come, rotate and stay as they should."""
import base64
import email.utils
import json
import threading
import time

import pytest

import tokens
from client import request
from upstream import answer
from wire import wait_for

UNAUTHORIZED = (b'{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"Unauthorized",'
                b'"reason":"Unauthorized","code":401}\n')


def now():
    return int(time.time())


BAD = [
    ("expired", "expired", dict(exp=1000000000)),
    ("no exp", "expired", dict(exp=None)),
    ("exp as text", "expired", dict(exp="9999999999")),
    ("not yet valid", "not_yet_valid", dict(nbf=9999999999)),
    ("other issuer", "issuer", dict(iss="https://issuer.example.com/")),
    ("other audience", "audience", dict(aud="other")),
    ("no audience", "audience", dict(aud=None)),
    ("no user", "username_claim", dict(sub=None)),
    ("empty user", "username_claim", dict(sub="")),
    ("blank user", "username_claim", dict(sub=" ann")),
    ("user a number", "username_claim", dict(sub=5)),
    ("groups a number", "groups_claim", dict(groups=7)),
    ("groups with numbers", "groups_claim", dict(groups=["a", 7])),
    ("alg none", "algorithm", dict(head={"alg": "none"})),
    ("alg HS256", "algorithm", dict(head={"alg": "HS256"})),
    ("alg not configured", "algorithm", dict(head={"alg": "RS512"})),
    ("crit", None, dict(head={"crit": ["exp"]})),
    ("unknown kid", "unknown_key", dict(head={"kid": "nobody"})),
]


@pytest.mark.parametrize("name,reason,change", BAD, ids=[b[0].replace(" ", "-") for b in BAD])
def test_refused_tokens_read_alike(gw, world, upstream, name, reason, change):
    """T-07, T-55, T-68..T-78: one fixed 401; the reason stands in audit and metrics only."""
    before = gw.metrics()
    a = gw.ask(token=world.issuer.token("ann", "admins", **change))
    assert (a.code, a.body) == (401, UNAUTHORIZED)
    assert not a.has("WWW-Authenticate")
    assert upstream.requests == []
    e = gw.event(a.audit_id)
    told = e["annotations"]["kube-access-gateway/authentication"]
    assert reason in (None, told) and e["user"] == {} and e["responseStatus"]["reason"] == "Unauthorized"
    gw.wait_metric('authentication_rejected_total{reason="%s"}' % told,
                   before['authentication_rejected_total{reason="%s"}' % told] + 1)


@pytest.mark.parametrize("change", ["signature", "payload", "parts", "padding", "long", "other key"])
def test_forged_tokens(gw, world, upstream, change):
    """T-67, T-79, T-80."""
    head, payload, signature = world.admin.split(".")
    flipped = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]
    token = {"signature": ".".join([head, payload, flipped]),
             "payload": ".".join([head, world.reader.split(".")[1], signature]),
             "parts": head + "." + payload, "padding": world.admin + "=", "long": "a" * 33000 + "." + world.admin,
             "other key": None}[change]
    if token is None:
        token = world.issuer.token("ann", "admins", key=tokens.Key(world.folder, "one-forged"), head={"kid": "one"})
    a = gw.ask(token=token)
    assert (a.code, a.body) == (401, UNAUTHORIZED)
    assert upstream.requests == []


def test_no_token_is_ever_logged(gw, world, upstream):
    """T-134: neither good nor bad ones, at level debug."""
    token = world.issuer.token("carl", "admins")
    gw.ask(token=token)
    gw.ask(token=token[:-8] + "AAAAAAAA")
    gw.ask("GET", "/api", "Cookie: secret-cookie", token=world.nobody)
    time.sleep(0.05)
    said = gw.log() + gw.read("audit.log") + gw.admin("/metrics")[1]
    assert token.split(".")[2] not in said and token.split(".")[1] not in said and "secret-cookie" not in said


def test_verified_tokens_are_remembered(gw, world, upstream):
    """T-82: the second time on a loop costs no signature; expiry still counts."""
    token = world.issuer.token("mia", "admins", exp=now() + 2)
    with gw.connect() as c:
        before = gw.metrics()
        for _ in range(5):
            assert c.ask(token=token).code == 200
        gw.wait_metric("tokens_verified_total", before["tokens_verified_total"] + 1)
        gw.wait_metric("tokens_remembered_total", before["tokens_remembered_total"] + 4)
        wait_for(lambda: now() >= tokens_end(token), 4)
        assert c.ask(token=token).code == 401


def tokens_end(token):
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]


class Provider:
    """An issuer whose keys come over HTTPS from a scripted server; counts what is asked."""

    def __init__(self, world, folder, server):
        self.server = server
        self.issuer = tokens.Issuer(folder, "https://localhost:%d" % server.port)
        self.discovered = self.issuer.url
        self.fail = None
        self.serve()

    def serve(self):
        def script(ex):
            ex.read()
            if self.fail:
                ex.send(self.fail)
            elif ex.target == "/.well-known/openid-configuration":
                ex.send(answer(json.dumps({"issuer": self.discovered, "jwks_uri": self.issuer.url + "/keys"}).encode()))
            else:
                ex.send(answer(json.dumps(self.issuer.jwks()).encode()))
        self.server.script = script

    def fetches(self):
        return sum(r.target == "/keys" for r in self.server.requests)


@pytest.fixture
def provider(world, tmp_path, make_upstream):
    pair = world.ca.issue("issuer", "DNS:localhost")
    server = make_upstream(pair)
    return Provider(world, tmp_path, server)


def provided(make_gateway, world, provider, *servers, **changes):
    gw = make_gateway(*servers, **changes)
    gw.write_json("authentication.json", tokens.authentication((provider.issuer.url, world.ca.text())))
    del gw.cluster["authentication"]["jwksFiles"]
    return gw


def test_keys_by_discovery_and_an_unknown_kid(make_gateway, make_upstream, world, provider, tmp_path):
    """T-84, T-85: one fetch at start, one for an unknown kid, however often it comes; no good token is refused."""
    up = make_upstream()
    gw = provided(make_gateway, world, provider, up).start()
    assert gw.ask(token=provider.issuer.token("ann", "admins")).code == 200
    assert provider.fetches() == 1
    provider.issuer.keys.insert(0, tokens.Key(tmp_path, "two"))
    assert gw.ask(token=provider.issuer.token("ann", "admins")).code == 200
    assert provider.fetches() == 2
    provider.issuer.keys.insert(0, tokens.Key(tmp_path, "three"))
    fresh = provider.issuer.token("ann", "admins")
    with gw.connect() as c:
        for _ in range(20):
            assert c.ask(token=fresh).code == 401
    assert provider.fetches() == 2
    ask = provider.server.requests[0]
    assert ask.method == "GET" and not ask.has("Authorization") and not ask.has("Accept-Encoding")


def test_an_issuer_that_is_down_at_start_recovers(make_gateway, make_upstream, world, provider):
    """The gateway starts, is not ready, says why, and recovers by itself."""
    up = make_upstream()
    provider.server.stop()
    gw = provided(make_gateway, world, provider, up).start(ready=False)
    code, text = gw.admin("/readyz?verbose")
    assert code == 503 and "[-]issuer " + provider.issuer.url in text
    gw.wait_log("keys issuer=" + provider.issuer.url, "discovery")
    assert gw.ask(token=provider.issuer.token("ann", "admins")).code == 401
    provider.server.start()
    gw.wait_ready(12)
    assert gw.ask(token=provider.issuer.token("ann", "admins")).code == 200
    assert "[+]issuer" in gw.admin("/readyz?verbose")[1]


def test_last_good_keys_from_the_state_folder(make_gateway, make_upstream, world, provider):
    """T-86: the night the issuer is down; a restart goes on with the keys of the day."""
    up = make_upstream()
    gw = provided(make_gateway, world, provider, up).start()
    token = provider.issuer.token("ann", "admins")
    assert gw.ask(token=token).code == 200
    gw.stop()
    provider.server.stop()
    gw.start()
    assert gw.ask(token=token).code == 200
    gw.wait_log("using the keys of")


@pytest.mark.parametrize("narrowed", [None, "policy", "ranges"])
def test_what_waited_for_keys_is_judged_by_the_policy_of_now(make_gateway, make_upstream, world, provider, narrowed):
    """T-65, T-89: the request came before the reload, its keys after it."""
    up, go = make_upstream(), threading.Event()
    serve = provider.server.script

    def script(ex):
        if ex.target == "/keys":
            go.wait(4)
        serve(ex)
    provider.server.script = script
    gw = provided(make_gateway, world, provider, up).start(ready=False)
    wait_for(lambda: provider.fetches() == 1)
    with gw.connect() as c:
        c.send(request(token=provider.issuer.token("ann", "admins")))
        gw.wait_metric("exchanges", 1)
        if narrowed == "ranges":
            gw.cluster["authorizedRanges"]["deny"] = ["127.0.0.1/32"]
        elif narrowed:
            policy = json.loads(gw.read("rbac.json"))
            policy["items"] = [x for x in policy["items"] if x["metadata"]["name"] != "everything"]
            gw.write_json("rbac.json", policy)
        gw.reload()
        assert gw.metric("exchanges") == 1 and up.requests == []
        go.set()
        assert c.answer().code == (403 if narrowed else 200)


@pytest.mark.parametrize("seconds,words", [(3600, "s ahead of ours"), (-3600, "s behind ours"), (5, None)])
def test_an_issuer_with_another_clock_is_told_of(make_gateway, make_upstream, world, provider, seconds, words):
    """RFC 9110 5.6.7: the Date of its answers; a minute is forgiven."""
    date = email.utils.formatdate(time.time() + seconds, usegmt=True)
    serve = provider.server.script

    def dated(ex):
        whole = ex.send
        ex.send = lambda data: whole(data.replace(b"\r\n", b"\r\nDate: %s\r\n" % date.encode(), 1))
        serve(ex)
    provider.server.script = dated
    gw = provided(make_gateway, world, provider, make_upstream()).start()
    assert gw.ask(token=provider.issuer.token("ann", "admins")).code == 200
    if words:
        gw.wait_log("keys issuer=", "its clock is", words)
    else:
        assert "its clock is" not in gw.log()


@pytest.mark.parametrize("change,words", [
    ("issuer", "its discovery document is refused"), ("host", "its discovery document is refused"),
    ("status", "answered with status 302"), ("garbage", "discovery document is refused")])
def test_bad_discovery_is_refused(make_gateway, make_upstream, world, provider, change, words):
    """T-76, T-84: the issuer must be the configured one, keys on its host, no redirects."""
    if change == "issuer":
        provider.discovered = provider.issuer.url + "/"
    elif change == "host":
        provider.fail = answer(json.dumps({"issuer": provider.issuer.url, "jwks_uri": "https://evil/keys"}).encode())
    elif change == "status":
        provider.fail = answer(b"", "302 Found", "Location: https://evil/")
    else:
        provider.fail = answer(b"{]")
    gw = provided(make_gateway, world, provider, make_upstream()).start(ready=False)
    gw.wait_log("keys issuer=", words)
    assert gw.admin("/readyz")[0] == 503 and provider.fetches() == 0
    assert gw.ask(token=provider.issuer.token("ann", "admins")).code == 401


def test_an_issuer_with_a_foreign_certificate_is_refused(make_gateway, make_upstream, world, provider, tmp_path):
    """T-84: its own CA option, with name check."""
    gw = make_gateway(make_upstream())
    gw.write_json("authentication.json", tokens.authentication((provider.issuer.url, world.other_ca.text())))
    del gw.cluster["authentication"]["jwksFiles"]
    gw.start(ready=False)
    gw.wait_log("keys issuer=", "certificate")
    assert provider.server.requests == []


def test_a_rotated_key_file_counts_after_a_reload(make_gateway, make_upstream, world, tmp_path):
    """T-82, T-87: keys that left are refused at once, remembered tokens included; new ones are taken."""
    issuer = tokens.Issuer(tmp_path, "https://rotating.example.com", kid="old")
    gw = make_gateway(make_upstream())
    gw.write_json("authentication.json", tokens.authentication((issuer.url, None)))
    issuer.write_keys(gw.path("keys.json"))
    gw.cluster["authentication"]["jwksFiles"] = {issuer.url: "keys.json"}
    gw.start()
    old = issuer.token("ann", "admins")
    issuer.keys.insert(0, tokens.Key(tmp_path, "new"))
    new = issuer.token("ann", "admins")
    assert [gw.ask(token=t).code for t in (old, old, old, new)] == [200, 200, 200, 401]
    issuer.keys.pop()
    issuer.write_keys(gw.path("keys.json"))
    gw.reload()
    assert [gw.ask(token=t).code for t in (old, new)] == [401, 200]
