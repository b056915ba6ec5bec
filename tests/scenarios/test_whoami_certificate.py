"""whoami with a client's certificate: the same answer as the gateway gives to whoever shows it."""
import json
from functools import partial

import pytest

import command
from client import new_id
from test_certificates import ask, certified, pki  # noqa: F401: fixtures

run = partial(command.run, "whoami")
batch = partial(command.batch, "whoami")


def text(pair, *more):
    out = ""
    for path in (pair[0], *more):
        with open(path, encoding="ascii") as f:
            out += f.read()
    return out


def whoami(gw, pem, *args, code=0):
    r = run("--config", gw.write(), *args, stdin=pem.encode(), code=code)
    assert r.stderr == b""
    return r.stdout.decode()


KINDS = {  # subject, other arguments of issue, what the server's reason is
    "good": ("/O=admins/O=system:masters/CN=cara", {}, None),
    "no groups": ("/CN=cara", {}, None),
    "of another CA": ("/CN=cara", {"strange": True}, "certificate"),
    "for servers": ("/CN=cara", {"usage": "serverAuth"}, "certificate_usage"),
    "two names": ("/CN=cara/CN=dora", {}, "certificate_subject"),
    "no name": ("/O=admins", {}, "certificate_subject"),
    "a node's": ("/O=system:nodes/CN=system:node:n1", {}, "username_claim"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_as_the_gateway_answers(certified, pki, kind):  # noqa: F811
    """T-109 to T-111: user, groups, extra and reason are those of the audit log."""
    subject, more, reason = KINDS[kind]
    pair = pki.issue(subject, ca=pki.other if more.pop("strange", False) else None, **more)
    gw, _ = certified()
    gw.start()
    audit_id = new_id()
    ask(gw, pki.context(pair), audit_id=audit_id)
    event = gw.event(audit_id)
    answer = json.loads(whoami(gw, text(pair), "--output", "json", code=1 if reason else 0))
    if reason:
        assert answer == {"id": None, "result": "reject", "reason": reason}
        assert event["annotations"]["kube-access-gateway/authentication"] == (
            "reserved" if kind == "a node's" else reason)
        return
    user = event["user"]
    assert answer == {"id": None, "result": "accept", "username": user["username"], "uid": "",
                      "groups": user["groups"][:-1], "extra": user["extra"], "needs_group_lookup": False}
    assert user["groups"][-1] == "system:authenticated"


def test_for_people(certified, pki, tmp_path):  # noqa: F811
    """Where each part comes from, and when it ends; or why not."""
    gw, _ = certified()
    pair = pki.issue("/O=admins/CN=cara")
    out = whoami(gw, text(pair, pair[1]))  # its key beside it does not count
    assert "answer       accepted by cluster prod\nuser         cara\n" in out
    assert "groups       admins\n             by O of its subject" in out and "X509SHA256=" in out
    assert "issuer       a CA in " + pki.ca.cert in out and "\nends         20" in out and "PRIVATE" not in out
    crl = str(tmp_path / "crl.pem")
    pki.revoke(crl, pair)
    gw.cluster["authentication"]["clientCertificates"]["crlFile"] = crl
    assert whoami(gw, text(pair), code=1) == (
        "answer       REFUSED by cluster prod: certificate\nwhy          the certificate is revoked\n")
    assert "it is not for clients" in whoami(gw, text(pki.issue("/CN=x", usage="serverAuth")), code=1)
    assert "its subject needs one CN" in whoami(gw, text(pki.issue("/O=x")), code=1)
    assert "nodeCredentials" in whoami(gw, text(pki.issue("/CN=system:node:n")), code=1)
    assert "it is no certificate in PEM" in whoami(
        gw, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", code=1)


def test_the_time_box(certified, pki):  # noqa: F811
    """It ends with the box, which may have ended already."""
    gw, _ = certified(notAfter="2999-01-01T00:00:00Z")
    pair = pki.issue("/CN=cara")
    until = [line for line in whoami(gw, text(pair)).splitlines() if line.startswith("ends")]
    gw.cluster["authentication"]["clientCertificates"]["notAfter"] = "2020-01-01T00:00:00Z"
    assert "the time box for certificates (clientCertificates.notAfter) has ended" in whoami(gw, text(pair), code=1)
    assert until and "2999" not in until[0]


def test_what_issued_it_comes_behind(certified, pki):  # noqa: F811
    """A chain by way of another CA, the client's first."""
    middle = pki.ext("/CN=middle", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign")

    class Middle:
        cert, key = middle
    leaf = pki.ext("/CN=cara", "basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth", ca=Middle)
    gw, _ = certified()
    assert "user         cara\n" in whoami(gw, text(leaf, middle[0]))
    assert "REFUSED" in whoami(gw, text(leaf), code=1)
    assert "REFUSED" in whoami(gw, text(middle, leaf[0]), code=1)


def test_in_batches(certified, pki, world):  # noqa: F811
    """Beside tokens; a cluster that takes only one kind says so of the other."""
    gw, _ = certified()
    pem = text(pki.issue("/O=admins/CN=cara"))
    answers = batch(("--config", gw.write()), {"id": "a", "certificate": pem}, {"id": "b", "token": world.admin},
                    {"id": "c", "certificate": "x"}, {"id": "d", "certificate": 7},
                    {"id": "e", "certificate": pem, "token": "x"}, code=1)
    assert [a.get("username") or a.get("reason") for a in answers[:3]] == ["cara", "ann", "certificate"]
    assert answers[3]["error"] == "certificate: must be a string" and "exclude each other" in answers[4]["error"]
    del gw.cluster["authentication"]["clientCertificates"]
    del gw.cluster["upstream"]["credentials"]
    r = run("--config", gw.write(), stdin=pem.encode(), code=1)
    assert b'cluster "prod": it takes no certificates' in r.stderr
    assert "it takes no certificates" in batch(("--config", gw.write()), {"id": "a", "certificate": pem},
                                               code=1)[0]["error"]
    gw.cluster["authentication"] = {"clientCertificates": {"caFile": pki.ca.cert, "identity": "impersonate"}}
    gw.cluster["upstream"]["credentials"] = {"tokenFile": "own.token"}
    assert b"it takes no tokens" in run("--config", gw.write(), stdin=world.admin.encode(), code=1).stderr
    assert whoami(gw, pem)
