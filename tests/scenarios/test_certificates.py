"""Client certificates: asked for and not demanded, judged by us, told to the API server by other means."""
import base64
import os
import ssl
import subprocess
import time

import pytest

from client import new_id
from gateway import SLOW
from pki import Authority, client_context, openssl
from policy import kubeconfig
from test_revocation import Stream, serve
from tokens import b64
from upstream import answer
from wire import Cut

PODS = "/api/v1/namespaces/dev/pods"


class Pki:
    """A client CA, and certificates by what is odd about them."""

    def __init__(self, folder, world):
        self.folder, self.world = str(folder), world
        self.ca = Authority(folder, "client-ca")
        self.other = Authority(folder, "strange-ca")
        self.count = 0

    def context(self, pair, highest=None):
        ctx = client_context(self.world.ca, highest=highest)
        ctx.set_ciphers("DEFAULT:@SECLEVEL=0")  # what is weak is to be refused by the other side
        if pair:
            ctx.load_cert_chain(*pair)
        return ctx

    def issue(self, subject, ca=None, usage="clientAuth", **kw):
        self.count += 1
        return (ca or self.ca).issue("client-%d" % self.count, "DNS:client", subject=subject, usage=usage, **kw)

    def ext(self, subject, *extensions, key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), ca=None, digest="-sha256",
            strings="utf8only"):
        """A certificate with exactly these extensions."""
        self.count += 1
        ca = ca or self.ca
        cert, key_file = (os.path.join(self.folder, "x%d.%s" % (self.count, x)) for x in ("crt", "key"))
        args = [x for e in extensions for x in ("-addext", e)]
        conf = os.path.join(self.folder, "req.cnf")
        with open(conf, "w", encoding="ascii") as f:
            f.write("oid_section=o\n[o]\nkubernetesUID=1.3.6.1.4.1.57683.2\n[req]\ndistinguished_name=dn\n"
                    "string_mask=%s\n[dn]\n" % strings)
        openssl("req", "-utf8", "-x509", "-config", conf, "-newkey", *key, "-nodes", "-days", "30", digest, "-subj", subject, "-multivalue-rdn",
                "-keyout", key_file, "-out", cert, "-CA", ca.cert, "-CAkey", ca.key, *args)
        return cert, key_file

    def revoke(self, path, *pairs, seconds="86400", ca=None):
        """A revocation list at path."""
        ca = ca or self.ca
        index, conf = os.path.join(self.folder, "index.txt"), os.path.join(self.folder, "ca.cnf")
        with open(index, "w", encoding="ascii") as f:
            for cert, _ in pairs:
                serial = openssl("x509", "-in", cert, "-noout", "-serial").decode().strip().partition("=")[2]
                f.write("R\t491231235959Z\t250101000000Z\t%s\tunknown\t/CN=x\n" % serial)
        with open(conf, "w", encoding="ascii") as f:
            f.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s\ndefault_md=sha256\n" % index)
        openssl("ca", "-gencrl", "-config", conf, "-cert", ca.cert, "-keyfile", ca.key, "-crlsec", seconds, "-out", path)


@pytest.fixture(scope="module")
def pki(world, tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("client-pki"), world)


@pytest.fixture
def certified(make_gateway, make_upstream, pki):
    """certified(key=value...): (gateway, upstream); fields of clientCertificates; tokens pass through."""
    def make(order=("rbac",), authentication=None, **settings):
        up = make_upstream()
        gw = make_gateway(up)
        gw.write_text("own.token", "gateway-token")
        gw.cluster["upstream"]["credentials"] = {"tokenFile": "own.token"}
        gw.cluster["authentication"].update(authentication or {})
        gw.cluster["authentication"]["clientCertificates"] = {
            "caFile": pki.ca.cert, "identity": "impersonate", **settings}
        gw.cluster["authorization"]["order"] = list(order)
        if "rbac" not in order:
            del gw.cluster["authorization"]["rbac"]
        return gw, up
    return make


