"""How the API server is told who asks: the client's token, or the gateway's credential and the identity's fields."""
import json
import os
import ssl
import subprocess
import threading

import pytest

from client import new_id, request
from gateway import BINARY, SLOW
from policy import kubeconfig
from test_revocation import Stream, serve
from upstream import OK
from wire import wait_for

PODS = "/api/v1/namespaces/dev/pods"


@pytest.fixture(scope="module")
def pair(world):
    """The gateway's own client certificate."""
    return world.ca.issue("the-gateway", "DNS:the-gateway", usage="clientAuth")


@pytest.fixture
def telling(make_gateway, make_upstream, world, pair):
    """telling(identity, credentials): (gateway, upstream that asks for a certificate)."""
    def make(identity="impersonate", credentials=None, **authentication):
        up = make_upstream()
        up.ctx.load_verify_locations(world.ca.cert)
        up.ctx.verify_mode = ssl.CERT_OPTIONAL
        gw = make_gateway(up)
        gw.write_text("own.token", "gateway-token\n")
        gw.cluster["identity"] = identity
        gw.cluster["upstream"]["credentials"] = credentials or {"certFile": pair[0], "keyFile": pair[1]}
        gw.cluster["authentication"].update(authentication)
        return gw, up
    return make


def ask(gw, token, *lines, method="GET", audit_id=None, target=PODS):
    with gw.connect() as c:
        return c.ask(method, target, *lines, token=token, audit_id=audit_id)


def shown(ex):
    """The CN of the certificate that a request came with."""
    cert = ex.stream.tls.getpeercert()
    return dict(x[0] for x in cert["subject"])["commonName"] if cert else None


def fields(ex, prefix):
    return [(n, v) for n, v in ex.fields if n.lower().startswith(prefix.lower())]


def test_impersonate_by_certificate(telling, world):
    """Design: the gateway's credential and Impersonate-*; the client's token stays here (T-49)."""
    gw, up = telling()
    gw.start()
    assert ask(gw, world.admin).code == 200
    ex = up.only()
    assert shown(ex) == "the-gateway"
    assert fields(ex, "impersonate-") == [("Impersonate-User", "ann"), ("Impersonate-Group", "admins")]
    assert not ex.has("Authorization") and not fields(ex, "x-remote-")


def test_impersonate_by_token(telling, world):
    """A token file: the token is the gateway's, and no certificate is shown."""
    gw, up = telling(credentials={"tokenFile": "own.token"})
    gw.start()
    assert ask(gw, world.reader).code == 200
    ex = up.only()
    assert shown(ex) is None
    assert ex.all("Authorization") == ["Bearer gateway-token"]
    assert fields(ex, "impersonate-") == [("Impersonate-User", "rita"), ("Impersonate-Group", "readers")]


@pytest.mark.parametrize("kind", ["token", "certificate"])
def test_impersonate_by_kubeconfig(telling, world, pair, kind):
    """Whose user counts; server and CA are those of upstream."""
    gw, up = telling(credentials={"kubeconfig": "own.kubeconfig"})
    user = {"token": "t-1"} if kind == "token" else {"client-certificate": pair[0], "client-key": pair[1]}
    gw.write_json("own.kubeconfig", kubeconfig("https://127.0.0.1:1", world.other_ca.cert, user))
    gw.start()
    assert ask(gw, world.admin).code == 200
    ex = up.only()
    assert shown(ex) == (None if kind == "token" else "the-gateway")
    assert ex.get("Authorization") == ("Bearer t-1" if kind == "token" else None)
    assert ex.get("Impersonate-User") == "ann"


def test_request_header(telling, world):
    """The gateway's certificate and X-Remote-*, system:authenticated among the groups."""
    gw, up = telling("requestHeader")
    gw.start()
    assert ask(gw, world.admin).code == 200
    ex = up.only()
    assert shown(ex) == "the-gateway"
    assert fields(ex, "x-remote-") == [("X-Remote-User", "ann"), ("X-Remote-Group", "admins"),
                                       ("X-Remote-Group", "system:authenticated")]
    assert not ex.has("Authorization") and not fields(ex, "impersonate-")


