#!/usr/bin/env python3
"""Throw-away identities: a signing key, its JWK set, and tokens.  Needs only openssl.

usage: token.py FOLDER keys                          make FOLDER/sign.key and FOLDER/keys.json
       token.py FOLDER token USER [GROUP...]         print a token that is good for an hour
       token.py FOLDER expired USER [GROUP...]       print one whose hour is over
"""
import base64
import json
import subprocess
import sys
import time

ISSUER = "https://issuer.example.com"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*args, **kw):
    return subprocess.run(["openssl", *args], check=True, capture_output=True, **kw).stdout


def make_keys(folder):
    key = folder + "/sign.key"
    openssl("genrsa", "-out", key, "2048")
    modulus = openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip().partition("=")[2]
    with open(folder + "/keys.json", "w", encoding="ascii") as f:
        json.dump({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "demo",
                             "n": b64(bytes.fromhex(modulus)), "e": "AQAB"}]}, f)


def make_token(folder, user, groups, ends):
    head = {"alg": "RS256", "typ": "JWT", "kid": "demo"}
    claims = {"iss": ISSUER, "aud": "kubernetes", "sub": user, "groups": groups,
              "iat": ends - 3600, "exp": ends}
    signed = ".".join(b64(json.dumps(x, separators=(",", ":")).encode()) for x in (head, claims))
    signature = openssl("dgst", "-sha256", "-sign", folder + "/sign.key", input=signed.encode())
    return signed + "." + b64(signature)


def main():
    folder, what, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    if what == "keys":
        make_keys(folder)
    else:
        ends = int(time.time()) + (3600 if what == "token" else -60)
        print(make_token(folder, names[0], names[1:], ends))


if __name__ == "__main__":
    main()
