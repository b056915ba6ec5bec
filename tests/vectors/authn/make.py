#!/usr/bin/env python3
"""make.py - write tokens.txt, jwks.txt and the key sets beside this file.

usage: tests/vectors/authn/make.py

Needs Python's standard library and the openssl command.  Everything is signed
for a fixed moment, NOW, so the vectors never age.  ECDSA and PSS signatures
are random: a second run gives other bytes and the same verdicts.  The keys in
keys/ are throw-away test keys: made here if they are missing, worth nothing.

A row of tokens.txt: what it proves (with its rule), the key set, the moment,
the expected reason, what is expected besides, the token.  "Besides" is, for
`ok`, NAME|GROUP,GROUP|JTI or empty; for others `fetch` if new keys may help.
"""
import base64
import hashlib
import hmac
import json
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
KEYS = HERE / "keys"
NOW = 1_800_000_000

ISSUER = "https://issuer.example.com"
PLAIN = "https://plain.example.com/"
EMAIL = "https://email.example.com"
RULES = "https://rules.example.com"
SYSTEM = "https://system.example.com"
NO_KEYS = "https://nokeys.example.com"

CURVES = {"p256": ("prime256v1", "P-256", 32, "ES256", "sha256"),
          "p384": ("secp384r1", "P-384", 48, "ES384", "sha384"),
          "p521": ("secp521r1", "P-521", 66, "ES512", "sha512")}
ORDERS = {
    "p256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
    "p384": 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973,
}


def run(*args, data=None):
    return subprocess.run(args, input=data, capture_output=True, check=True).stdout


def b64(octets):
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


# --- keys -------------------------------------------------------------------

def key(name):
    """Path of a throw-away private key: rsa2048-a, p256-a, secp256k1-a..."""
    path = KEYS / f"throw-away-{name}.pem"
    if not path.exists():
        KEYS.mkdir(exist_ok=True)
        kind = name.split("-")[0]
        if kind.startswith("rsa"):
            run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
                f"rsa_keygen_bits:{kind[3:]}", "-out", str(path))
        else:
            curve = CURVES[kind][0] if kind in CURVES else kind
            run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                f"ec_paramgen_curve:{curve}", "-out", str(path))
    return str(path)