def test_all_of_an_identity(telling, world):
    """uid and extra too, keys escaped; nothing that the client says of itself survives (T-45, T-29)."""
    gw, up = telling()
    document = json.loads(gw.read("authentication.json"))
    document["jwt"][0]["claimMappings"]["uid"] = {"claim": "oid"}
    gw.write_json("authentication.json", document)
    gw.start()
    token = world.issuer.token("ann", "admins", "d\xe9v", oid="4-2", jti="j1")
    assert ask(gw, token, "X-Remote-User: root", "X-Remote-Group: system:masters", "X-Remote-Extra-a: b").code == 200
    ex = up.only()
    assert fields(ex, "impersonate-") == [
        ("Impersonate-User", "ann"), ("Impersonate-Uid", "4-2"), ("Impersonate-Group", "admins"),
        ("Impersonate-Group", "d\xc3\xa9v"),
        ("Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id", "JTI=j1")]
    assert not fields(ex, "x-remote-")
    assert ask(gw, token, "Impersonate-User: root").code == 403


@pytest.mark.parametrize("identity,told", [
    ("impersonate", [("Impersonate-User", "system:anonymous")]),
    ("requestHeader", [("X-Remote-User", "system:anonymous"), ("X-Remote-Group", "system:unauthenticated")])])
def test_anonymous(telling, identity, told):
    """T-48: without a name the API server would take it for the gateway itself."""
    gw, up = telling(identity, anonymous={"enabled": True})
    gw.cluster["authorization"] = {"order": ["upstream"]}
    gw.start()
    assert ask(gw, None).code == 200
    assert fields(up.only(), "impersonate-") + fields(up.only(), "x-remote-") == told


def test_many_groups(telling, world):
    """200 groups go on; more than 56 KiB of fields are refused before the API server's 400."""
    gw, up = telling()
    gw.start()
    groups = ["admins"] + ["00000000-1111-2222-3333-%012d" % i for i in range(199)]
    assert ask(gw, world.issuer.token("ann", *groups)).code == 200
    assert [v for n, v in fields(up.only(), "impersonate-group")] == groups
    audit_id = new_id()
    many = world.issuer.token("ann", groups=["%06d" % i for i in range(1000)])
    document = json.loads(gw.read("authentication.json"))
    document["jwt"][0]["claimMappings"]["groups"]["prefix"] = "a prefix of forty octets for every one: "
    gw.write_json("authentication.json", document)
    gw.cluster["authorization"] = {"order": ["upstream"]}
    gw.write()
    gw.reload()
    a = ask(gw, many, audit_id=audit_id)
    assert a.code == 403
    assert a.status()["message"] == (
        'the API server cannot be told of user "ann": its groups and extra values take more than 56 KiB of header '
        'fields; it must have fewer')
    gw.wait_log("refused audit-id=" + audit_id)
    assert len(up.requests) == 1


def test_a_group_with_a_blank(telling, world):
    """T-47: refused, not cleaned: the API server would read another group."""
    gw, up = telling()
    gw.cluster["authorization"] = {"order": ["upstream"]}
    gw.start()
    a = ask(gw, world.issuer.token("ann", " admins"))
    assert a.code == 403 and "begins or ends with a blank" in a.status()["message"]
    assert up.requests == []


def test_connections_are_kept_and_shared(telling, world):
    """The fields say who it is, so that one connection carries everybody."""
    gw, up = telling()
    gw.config["workers"] = 1
    gw.start()
    for token in (world.admin, world.reader, world.admin):
        assert ask(gw, token).code == 200
    assert len({r.conn for r in up.requests}) == 1


def test_a_new_token_is_used_at_once(telling, world):
    """A file that changes makes a new snapshot, and its connections are new."""
    gw, up = telling(credentials={"tokenFile": "own.token"})
    gw.start()
    assert ask(gw, world.admin).code == 200
    before = gw.metric("config_generation")
    gw.write_text("own.token.new", "second")
    os.rename(gw.path("own.token.new"), gw.path("own.token"))
    wait_for(lambda: gw.metric("config_generation") > before, 5 * SLOW)
    assert ask(gw, world.admin).code == 200
    assert [r.get("Authorization") for r in up.requests] == ["Bearer gateway-token", "Bearer second"]
    assert len({r.conn for r in up.requests}) == 2
    gw.write_text("own.token", "")
    gw.wait_log("holds no token")
    assert ask(gw, world.admin).code == 200
    assert up.requests[-1].get("Authorization") == "Bearer second"


def test_streams(telling, world):
    """exec goes upstream with the fields, and lives on when the credential changes."""
    gw, up = telling(credentials={"tokenFile": "own.token"})
    up.script = serve
    gw.start()
    stream = Stream(gw, "exec", world.admin)
    assert up.only().get("Impersonate-User") == "ann" and up.only().get("Upgrade") == "websocket"
    gw.write_text("own.token", "second")
    gw.wait_log("reloaded")
    stream.goes_on()