def ask(gw, ctx, token=None, audit_id=None, target=PODS, **kw):
    with gw.connect(ctx=ctx, **kw) as c:
        return c.ask("GET", target, token=token, audit_id=audit_id)


def reason(gw, a):
    return gw.event(a.audit_id)["annotations"]["kube-access-gateway/authentication"]


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_it_is(certified, pki, highest):
    """T-110, semantics 7.5: CN, every O in order, the digest as credential id; told by impersonation."""
    gw, up = certified()
    gw.start()
    pair = pki.issue("/O=admins/O=more/CN=cara")
    audit_id = new_id()
    assert ask(gw, pki.context(pair, highest), audit_id=audit_id).code == 200
    digest = openssl("x509", "-in", pair[0], "-noout", "-fingerprint", "-sha256").decode().strip()
    digest = digest.partition("=")[2].replace(":", "").lower()
    assert gw.event(audit_id)["user"] == {
        "username": "cara", "groups": ["admins", "more", "system:authenticated"],
        "extra": {"authentication.kubernetes.io/credential-id": ["X509SHA256=" + digest]}}
    ex = up.only()
    assert [v for n, v in ex.fields if n.startswith("Impersonate-")] == ["cara", "admins", "more",
                                                                           "X509SHA256=" + digest]
    assert ex.all("Authorization") == ["Bearer gateway-token"]
    assert gw.metric("client_certificates_total") == 1


def test_it_is_asked_for_and_not_demanded(certified, pki, world):
    """Without one a token counts, and passes through as before."""
    gw, up = certified()
    gw.start()
    assert ask(gw, world.client_ctx, world.admin).code == 200
    assert up.only().all("Authorization") == ["Bearer " + world.admin]
    assert not up.only().has("Impersonate-User")
    a = ask(gw, world.client_ctx)
    assert a.code == 401 and reason(gw, a) == "no_credentials"


def test_nobody_is_asked_where_none_counts(make_gateway, make_upstream, pki, world):
    """Another cluster of the listener, by its name, does not ask."""
    gw = make_gateway(make_upstream()).start()
    pair = pki.issue("/CN=cara")
    a = ask(gw, pki.context(pair))
    assert a.code == 401 and reason(gw, a) == "no_credentials"
    text = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % gw.port], input=b"", timeout=20,
                          capture_output=True, check=False).stdout
    assert b"No client certificate CA names sent" in text


def bad(pki):
    p = pki
    return {
        "of another CA": (p.issue("/CN=cara", ca=p.other), "certificate"),
        "it signs itself": (p.ext("/CN=cara", ca=p.other), "certificate"),
        "for servers": (p.issue("/CN=cara", usage="serverAuth"), "certificate_usage"),
        "not for signing": (p.ext("/CN=cara", "keyUsage=critical,keyEncipherment"), "certificate_usage"),
        "no CN": (p.issue("/O=admins"), "certificate_subject"),
        "two CNs": (p.issue("/CN=cara/CN=dora"), "certificate_subject"),
        "a blank behind": (p.issue("/CN=cara "), "certificate_subject"),
        "system:": (p.issue("/CN=system:admin"), "reserved"),
        "a node": (p.issue("/O=system:nodes/CN=system:node:n1"), "reserved"),
        "a weak key": (p.ext("/CN=cara", key=["rsa:1024"]), "certificate"),
        "ended": (p.ca.issue_ended("ended-client", "DNS:client"), "certificate"),
    }


