"""Fields: nothing a client says about identity, route or connection survives; exactly the verified token travels."""
import pytest

from client import new_id
from tokens import b64
from upstream import answer

PODS = "/api/v1/namespaces/dev/pods"

DROPPED = [
    "X-Remote-User: root", "x-remote-group: system:masters", "X-Remote-Extra-Scopes: all", "X-Remote-Uid: 0",
    "X-Remote-Anything-New: 1", "X-Forwarded-For: 10.0.0.1", "X-Forwarded-Host: evil", "X-Forwarded-Proto: http",
    "X-Forwarded-Client-Cert: Subject=root", "Forwarded: for=10.0.0.1", "X-Real-Ip: 10.0.0.1", "Keep-Alive: timeout=5",
    "Proxy-Connection: keep-alive", "Proxy-Authorization: Basic cm9vdDpyb290", "TE: trailers", "Trailer: X-A",
    "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE", "X-Original-URL: /secret",
    "X-Rewrite-URL: /secret", "HTTP2-Settings: AAAA", "Upgrade: h2c",
]
KEPT = ["Accept: application/json;as=Table", "Accept-Encoding: gzip", "Content-Type: application/json", "Cookie: a=b",
        "User-Agent: kubectl/v1.32", "X-Stream-Protocol-Version: v4.channel.k8s.io", "X-Custom_Name: 1",
        "Kubectl-Command: kubectl get", "X-Text: caf\xe9", "Warning: 299 - x"]
LOOKALIKES = ["X_Remote_User: root", "X-Remote_Group: a", "Impersonate_User: root", "Impersonate-_x: 1",
              "X_Forwarded_For: 1.1.1.1", "Transfer_Encoding: chunked", "Content_Length: 1"]


@pytest.mark.parametrize("line", DROPPED, ids=lambda x: x.split(":")[0])
def test_what_a_client_may_not_say_is_dropped(gw, upstream, line):
    """T-45, T-46, T-50, T-51, T-63: identity, forwarding, hop-by-hop and override fields."""
    assert gw.ask("GET", PODS, line).code == 200
    ex = upstream.only()
    name = line.split(":")[0]
    if name.lower() == "x-forwarded-for":
        assert ex.all(name) == ["127.0.0.1"]
    else:
        assert not ex.has(name), ex.raw


@pytest.mark.parametrize("line", KEPT, ids=lambda x: x.split(":")[0])
def test_other_fields_travel_as_they_are(gw, upstream, line):
    """T-14: also octets above 127, in fields that the gateway does not interpret."""
    assert gw.ask("GET", PODS, line).code == 200
    name, _, value = line.partition(": ")
    assert upstream.only().all(name) == [value]


@pytest.mark.parametrize("line", LOOKALIKES, ids=lambda x: x.split(":")[0])
def test_underscore_lookalikes_are_refused(gw, upstream, line):
    """T-29."""
    assert gw.ask("GET", PODS, line).code == 400
    assert upstream.requests == []


def test_fields_named_by_connection_are_dropped(gw, upstream):
    """T-46: and what the gateway adds cannot be taken away by naming it."""
    assert gw.ask("GET", PODS, "Connection: X-Mine, keep-alive", "X-Mine: 1", "X-Other: 2").code == 200
    ex = upstream.only()
    assert not ex.has("X-Mine") and ex.get("X-Other") == "2" and not ex.has("Connection")
    upstream.clear()
    gw.ask("GET", PODS, "Connection: X-Forwarded-For, Audit-ID")
    for ex in upstream.requests:
        assert ex.all("X-Forwarded-For") == ["127.0.0.1"] and ex.has("Audit-ID") and ex.has("Authorization")


@pytest.mark.parametrize("line", ["Impersonate-User: root", "impersonate-group: system:masters",
                                  "Impersonate-Extra-A: b", "Impersonate-Uid: 1", "Impersonate-Anything: x",
                                  "Impersonate-User:"])
def test_impersonation_is_refused(gw, upstream, line):
    """T-45, T-66: 403 in the API server's words, even for an administrator; audit tells the decision."""
    a = gw.ask("GET", PODS, line)
    assert a.code == 403 and a.status()["reason"] == "Forbidden"
    assert "impersonation is switched off on this gateway" in a.status()["message"]
    assert upstream.requests == []
    e = gw.event(a.audit_id)
    assert e["responseStatus"]["code"] == 403 and e["user"]["username"] == "ann"
    assert e["annotations"]["authorization.k8s.io/decision"] == "forbid"
    assert e["annotations"]["authorization.k8s.io/reason"] == "impersonation is switched off"


