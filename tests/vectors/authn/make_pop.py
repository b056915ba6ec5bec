#!/usr/bin/env python3
"""make_pop.py - write pop.txt beside this file: proofs of possession, one a row.

usage: tests/vectors/authn/make_pop.py

Needs what make.py needs, and its keys: the issuer's is rsa2048-a, the holder's
rsa2048-b.  A second run gives the same bytes, but for PSS signatures and new keys.

A row: what it proves (with its rule), the setup of test_pop.c, the moment, the
expected reason, what is expected besides, the token.  "Besides" is, for `ok`,
the user's name; for others `fetch` if new keys may help.
"""
import hashlib
import pathlib

from make import ABSENT, KEYS, NOW, b64, compact, jwk, run, sign, token

HERE = pathlib.Path(__file__).resolve().parent
TENANT = "11111111-2222-3333-4444-55555555aaaa"
V1 = f"https://sts.windows.net/{TENANT}/"
AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
HOST = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c"
HOLDER = "rsa2048-b"
AGE = 15 * 60
USUAL = object()


def thumbprint(k):
    text = '{"e":"%s","kty":"RSA","n":"%s"}' % (k["e"], k["n"])
    return b64(hashlib.sha256(text.encode()).digest())


def access(k=None, **changes):
    """A token of Entra ID, bound to k's thumbprint, or to what cnf says."""
    claims = {"iss": V1, "aud": AKS, "tid": TENANT, "sub": "pairwise", "upn": "ann@example.com", "oid": "ann-oid",
              "groups": ABSENT, "jti": ABSENT, "cnf": {"kid": thumbprint(k or jwk(HOLDER)), "xms_ksl": "sw"}}
    header = changes.pop("header", None)
    mend = changes.pop("mend", lambda s: s)
    name = changes.pop("name", "rsa2048-a")
    alg = changes.pop("alg", "RS256")
    claims.update(changes)
    return token(alg, name, "rsa", header=header, mend=mend, **claims)


def prove(name=HOLDER, k=None, at=USUAL, alg="RS256", header=None, raw_header=None, raw=None, more=b"",
          mend=lambda signature: signature, **changes):
    """What kubelogin makes, changed; ABSENT leaves a member out."""
    k = k or jwk(name)
    head = {"typ": "pop", "alg": "RS256", "kid": thumbprint(k), **(header or {})}
    body = {"at": access(k) if at is USUAL else at, "ts": NOW, "u": HOST,
            "cnf": {"jwk": {"e": k["e"], "kty": "RSA", "n": k["n"], "alg": "RS256", "kid": thumbprint(k)}},
            "nonce": "0123456789abcdef0123456789abcdef"}
    body.update(changes)
    head, body = ({n: v for n, v in x.items() if v is not ABSENT} for x in (head, body))
    first = compact(head) if raw_header is None else raw_header
    second = compact(body) if raw is None else raw
    if more:
        second = second[:-1] + b"," + more + b"}"
    signed = b64(first) + "." + b64(second)
    return signed + "." + b64(mend(sign(alg, name, signed.encode())))


def made_key(name, bits, exponent=65537):
    path = KEYS / f"throw-away-{name}.pem"
    if not path.exists():
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{bits}",
            "-pkeyopt", f"rsa_keygen_pubexp:{exponent}", "-out", str(path))
    return name


ROWS = []


def row(name, reason, tok, besides="", setup="taken", now=NOW):
    ROWS.append((name, setup, str(now), reason, besides, tok))


def good_rows():
    ok = lambda name, tok, **kw: row(name, "ok", tok, "ann@example.com", **kw)
    ok("a proof as kubelogin makes it", prove())
    ok("a proof as kubelogin makes it, where it is required", prove(), setup="required")
    ok("Entra PoP form: typ in another case", prove(header={"typ": "PoP"}))
    ok("Entra PoP form: typ in capitals", prove(header={"typ": "POP"}))
    ok("Entra PoP form: any kid", prove(header={"kid": "x"}))
    ok("Entra PoP host: in another case", prove(u=HOST.upper()))
    ok("Entra PoP host: in lower case", prove(u=HOST.lower()))
    ok("Entra PoP time: digits", prove(ts=str(NOW)))
    ok("Entra PoP time: a fraction", prove(raw=compact_with_ts(b"%d.75" % NOW)))
    ok("Entra PoP time: 15 minutes old", prove(ts=NOW - AGE))
    ok("Entra PoP time: ahead by the skew", prove(ts=NOW + 60))
    ok("no nonce", prove(nonce=ABSENT))
    ok("a nonce of 256 octets", prove(nonce="n" * 256))
    ok("members that nobody reads", prove(p="/", m="GET", b="x", client_claims="{}"))
    ok("Entra PoP key: without kty, alg and kid", prove(cnf={"jwk": {x: jwk(HOLDER)[x] for x in "en"}}))
    ok("T-70 the header's keys choose nothing", prove(header={"jwk": jwk("rsa2048-a"), "x5c": ["AAAA"]}))
    ok("Entra PoP key: 4096 bits", prove(made_key("rsa4096-a", 4096)))
    ok("Entra PoP key: exponent 3", prove(made_key("rsa2048-e3", 2048, 3)))
    ok("Entra PoP key: exponent of 32 bits", prove(made_key("rsa2048-e32", 2048, 4294967291)))
    ok("a plain token where proofs are taken", access(cnf=ABSENT))
    ok("a plain token that looks like one", access(cnf=ABSENT, header={"typ": "at+pop"}))


