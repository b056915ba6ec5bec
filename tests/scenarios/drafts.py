"""Tokens of every kind, drawn at random: good ones, and what people and attackers make of them.

A draft is a token before it is one: header and claims as lists of names and JSON texts, so that a name may stand there
twice and a text may be no JSON.  Each kind of change says what it is, and which rule of ours refuses what others take.
"""
import hashlib
import hmac
import json

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from tokens import b64

ALGORITHMS = [f + n for f in ("RS", "PS", "ES") for n in ("256", "384", "512")]
CURVES = {"ES256": (ec.SECP256R1(), "P-256", 32), "ES384": (ec.SECP384R1(), "P-384", 48),
          "ES512": (ec.SECP521R1(), "P-521", 66)}
P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
SIGNERS = jwt.algorithms.get_default_algorithms()


class Key:
    """A key pair; algorithms are those that it may sign by, pinned or not."""

    def __init__(self, kid, algorithm=None, pinned=False):
        self.kid, self.is_ec = kid, algorithm in CURVES
        self.private = (ec.generate_private_key(CURVES[algorithm][0]) if self.is_ec
                        else rsa.generate_private_key(65537, 2048))
        self.public = self.private.public_key()
        self.algorithms = [algorithm] if self.is_ec or pinned else ALGORITHMS[:6]
        self.jwk = {"kid": kid, **self._numbers(algorithm), **({"alg": algorithm} if pinned else {})}

    def _numbers(self, algorithm):
        n = self.public.public_numbers()
        if not self.is_ec:
            return {"kty": "RSA", "n": b64(n.n.to_bytes(256, "big")), "e": "AQAB"}
        _, name, size = CURVES[algorithm]
        return {"kty": "EC", "crv": name, "x": b64(n.x.to_bytes(size, "big")), "y": b64(n.y.to_bytes(size, "big"))}

    def sign(self, algorithm, octets):
        if algorithm in self.algorithms:
            return SIGNERS[algorithm].sign(octets, self.private)
        return SIGNERS["ES256" if self.is_ec else "RS256"].sign(octets, self.private)


class Draft:
    """A token of issuer, good until it is changed.  strict: the rules that may refuse what another reader takes."""

    def __init__(self, rnd, issuer, now):
        self.rnd, self.issuer, self.now = rnd, issuer, now
        self.key = rnd.choice(issuer.keys)
        self.algorithm = rnd.choice(self.key.algorithms)
        self.header = [("alg", json.dumps(self.algorithm)), ("kid", json.dumps(self.key.kid)), ("typ", '"JWT"')]
        self.claims = [(k, json.dumps(v)) for k, v in
                       {"iss": issuer.url, "aud": "kubernetes", "sub": "ann%d" % rnd.randrange(50),
                        "exp": now + rnd.randrange(600, 9000), "iat": now, "groups": ["a", "b"]}.items()]
        self.sign = self.key.sign
        self.form = "{%s}"
        self.kinds, self.strict = [], set()

    def set(self, where, name, text):
        """text None: the name is left out."""
        pairs = getattr(self, where)
        pairs[:] = [p for p in pairs if p[0] != name] + ([] if text is None else [(name, text)])

    def text(self, pairs, form="{%s}"):
        return form % ",".join('"%s":%s' % p for p in pairs)

    def token(self):
        header, claims = self.text(self.header), self.text(self.claims, self.form)
        signed = ".".join(b64(t if isinstance(t, bytes) else t.encode("utf-8", "surrogatepass"))
                          for t in (header, claims))
        return signed + "." + b64(self.sign(self.algorithm, signed.encode()))


# --- header ---

def other_alg(d):
    d.set("header", "alg", d.rnd.choice([json.dumps(a) for a in ALGORITHMS + [
        "none", "None", "HS256", "HS512", "rs256", "RS256 ", "ES256K", "EdDSA", "RS257", ""]] + ["null", "7", "[]"]))


def other_alg_signed(d):
    d.algorithm = d.rnd.choice(d.issuer.key_of(d.key.kid).algorithms)
    d.set("header", "alg", json.dumps(d.algorithm))


def hmac_by_public_key(d):
    form = d.rnd.choice([serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1])
    if d.key.is_ec:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
    secret = d.key.public.public_bytes(serialization.Encoding.PEM, form)
    d.set("header", "alg", '"HS256"')
    d.sign = lambda _, octets: hmac.new(secret, octets, hashlib.sha256).digest()


def kid(d):
    others = [json.dumps(k.kid) for k in d.issuer.keys]
    d.set("header", "kid", d.rnd.choice(others + [None, None, '"nobody"', '""', "7", "null", "[]", '"../../etc/passwd"']))


def header_extra(d):
    d.set("header", *d.rnd.choice([("jku", '"https://evil.example/keys"'), ("x5u", '"file:///etc/passwd"'),
                                   ("jwk", json.dumps(d.key.jwk)), ("x5c", '["MII"]'), ("x5t", '"x"'), ("zz", "[{}]"),
                                   ("typ", '"at+jwt"'), ("typ", None), ("b64", "true"), ("cty", '"json"')]))