def test_the_impersonation_sentence_names_the_user(gw, upstream):
    """T-07, T-45."""
    message = gw.ask("GET", PODS, "Impersonate-User: bob").status()["message"]
    assert message == ('users "bob" is forbidden: User "ann" cannot impersonate resource "users" in API group "" at '
                       'the cluster scope: impersonation is switched off on this gateway')


def test_exactly_the_verified_token_travels_once(gw, world, upstream):
    """T-49: rewritten by us, last, whatever the case of the scheme."""
    with gw.connect() as c:
        assert c.ask("GET", PODS, "authorization: bEARER " + world.admin).code == 200
    ex = upstream.only()
    assert ex.all("Authorization") == ["Bearer " + world.admin]
    assert ex.fields[-1][0] == "Authorization"
    assert ex.all("X-Forwarded-For") == ["127.0.0.1"]
    assert ex.all("Host") == ["127.0.0.1:%d" % upstream.port]


BAD_CREDENTIALS = [
    (["Authorization: Bearer {t}", "Authorization: Bearer {t}"], "malformed"),
    (["Authorization: Bearer {t}", "authorization: Basic cm9vdDpyb290"], "malformed"),
    (["Authorization: Bearer {t}, Bearer {t}"], "malformed"), (["Authorization: Bearer {t} x"], "malformed"),
    (["Authorization: Bearer  {t}"], "malformed"), (["Authorization: Bearer"], "malformed"),
    (["Authorization: {t}"], "malformed"), (["Authorization: Basic cm9vdDpyb290"], "malformed"),
    (["Authorization: Negotiate {t}"], "malformed"), (["Authorization:"], "malformed"),
    (["Proxy-Authorization: Bearer {t}"], "no_credentials"), (["Cookie: token={t}"], "no_credentials"),
    (["X-Authorization: Bearer {t}"], "no_credentials"), ([], "no_credentials"),
]


@pytest.mark.parametrize("lines,reason", BAD_CREDENTIALS)
def test_other_credentials_are_unauthorized(gw, world, upstream, lines, reason):
    """T-49, T-53: one Authorization field, scheme Bearer, one token; all others read alike."""
    with gw.connect() as c:
        a = c.ask("GET", PODS, *[x.format(t=world.admin) for x in lines])
    assert a.code == 401 and a.status()["message"] == "Unauthorized"
    assert not a.has("WWW-Authenticate")
    assert upstream.requests == []
    assert gw.event(a.audit_id)["annotations"]["kube-access-gateway/authentication"] == reason


def test_a_token_in_the_query_is_no_credential(gw, world, upstream):
    """T-53."""
    with gw.connect() as c:
        assert c.ask("GET", PODS + "?access_token=" + world.admin).code == 401
    assert upstream.requests == []


def test_a_token_in_the_websocket_protocol(gw, world, upstream):
    """T-54: never forwarded beside or in place of the Authorization field."""
    offer = "Sec-WebSocket-Protocol: v4.channel.k8s.io, base64url.bearer.authorization.k8s.io." + \
        b64(world.nobody.encode())
    upstream.replies(answer(b"no", "403 Forbidden"))
    assert gw.ask("GET", PODS + "/a/exec?command=x", "Connection: Upgrade", "Upgrade: websocket", offer).code == 403
    assert upstream.only().all("Sec-WebSocket-Protocol") == ["v4.channel.k8s.io"]
    assert upstream.only().all("Authorization") == ["Bearer " + world.admin]


TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io."
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket")


def test_a_websocket_token_is_the_credential(gw, world, upstream):
    """T-54: without Authorization; it is verified, and travels as Authorization only."""
    upstream.replies(answer(b"no", "403 Forbidden"))
    offer = "Sec-WebSocket-Protocol: v5.channel.k8s.io, %s%s" % (TOKEN_PROTOCOL, b64(world.admin.encode()))
    audit_id = new_id()
    with gw.connect() as c:
        assert c.ask("GET", PODS + "/a/exec?command=x", *WEBSOCKET, offer, audit_id=audit_id).code == 403
    assert upstream.only().all("Sec-WebSocket-Protocol") == ["v5.channel.k8s.io"]
    assert upstream.only().all("Authorization") == ["Bearer " + world.admin]
    assert gw.events(audit_id, 2)[1]["user"]["username"] == "ann"