def compact_with_ts(text):
    k = jwk(HOLDER)
    body = compact({"at": access(k), "u": HOST, "cnf": {"jwk": k}, "nonce": "x"})
    return body[:-1] + b',"ts":' + text + b"}"


def form_rows():
    bad = lambda name, tok, **kw: row(name, "pop_format", tok, **kw)
    head, body, sig = prove().split(".")
    bad("Entra PoP form: two parts", head + "." + body)
    bad("Entra PoP form: four parts", ".".join([head, body, sig, sig]))
    bad("Entra PoP form: an empty payload", head + ".." + sig)
    bad("Entra PoP form: an empty signature", head + "." + body + ".")
    bad("Entra PoP form: the header alone", head)
    bad("T-67 Entra PoP form: padded", head + "." + body + "." + sig + "==")
    bad("T-67 Entra PoP form: no base64url", head + "." + body[:-1] + "+." + sig)
    bad("Entra PoP form: no kid", prove(header={"kid": ABSENT}))
    bad("Entra PoP form: kid is empty", prove(header={"kid": ""}))
    bad("Entra PoP form: kid is a number", prove(header={"kid": 7}))
    bad("Entra PoP form: PS256", prove(alg="PS256", header={"alg": "PS256"}))
    bad("Entra PoP form: RS512", prove(alg="RS512", header={"alg": "RS512"}))
    bad("Entra PoP form: alg in lower case", prove(header={"alg": "rs256"}))
    bad("T-69 Entra PoP form: none", prove(alg="none", header={"alg": "none"}))
    bad("T-71 Entra PoP form: crit", prove(header={"crit": ["b64"], "b64": True}))
    bad("T-73 Entra PoP form: u twice", prove(more=b'"u":"x"'))
    bad("T-73 Entra PoP form: at twice", prove(more=b'"at":"x"'))
    bad("T-73 Entra PoP form: n twice", prove(more=b'"x":{"n":1,"n":2}'))
    bad("T-73 Entra PoP form: no object", prove(raw=b"[]"))
    bad("T-73 Entra PoP form: no JSON", prove(raw=b"{"))
    for what, value in (("missing", ABSENT), ("null", None), ("negative", -1), ("a word", "now"), ("empty", ""),
                        ("digits and a sign", "+1800000000"), ("digits and a blank", " 1800000000"), ("true", True),
                        ("a list", [NOW]), ("beyond 2^53", 1 << 54), ("digits beyond 2^53", str(1 << 54)),
                        ("digits with a fraction", "1800000000.5")):
        bad(f"Entra PoP time: ts is {what}", prove(ts=value))
    for what, value in (("missing", ABSENT), ("null", None), ("a list", [HOST]), ("a number", 7)):
        bad(f"Entra PoP host: u is {what}", prove(u=value))
    for what, value in (("missing", ABSENT), ("null", None), ("empty", ""), ("a number", 7), ("no token", "x"),
                        ("two parts", ".".join(access().split(".")[:2])), ("an object", {"kid": "x"}),
                        ("padded", access() + "=")):
        bad(f"Entra PoP form: at is {what}", prove(at=value))
    for what, value in (("empty", ""), ("null", None), ("a number", 7), ("257 octets", "n" * 257)):
        bad(f"Entra PoP form: nonce is {what}", prove(nonce=value))
    row("T-73 typ twice is no proof", "malformed", prove(raw_header=b'{"typ":"pop","typ":"pop","alg":"RS256","kid":"x"}'))
    row("T-79 32 KiB at most", "malformed", prove(x="x" * 32768))
    row("typ is missing: no proof, no token", "issuer", prove(header={"typ": ABSENT}))
    row("typ is JWT: no proof, no token", "issuer", prove(header={"typ": "JWT"}))