def roca():
    """A modulus of 2048 bits as the faulty library's are: a power of 65537."""
    m = 1
    for p in range(2, 168):
        m *= p if all(p % d for d in range(2, p)) else 1
    return (m * (2 ** 2047 // m + 1) + pow(65537, 4711, m)).to_bytes(256, "big")


def text_of(name):
    return run("openssl", "pkey", "-in", key(name), "-noout", "-text_pub").decode()


def rsa_numbers(name):
    modulus = run("openssl", "rsa", "-in", key(name), "-noout", "-modulus")
    digits = modulus.decode().strip().partition("=")[2]
    n = bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
    e = int(re.search(r"Exponent: (\d+)", text_of(name)).group(1))
    return n, e.to_bytes((e.bit_length() + 7) // 8, "big")


def ec_point(name):
    dump = re.search(r"pub:\n([0-9a-f:\s]+)", text_of(name)).group(1)
    octets = bytes.fromhex(re.sub(r"[\s:]", "", dump))
    assert octets[0] == 4
    half = (len(octets) - 1) // 2
    return octets[1:1 + half], octets[1 + half:]


def jwk(name, **members):
    if name.startswith("rsa"):
        n, e = rsa_numbers(name)
        found = {"kty": "RSA", "n": b64(n), "e": b64(e)}
    else:
        x, y = ec_point(name)
        curve = CURVES.get(name.split("-")[0], (0, "secp256k1"))[1]
        found = {"kty": "EC", "crv": curve, "x": b64(x), "y": b64(y)}
    found.update(members)
    return {k: v for k, v in found.items() if v is not None}


# --- signatures ---------------------------------------------------------------

def sign(alg, name, data):
    bits = alg[2:]
    if alg == "none":
        return b""
    if alg.startswith("HS"):
        return hmac.new(name, data, "sha" + bits).digest()
    args = ["openssl", "dgst", f"-sha{bits}", "-sign", key(name)]
    if alg.startswith("PS"):
        args += ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    made = run(*args, data=data)
    if not alg.startswith("ES"):
        return made
    return raw_ecdsa(made, CURVES[name.split("-")[0]][2])


def der_integers(der):
    at = 2 if der[1] < 0x80 else 3
    out = []
    for _ in range(2):
        n = der[at + 1]
        out.append(int.from_bytes(der[at + 2:at + 2 + n], "big"))
        at += 2 + n
    return out


def raw_ecdsa(der, size):
    r, s = der_integers(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


# --- tokens -------------------------------------------------------------------

def claims_of(**changes):
    c = {"iss": ISSUER, "aud": "kubernetes", "sub": "jane", "groups": ["dev"],
         "iat": NOW - 60, "nbf": NOW - 60, "exp": NOW + 3600, "jti": "t-1"}
    c.update(changes)
    return {k: v for k, v in c.items() if v is not ABSENT}


ABSENT = object()
DEFAULT_KID = {"rsa2048-a": "rsa", "p256-a": "p256", "p384-a": "p384", "p521-a": "p521"}


def token(alg="RS256", name="rsa2048-a", kid=None, header=None, raw_header=None,
          raw_claims=None, mend=lambda signature: signature, header_alg=None, **claims):
    """Everything that can be said wrong about a token has an argument."""
    head = {"alg": header_alg or alg, "typ": "JWT"}
    if kid is not ABSENT:
        head["kid"] = kid or DEFAULT_KID.get(name, "rsa")
    for field, value in (header or {}).items():
        if value is ABSENT:
            head.pop(field, None)
        else:
            head[field] = value
    first = compact(head) if raw_header is None else raw_header
    second = compact(claims_of(**claims)) if raw_claims is None else raw_claims
    signed = b64(first) + "." + b64(second)
    return signed + "." + b64(mend(sign(alg, name, signed.encode())))


def raw(text, **changes):
    """The default claims as text, with text added before the last brace."""
    return compact(claims_of(**changes))[:-1] + b"," + text + b"}"


ROWS = []


def row(name, reason, tok, besides="", keys="keys", now=NOW):
    ROWS.append((name, keys, str(now), reason, besides, tok))


def pem_of(name):
    return run("openssl", "pkey", "-in", key(name), "-pubout")


def good_rows():
    jane = "oidc:jane|oidc:dev,system:authenticated|t-1"
    row("RS256 with the set's key", "ok", token(), jane)
    for alg in ("RS384", "RS512", "PS256", "PS384", "PS512"):
        row(f"T-68 {alg}, the key names no alg", "ok", token(alg), jane)
    for kind, (_, _, _, alg, _) in CURVES.items():
        row(f"T-68 {alg} with its curve", "ok", token(alg, f"{kind}-a"), jane)
    row("a key that names its alg", "ok", token("RS256", "rsa2048-b", "pinned"), jane)
    row("RFC 7515 4.1.9: no typ", "ok", token(header={"typ": ABSENT}), jane)
    row("any typ", "ok", token(header={"typ": "at+jwt"}), jane)
    row("a cty that is no token", "ok", token(header={"cty": "json"}), jane)
    row("b64 true changes nothing", "ok", token(header={"b64": True}), jane)
    row("T-70 jwk, jku, x5u, x5c, x5t choose nothing", "ok", token(header={
        "jwk": jwk("rsa2048-b"), "jku": "https://evil.example.com/k",
        "x5u": "https://evil.example.com/x", "x5c": ["AAAA"], "x5t": "AAAA"}), jane)
    row("RFC 8259 2: blanks around the object", "ok",
        token(raw_claims=b" \n" + compact(claims_of()) + b"\t "), jane)
    row("escapes and other scripts", "ok",
        token(raw_claims=compact(claims_of(sub=ABSENT))[:-1] + b',"sub":"j\\u00e4ne\\ud83d\\ude00"}'),
        "oidc:j\u00e4ne\U0001f600|oidc:dev,system:authenticated|t-1")


def form_rows():
    good = token()
    head, body, sig = good.split(".")
    bad = lambda name, tok: row(name, "malformed", tok)
    bad("T-67 two parts", head + "." + body)
    bad("T-67 four parts", good + "." + sig)
    bad("T-81 five parts: encrypted", ".".join([head, "", body, body, sig]))
    bad("T-67 one part", head)
    bad("T-67 nothing but dots", "..")
    bad("T-67 an empty header", "." + body + "." + sig)
    bad("T-67 empty claims", head + ".." + sig)
    bad("T-67 JSON serialization", compact({"protected": head, "payload": body, "signature": sig}).decode())
    bad("T-67 padded header", head + "=" * (-len(head) % 4 or 4) + "." + body + "." + sig)
    bad("T-67 padded signature", good + "==")
    bad("T-67 base64 with plus", head + "." + body + "." + sig[:-1].replace("-", "+").replace("_", "/") + "+")
    bad("T-67 a blank in the middle", head + "." + body[:9] + " " + body[9:] + "." + sig)
    bad("T-67 a line end after it", good + "\\n")
    bad("T-67 an octet of NUL", head + "." + body[:-1] + "\\0." + sig)
    # 256 octets: the last character has four spare bits.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bad("T-67 spare bits of the signature", good[:-1] + alphabet[alphabet.index(good[-1]) + 1])
    spare = body
    claims = compact(claims_of(x="a"))
    for filler in range(3):
        claims = compact(claims_of(x="a" * (filler + 1)))
        if len(claims) % 3 == 1:
            spare = b64(claims)
    bad("T-67 spare bits of the claims",
        head + "." + spare[:-1] + alphabet[alphabet.index(spare[-1]) + 1] + "." + sig)
    bad("T-67 a length no octets have", head + "." + body[:len(body) // 4 * 4] + "A." + sig)


def json_rows():
    def bad(name, text, where="raw_claims"):
        row(name, "malformed", token(**{where: text}))
    claims = compact(claims_of())
    bad("T-73 a duplicate claim", raw(b'"sub":"admin"'))
    bad("T-73 a duplicate name spelt by escape", raw(b'"su\\u0062":"admin"'))
    bad("T-73 a duplicate name further down", raw(b'"x":{"y":[{"a":1,"a":2}]}'))
    bad("T-73 U+0000 in a value", raw(b'"x":"a\\u0000b"'))
    bad("T-73 U+0000 in a name", raw(b'"x\\u0000":1'))
    bad("T-73 a lone high surrogate", raw(b'"x":"\\ud800"'))
    bad("T-73 a lone low surrogate", raw(b'"x":"\\udc00"'))
    bad("T-73 surrogates in the wrong order", raw(b'"x":"\\ude00\\ud83d"'))
    bad("T-73 a surrogate in UTF-8", raw(b'"x":"\xed\xa0\x80"'))
    bad("T-73 overlong UTF-8", raw(b'"x":"\xc0\xaf"'))
    bad("T-73 Latin-1", raw(b'"x":"\xe4"'))
    bad("T-73 a byte order mark", b"\xef\xbb\xbf" + claims)
    bad("T-73 text after the object", claims + b"x")
    bad("T-73 a second object", claims + b"{}")
    bad("T-73 NUL after the object", claims + b"\x00")
    bad("T-73 text before the object", b"x" + claims)
    bad("T-73 a list instead", b"[" + claims + b"]")
    bad("T-73 a string instead", b'"jane"')
    bad("T-73 null instead", b"null")
    bad("T-73 a comma too many", claims[:-1] + b",}")
    bad("T-73 a comment", claims[:-1] + b"/**/}")
    bad("T-73 single quotes", raw(b"'x':1"))
    bad("T-73 NaN", raw(b'"x":NaN'))
    bad("T-73 a control character", raw(b'"x":"\x01"'))
    bad("T-73 depth 33", raw(b'"x":' + b"[" * 32 + b"]" * 32))
    row("T-73 depth 32", "ok", token(raw_claims=raw(b'"x":' + b"[" * 31 + b"]" * 31)))
    row("T-73 brackets in strings are no depth", "ok",
        token(raw_claims=raw(b'"x":"\\"' + b"[{" * 40 + b'\\\\"')))
    bad("T-73 nested by thousands", raw(b'"x":' + b"[" * 9000 + b"]" * 9000))
    bad("T-73 a number beyond a double", raw(b'"x":1e999'))
    bad("T-73 a duplicate in the header",
        b'{"alg":"RS256","alg":"none","kid":"rsa"}', "raw_header")
    bad("T-73 the header no object", b'["RS256"]', "raw_header")
    bad("T-73 the header cut short", b'{"alg":"RS256"', "raw_header")


def header_rows():
    def bad(name, **header):
        row(name, "malformed", token(header=header))
    bad("RFC 7515 4.1.1: no alg", alg=ABSENT)
    bad("alg is a list", alg=["RS256"])
    bad("T-71 crit", crit=["exp"], exp=NOW)
    bad("T-71 crit, empty", crit=[])
    bad("T-71 crit null", crit=None)
    bad("T-71 b64 false", b64=False)
    bad("T-71 b64 false, and crit says so", b64=False, crit=["b64"])
    bad("T-71 b64 is no boolean", b64="true")
    bad("T-72 kid is a number", kid=7)
    bad("T-72 kid is null", kid=None)
    bad("T-72 kid is empty", kid="")
    bad("T-72 kid of 257 octets", kid="k" * 257)
    bad("T-81 nested", cty="JWT")
    bad("T-81 nested, in lower case and full", cty="application/jwt")
    bad("T-81 enc", enc="A256GCM")
    bad("typ is a list", typ=["JWT"])
    row("T-72 kid of 256 octets", "unknown_key", token(header={"kid": "k" * 256}), "fetch")
    row("T-72 kid is no path", "unknown_key", token(header={"kid": "../../etc/passwd"}), "fetch")
    row("T-72 kid is no format", "unknown_key", token(header={"kid": "%s%n%s"}), "fetch")
    row("T-72 kid in another case", "unknown_key", token(header={"kid": "RSA"}), "fetch")
    row("T-72 kid and a blank", "unknown_key", token(header={"kid": "rsa "}), "fetch")


def algorithm_rows():
    def refused(name, tok, reason="algorithm", **kw):
        row(name, reason, tok, **kw)
    refused("T-69 none", token("none"))
    refused("T-69 none, in capitals", token("none", header_alg="NONE"))
    refused("T-69 none with a signature that is good", token(header={"alg": "none"}))
    refused("T-69 HS256 with the public key's PEM as secret", token("HS256", pem_of("rsa2048-a"), "rsa"))
    refused("T-69 HS256 with the modulus as secret", token("HS256", rsa_numbers("rsa2048-a")[0], "rsa"))
    refused("T-69 HS512 with the EC key's PEM as secret", token("HS512", pem_of("p256-a"), "p256"))
    refused("T-69 HS256 with the set's symmetric key", token("HS256", b"0" * 32, "oct"))
    refused("T-68 alg in lower case", token(header={"alg": "rs256"}))
    refused("T-68 alg and a blank", token(header={"alg": "RS256 "}))
    refused("T-68 an alg nobody knows", token(header={"alg": "EdDSA"}))
    refused("T-68 ES256K", token("ES256", "p256-a", header_alg="ES256K"))
    refused("T-68 an alg that is empty", token(header={"alg": ""}))
    refused("T-68 RS512 with a key that names RS256", token("RS512", "rsa2048-b", "pinned"))
    refused("T-68 PS256 with a key that names RS256", token("PS256", "rsa2048-b", "pinned"))
    refused("T-68 ES256 by an RSA key's kid", token("ES256", "p256-a", "rsa"))
    refused("T-68 RS256 by an EC key's kid", token("RS256", "rsa2048-a", "p256"))
    refused("T-68 ES384 by a P-256 key's kid", token("ES384", "p384-a", "p256"))
    refused("T-68 ES256 by a P-384 key's kid", token("ES256", "p256-a", "p384"))
    refused("signingAlgorithms without RS512", token("RS512"), keys="keys:RS256,ES256")
    refused("signingAlgorithms before keys", token("RS512", iss=NO_KEYS), keys="keys:RS256,ES256")
    refused("no key of the issuer was ever fetched", token(iss=NO_KEYS), "keys_unavailable", besides="fetch")
    for kid, why in (("enc", "use enc"), ("ops", "key_ops without verify"), ("weak", "RSA of 1024 bits"),
                     ("oct", "symmetric"), ("k1", "secp256k1"), ("off", "off the curve")):
        refused(f"T-88 the key of this kid is not used: {why}",
                token(kid=kid), "unknown_key", besides="fetch")
    jane = "oidc:jane|oidc:dev,system:authenticated|t-1"
    row("T-72 no kid, one key fits", "ok", token(kid=ABSENT), jane, "one")
    row("T-72 no kid, one key of each type", "ok", token("ES256", "p256-a", ABSENT), jane, "pair")
    refused("T-72 no kid, two keys fit", token(kid=ABSENT), "unknown_key", keys="two")
    refused("T-72 no kid, no key fits", token("ES256", "p256-a", ABSENT), "unknown_key", keys="one")
    refused("T-72 no kid, and the only key names another alg",
            token("RS512", "rsa2048-b", ABSENT), "unknown_key", keys="pinned")
    refused("T-72 a kid, and the only key has none", token(kid="rsa"), "unknown_key", besides="fetch", keys="one")


def signature_rows():
    def bad(what, **kw):
        row(what, "signature", token(**kw))
    bad("another key signed", name="rsa2048-b", kid="rsa")
    bad("another EC key signed", alg="ES256", name="p256-b", kid="p256")
    bad("no signature", mend=lambda s: b"")
    bad("T-80 RSA: one octet less", mend=lambda s: s[:-1])
    bad("T-80 RSA: a zero before", mend=lambda s: b"\0" + s)
    bad("T-80 RSA: a zero after", mend=lambda s: s + b"\0")
    bad("T-80 RSA: all zero", mend=lambda s: bytes(len(s)))
    bad("T-80 RSA: the signature plus the modulus",
        mend=lambda s: ((int.from_bytes(s, "big") + int.from_bytes(rsa_numbers("rsa2048-a")[0], "big"))
                        % (1 << 2048)).to_bytes(256, "big"))
    bad("one bit of the signature", mend=lambda s: s[:100] + bytes([s[100] ^ 1]) + s[101:])
    bad("RS512's signature called RS256", alg="RS512", header_alg="RS256")
    bad("RS256's signature called RS512", header_alg="RS512")
    bad("PS256's signature called RS256", alg="PS256", header_alg="RS256")
    bad("RS256's signature called PS256", header_alg="PS256")
    ec = {"alg": "ES256", "name": "p256-a"}
    half = lambda n: n.to_bytes(32, "big")
    order = ORDERS["p256"]
    bad("T-80 ECDSA: r and s zero", **ec, mend=lambda s: bytes(64))
    bad("T-80 ECDSA: r zero", **ec, mend=lambda s: bytes(32) + s[32:])
    bad("T-80 ECDSA: s zero", **ec, mend=lambda s: s[:32] + bytes(32))
    bad("T-80 ECDSA: r is the order", **ec, mend=lambda s: half(order) + s[32:])
    bad("T-80 ECDSA: s is the order", **ec, mend=lambda s: s[:32] + half(order))
    bad("T-80 ECDSA: r and s the order", **ec, mend=lambda s: half(order) * 2)
    bad("T-80 ECDSA: all ones", **ec, mend=lambda s: b"\xff" * 64)
    bad("T-80 ECDSA: 63 octets", **ec, mend=lambda s: s[:-1])
    bad("T-80 ECDSA: 65 octets", **ec, mend=lambda s: s + b"\0")
    bad("T-80 ECDSA: 66 octets, halves with a zero before", **ec,
        mend=lambda s: b"\0" + s[:32] + b"\0" + s[32:])
    bad("T-80 ECDSA: half of it", **ec, mend=lambda s: s[:32])
    bad("T-80 ECDSA: DER", **ec, mend=to_der)
    bad("T-80 ECDSA P-384: r zero", alg="ES384", name="p384-a", mend=lambda s: bytes(48) + s[48:])
    bad("T-80 ECDSA P-384: s is the order", alg="ES384", name="p384-a",
        mend=lambda s: s[:48] + ORDERS["p384"].to_bytes(48, "big"))
    bad("T-80 ECDSA P-521: the halves in 65 octets", alg="ES512", name="p521-a",
        mend=lambda s: s[1:66] + s[67:])
    good = token()
    head, body, sig = good.split(".")
    row("claims of another token", "signature", ".".join([head, b64(compact(claims_of(sub="admin"))), sig]))
    row("header of another token", "signature",
        ".".join([b64(compact({"alg": "RS256", "kid": "rsa"})), body, sig]))
    row("the signature is judged before the times", "signature",
        token(name="rsa2048-b", kid="rsa", exp=NOW - 1))


def to_der(raw_octets):
    out = b""
    for half in (raw_octets[:32], raw_octets[32:]):
        h = half.lstrip(b"\0")
        h = b"\0" + h if h[0] & 0x80 else h
        out += bytes([2, len(h)]) + h
    return bytes([0x30, len(out)]) + out


def issuer_rows():
    def bad(name, iss):
        row(name, "issuer", token(iss=iss))
    bad("nobody configured", "https://other.example.com")
    bad("T-76 a final slash", ISSUER + "/")
    row("T-76 no final slash where one is", "issuer", token(iss=PLAIN[:-1]))
    bad("T-76 in another case", "https://Issuer.example.com")
    bad("T-76 http", "http://issuer.example.com")
    bad("T-76 a port", ISSUER + ":443")
    bad("T-76 a prefix", ISSUER[:-1])
    bad("T-76 empty", "")
    bad("iss is missing", ABSENT)
    bad("iss is null", None)
    bad("iss is a list", [ISSUER])
    row("the issuer is judged before the algorithm", "issuer", token("none", iss="https://x.example.com"))


def time_rows():
    ok = lambda name, **kw: row(name, "ok", token(**kw))
    expired = lambda name, **kw: row(name, "expired", token(**kw))
    early = lambda name, **kw: row(name, "not_yet_valid", token(**kw))
    ok("T-74 one second left", exp=NOW + 1)
    expired("T-74 RFC 7519 4.1.4: not on exp", exp=NOW)
    expired("T-74 expired", exp=NOW - 1)
    expired("T-74 expired in 1970", exp=0)
    expired("T-74 no exp", exp=ABSENT)
    expired("T-74 exp null", exp=None)
    expired("T-74 exp a string", exp=str(NOW + 60))
    expired("T-74 exp true", exp=True)
    expired("T-74 exp a list", exp=[NOW + 60])
    expired("T-74 exp negative", exp=-1)
    expired("T-74 exp 2^60", exp=2**60)
    expired("T-74 exp 2^53 + 2", exp=2**53 + 2)
    ok("T-74 exp 2^53", exp=2**53)
    expired("T-74 exp 1e300", exp=1e300)
    ok("T-74 exp with a fraction", exp=NOW + 0.5)
    expired("T-74 exp with a fraction, past", exp=NOW - 0.5)
    row("T-74 exp with an exponent", "ok", token(raw_claims=raw(b'"exp":18.00003e8', exp=ABSENT)))
    row("T-74 exp beyond int64", "malformed", token(exp=2**63))
    ok("T-75 nbf now", nbf=NOW)
    ok("T-75 nbf 60 s ahead", nbf=NOW + 60)
    early("T-75 nbf 61 s ahead", nbf=NOW + 61)
    early("T-75 nbf 60.5 s ahead", nbf=NOW + 60.5)
    ok("T-75 no nbf", nbf=ABSENT)
    ok("T-75 nbf null", nbf=None)
    early("T-75 nbf a string", nbf=str(NOW - 60))
    early("T-75 nbf false", nbf=False)
    early("T-75 nbf negative", nbf=-1)
    early("T-75 nbf 2^60", nbf=2**60)
    ok("iat is not judged", iat=NOW + 9999)
    ok("iat is not even read", iat="yesterday")
    row("T-74 the same token a second later", "expired", token(exp=NOW + 1), now=NOW + 1)
    skew = "keys/skew"
    row("T-74 clockSkew.exp 60 s: 59 s past", "ok", token(exp=NOW - 59), keys=skew)
    row("T-74 clockSkew.exp 60 s: 60 s past", "expired", token(exp=NOW - 60), keys=skew)
    row("T-75 clockSkew.nbf 0 s: 1 s ahead", "not_yet_valid", token(nbf=NOW + 1), keys=skew)


def audience_rows():
    ok = lambda name, aud: row(name, "ok", token(aud=aud))
    bad = lambda name, aud: row(name, "audience", token(aud=aud))
    ok("T-77 the second configured one", "other")
    ok("T-77 a list", ["x", "kubernetes"])
    bad("T-77 another", "openshift")
    bad("T-77 in another case", "Kubernetes")
    bad("T-77 a prefix", "kube")
    bad("T-77 longer", "kubernetes2")
    bad("T-77 several in one string", "kubernetes other")
    bad("T-77 empty", "")
    bad("T-77 an empty list", [])
    bad("T-77 a list of others", ["x", "y"])
    bad("T-77 a list with a number", ["kubernetes", 7])
    bad("T-77 a list in a list", [["kubernetes"]])
    bad("T-77 an object", {"kubernetes": True})
    bad("T-77 null", None)
    bad("T-77 missing", ABSENT)
    bad("T-77 a number", 7)
    row("times are judged before the audience", "expired", token(aud="x", exp=1))


def username_rows():
    def bad(name, sub, reason="username_claim", **kw):
        row(name, reason, token(sub=sub, **kw))

    def ok(name, sub, user, **kw):
        row(name, "ok", token(sub=sub, jti=ABSENT, **kw), user + "|oidc:dev,system:authenticated|")
    bad("T-78 missing", ABSENT)
    bad("T-78 null", None)
    bad("T-48 T-78 empty", "")
    bad("T-48 T-78 a blank", " ")
    bad("T-78 a number", 7)
    bad("T-78 a list", ["jane"])
    bad("T-78 a blank before", " jane")
    bad("T-78 a blank after", "jane ")
    bad("T-78 a line end", "jane\nX-Remote-Group: system:masters")
    bad("T-78 a tab", "ja\tne")
    bad("T-78 DEL", "jane\x7f")
    bad("T-78 a C1 control", "jane\u0085")
    bad("T-78 1025 octets", "a" * 1025)
    ok("T-78 1024 octets", "a" * 1024, "oidc:" + "a" * 1024)
    ok("a blank within", "Jane Doe", "oidc:Jane Doe")
    ok("T-55 system: behind a prefix", "system:admin", "oidc:system:admin")
    sys = lambda name, sub, reason="reserved", besides="", iss=PLAIN: row(
        name, reason, token(sub=sub, iss=iss, groups=[], jti=ABSENT), besides)
    sys("T-55 system:admin", "system:admin")
    sys("T-55 system:anonymous", "system:anonymous")
    sys("T-55 system: alone", "system:")
    sys("T-55 system:masters as a name", "system:masters")
    sys("T-55 a service account", "system:serviceaccount:kube-system:default")
    sys("T-55 not listed exactly", "system:robot2")
    sys("T-55 a listed one", "system:robot", "ok", "system:robot|system:authenticated|")
    sys("T-55 T-64 names are compared by octet", "System:admin", "ok", "System:admin|system:authenticated|")
    sys("no prefix", "jane", "ok", "jane|system:authenticated|")
    sys("T-55 the prefix makes it so", "tem:admin", iss=SYSTEM)
    sys("T-55 a prefix that is harmless", "mine", "ok", "sysmine|system:authenticated|", SYSTEM)


def email_rows():
    def mail(name, reason, **kw):
        row(name, reason, token(iss=EMAIL, groups=ABSENT, jti=ABSENT, email="jane@example.com", **kw),
            "jane@example.com|system:authenticated|" if reason == "ok" else "")
    mail("email_verified true", "ok", email_verified=True)
    mail("email_verified absent", "ok")
    mail("email_verified false", "username_claim", email_verified=False)
    mail("email_verified null decodes as false", "username_claim", email_verified=None)
    mail("email_verified a string", "username_claim", email_verified="true")
    mail("email_verified a number", "username_claim", email_verified=1)
    row("email_verified false where another claim names the user", "ok", token(email_verified=False))


def groups_rows():
    def ok(name, groups, want, iss=ISSUER, **kw):
        user = {ISSUER: "oidc:jane", PLAIN: "jane"}[iss]
        row(name, "ok", token(groups=groups, iss=iss, jti=ABSENT, **kw),
            f"{user}|{','.join(want + ['system:authenticated'])}|")

    def bad(name, groups, **kw):
        row(name, "groups_claim", token(groups=groups, **kw))
    ok("T-78 several", ["dev", "ops"], ["oidc:dev", "oidc:ops"])
    ok("T-78 one string", "dev", ["oidc:dev"])
    ok("T-78 none", [], [])
    ok("T-78 null: none", None, [])
    ok("T-78 absent: none", ABSENT, [])
    ok("T-78 an empty string: none", "", [])
    ok("T-78 empty ones are dropped", ["", "dev", ""], ["oidc:dev"])
    ok("T-78 a group that is there twice", ["dev", "dev"], ["oidc:dev", "oidc:dev"])
    ok("T-78 1024 octets", ["g" * 1024], ["oidc:" + "g" * 1024])
    bad("T-78 1025 octets", ["g" * 1025])
    bad("T-78 a control character", ["dev\nops"])
    bad("T-78 a number among them", ["dev", 7])
    bad("T-78 null among them", ["dev", None])
    bad("T-78 a list among them", [["dev"]])
    bad("T-78 a number", 7)
    bad("T-78 a boolean", True)
    bad("T-78 an object", {"dev": True})
    ok("T-78 1000 of them", ["g%d" % i for i in range(1000)], ["oidc:g%d" % i for i in range(1000)])
    bad("T-78 1001 of them", ["g%d" % i for i in range(1001)])
    ok("T-55 system: behind a prefix", ["system:masters"], ["oidc:system:masters"])
    ok("T-55 system: groups are dropped", ["system:nodes", "dev"], ["dev"], PLAIN)
    ok("T-55 system:masters is dropped though it is listed", ["system:masters", "dev"], ["dev"], PLAIN)
    ok("T-55 a listed one stays", ["system:robots"], ["system:robots"], PLAIN)
    ok("T-55 system:unauthenticated is dropped", ["system:unauthenticated"], [], PLAIN)
    ok("system:authenticated is there once", ["system:authenticated"], [], PLAIN)
    row("an issuer without a groups claim", "ok", token(iss=EMAIL, email="j@x.example", groups=["dev"], jti=ABSENT),
        "j@x.example|system:authenticated|")
    overage = {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x.example/"}}}
    bad("T-83 groups that are elsewhere", ABSENT, **overage)
    bad("OIDC 5.6.2: a source that is not there", ABSENT, _claim_names={"groups": "src1"}, _claim_sources={})
    bad("OIDC 5.6.2: no sources at all", ABSENT, _claim_names={"groups": "src1"})
    bad("OIDC 5.6.2: names that are no object", ABSENT, _claim_names=["groups"])
    ok("OIDC 5.6.2: an aggregated source", ABSENT, [],
       _claim_names={"groups": "src1"}, _claim_sources={"src1": {"JWT": "x"}})
    ok("OIDC 5.6.2: another claim is elsewhere", ABSENT, [], _claim_names={"address": "src1"})
    ok("OIDC 5.6.2: groups that are here after all", ["dev"], ["oidc:dev"], **overage)
    row("the name is judged before the groups", "username_claim", token(sub="", groups=7))


def other_rows():
    jti = lambda name, value, want: row(
        name, "ok", token(jti=value), "oidc:jane|oidc:dev,system:authenticated|" + want)
    jti("credential-id from jti", "abc", "abc")
    jti("no jti", ABSENT, "")
    jti("jti null", None, "")
    jti("jti empty", "", "")
    jti("jti a number", 7, "")
    jti("T-47 jti that no field can hold", "a\nb", "")

    def rule(name, reason, hd=ABSENT, empty="", **kw):
        row(name, reason, token(iss=RULES, hd=hd, empty=empty, **kw))
    rule("claimValidationRules: both hold", "ok", "example.com")
    rule("claimValidationRules: another value", "claim_rule", "example.org")
    rule("claimValidationRules: in another case", "claim_rule", "Example.com")
    rule("claimValidationRules: missing", "claim_rule")
    rule("claimValidationRules: a list", "claim_rule", ["example.com"])
    rule("claimValidationRules: null where a value is asked", "claim_rule", None)
    rule("claimValidationRules: unset means empty", "claim_rule", "example.com", "x")
    rule("claimValidationRules: null decodes as empty", "ok", "example.com", None)
    rule("claimValidationRules: absent is not empty", "claim_rule", "example.com", ABSENT)
    rule("claimValidationRules: a number where empty is asked", "claim_rule", "example.com", 0)
    rule("the groups are judged before the rules", "groups_claim", groups=7)
    row("T-79 as large as may be", "ok", padded(lambda n: n <= 32 * 1024))
    row("T-79 above 32 KiB, and good in all else", "malformed", padded(lambda n: n <= 32 * 1024 + 4))


def padded(fits):
    """The largest good token whose length is one that fits."""
    pad = 20000
    while fits(len(token(x="p" * (pad + 500)))):
        pad += 500
    while fits(len(token(x="p" * (pad + 1)))):
        pad += 1
    return token(x="p" * pad)


# --- key sets -------------------------------------------------------------------

def key_sets():
    off = jwk("p256-a", kid="off")
    off["y"] = off["x"]
    return {
        "keys": [
            jwk("rsa2048-a", kid="rsa", use="sig"),
            jwk("rsa2048-b", kid="pinned", alg="RS256", key_ops=["verify"]),
            jwk("p256-a", kid="p256"), jwk("p384-a", kid="p384"), jwk("p521-a", kid="p521"),
            jwk("rsa2048-a", kid="enc", use="enc"),
            jwk("rsa2048-a", kid="ops", key_ops=["encrypt"]),
            jwk("rsa1024-a", kid="weak"),
            {"kty": "oct", "kid": "oct", "k": b64(b"0" * 32)},
            jwk("secp256k1-a", kid="k1"), off],
        "one": [jwk("rsa2048-a")],
        "pair": [jwk("rsa2048-a"), jwk("p256-a")],
        "two": [jwk("rsa2048-a"), jwk("rsa2048-b")],
        "pinned": [jwk("rsa2048-b", alg="RS256")],
    }


JWKS = []


def set_row(name, status, keys, skipped=0, kids=None, text=None):
    """kids: those of the keys that can be used, "-" for one without."""
    doc = text if text is not None else compact({"keys": keys})
    names = kids if kids is not None else ([k.get("kid", "-") for k in keys] if status == "ok" else [])
    JWKS.append((name, status, str(skipped), ",".join(names), escaped(doc)))


def escaped(octets):
    out = ""
    for c in octets:
        out += "\\\\" if c == 0x5c else chr(c) if 0x20 <= c < 0x7f else "\\x%02x" % c
    return out


def jwks_rows():
    a, e = jwk("rsa2048-a", kid="a"), jwk("p256-a", kid="e")
    n = rsa_numbers("rsa2048-a")[0]
    x, y = ec_point("p256-a")
    ok = lambda name, keys, **kw: set_row(name, "ok", keys, **kw)

    def skips(name, **members):
        """A good key beside one that is not used."""
        base = jwk(members.pop("of", "rsa2048-a"), kid="b")
        bad = {k: v for k, v in {**base, **members}.items() if v is not ABSENT}
        set_row(name, "ok", [a, bad], 1, ["a"])
    ok("RSA, EC", [a, e])
    ok("all curves and sizes", [jwk("p256-a", kid="1"), jwk("p384-a", kid="2"), jwk("p521-a", kid="3"),
                                jwk("rsa3072-a", kid="4"), jwk("rsa2048-a", kid="5")])
    ok("no kid beside others", [a, jwk("rsa2048-b")])
    ok("unknown members", [jwk("rsa2048-a", kid="a", x5t="x", x5c=["AAAA"], issuer="i")])
    ok("members beside keys", None, kids=["a"], text=compact({"issuer": "x", "keys": [a]}))
    ok("RFC 7518 6.3.1.1: zeros before the modulus are forgiven", [jwk("rsa2048-a", kid="a", n=b64(b"\0" + n))])
    ok("each alg of its type", [jwk("rsa2048-a", kid="a", alg="PS512"), jwk("p384-a", kid="b", alg="ES384")])
    skips("T-69 symmetric", kty="oct", k=b64(b"0" * 32))
    skips("OKP", kty="OKP", crv="Ed25519", x=b64(b"0" * 32))
    skips("no kty", kty=ABSENT)
    skips("kty in another case", kty="rsa")
    skips("use enc", use="enc")
    skips("use is a list", use=["sig"])
    skips("key_ops without verify", key_ops=["sign"])
    skips("key_ops is a string", key_ops="verify")
    skips("key_ops is empty", key_ops=[])
    skips("T-68 an alg of another type", alg="ES256")
    skips("T-68 an alg of another curve", of="p256-a", alg="ES384")
    skips("an alg for encryption", alg="RSA-OAEP")
    skips("an alg that is no string", alg=7)
    skips("an alg in lower case", alg="rs256")
    skips("T-72 kid is a number", kid=7)
    skips("T-72 kid is empty", kid="")
    skips("T-72 kid of 257 octets", kid="k" * 257)
    skips("a private key", d="AQAB")
    skips("Entra keys: an issuer that is a list", issuer=[])
    skips("Entra keys: an issuer that is empty", issuer="")
    skips("Entra keys: a cloud_instance_name that is a number", cloud_instance_name=7)
    weak = rsa_numbers("rsa1024-a")[0]
    skips("T-80 RSA of 1024 bits", n=b64(weak))
    skips("T-88 RSA primes that can be found (CVE-2017-15361)", n=b64(roca()))
    skips("T-80 RSA of 2047 bits", n=b64((int.from_bytes(n, "big") >> 1 | 1).to_bytes(256, "big")))
    skips("RSA above 8192 bits", n=b64(b"\xff" * 1025))
    skips("RSA far above 8192 bits", n=b64(b"\xff" * 3000))
    skips("an even modulus", n=b64(n[:-1] + bytes([n[-1] & 0xfe])))
    skips("no modulus", n=ABSENT)
    skips("a modulus of zero", n=b64(bytes(256)))
    skips("a modulus that is a number", n=7)
    skips("RFC 7515 2: a padded modulus", n=b64(n) + "==")
    skips("a modulus in plain base64", n=base64.b64encode(n).decode())
    skips("RFC 7518 6.3.1: an exponent of 1", e="AQ")
    skips("an exponent of 0", e="AA")
    skips("an even exponent", e="AAQ")
    skips("an exponent of 2^32 + 1", e=b64((2**32 + 1).to_bytes(5, "big")))
    skips("no exponent", e=ABSENT)
    ec = lambda name, **kw: skips(name, of="p256-a", **kw)
    ec("T-88 a point off the curve", y=b64(x))
    ec("T-88 the other y plus one", y=b64((int.from_bytes(y, "big") + 1).to_bytes(32, "big")))
    ec("the point (0, 0)", x=b64(bytes(32)), y=b64(bytes(32)))
    ec("RFC 7518 6.2.1.2: x of 31 octets", x=b64(x[:31]))
    ec("RFC 7518 6.2.1.2: y of 31 octets", y=b64(y[:31]))
    ec("x in plain base64", x=b64(x)[:-1] + "+")
    ec("RFC 7518 6.2.1.2: x of 33 octets", x=b64(b"\0" + x))
    ec("no y", y=ABSENT)
    ec("another curve's name", crv="P-384")
    ec("a curve nobody knows", crv="P-192")
    skips("secp256k1", **jwk("secp256k1-a", kid="b"), n=ABSENT, e=ABSENT)
    set_row("a duplicate kid: the first stays", "ok", [a, jwk("rsa2048-b", kid="a")], 1, ["a"])
    set_row("a duplicate kid of another type", "ok", [a, jwk("p256-a", kid="a")], 1, ["a"])
    set_row("a kid whose first key is not used", "ok", [jwk("rsa1024-a", kid="a"), a], 1, ["a"])
    set_row("an element that is no object", "ok", [a, {}], 4, ["a"],
            compact({"keys": [7, None, "k", a, []]}))
    set_row("nothing that can be used", "not found", [jwk("rsa1024-a", kid="a")])
    set_row("an empty list", "not found", [])
    bad = lambda name, text: set_row(name, "malformed", None, text=text)
    bad("no JSON", b"not json")
    bad("nothing", b"")
    bad("HTML", b"<html></html>")
    bad("no list", b'{"keys":{}}')
    bad("no keys", b"{}")
    bad("one key without a set", compact(a))
    bad("a list", compact([a]))
    bad("T-73 a duplicate name", b'{"keys":[],"keys":[' + compact(a) + b"]}")
    bad("T-73 a duplicate name in a key", b'{"keys":[{"kty":"RSA","kty":"EC"}]}')
    bad("T-73 too deep", b'{"keys":' + b"[" * 40 + b"]" * 40 + b"}")
    bad("T-73 something after it", compact({"keys": [a]}) + b"x")
    bad("T-73 Latin-1", b'{"keys":[{"kid":"\xe4"}]}')
    ok("a final line end", None, kids=["a"], text=compact({"keys": [a]}) + b"\n")
    many = [jwk("p256-a", kid=str(i)) for i in range(101)]
    ok("T-84 100 keys", many[:100])
    set_row("T-84 101 keys", "over a limit", many)


def write(name, what, rows):
    lines = [f"# {what}", "# Written by make.py; the signatures' keys are throw-away test keys."]
    lines += ["\t".join(r) for r in rows]
    (HERE / name).write_text("\n".join(lines) + "\n")


def main():
    good_rows()
    form_rows()
    json_rows()
    header_rows()
    algorithm_rows()
    signature_rows()
    issuer_rows()
    time_rows()
    audience_rows()
    username_rows()
    email_rows()
    groups_rows()
    other_rows()
    jwks_rows()
    for name, keys in key_sets().items():
        (HERE / f"{name}.json").write_text(json.dumps({"keys": keys}, indent=1) + "\n")
    write("tokens.txt", "proves, key set, now, reason, besides, token", ROWS)
    write("jwks.txt", "proves, outcome, skipped, kids that can be used, set", JWKS)
    print(f"{len(ROWS)} tokens, {len(JWKS)} key sets")


if __name__ == "__main__":
    main()
