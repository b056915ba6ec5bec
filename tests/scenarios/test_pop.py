"""Proof of possession: a token counts with its holder's signature, for this host, now, and from where it came first."""
import hashlib
import json
import subprocess
import time

import pytest

from client import new_id, request
from gateway import BINARY, SLOW
from test_entra import AKS, GROUP, OID, PODS, TENANT, V1, entra, reason, signer, token, whoami
from test_no_memory import CLOSED, allocations
from test_revocation import Stream, serve
from tokens import Key, b64
from upstream import OK, answer

HOST = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c"
TAKEN = {"tenantID": TENANT, "proofOfPossession": {"host": HOST}}
REQUIRED = {"tenantID": TENANT, "proofOfPossession": {"host": HOST, "required": True}}
WEBSOCKET = ("Connection: Upgrade", "Upgrade: websocket")
__all__ = ["allocations", "entra", "signer"]  # fixtures


class Holder(Key):
    """Who has the key that a token is bound to, as kubelogin does."""

    def __init__(self, folder, issuer, name="holder"):
        super().__init__(folder, name)
        self.issuer, self.count = issuer, 0
        text = '{"e":"%s","kty":"RSA","n":"%s"}' % (self.jwk["e"], self.jwk["n"])
        self.thumbprint = b64(hashlib.sha256(text.encode()).digest())

    def access(self, **claims):
        return token(self.issuer, cnf={"kid": self.thumbprint, "xms_ksl": "sw"}, **claims)

    def prove(self, at=None, key=None, head=None, **changes):
        """Each one is new, by its nonce; None leaves a member out."""
        self.count += 1
        full = {"typ": "pop", "alg": "RS256", "kid": self.thumbprint, **(head or {})}
        body = {"at": at or self.access(), "ts": int(time.time()), "u": HOST,
                "cnf": {"jwk": {n: self.jwk[n] for n in ("e", "kty", "n", "alg")}}, "nonce": "n%d" % self.count}
        body.update(changes)
        return self.issuer.raw(full, {n: v for n, v in body.items() if v is not None}, key or self)


@pytest.fixture(scope="module")
def holder(world, signer):
    return Holder(world.folder, signer)


@pytest.fixture
def proving(entra, world):
    """proving(settings): a gateway of two loops that takes proofs, from 127.0.0.1 and 127.0.0.2."""
    def make(settings=None, **authentication):
        gw = entra(settings or TAKEN, **authentication)
        gw.cluster["identity"] = "impersonate"
        gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/30"]}
        gw.cluster["upstream"]["credentials"] = {"tokenFile": "own.token"}
        gw.write_text("own.token", "gateway-token\n")
        return gw
    return make


def ask(gw, text, scheme="Bearer", source=None, audit_id=None):
    with gw.connect(source=source) as c:
        return c.ask("GET", PODS, "Authorization: %s %s" % (scheme, text), audit_id=audit_id)


def refuses(gw, text, why, **kw):
    a = ask(gw, text, **kw)
    assert a.code == 401 and a.status()["message"] == "Unauthorized"
    assert reason(gw, a) == why


@pytest.mark.parametrize("settings", [TAKEN, REQUIRED], ids=["taken", "required"])
@pytest.mark.parametrize("scheme", ["Bearer", "PoP", "pop"])
def test_a_proof_is_its_user(proving, holder, upstream, settings, scheme):
    """Entra PoP; T-49: who the access token names; neither token goes on."""
    gw = proving(settings).start()
    audit_id = new_id()
    assert ask(gw, holder.prove(), scheme, audit_id=audit_id).code == 200
    assert gw.event(audit_id)["user"] == {"username": "ann@example.com", "groups": [GROUP, "system:authenticated"],
                                          "extra": {"oid": [OID]}}
    ex = upstream.only()
    assert ex.all("Authorization") == ["Bearer gateway-token"]
    assert ex.all("Impersonate-User") == ["ann@example.com"] and ex.all("Impersonate-Extra-oid") == [OID]