def key_rows():
    bad = lambda name, tok: row(name, "pop_format", tok)
    k = jwk(HOLDER)
    for what, value in (("missing", ABSENT), ("null", None), ("a string", "x"), ("empty", {}),
                        ("a kid alone", {"kid": thumbprint(k)}), ("a list", [k])):
        bad(f"Entra PoP key: cnf is {what}", prove(cnf=value))
    for what, value in (("null", None), ("a list", [k]), ("a string", "x"), ("without n", {**k, "n": ABSENT}),
                        ("without e", {**k, "e": ABSENT}), ("with a number as n", {**k, "n": 7}),
                        ("with an empty e", {**k, "e": ""}), ("with a padded n", {**k, "n": k["n"] + "=="}),
                        ("with another kty", {**k, "kty": "EC"}), ("of an elliptic curve", jwk("p256-a")),
                        ("symmetric", {"kty": "oct", "k": "AAAA"})):
        value = {n: v for n, v in value.items() if v is not ABSENT} if isinstance(value, dict) else value
        bad(f"Entra PoP key: jwk {what}", prove(cnf={"jwk": value}))
    # The signatures of these are good, and the access token is bound to them.
    bad("Entra PoP key: 1024 bits", prove("rsa1024-a"))
    bad("Entra PoP key: 2046 bits", prove(made_key("rsa2046-a", 2046)))
    bad("Entra PoP key: 4098 bits", prove(made_key("rsa4098-a", 4098)))
    bad("Entra PoP key: exponent of 33 bits", prove(made_key("rsa2048-e33", 2048, 4294967297)))
    for what, e in (("1", "AQ"), ("0", "AA"), ("2", "Ag"), ("even", "AQAA"), ("2^32", "AQAAAAA"),
                    ("2^32 + 1", "AQAAAAE")):
        bad(f"Entra PoP key: exponent {what}", prove(k={**k, "e": e}))
    even = b64(bytes.fromhex("80" + "00" * 255))
    bad("Entra PoP key: an even modulus", prove(k={**k, "n": even}))
    bad("Entra PoP key: a modulus of zeros", prove(k={**k, "n": b64(bytes(256))}))
    bad("Entra PoP key: a modulus of 16 KiB", prove(k={**k, "n": b64(b"\xff" * 4096)}))


def time_rows():
    bad = lambda name, tok, **kw: row(name, "pop_expired", tok, **kw)
    bad("Entra PoP time: older than 15 minutes", prove(ts=NOW - AGE - 1))
    bad("Entra PoP time: digits, older", prove(ts=str(NOW - AGE - 1)))
    bad("Entra PoP time: of 1970", prove(ts=0))
    bad("Entra PoP time: ahead of the skew", prove(ts=NOW + 61))
    bad("Entra PoP time: milliseconds", prove(ts=NOW * 1000))
    bad("Entra PoP time: 2^53", prove(ts=1 << 53))
    bad("Entra PoP time: no skew, no future", prove(ts=NOW + 1), setup="strict")
    row("Entra PoP time: no skew, now", "ok", prove(), "ann@example.com", setup="strict")
    bad("Entra PoP time: the same proof later", prove(), now=NOW + AGE + 1)
    row("Entra PoP time: the same proof at its end", "ok", prove(), "ann@example.com", now=NOW + AGE)


def host_rows():
    bad = lambda name, u: row(name, "pop_host", prove(u=u))
    bad("Entra PoP host: another", HOST[:-1] + "d")
    bad("Entra PoP host: a prefix", HOST[:-1])
    bad("Entra PoP host: more behind", HOST + "/")
    bad("Entra PoP host: a blank", HOST + " ")
    bad("Entra PoP host: empty", "")
    bad("Entra PoP host: ASCII case only", HOST.replace("K", "\u212a"))


def binding_rows():
    bad = lambda name, tok, **kw: row(name, "pop_binding", tok, **kw)
    k = jwk(HOLDER)
    print_ = thumbprint(k)
    bad("Entra PoP binding: to another key", prove(at=access(jwk("rsa2048-a"))))
    for what, cnf in (("no cnf", ABSENT), ("cnf null", None), ("no kid", {}), ("kid null", {"kid": None}),
                      ("kid empty", {"kid": ""}), ("kid cut", {"kid": print_[:-1]}), ("kid longer", {"kid": print_ + "A"}),
                      ("kid padded", {"kid": print_ + "="}), ("the key itself", {"jwk": k}), ("cnf a string", print_),
                      ("kid in another case", {"kid": print_.swapcase()})):
        bad(f"Entra PoP binding: {what}", prove(at=access(cnf=cnf)))
    padded = {**k, "n": b64(b"\0" + bytes_of(k["n"]))}
    row("RFC 7638 3: the thumbprint is of the members as they stand", "ok", prove(k=padded), "ann@example.com")
    bad("RFC 7638 3: another spelling of the key has another one", prove(k=padded, at=access(k)))
    bad("Entra PoP binding: the access token alone", access())
    bad("Entra PoP binding: alone where proof is required", access(), setup="required")
    bad("Entra PoP binding: alone where proofs are not taken", access(), setup="off")
    bad("Entra PoP binding: alone and called a pop", access(header={"typ": "JWT", "x": "pop"}))
    row("Entra PoP form: a plain token where proof is required", "pop_format", access(cnf=ABSENT), setup="required")
    row("Entra PoP form: an access token called pop", "pop_format", access(header={"typ": "pop"}))
    row("a proof where none is taken", "issuer", prove(), setup="off")