def header_refused(d):
    d.set("header", *d.rnd.choice([("crit", '["exp"]'), ("crit", "[]"), ("crit", "null"), ("b64", "false"),
                                   ("b64", '"x"'), ("cty", '"JWT"'), ("enc", '"A128GCM"'), ("typ", "7")]))


def header_twice(d):
    d.header.insert(d.rnd.randrange(3), d.rnd.choice([("alg", '"none"'), ("kid", '"x"'), ("typ", '"x"'), d.header[0]]))


# --- claims ---

def aud(d):
    d.set("claims", "aud", d.rnd.choice(['["kubernetes"]', '["x","kubernetes"]', '["kubernetes","kubernetes"]', '"x"',
                                         '["kubernetes",7]', "[]", "{}", "null", "7", '""', '"Kubernetes"', None,
                                         '["kubernetes",null]', '[["kubernetes"]]', '"kubernetes "', '"\\u006bubernetes"']))


def exp(d):
    now = d.now
    d.set("claims", "exp", d.rnd.choice([str(now - 100), "1", "0", "-1", "%d.5" % (now + 900), "1e300", "1e999", "NaN",
                                         '"%d"' % (now + 900), "true", "null", "[]", None, str(2 ** 53), str(2 ** 53 + 2),
                                         str(2 ** 64), "9e9", "Infinity", "%d.9" % (now - 100)]))


def nbf(d):
    now = d.now
    d.set("claims", "nbf", d.rnd.choice([str(now - 5), str(now + 20), str(now + 600), '"1"', "null", "1.5", "-1", "false",
                                         "[]", str(2 ** 60), "%d.5" % (now - 9), "NaN", "1e999"]))


def iss(d):
    url = d.issuer.url
    d.set("claims", "iss", d.rnd.choice([json.dumps(url + "/"), json.dumps(url.upper()), json.dumps([url]), None, "null",
                                         "7", '"https:\\/\\/%s"' % url[8:], '""', json.dumps(url + "\0"),
                                         json.dumps(d.rnd.choice(d.issuer.others).url)]))


def sub(d):
    d.set("claims", "sub", d.rnd.choice(['"zo\\u00eb"', '"zoë"', '"\\ud83d\\ude00"', '"a b"', '"a\\"b\\\\c"', '""', '" a"',
                                         '"a "', '"a\\n"', '"a\\u0000b"', '"\\u007f"', "7", "null", None, '["a"]', '"\\ud800"',
                                         '"system:admin"', '"SYSTEM:admin"', '"%s"' % ("x" * 1024), '"%s"' % ("x" * 1025),
                                         '"\u2028"', '"\ud800"', '"a\\u0061\\/"', '"\ufeff"', '"a\tb"']))


def groups(d):
    d.set("claims", "groups", d.rnd.choice(['"one"', '["a","","b"]', "[]", "null", "7", '["a",7]', '[["a"]]', '{"a":"b"}',
                                            '["system:masters","a"]', '["system:authenticated"]', '["g\\u00e9","\\ud83d\\ude00"]',
                                            '["a\\u0001"]', None, '[" a"]', '[null]', '""', json.dumps(["g"] * 1000),
                                            json.dumps(["g"] * 1001), '["a","a"]']))


def jti(d):
    d.set("claims", "jti", d.rnd.choice(['"t-1"', '""', "7", "null", '"\\u0001"', '"é"', '" x"', '["x"]']))


def claim_twice(d):
    name = d.rnd.choice(["iss", "aud", "sub", "exp", "groups"])
    twin = d.rnd.choice([p for p in d.claims if p[0] == name] or [("sub", '"b"')])
    text = d.rnd.choice([twin[1], '"admin"', "9999999999", '["kubernetes"]'])
    name = d.rnd.choice([name, "".join("\\u%04x" % ord(c) for c in name)])
    d.claims.insert(d.rnd.randrange(len(d.claims) + 1), (name, text))


def odd_json(d):
    d.form = d.rnd.choice([" {%s}", "{%s}\n", "\ufeff{%s}", "{%s}x", "{%s,}", "{%s}{}", "[{%s}]", "{%s,\"n\":NaN}",
                           "{%s,\"n\":1e999}", "{%s,\"n\":-Infinity}", "{%s,\"n\":99999999999999999999}", "{%s,\"n\":01}",
                           "{%s,\"n\":1\0}", "{%s,\"n\":\"\\ud800\"}", "{%s,\"n\":\"\x01\"}", "{%s,/**/\"n\":1}",
                           "{%s,'n':1}", "{%s,\"n\":" + "[" * 40 + "]" * 40 + "}", "{%s,\"\\u0000\":1}", "\0{%s}", "{%s}\0",
                           "{%s,\"n\":{\"a\":1,\"a\":1}}", "{%s,\"\":1}", "{%s,\"n\":1.}", "{%s,\"n\":\"\ud800\"}",
                           "{%s,\"n\":-0}", "{%s,\"n\":1E-400}", "{\"n\":[[]],%s}"])