def test_certificates_that_do_not_count(certified, pki):
    """T-109 to T-111, T-55: a failed authentication, not a failed handshake; and never anonymous."""
    gw, up = certified(authentication={"anonymous": {"enabled": True}})
    gw.start()
    made = bad(pki)
    time.sleep(1.1)  # one of them is good for this second
    for what, (pair, why) in made.items():
        a = ask(gw, pki.context(pair))
        assert (what, a.code) == (what, 401)
        assert (what, reason(gw, a)) == (what, why)
    with pytest.raises(Cut):  # SHA-1: the library cannot even read it
        ask(gw, pki.context(pki.ext("/CN=cara", digest="-sha1")))
    assert up.requests == []


def test_groups_of_the_cluster(certified, pki):
    """T-55: dropped, but for those that are listed; system:masters for certificates only."""
    pair = pki.issue("/O=system:masters/O=admins/O=system:nodes/CN=cara")
    gw, _ = certified()
    gw.start()
    audit_id = new_id()
    assert ask(gw, pki.context(pair), audit_id=audit_id).code == 200
    assert gw.event(audit_id)["user"]["groups"] == ["admins", "system:authenticated"]
    gw.cluster["authentication"]["reserved"] = {"groups": ["system:masters"]}
    gw.write()
    gw.reload()
    audit_id = new_id()
    assert ask(gw, pki.context(pair), audit_id=audit_id).code == 200
    assert gw.event(audit_id)["user"]["groups"] == ["system:masters", "admins", "system:authenticated"]


def test_node_credentials(certified, pki):
    """Refused by default; allow takes the name and the group."""
    pair = pki.issue("/O=system:nodes/CN=system:node:n1")
    gw, up = certified(order=["upstream"], authentication={"nodeCredentials": "allow"})
    gw.start()
    assert ask(gw, pki.context(pair)).code == 200
    assert up.only().get("Impersonate-User") == "system:node:n1"
    assert up.only().all("Impersonate-Group") == ["system:nodes"]


def test_uid(certified, pki):
    """Semantics 7.5: the attribute 1.3.6.1.4.1.57683.2; two of them are refused."""
    gw, up = certified(order=["upstream"])
    gw.start()
    assert ask(gw, pki.context(pki.ext("/kubernetesUID=u-1/CN=cara"))).code == 200
    assert up.only().get("Impersonate-Uid") == "u-1"
    a = ask(gw, pki.context(pki.ext("/kubernetesUID=u-1/kubernetesUID=u-2/CN=cara")))
    assert a.code == 401 and reason(gw, a) == "certificate_subject"


def test_letters_of_an_old_alphabet(certified, pki):
    """T-110: the same octets are other letters in a T61String than in UTF-8, and another name to the API server."""
    gw, _ = certified(order=["upstream"])
    gw.start()
    assert ask(gw, pki.context(pki.ext("/CN=car\xe9"))).code == 200
    a = ask(gw, pki.context(pki.ext("/CN=car\xc3\xa9", strings="default")))
    assert a.code == 401 and reason(gw, a) == "certificate_subject"


def test_certificate_and_token(certified, pki, world):
    """T-56: a token comes first, a broken one is never ignored, and nothing of the certificate mixes with it."""
    gw, up = certified(order=["upstream"])
    gw.start()
    good, strange = pki.context(pki.issue("/O=admins/CN=cara")), pki.context(pki.issue("/CN=cara", ca=pki.other))
    for ctx in (good, strange):
        audit_id = new_id()
        assert ask(gw, ctx, world.reader, audit_id).code == 200
        assert gw.event(audit_id)["user"] == {"username": "rita", "groups": ["readers", "system:authenticated"]}
        a = ask(gw, ctx, "not.a.token")
        assert a.code == 401 and reason(gw, a) == "malformed"
    assert [r.all("Authorization") for r in up.requests] == [["Bearer " + world.reader]] * 2
    assert not any(r.has("Impersonate-User") for r in up.requests)
    assert ask(gw, good).code == 200
    assert up.requests[2].get("Impersonate-User") == "cara"