def test_a_websocket_may_carry_one(proving, holder, upstream):
    """T-54, Entra PoP replay: the same treatment in a subprotocol."""
    upstream.replies(answer(b"no", "403 Forbidden"))
    upstream.replies(answer(b"no", "403 Forbidden"))
    gw = proving(REQUIRED).start()

    def offer(text, source=None):
        with gw.connect(source=source) as c:
            return c.ask("GET", PODS, *WEBSOCKET, "Sec-WebSocket-Protocol: v5.channel.k8s.io, "
                         "base64url.bearer.authorization.k8s.io." + b64(text.encode()))
    proof = holder.prove()
    assert offer(proof).code == 403
    assert upstream.only().all("Authorization") == ["Bearer gateway-token"]
    a = offer(proof, "127.0.0.2")
    assert a.code == 401 and reason(gw, a) == "pop_replay"
    a = offer(holder.access())
    assert a.code == 401 and reason(gw, a) == "pop_binding"


@pytest.mark.parametrize("why,changes", [
    ("pop_format", {"head": {"kid": ""}}), ("pop_format", {"ts": "soon"}), ("pop_format", {"cnf": {"jwk": {}}}),
    ("pop_expired", {"ts": 1}), ("pop_expired", {"ts": 1 << 40}), ("pop_host", {"u": HOST + "2"}),
    ("pop_binding", {"at": "plain"}), ("pop_binding", {"at": "other"}), ("pop_signature", {"key": "issuer"}),
    ("expired", {"at": "expired"}), ("audience", {"at": "audience"}), ("issuer", {"head": {"typ": "JWT"}})])
def test_proofs_that_do_not_count(proving, holder, signer, upstream, why, changes):
    """Entra PoP: each reason in audit and metrics; the client hears 401 and nothing else (T-07)."""
    made = {"plain": lambda: token(signer), "other": lambda: token(signer, cnf={"kid": "A" * 43}),
            "expired": lambda: holder.access(exp=1), "audience": lambda: holder.access(aud="x")}
    changes = dict(changes)
    if "at" in changes:
        changes["at"] = made[changes["at"]]()
    if "key" in changes:
        changes["key"] = signer.keys[0]
    gw = proving().start()
    refuses(gw, holder.prove(**changes), why)
    assert gw.metric('authentication_rejected_total{reason="%s"}' % why) == 1
    assert upstream.requests == []


def test_what_counts_without_proof(proving, holder, signer):
    """RFC 7800 3.1: a bound token never does; a plain one does where no proof is required, and is no proof."""
    gw = proving().start()
    plain, bound = token(signer), holder.access()
    assert ask(gw, plain).code == 200
    refuses(gw, plain, "pop_format", scheme="PoP")
    refuses(gw, token(signer, upn="bob@example.com"), "pop_format", scheme="PoP")
    refuses(gw, bound, "pop_binding")
    gw.cluster["authentication"]["entra"] = REQUIRED
    gw.reload()
    refuses(gw, plain, "pop_format")
    refuses(gw, bound, "pop_binding")
    assert ask(gw, holder.prove()).code == 200
    gw.cluster["authentication"]["entra"] = {"tenantID": TENANT}
    gw.reload()
    assert ask(gw, plain).code == 200
    refuses(gw, bound, "pop_binding")
    refuses(gw, holder.prove(), "issuer")
    refuses(gw, holder.prove(), "malformed", scheme="PoP")


def test_streams_without_proof_end_where_it_is_required(proving, signer, holder, upstream):
    """T-130: by what is required now, whole."""
    upstream.script = serve
    gw = proving()
    document = json.loads(gw.read("rbac.json"))
    document["items"][0]["rules"][0]["verbs"].append("watch")
    gw.write_json("rbac.json", document)
    gw.start()
    plain = Stream(gw, "watch", token(signer))
    gw.cluster["authentication"]["entra"] = REQUIRED
    gw.reload()
    plain.ends("keys", "not trusted any more")
    proven = Stream(gw, "watch", holder.prove())
    gw.cluster["limits"] = {"sessionMaxAge": "7h"}
    gw.reload()
    proven.goes_on()


def everywhere(gw, text, source, count=8):
    """Over so many connections that are open at once, on both loops: what is answered."""
    clients = [gw.connect(source=source) for _ in range(count)]
    codes = [c.ask("GET", PODS, token=text).code for c in clients for _ in range(2)]
    for c in clients:
        c.close()
    return set(codes)