def other_encoding(d):
    name, form = d.rnd.choice([("utf-16-le", ""), ("utf-16", ""), ("utf-32-be", ""), ("latin-1", ',"n":"\xe9"')])
    d.text = lambda pairs, _="": ("{" + ",".join('"%s":%s' % p for p in pairs) + form + "}").encode(name, "replace")


# --- signature ---

def by_another_key(d):
    other = d.rnd.choice([k for i in [d.issuer, *d.issuer.others] for k in i.keys])
    d.sign = other.sign


def other_signature(d):
    def sign(algorithm, octets):
        good = d.key.sign(algorithm, octets)
        half = len(good) // 2
        return d.rnd.choice([b"", good[:-1], good + b"\0", b"\0" + good, b"\0" * len(good), b"\xff" * len(good), good[half:],
                             good[:half] + b"\0" * half, b"\0" * half + good[half:], good[::-1], good + good])
    d.sign = sign


def ecdsa_forms(d):
    """The DER form, and the order less s in the place of s, which is as good."""
    if not d.key.is_ec:
        return
    sign = d.sign

    def turned(algorithm, octets):
        raw = sign(algorithm, octets)
        half = len(raw) // 2
        r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
        if half == 32 and s < P256_ORDER and d.rnd.random() < .7:
            return raw[:half] + (P256_ORDER - s).to_bytes(32, "big")
        return encode_dss_signature(r, s)
    d.sign = turned


# --- text ---

def flip(t, rnd):
    i = rnd.randrange(len(t))
    return t[:i] + rnd.choice("ABCabc019-_.=+/ \n\0é") + t[i + 1:]


def insert(t, rnd):
    i = rnd.choice([rnd.randrange(len(t) + 1), 0, len(t), t.find("."), t.find(".") + 1, t.rfind("."), t.rfind(".") + 1])
    return t[:i] + rnd.choice(["A", "=", "==", ".", " ", "\n", "\r\n", "\t", "\0", "+", "é", "\u200b", "%", "Bearer "]) + t[i:]


def cut(t, rnd):
    i, n = rnd.randrange(len(t)), rnd.choice([1, 2, 3, 4, 40])
    return rnd.choice([t[:i], t[i:], t[:i] + t[i + n:], t[:-n], t[n:]])


def parts(t, rnd):
    p = t.split(".")
    return rnd.choice([".".join(p[:2]) + ".", p[0] + ".." + p[-1], "." + ".".join(p[1:]), ".".join(p[:2]), t + ".", t + ".x",
                       ".".join(p + p), ".".join(reversed(p)), p[0] + "." + p[0] + "." + p[-1], "..", "", "." + t,
                       json.dumps({"protected": p[0], "payload": p[1], "signature": p[-1]}), " " + t, t + "\n"])


def spare_bits(t, rnd):
    """The last character of a part means the same with other bits where no octet is."""
    p = t.split(".")
    i = rnd.randrange(len(p))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    if len(p[i]) % 4 in (2, 3):
        p[i] = p[i][:-1] + alphabet[alphabet.index(p[i][-1]) ^ rnd.choice([1, 2, 3])]
    return ".".join(p)


def other_alphabet(t, rnd):
    return rnd.choice([t.replace("-", "+").replace("_", "/"), t.swapcase(), t.upper(),
                       ".".join(x + "=" * (-len(x) % 4) for x in t.split("."))])


# What each may refuse that another reader takes; None: nothing.
DRAFTED = {
    other_alg: None, other_alg_signed: None, hmac_by_public_key: None, kid: "T-72", header_extra: None,
    header_refused: "T-71, T-81", header_twice: "T-73", aud: "T-77", exp: "T-74", nbf: "T-75", iss: "T-76", sub: "T-55, T-78",
    groups: "T-78", jti: None, claim_twice: "T-73", odd_json: "T-73", other_encoding: "T-73", by_another_key: None,
    other_signature: "T-80", ecdsa_forms: None,
}
WRITTEN = {flip: "T-67", insert: "T-67", cut: "T-67", parts: "T-67", spare_bits: "T-67", other_alphabet: "T-67"}


def draw(rnd, issuer, now):
    """(token, kinds of change, the rules that may refuse what another reader takes)."""
    d = Draft(rnd, issuer, now)
    changes = rnd.sample(list(DRAFTED), rnd.choice([0, 1, 1, 1, 2, 3]))
    for change in changes:
        change(d)
    token = d.token()
    if rnd.random() < .25:
        write = rnd.choice(list(WRITTEN))
        changes.append(write)
        token = write(token, rnd)
    rules = {**DRAFTED, **WRITTEN}
    return token, [c.__name__ for c in changes], [rules[c] for c in changes if rules[c]]