@pytest.mark.parametrize("fields,offer,reason", [
    (WEBSOCKET, "%(t)s", "malformed"),  # none beside it
    (WEBSOCKET, "%(t)s, %(t)s, v5.channel.k8s.io", "malformed"),
    (WEBSOCKET, "%(t)s=, v5.channel.k8s.io", "malformed"),
    (WEBSOCKET, "x%(t)s, v5.channel.k8s.io", "no_credentials"),
    ((), "%(t)s, v5.channel.k8s.io", "no_credentials"),  # no upgrade
    (("Connection: Upgrade", "Upgrade: SPDY/3.1"), "%(t)s, v5.channel.k8s.io", "no_credentials"),
])
def test_other_websocket_tokens_are_none(gw, world, upstream, fields, offer, reason):
    """T-54: only on a real upgrade, exactly one, unpadded, beside another protocol."""
    offer = "Sec-WebSocket-Protocol: " + offer % {"t": TOKEN_PROTOCOL + b64(world.admin.encode())}
    with gw.connect() as c:
        a = c.ask("GET", PODS + "/a/exec?command=x", *fields, offer)
    assert a.code == 401 and upstream.requests == []
    assert gw.event(a.audit_id)["annotations"]["kube-access-gateway/authentication"] == reason


@pytest.mark.parametrize("audit_id", ["a", "A-1._z", "0" * 64])
def test_a_harmless_audit_id_is_kept(gw, world, upstream, audit_id):
    """It is echoed, sent upstream, and stands in the audit line."""
    with gw.connect() as c:
        a = c.ask(token=world.admin, audit_id=audit_id)
    assert a.all("Audit-ID") == [audit_id] and upstream.only().all("Audit-ID") == [audit_id]
    assert gw.event(audit_id)["auditID"] == audit_id


@pytest.mark.parametrize("audit_id", ["", "0" * 65, "a b", "a\"b", "caf\xe9", "a/b", "a,b"])
def test_any_other_audit_id_is_replaced(gw, world, upstream, audit_id):
    """T-132."""
    with gw.connect() as c:
        a = c.ask(token=world.admin, audit_id=audit_id)
    ours, = a.all("Audit-ID")
    assert ours != audit_id and len(ours) == 36
    assert upstream.only().all("Audit-ID") == [ours]
    assert gw.event(ours)["auditID"] == ours


def test_refusals_carry_an_audit_id_too(gw, world, upstream):
    with gw.connect() as c:
        assert c.ask(audit_id="mine-1").get("Audit-ID") == "mine-1"
        assert c.ask(token=world.nobody, audit_id="mine-2").get("Audit-ID") == "mine-2"


def test_answers_lose_hop_by_hop_fields(gw, world, upstream):
    """T-27, RFC 9110 7.6.1: others stay, repeated ones and their order included."""
    upstream.replies(answer(b"{}", "200 Fine", "Connection: X-Secret, keep-alive", "X-Secret: 1",
                            "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Warning: 299 - a",
                            "Warning: 299 - b", "Audit-ID: theirs", "Trailer: X-A", "X-Kubernetes-Pf: 7"))
    a = gw.ask("GET", PODS)
    assert a.code == 200 and a.start == "HTTP/1.1 200 Fine"
    for name in ("X-Secret", "Keep-Alive", "Proxy-Authenticate", "Trailer", "Connection"):
        assert not a.has(name), name
    assert a.all("Warning") == ["299 - a", "299 - b"] and a.get("X-Kubernetes-Pf") == "7"
    assert len(a.all("Audit-ID")) == 1 and a.get("Audit-ID") != "theirs"


def test_the_gateway_adds_no_other_field(gw, world, upstream):
    """T-04: what goes upstream is generated from parsed fields."""
    assert gw.ask("GET", PODS, "Accept: */*").code == 200
    assert [n for n, _ in upstream.only().fields] == ["Host", "Accept", "Audit-ID", "X-Forwarded-For",
                                                      "Authorization"]