def test_one_client_may_say_it_again_and_nobody_else(proving, holder):
    """Entra PoP replay: kubectl sends one proof with all its requests; another address may not, on any loop."""
    gw = proving().start()
    proof = holder.prove()
    assert everywhere(gw, proof, "127.0.0.1") == {200}
    assert gw.metric("tokens_verified_total") == 2, "both loops were asked"
    assert everywhere(gw, proof, "127.0.0.2") == {401}
    assert gw.metric('authentication_rejected_total{reason="pop_replay"}') == 16
    assert everywhere(gw, proof, "127.0.0.1") == {200}
    # Whoever shows it first: the thief is seen too, by the other one's refusal.
    proof = holder.prove()
    assert everywhere(gw, proof, "127.0.0.2") == {200}
    refuses(gw, proof, "pop_replay")
    gw.wait_log("reason=pop_replay", "source=127.0.0.1", 'the proof is of user "ann@example.com"')


def test_a_pool_counts_as_one_address(proving, holder):
    """Entra PoP replay: behind a NAT that gives each connection another address."""
    gw = proving()
    gw.config["networks"] = {"nat": ["127.0.0.1/32", "127.0.0.2/32"], "other": ["127.0.0.3/32"]}
    gw.cluster["authentication"]["entra"] = {"tenantID": TENANT, "proofOfPossession": {
        "host": HOST, "addressPools": ["nat", "other"]}}
    gw.start()
    proof = holder.prove()
    for source in ("127.0.0.1", "127.0.0.2"):
        assert everywhere(gw, proof, source) == {200}
    assert everywhere(gw, proof, "127.0.0.3") == {401}
    gw.cluster["authentication"]["entra"] = TAKEN
    gw.reload()
    refuses(gw, proof, "pop_replay")  # it is not in the pool any more
    assert ask(gw, holder.prove()).code == 200


def test_a_nonce_is_good_for_one_proof(proving, holder):
    """Entra PoP replay: the same nonce in other octets; without a nonce the token itself is what may not come again."""
    gw = proving().start()
    assert ask(gw, holder.prove(nonce="once", x=1)).code == 200
    refuses(gw, holder.prove(nonce="once", x=2), "pop_replay")
    assert ask(gw, holder.prove(nonce="twice")).code == 200
    bare = holder.prove(nonce=None, x=1)
    assert ask(gw, bare).code == 200
    assert ask(gw, bare).code == 200
    refuses(gw, bare, "pop_replay", source="127.0.0.2")
    assert ask(gw, holder.prove(nonce=None, x=2), source="127.0.0.2").code == 200


def test_a_reload_forgets_no_proof(proving, holder):
    """Entra PoP replay: rules are new, and what was shown was shown; also where proofs were not taken in between."""
    gw = proving().start()
    proof = holder.prove()
    assert everywhere(gw, proof, "127.0.0.1") == {200}
    gw.reload()
    assert everywhere(gw, proof, "127.0.0.2") == {401}
    assert everywhere(gw, proof, "127.0.0.1") == {200}
    gw.cluster["authentication"]["entra"] = {"tenantID": TENANT}
    gw.reload()
    refuses(gw, proof, "issuer")
    gw.cluster["authentication"]["entra"] = REQUIRED
    gw.reload()
    refuses(gw, proof, "pop_replay", source="127.0.0.2")
    assert ask(gw, proof).code == 200
    gw.cluster["authentication"]["entra"] = {**REQUIRED, "proofOfPossession": {"host": "elsewhere"}}
    gw.reload()
    refuses(gw, proof, "pop_host")


def test_what_is_refused_leaves_nothing(proving, holder, signer):
    """Entra PoP replay: only what was believed is remembered, so that nobody spoils another's proof."""
    gw = proving().start()
    proof = holder.prove()
    refuses(gw, proof[:-6] + "AAAAAA", "pop_signature", source="127.0.0.2")
    head, body, _ = proof.split(".")
    forged = head + "." + body + "." + b64(signer.keys[0].sign((head + "." + body).encode()))
    refuses(gw, forged, "pop_signature", source="127.0.0.2")
    assert ask(gw, proof).code == 200


def test_a_remembered_proof_ages(proving, holder, clock):
    """Entra PoP time: 15 minutes for new requests; a watch lives on with its access token."""
    gw = proving()
    gw.config["workers"] = 1
    gw.start(env=clock.env)
    proof = holder.prove()
    with gw.connect() as c:
        assert c.ask("GET", PODS, token=proof).code == 200
        clock.set_wall(15 * 60 - 5)
        assert c.ask("GET", PODS, token=proof).code == 200
        clock.set_wall(15 * 60 + 5)
        a = c.ask("GET", PODS, token=proof)
        assert a.code == 401 and reason(gw, a) == "pop_expired"
        clock.set_wall(0)
        assert c.ask("GET", PODS, token=holder.prove()).code == 200