def test_certificate_and_websocket_token(certified, pki, world):
    """T-54, T-56: a certificate that does not count is not in the way of a token, wherever that stands."""
    gw, up = certified(order=["upstream"])
    up.replies(answer(b"no", "403 Forbidden"))
    gw.start()
    offer = "Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.%s"
    strange, codes = pki.context(pki.issue("/CN=cara", ca=pki.other)), []
    for token in (world.admin, "not.a.token"):
        with gw.connect(ctx=strange) as c:
            codes.append(c.ask("GET", PODS + "/a/exec?command=x", "Connection: Upgrade", "Upgrade: websocket",
                               offer % b64(token.encode()), token=None).code)
    assert codes == [403, 401]
    assert up.only().all("Authorization") == ["Bearer " + world.admin]


def chain(pki, length, *extensions, **kw):
    """A leaf with so many certificates in all: the client CA's own comes last, and is not sent."""
    issuer = pki.ca
    pairs = []
    for n in range(length - 1):
        made = Authority.__new__(Authority)
        made.folder, made.name = pki.folder, "between-%d-%d" % (length, n)
        made.cert, made.key = pki.ext("/CN=" + made.name, "basicConstraints=critical,CA:TRUE",
                                      "keyUsage=critical,keyCertSign,cRLSign", *extensions, ca=issuer, **kw)
        pairs.insert(0, made)
        issuer = made
    leaf = pki.issue("/O=admins/CN=cara", ca=issuer)
    with open(leaf[0] + ".chain", "w", encoding="ascii") as out:
        for path in [leaf[0]] + [p.cert for p in pairs]:
            with open(path, encoding="ascii") as f:
                out.write(f.read())
    return leaf[0] + ".chain", leaf[1]


def test_chains(certified, pki):
    """T-109, T-113: by intermediates that the client sends, four certificates at most."""
    gw, _ = certified()
    gw.start()
    assert ask(gw, pki.context(chain(pki, 4))).code == 200
    a = ask(gw, pki.context(chain(pki, 5)))
    assert a.code == 401 and reason(gw, a) == "certificate"
    gw.wait_log("refused audit-id=" + a.audit_id, "the certificate's chain is too long")


def test_a_ca_that_is_not_for_clients(certified, pki):
    """T-111, as Go has it: a CA in between whose usage leaves clients out vouches for none."""
    gw, _ = certified()
    gw.start()
    assert ask(gw, pki.context(chain(pki, 2, "extendedKeyUsage=serverAuth,clientAuth"))).code == 200
    a = ask(gw, pki.context(chain(pki, 2, "extendedKeyUsage=serverAuth")))
    assert a.code == 401 and reason(gw, a) == "certificate"
    gw.wait_log("refused audit-id=" + a.audit_id, "a CA in the certificate's chain is not for clients")


def rsa_key(exponent):
    return "rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:%d" % exponent


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_exponent_that_costs(certified, pki, highest):
    """T-113: an RSA key whose public exponent has more than 32 bits verifies nothing."""
    gw, _ = certified()
    gw.start()
    longest, too_long = rsa_key(2**32 - 5), rsa_key(2**32 + 15)
    assert ask(gw, pki.context(pki.ext("/O=admins/CN=cara", "extendedKeyUsage=clientAuth", key=longest), highest)).code == 200
    with pytest.raises((OSError, Cut)):
        ask(gw, pki.context(pki.ext("/O=admins/CN=cara", "extendedKeyUsage=clientAuth", key=too_long), highest))
    assert ask(gw, pki.context(chain(pki, 2, key=longest), highest)).code == 200
    a = ask(gw, pki.context(chain(pki, 2, key=too_long), highest))
    assert a.code == 401 and reason(gw, a) == "certificate"
    gw.wait_log("refused audit-id=" + a.audit_id, "has an exponent above 32 bits")


def test_a_ca_of_that_exponent(certified, pki):
    """T-113: it would vouch for nobody, which its operator is to know at once."""
    gw, _ = certified(caFile=pki.ext("/CN=costly", "basicConstraints=critical,CA:TRUE", key=rsa_key(2**32 + 15))[0])
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and "an RSA key of the CA has an exponent above 32 bits; expected 65537" in r.stderr