def test_passthrough_never_shows_a_certificate(telling, world):
    """T-49, design: a connection of the gateway's own carries no client's token, nor the reverse."""
    gw, up = telling()
    gw.start()
    assert ask(gw, world.admin).code == 200
    gw.cluster["identity"] = "passthrough"
    del gw.cluster["upstream"]["credentials"]
    gw.write()
    gw.reload()
    assert ask(gw, world.admin).code == 200
    assert [shown(r) for r in up.requests] == ["the-gateway", None]
    assert up.requests[1].get("Authorization") == "Bearer " + world.admin
    assert not fields(up.requests[1], "impersonate-")


@pytest.mark.parametrize("before,after", [("impersonate", "passthrough"), ("requestHeader", "impersonate")])
def test_a_repetition_keeps_its_way(telling, world, before, after):
    """T-48: what was made for one way of telling who asks never goes out by another, which a reload has brought."""
    gw, up = telling(before)
    gw.config["workers"] = 1
    gw.start()
    assert ask(gw, world.admin).code == 200
    served, go = [], threading.Event()

    def script(ex):
        ex.read()
        served.append(ex)
        if len(served) == 1:
            go.wait(30)
            ex.stream.close()
        else:
            ex.send(OK)
    up.script = script
    with gw.connect() as c:
        c.send(request("GET", PODS, token=world.admin))
        wait_for(lambda: served, 5 * SLOW)
        assert served[0].index >= 1, "the connection was not reused"
        gw.cluster["identity"] = after
        if after == "passthrough":
            del gw.cluster["upstream"]["credentials"]
        gw.write()
        gw.reload()
        assert ask(gw, world.reader).code == 200
        go.set()
        assert c.answer().code == 502
    assert len(served) == 2
    assert gw.metric("upstream_retried_total") == 0


MISTAKES = [
    ("impersonate", None, "identity: impersonate needs a credential of the gateway's own"),
    ("requestHeader", None, "identity: requestHeader needs a credential"),
    ("requestHeader", {"tokenFile": "own.token"}, "requestHeader needs a client certificate"),
    ("requestHeader", {"kubeconfig": "token.kubeconfig"}, "has no client certificate, which identity: requestHeader"),
    ("passthrough", {"tokenFile": "own.token"}, "passthrough uses no upstream.credentials"),
    ("impersonate", {}, "credentials: must be one of certFile with keyFile, tokenFile, kubeconfig"),
    ("impersonate", {"tokenFile": "own.token", "kubeconfig": "a"}, "must be one of"),
    ("impersonate", {"certFile": "a.crt"}, "certFile and keyFile go together"),
    ("impersonate", {"certFile": "nothing.crt", "keyFile": "nothing.key"}, "nothing.crt"),
    ("impersonate", {"tokenFile": "nothing"}, "nothing"),
    ("impersonate", {"tokenFile": "empty"}, "holds no token"),
    ("impersonate", {"tokenFile": "two words"}, "octets that no token has"),
    ("impersonate", {"kubeconfig": "exec.kubeconfig"}, "exec"),
    ("somebody", {"tokenFile": "own.token"}, "identity: \"somebody\" is not one of"),
]


@pytest.mark.parametrize("identity,credentials,words", MISTAKES)
def test_mistakes(telling, world, identity, credentials, words):
    """What cannot work is refused at load, with its field and what would be right."""
    gw, _ = telling(identity)
    gw.cluster["upstream"]["credentials"] = credentials
    if credentials is None:
        del gw.cluster["upstream"]["credentials"]
    gw.write_text("empty", "\n")
    gw.write_text("two words", "a b")
    gw.write_json("token.kubeconfig", kubeconfig("https://a", world.ca.cert, {"token": "t"}))
    gw.write_json("exec.kubeconfig", kubeconfig("https://a", world.ca.cert, {"exec": {"command": "x"}}))
    r = subprocess.run([BINARY, "check", "--config", gw.write()], capture_output=True, text=True, timeout=30 * SLOW,
                       check=False)
    assert r.returncode == 1 and words in r.stderr, r.stderr


def test_a_certificate_of_masters_is_told(telling, world):
    """It works, and check says what it means."""
    cert = world.ca.issue("master", "DNS:m", subject="/O=system:masters/CN=m", usage="clientAuth")
    gw, _ = telling(credentials={"certFile": cert[0], "keyFile": cert[1]})
    r = subprocess.run([BINARY, "check", "--config", gw.write()], capture_output=True, text=True, timeout=30 * SLOW,
                       check=False)
    assert r.returncode == 0 and "system:masters" in r.stderr and "1 warnings" in r.stdout