def test_each_allocation_may_fail(proving, holder, allocations):
    """T-125, T-01: with a proof that no loop has seen; it is answered, or busy, and never 401."""
    gw = proving()
    gw.config["workers"] = 1
    gw.start(env=allocations.env)
    assert ask(gw, holder.prove()).code == 200
    total, failures, codes = None, 0, set()
    n = 0
    while total is None or n <= total:
        proof = holder.prove()
        try:
            with gw.connect() as c:
                allocations.fail(n)
                c.send(request("GET", PODS, token=proof))
                code = c.answer("GET").code
                assert code == 200 or (code in (502, 503) and allocations.failed), code
                codes.add(code)
        except CLOSED:
            assert allocations.failed
        total = allocations.seen if total is None else total
        failures += allocations.failed
        allocations.fail(0)
        n += max(1, total // (60 if SLOW == 1 else 20))
        assert gw.process.poll() is None, gw.log()[-4000:]
        assert ask(gw, proof).code == 200, "the one that failed may be said again"
    assert failures > 15 and 503 in codes
    assert gw.metric("broken_invariants") == 0


# --- commands ---

def check(gw):
    return subprocess.run([BINARY, "check", "--config", gw.write()], capture_output=True, text=True,
                          timeout=30 * SLOW, check=False)


@pytest.mark.parametrize("settings,identity,words", [
    ({}, "impersonate", "entra.proofOfPossession.host: is required"),
    ({"host": ""}, "impersonate", "entra.proofOfPossession.host: must not be empty"),
    ({"host": 7}, "impersonate", "entra.proofOfPossession.host: must be a string"),
    ({"host": "a b"}, "impersonate", "entra.proofOfPossession.host: must be an ARM id or a host name"),
    ({"host": "a,b=c"}, "impersonate", "entra.proofOfPossession.host: must be an ARM id or a host name"),
    ({"host": "\u00e4"}, "impersonate", "entra.proofOfPossession.host: must be an ARM id or a host name"),
    ({"host": HOST, "required": "yes"}, "impersonate", "entra.proofOfPossession.required: must be true or false"),
    ({"host": HOST, "addressPools": ["x"]}, "impersonate", 'addressPools: "x" is no network; name it under networks'),
    ({"host": HOST, "u": "x"}, "impersonate", "entra.proofOfPossession.u: unknown field"),
    ("x", "impersonate", "entra.proofOfPossession: must be a mapping"),
    ({"host": HOST}, "passthrough", "entra.proofOfPossession: needs identity: impersonate or requestHeader")])
def test_mistakes(proving, settings, identity, words):
    """Each with its line, its field and what would be right."""
    gw = proving({"tenantID": TENANT, "proofOfPossession": settings})
    gw.cluster["identity"] = identity
    if identity == "passthrough":
        del gw.cluster["upstream"]["credentials"]
    r = check(gw)
    assert r.returncode == 1 and words in r.stderr, r.stderr
    number = int(r.stderr.split("gateway.yaml:")[1].split(":")[0])
    assert any(w in gw.read("gateway.yaml").splitlines()[number - 1]
               for w in ("proofOfPossession", "host", "required", "addressPools", '"u"', "{}")), (number, r.stderr)


def test_kubeconfig(proving):
    """kubelogin proves possession in interactive sign-in only, and is told for what."""
    def stanza(gw):
        return subprocess.run([BINARY, "kubeconfig", "--config", gw.write(), "--server", "https://gw"],
                              capture_output=True, text=True, timeout=30 * SLOW, check=True).stdout
    gw = proving()
    words = "      - --login\n      - interactive\n      - --pop-enabled\n      - --pop-claims\n      - \"u=%s\"\n" % HOST
    assert words in stanza(gw)
    assert "      - --client-id\n      - 80faf920-1908-4b52-b5ef-a8e7bedfc67a\n" in stanza(gw)
    gw.cluster["authentication"]["entra"] = {**TAKEN, "audiences": ["6256c85f-0aad-4d50-b960-e6e9b21efe35"]}
    assert words in stanza(gw)
    assert "      - --client-id\n      - 3f4439ff-e698-4d6d-84fe-09c9d574f06b\n" in stanza(gw)
    gw.cluster["authentication"]["entra"] = {"tenantID": TENANT}
    assert "--pop" not in stanza(gw) and "- devicecode\n" in stanza(gw)


def test_a_front_proxy_may_take_them(proving, world):
    """requestHeader tells who it is as well as impersonate does."""
    gw = proving(REQUIRED)
    pair = world.ca.issue("the-gateway", "DNS:the-gateway", usage="clientAuth")
    gw.cluster["identity"] = "requestHeader"
    gw.cluster["upstream"]["credentials"] = {"certFile": pair[0], "keyFile": pair[1]}
    assert check(gw).returncode == 0


@pytest.mark.parametrize("settings,made,code,words", [
    (TAKEN, {}, 0, ["user         ann@example.com\n", "proof        signed at 20", 'for "%s", good for' % HOST,
                    "signature    good", "issuer       " + V1]),
    (TAKEN, {"ts": 7}, 1, ["pop_expired", "(ts) at 1970-01-01T00:00:07Z, ", "it counts for 15 min",
                           "signature    not checked"]),
    (TAKEN, {"ts": 1 << 33}, 1, ["pop_expired", "may be 60 s ahead"]),
    (TAKEN, {"u": "x"}, 1, ["pop_host", 'u is "x"; entra.proofOfPossession.host is "%s"' % HOST]),
    (TAKEN, {"nonce": 7}, 1, ["pop_format", "nonce, where there is one"]),
    (TAKEN, {"at": "plain"}, 1, ["pop_binding", "is not the thumbprint of the key in cnf.jwk"]),
    (TAKEN, {"at": "audience"}, 1, ["audience", 'aud is "x"; entra.audiences has "%s"' % AKS,
                                   "signature    good: the access token's; the holder's is not checked"]),
    (TAKEN, {"key": "issuer"}, 1, ["pop_signature", "not made with the key in cnf.jwk",
                                   "signature    good: the access token's; the holder's is wrong"]),
    (TAKEN, "bound", 1, ["pop_binding", "only inside a proof-of-possession token", "--pop-claims u=" + HOST,
                         "signature    good"]),
    (REQUIRED, "bound", 1, ["pop_binding", "--pop-claims u=" + HOST, "signature    not checked"]),
    (REQUIRED, "plain", 1, ["pop_format", "required is true", "--pop-claims u=" + HOST]),
    (TAKEN, {"head": {"typ": "JWT"}}, 1, ["issuer", "iss is missing"]),
    ({"tenantID": TENANT}, "proof", 1, ["issuer", "iss is missing"]),
    ({"tenantID": TENANT}, "bound", 1, ["pop_binding", "entra.proofOfPossession would have to take"])])
def test_whoami(proving, holder, signer, settings, made, code, words):
    """What a tired operator reads; no part of a token."""
    texts = {"plain": token(signer), "bound": holder.access(), "audience": holder.access(aud="x")}
    if isinstance(made, str):
        text = texts.get(made) or holder.prove()
    else:
        made = {**made, **({"at": texts[made["at"]]} if "at" in made else {}),
                **({"key": signer.keys[0]} if "key" in made else {})}
        text = holder.prove(**made)
    gw = proving(settings)
    rc, said = whoami(gw, text)
    assert rc == code, said
    for word in words:
        assert word in said, said
    assert text.split(".")[2][:20] not in said
    # The same word in a batch.
    line = json.dumps({"id": "1", "token": text}) + "\n"
    r = subprocess.run([BINARY, "whoami", "--config", gw.path("gateway.yaml"), "--batch"], input=line,
                       capture_output=True, text=True, timeout=30 * SLOW, check=True)
    told = json.loads(r.stdout)
    assert told["result"] == ("reject" if code else "accept")
    assert code == 0 or told["reason"] == words[0]


def test_no_part_of_a_proof_is_in_a_log(proving, holder, upstream):
    """Design 10: neither token, nor nonce, in log or audit."""
    upstream.replies(OK)
    gw = proving().start()
    at = holder.access()
    for text in (holder.prove(at=at, nonce="the-nonce"), holder.prove(at=at, nonce="the-nonce", u="x"),
                 holder.prove(at=at, nonce="the-nonce", x=1)):
        ask(gw, text)
        ask(gw, text, source="127.0.0.2")
    written = gw.log() + gw.read("audit.log")
    assert "pop_replay" in written
    for part in at.split(".") + ["the-nonce", holder.thumbprint]:
        assert part[:24] not in written