@pytest.mark.parametrize("highest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_no_identity_from_a_ticket(certified, pki, world, highest):
    """T-105: a session in which a certificate was shown is not resumed; others are."""
    gw, _ = certified(order=["upstream"])
    gw.start()
    ctx = pki.context(pki.issue("/CN=cara"), highest)
    with gw.connect(ctx=ctx) as c:
        assert c.ask("GET", PODS, token=None).code == 200
        session = c.stream.tls.session
    with gw.connect(ctx=ctx, session=session) as c:
        assert c.ask("GET", PODS, token=None).code == 200
        assert not c.stream.tls.session_reused
    plain = pki.context(None, highest)
    with gw.connect(ctx=plain) as c:
        assert c.ask("GET", PODS, token=world.admin).code == 200
        session = c.stream.tls.session
    with gw.connect(ctx=plain, session=session) as c:
        assert c.stream.tls.session_reused
        assert c.ask("GET", PODS, token=None).code == 401


class Session:
    """A session that the openssl command keeps in a file."""

    def __init__(self, gw, path, pair):
        self.path = path
        self.args = ["openssl", "s_client", "-connect", "127.0.0.1:%d" % gw.port, "-tls1_2", "-ign_eof",
                     "-cert", pair[0], "-key", pair[1]]

    def ask(self, *args):
        head = "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % PODS
        r = subprocess.run([*self.args, *args], input=head.encode(), capture_output=True, timeout=20 * SLOW, check=False)
        return r.stdout

    def forge(self):
        """As if no certificate had been shown, which its first octet says."""
        text = openssl("sess_id", "-in", self.path, "-noout", "-text").decode()
        lines = text.partition("TLS session ticket:\n")[2].splitlines()
        ticket = bytes.fromhex(lines[0].partition(" - ")[2][:47].replace("-", " "))
        der = openssl("sess_id", "-in", self.path, "-outform", "DER")
        assert ticket[0] == 1 and der.count(ticket) == 1
        der = der.replace(ticket, b"\0" + ticket[1:])
        with open(self.path, "w", encoding="ascii") as f:
            f.write("-----BEGIN SSL SESSION PARAMETERS-----\n%s-----END SSL SESSION PARAMETERS-----\n"
                    % base64.encodebytes(der).decode())


def test_no_identity_from_a_forged_ticket(certified, pki, tmp_path):
    """T-105: a ticket of TLS 1.2 holds the certificate; the octet before it is the client's to change."""
    gw, _ = certified(order=["upstream"])
    gw.start()
    session = Session(gw, str(tmp_path / "session"), pki.issue("/CN=cara"))
    assert b"HTTP/1.1 200" in session.ask("-sess_out", session.path)
    session.forge()
    text = session.ask("-sess_in", session.path)
    assert b"\nReused, " not in text and b"HTTP/1.1 200" in text


def test_revocation_list(certified, pki, tmp_path):
    """T-112: what it lists is refused, also on open streams; one that is out of date refuses all."""
    crl = str(tmp_path / "crl.pem")
    good, gone = pki.issue("/O=admins/CN=cara"), pki.issue("/O=admins/CN=dora")
    pki.revoke(crl)
    gw, up = certified(crlFile=crl)
    up.script = serve
    gw.start()
    stay = Stream(gw, "watch", None, ctx=pki.context(good))
    leave = Stream(gw, "exec", None, ctx=pki.context(gone))
    pki.revoke(crl + ".new", gone)
    os.rename(crl + ".new", crl)
    gw.wait_log("reloaded")
    leave.ends("certificate", "does not count any more")
    a = ask(gw, pki.context(gone))
    assert a.code == 401
    gw.wait_log("refused audit-id=" + a.audit_id, "the certificate is revoked")
    stay.goes_on()


def test_a_list_that_is_out_of_date(certified, pki, tmp_path):
    """T-112: check says so, and nobody gets in."""
    crl = str(tmp_path / "crl.pem")
    pki.revoke(crl, seconds="1")
    time.sleep(2.1)
    gw, _ = certified(crlFile=crl)
    gw.start()
    a = ask(gw, pki.context(pki.issue("/O=admins/CN=cara")))
    assert a.code == 401 and reason(gw, a) == "certificate"
    gw.wait_log("refused audit-id=" + a.audit_id, "the revocation list is out of date")
    assert "the revocation list is out of date" in gw.check().stderr


def test_a_list_runs_out(certified, pki, tmp_path):
    """T-112: also for a connection whose certificate was good while the list was."""
    crl = str(tmp_path / "crl.pem")
    gw, _ = certified(crlFile=crl)
    ctx = pki.context(pki.issue("/O=admins/CN=cara"))
    pki.revoke(crl, seconds=str(4 * SLOW))
    ends = time.time() + 4 * SLOW
    gw.start()
    with gw.connect(ctx=ctx) as c:
        assert c.ask("GET", PODS, token=None).code == 200
        time.sleep(max(0, ends + 2 - time.time()))
        assert c.ask("GET", PODS, token=None).code == 401


def test_time_box(certified, pki):
    """notAfter: from then on none counts, and what is open ends."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    gw, up = certified(notAfter=at)
    up.script = serve
    gw.start()
    ctx = pki.context(pki.issue("/O=admins/CN=cara"))
    stream = Stream(gw, "exec", None, ctx=ctx)
    gw.cluster["authentication"]["clientCertificates"]["notAfter"] = "2026-01-01T00:00:00Z"
    gw.write()
    gw.reload()
    stream.ends("certificate", "does not count any more")
    a = ask(gw, ctx)
    assert a.code == 401 and reason(gw, a) == "certificate"


@pytest.mark.parametrize("first", [30, 3600])
@pytest.mark.parametrize("kind", ["watch", "exec"])
def test_a_time_box_ends(certified, pki, clock, kind, first):
    """notAfter ends what is open at that moment; a reload's counts for what was open before."""
    def at(seconds):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
    gw, up = certified(notAfter=at(first))
    gw.config["workers"] = 1
    up.script = serve
    gw.start(env=clock.env)
    stream = Stream(gw, kind, None, ctx=pki.context(pki.issue("/O=admins/CN=cara")))
    if first != 30:
        gw.cluster["authentication"]["clientCertificates"]["notAfter"] = at(30)
        gw.write()
        gw.reload()
    clock.set_wall(15)
    clock.jump(gw, 31)
    time.sleep(0.2)
    assert gw.metric("long_running_revoked_total") == 0
    clock.set_wall(31)
    clock.jump(gw, 31)
    stream.ends("certificate-expired", "has expired")


def test_an_access_rule_wants_a_certificate(certified, pki, world):
    """require.clientCertificate: a token alone does not do, one beside a certificate that counts does."""
    gw, _ = certified()
    gw.cluster["accessRules"] = [{"name": "cards-only", "match": {"resources": ["pods"]},
                                  "require": {"clientCertificate": True}}]
    gw.start()
    assert ask(gw, pki.context(pki.issue("/O=admins/CN=cara"))).code == 200
    assert ask(gw, pki.context(pki.issue("/CN=cara")), world.admin).code == 200
    for ctx in (world.client_ctx, pki.context(pki.issue("/CN=cara", ca=pki.other))):
        a = ask(gw, ctx, world.admin)
        assert a.code == 403 and 'access rule "cards-only" requires a client certificate' in a.status()["message"]


def test_kept_connections_are_judged_anew(certified, pki):
    """A new client CA counts for the next request of an open connection."""
    gw, up = certified()
    gw.start()
    ctx = pki.context(pki.issue("/O=admins/CN=cara"))
    with gw.connect(ctx=ctx) as c:
        assert c.ask("GET", PODS, token=None).code == 200
        gw.cluster["authentication"]["clientCertificates"]["caFile"] = pki.other.cert
        gw.write()
        gw.reload()
        assert c.ask("GET", PODS, token=None).code == 401
        gw.cluster["authentication"]["clientCertificates"]["caFile"] = pki.ca.cert
        gw.write()
        gw.reload()
        assert c.ask("GET", PODS, token=None).code == 200
    assert len(up.requests) == 2


MISTAKES = [
    ({"identity": "passthrough"}, {}, "identity: a certificate cannot be passed through"),
    ({"identity": None}, {}, "clientCertificates.identity: is required"),
    ({"caFile": None}, {}, "clientCertificates.caFile: is required"),
    ({"caFile": "nothing.crt"}, {}, "nothing.crt"),
    ({"caFile": "own.token"}, {}, "cannot load the CA of client certificates"),
    ({"crlFile": "own.token"}, {}, "cannot load the revocation list"),
    ({"notAfter": "tomorrow"}, {}, 'notAfter: "tomorrow" must be a moment in UTC'),
    ({"notAfter": "2027-02-30T00:00:00Z"}, {}, 'notAfter: "2027-02-30T00:00:00Z" must be a moment in UTC'),
    ({"notAfter": "1970-01-01T00:00:00Z"}, {}, 'notAfter: "1970-01-01T00:00:00Z" must be a moment in UTC'),
    ({"identity": "requestHeader"}, {}, "requestHeader needs a client certificate in upstream.credentials"),
    ({}, {"nodeCredentials": "maybe"}, 'nodeCredentials: "maybe" is not one of'),
]


@pytest.mark.parametrize("settings,authentication,words", MISTAKES)
def test_mistakes(certified, settings, authentication, words):
    gw, _ = certified(authentication=authentication)
    own = gw.cluster["authentication"]["clientCertificates"]
    own.update(settings)
    for k in [k for k, v in own.items() if v is None]:
        del own[k]
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and words in r.stderr, r.stderr


@pytest.mark.parametrize("field,name", [("users", "system:node:n1"), ("groups", "system:nodes")])
def test_nodes_that_nothing_lets_in(certified, field, name):
    """T-55: no entry without effect; beside an AuthenticationConfiguration it is for its issuers' tokens."""
    gw, _ = certified(authentication={"reserved": {field: [name]}})
    gw.write()
    assert gw.check().returncode == 0
    for other in ("configFile", "jwksFiles"):
        del gw.cluster["authentication"][other]
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and 'reserved.%s: "%s" is a node\'s, and has no effect' % (field, name) in r.stderr
    gw.cluster["authentication"]["nodeCredentials"] = "allow"
    gw.write()
    assert gw.check().returncode == 0


def test_a_front_proxy_needs_a_certificate(certified):
    """T-48: with a kubeconfig's token the API server would take every certificate's user for the gateway."""
    gw, _ = certified(identity="requestHeader")
    gw.write_json("own.kubeconfig", kubeconfig("https://a", gw.world.ca.cert, {"token": "t"}))
    gw.cluster["upstream"]["credentials"] = {"kubeconfig": "own.kubeconfig"}
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and "has no client certificate, which identity: requestHeader needs" in r.stderr


@pytest.mark.parametrize("change,words", [
    (lambda c: c["upstream"].pop("credentials"), "impersonate needs a credential of the gateway's own"),
    (lambda c: c["authentication"].update(clientCertificates=None, nodeCredentials="allow"),
     "nodeCredentials: allow is for client certificates")])
def test_what_cannot_work(certified, change, words):
    gw, _ = certified()
    change(gw.cluster)
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and words in r.stderr, r.stderr