def bytes_of(text):
    import base64
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signature_rows():
    bad = lambda name, tok, **kw: row(name, "pop_signature", tok, **kw)
    flip = lambda s: s[:100] + bytes([s[100] ^ 1]) + s[101:]
    bad("another key signed", prove("rsa2048-a", k=jwk(HOLDER)))
    bad("the issuer's key signed", prove("rsa2048-a", k=jwk(HOLDER), header={"kid": "rsa"}))
    bad("one bit of the signature", prove(mend=flip))
    bad("T-80 one octet less", prove(mend=lambda s: s[:-1]))
    bad("T-80 a zero before", prove(mend=lambda s: b"\0" + s))
    bad("T-80 all zero", prove(mend=lambda s: bytes(len(s))))
    bad("PS256's signature called RS256", prove(alg="PS256"))
    bad("RS512's signature called RS256", prove(alg="RS512"))
    head, body, sig = prove().split(".")
    bad("a newer ts under an older signature", ".".join([head, prove(ts=NOW + 1).split(".")[1], sig]))
    bad("another header under the signature", ".".join([prove(header={"kid": "x"}).split(".")[0], body, sig]))
    bad("the holder's signature comes before the access token's name", prove(at=access(upn=7), mend=flip))
    row("Entra PoP cost: the issuer's signature comes before the holder's", "signature",
        prove(at=access(mend=flip), mend=flip))
    row("Entra PoP cost: the access token's times come before the holder's signature", "expired",
        prove(at=access(exp=NOW - 1), mend=flip))
    row("Entra PoP cost: its audience comes before the holder's signature", "audience",
        prove(at=access(aud="x"), mend=flip))
    row("Entra PoP cost: its key comes before the holder's signature", "unknown_key",
        prove(at=access(header={"kid": "other"}), mend=flip), "fetch")


def access_rows():
    """What is in it is judged as any token of Entra ID."""
    flip = lambda s: s[:100] + bytes([s[100] ^ 1]) + s[101:]
    row("the access token's signature", "signature", prove(at=access(mend=flip)))
    row("the holder signed the access token", "signature", prove(at=access(name=HOLDER)))
    row("the access token is expired", "expired", prove(at=access(exp=NOW - 1)))
    row("the access token is not valid yet", "not_yet_valid", prove(at=access(nbf=NOW + 61)))
    row("the access token is for another audience", "audience", prove(at=access(aud="x")))
    row("the access token's issuer", "issuer", prove(at=access(iss="https://sts.windows.net/x/")))
    row("the access token's tenant", "issuer", prove(at=access(tid="x")))
    row("the access token's algorithm", "algorithm", prove(at=access(alg="PS256")))
    row("the access token's key", "unknown_key", prove(at=access(header={"kid": "other"})), "fetch")
    row("the access token has no kid", "unknown_key", prove(at=access(header={"kid": ABSENT})))
    row("the access token's name", "username_claim", prove(at=access(upn=7)))
    row("the access token's groups", "groups_claim", prove(at=access(groups=7)))
    row("a proof in a proof", "issuer", prove(at=prove(more=b'"x":1', cnf={"jwk": jwk(HOLDER), "kid": thumbprint(jwk(HOLDER))})))
    row("a service account's token in a proof", "issuer", prove(at=access(iss="https://kubernetes.default.svc", aud="https://kubernetes.default.svc")))
    own = {"iss": "https://kubernetes.default.svc", "aud": "https://kubernetes.default.svc", "cnf": ABSENT,
           "sub": "system:serviceaccount:dev:robot",
           "kubernetes.io": {"namespace": "dev", "serviceaccount": {"name": "robot", "uid": "u"}}}
    row("a plain token of a service account where proof is required", "ok", access(**own),
        "system:serviceaccount:dev:robot", setup="required")
    row("keys were never fetched", "keys_unavailable", prove(), "fetch", setup="keyless")


def main():
    good_rows()
    form_rows()
    key_rows()
    time_rows()
    host_rows()
    binding_rows()
    signature_rows()
    access_rows()
    lines = ["# proves, setup, now, reason, besides, token",
             "# Written by make_pop.py; the signatures' keys are throw-away test keys."]
    lines += ["\t".join(r) for r in ROWS]
    (HERE / "pop.txt").write_text("\n".join(lines) + "\n")
    print(f"{len(ROWS)} proofs")


if __name__ == "__main__":
    main()
