"""An identity provider in miniature: keys, key sets, tokens good and bad, and a discovery server."""
import base64
import json
import os
import time

from pki import openssl

AUDIENCE = "kubernetes"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An RSA key with a kid."""

    def __init__(self, folder, kid):
        self.kid = kid
        self.file = os.path.join(str(folder), kid + ".key")
        openssl("genrsa", "-out", self.file, "2048")
        modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().partition("=")[2]
        self.jwk = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": b64(bytes.fromhex(modulus)),
                    "e": "AQAB"}

    def sign(self, data):
        return openssl("dgst", "-sha256", "-sign", self.file, input=data)


class Issuer:
    """Signs tokens for url; keys are the published ones, the first signs."""

    def __init__(self, folder, url, kid="one"):
        self.folder, self.url = str(folder), url
        self.keys = [Key(folder, kid)]
        self._made = {}

    def jwks(self):
        return {"keys": [k.jwk for k in self.keys]}

    def write_keys(self, path):
        with open(path, "w", encoding="ascii") as f:
            json.dump(self.jwks(), f)
        return path

    def raw(self, head, claims, key=None):
        signed = ".".join(b64(json.dumps(x, separators=(",", ":")).encode()) for x in (head, claims))
        return signed + "." + b64((key or self.keys[0]).sign(signed.encode()))

    def claims(self, user, groups, more):
        now = int(time.time())
        all_claims = {"iss": self.url, "aud": AUDIENCE, "sub": user, "groups": list(groups), "iat": now,
                      "exp": now + 3600}
        all_claims.update(more)
        return {k: v for k, v in all_claims.items() if v is not None}

    def token(self, user, *groups, key=None, head=None, **claims):
        """A good token, but for what head and claims change (None: leave it out)."""
        key = key or self.keys[0]
        full = {"alg": "RS256", "typ": "JWT", "kid": key.kid}
        full.update(head or {})
        full = {k: v for k, v in full.items() if v is not None}
        name = (user, groups, key.kid, json.dumps(full), json.dumps(claims, sort_keys=True))
        if name not in self._made:
            self._made[name] = self.raw(full, self.claims(user, groups, claims), key)
        return self._made[name]


def authentication(*issuers, **more):
    """An AuthenticationConfiguration (JSON is YAML) for (url, certificate authority or None) pairs."""
    entries = []
    for url, ca in issuers:
        issuer = {"url": url, "audiences": [AUDIENCE]}
        if ca:
            issuer["certificateAuthority"] = ca
        entries.append({"issuer": issuer, "claimMappings": {"username": {"claim": "sub", "prefix": ""},
                                                            "groups": {"claim": "groups", "prefix": ""}}, **more})
    return {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": entries}
