"""Another reader of tokens, PyJWT: what whoami accepts, it accepts, and both read the same claims.

5,000 tokens are drawn by a fixed seed.  TOKENS=200000 SEED=7 in the environment: as many, others.
"""
import collections
import json
import os
import random
import time

import jwt
import pytest

import command
import drafts

TOKENS, SEED = int(os.environ.get("TOKENS", 5000)), int(os.environ.get("SEED", 20261129))
AT_ONCE = 5000
CREDENTIAL = "authentication.kubernetes.io/credential-id"


class Issuer:
    """Whom we believe; prefix stands before users and groups."""

    def __init__(self, url, prefix, *keys):
        self.url, self.prefix, self.keys = url, prefix, keys
        self.others = []

    def key_of(self, kid):
        return next((k for k in self.keys if k.kid == kid), None)

    def key_for(self, header):
        """As ours is found: by kid; without one by being the only one (T-72)."""
        if "kid" in header:
            return self.key_of(header["kid"])
        fit = [k for k in self.keys if header.get("alg") in k.algorithms]
        return fit[0] if len(fit) == 1 else None


@pytest.fixture(scope="module")
def issuers():
    key = drafts.Key
    a = Issuer("https://a.example", "oidc:", key("rsa"), key("pinned", "RS256", True), key("p256", "ES256"),
               key("p384", "ES384"), key("p521", "ES512"))
    b = Issuer("https://b.example", "", key("only", "ES256"))
    a.others, b.others = [b], [a]
    return [a, b]


@pytest.fixture(scope="module")
def config(issuers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pyjwt")
    entries, files = [], {}
    for i in issuers:
        files[i.url] = i.prefix[:-1] + "keys.json"
        (folder / files[i.url]).write_text(json.dumps({"keys": [k.jwk for k in i.keys]}))
        entries.append({"issuer": {"url": i.url, "audiences": ["kubernetes"]}, "claimMappings": {
            "username": {"claim": "sub", "prefix": i.prefix}, "groups": {"claim": "groups", "prefix": i.prefix}}})
    (folder / "authentication.yaml").write_text(json.dumps({"apiVersion": "apiserver.config.k8s.io/v1",
                                                            "kind": "AuthenticationConfiguration", "jwt": entries}))
    (folder / "gateway.yaml").write_text(json.dumps({
        "apiVersion": "kube-access-gateway/v1alpha1", "kind": "Gateway", "clusters": [{"name": "prod", "authentication": {
            "configFile": "authentication.yaml", "jwksFiles": files, "signingAlgorithms": drafts.ALGORITHMS}}]}))
    return str(folder / "gateway.yaml")


def decode(token, issuer):
    """PyJWT's claims.  Its one leeway is not that of both times; iat, sub and jti are no conditions to Kubernetes, and null
    is nothing to it."""
    key = issuer.key_for(jwt.get_unverified_header(token))
    if key is None:
        raise jwt.InvalidKeyError("there is none")
    free = {"verify_iat": False, "verify_sub": False, "verify_jti": False}
    args = {"key": key.public, "algorithms": key.algorithms, "audience": "kubernetes", "issuer": issuer.url}
    claims = jwt.decode(token, options={"require": ["exp"], "verify_nbf": False, **free}, **args)
    if claims.get("nbf") is not None:
        jwt.decode(token, leeway=60, options={"verify_exp": False, **free}, **args)
    return claims


def theirs(token, issuers):
    """(issuer, claims) or None, whatever it does not like: it raises what Python raises, too."""
    for i in issuers:
        try:
            return i, decode(token, i)
        except Exception:  # pylint: disable=broad-except
            continue
    return None


def identity(issuer, claims):
    """Who that is by our rules."""
    groups = claims.get("groups") or []
    groups = [issuer.prefix + g for g in ([groups] if isinstance(groups, str) else groups) if g]
    jti = claims.get("jti")
    named = isinstance(jti, str) and jti and jti.isprintable() and jti == jti.strip(" ")
    return {"username": issuer.prefix + claims["sub"], "uid": "", "groups": [
        g for g in groups if not g.startswith("system:")], "extra": {CREDENTIAL: ["JTI=" + jti]} if named else {}}


def judge(config, tokens):
    lines = "".join(json.dumps({"token": t}) + "\n" for t in tokens)
    out = command.run("whoami", "--batch", "--config", config, stdin=lines.encode(), code=0).stdout
    answers = [json.loads(x) for x in out.decode().splitlines()]
    assert len(answers) == len(tokens)
    return answers


def compare(config, issuers, rnd, count, tally):
    """Draws that many; what both say goes into the tally."""
    drawn = [drafts.draw(rnd, rnd.choice(issuers), int(time.time())) for _ in range(count)]
    for (token, kinds, rules), ours in zip(drawn, judge(config, [d[0] for d in drawn])):
        other = theirs(token, issuers)
        accepts = ours["result"] == "accept"
        what = (SEED, kinds, ours, other and other[1], token)
        tally[accepts, other is not None] += 1
        tally[",".join(kinds), accepts] += 1
        if accepts:
            assert other is not None, what
            assert {k: ours[k] for k in ("username", "uid", "groups", "extra")} == identity(*other), what
        else:
            assert other is None or rules, what
        assert accepts or kinds, what


def test_what_we_accept_others_accept(config, issuers):
    """T-67..T-78, T-80: nothing is accepted that PyJWT refuses, and what it alone takes is refused for a rule of ours."""
    rnd, tally = random.Random(SEED), collections.Counter()
    print("seed %d, %d tokens" % (SEED, TOKENS))
    for done in range(0, TOKENS, AT_ONCE):
        compare(config, issuers, rnd, min(AT_ONCE, TOKENS - done), tally)
    print({k: n for k, n in tally.items() if isinstance(k[0], bool)})
    assert tally[True, False] == 0
    assert tally[True, True] > TOKENS // 5 and tally[False, False] > TOKENS // 5 and tally[False, True] > 50
    # Alone, each kind was drawn; what is no fault is accepted, what is one in all its forms never.
    kinds = [f.__name__ for f in [*drafts.DRAFTED, *drafts.WRITTEN]]
    assert all(tally[k, True] + tally[k, False] for k in kinds)
    assert all(tally[k, True] for k in ("", "other_alg_signed", "header_extra", "aud", "sub", "groups", "nbf", "jti"))
    assert not any(tally[k, True] for k in ("hmac_by_public_key", "header_refused", "header_twice", "claim_twice",
                                            "other_encoding"))
