"""A real OpenID provider (oidc-provider) behind the gateway: people log in, and its keys are replaced under load."""
import base64
import hashlib
import http.client
import http.cookiejar
import json
import os
import random
import ssl
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

from gateway import Gateway
from installed import node
from processes import die_with_parent, free_ports, until
from test_identity import credentials
from world import Side

LOADERS = 4
SLOT_S = 30  # T-85: so often an unknown kid may cause a fetch


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """url; login gives an ID token as kubelogin gets one: authorization code with PKCE."""

    def __init__(self, cluster):
        port, = free_ports(1)
        self.url = "https://127.0.0.1:%d" % port
        self.tls = ssl.create_default_context(cafile=cluster.path("ca.crt"))
        argv = [*node("provider.mjs"), str(port), cluster.path("oidc.crt"), cluster.path("oidc.key")]
        with open(cluster.path("provider.log"), "wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            preexec_fn=die_with_parent)
        until("OpenID provider", lambda: self.open("/jwks"), 30)

    def open(self, path, data=None, jar=None):
        """(the address it ended at, text)"""
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self.tls),
                                             urllib.request.HTTPCookieProcessor(jar))
        with opener.open(self.url + path, data, timeout=10) as r:
            return r.geturl(), r.read().decode()

    def login(self, name):
        verifier, jar = b64(os.urandom(32)), http.cookiejar.CookieJar()
        ask = {"client_id": "kubernetes", "response_type": "code", "redirect_uri": self.url + "/done",
               "scope": "openid groups", "login_hint": name, "code_challenge_method": "S256",
               "code_challenge": b64(hashlib.sha256(verifier.encode()).digest())}
        ended, _ = self.open("/auth?" + urllib.parse.urlencode(ask), jar=jar)
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(ended).query)["code"][0]
        form = {"client_id": "kubernetes", "grant_type": "authorization_code", "code": code,
                "redirect_uri": self.url + "/done", "code_verifier": verifier}
        return json.loads(self.open("/token", urllib.parse.urlencode(form).encode(), jar)[1])["id_token"]

    def rotate(self, published):
        """A new key signs from now on; so many are published, the newest."""
        return self.open("/rotate?published=%d" % published, b"")[1]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Federated(Gateway):
    """A gateway that knows the provider and nobody else; it tells the API server who asks."""

    def __init__(self, cluster, provider):
        super().__init__(cluster, "provider", "upstream", identity="impersonate")
        self.provider = provider
        os.makedirs(self.work, exist_ok=True)
        self.credentials = credentials(cluster, self, "impersonate")

    def write_files(self):
        super().write_files()
        config = self.cluster.authentication()
        config["jwt"][0]["issuer"]["url"] = self.provider.url
        self.write("authentication.json", config)


@pytest.fixture(scope="module")
def provider(cluster):
    made = Provider(cluster)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def gateway(cluster, provider):
    made = Federated(cluster, provider).start()
    yield made
    made.stop()


def status(gateway, token, connection=None):
    """What a request with that token is answered."""
    c = connection or http.client.HTTPSConnection(
        "127.0.0.1", gateway.port, timeout=10, context=ssl.create_default_context(cafile=gateway.ca))
    c.request("GET", "/version", headers={"Authorization": "Bearer " + token})
    answer = c.getresponse()
    answer.read()
    if connection is None:
        c.close()
    return answer.status


class Load:
    """Threads that ask with good tokens, new and old, without a pause. wrong: what was not answered as it should be."""

    def __init__(self, gateway, provider):
        self.gateway, self.provider = gateway, provider
        self.tokens, self.wrong, self.asked = [], [], 0
        self.period = 0  # what was taken in another one may have been withdrawn since
        self.lock, self.ended = threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,)) for n in range(LOADERS)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        for t in self.threads:
            t.join()

    def note(self, period, token=None, wrong=None):
        with self.lock:
            self.asked += token is None
            if period == self.period:
                self.tokens += [token] if token else []
                self.wrong += [wrong] if wrong else []

    def run(self, n):
        tls = ssl.create_default_context(cafile=self.gateway.ca)
        c = http.client.HTTPSConnection("127.0.0.1", self.gateway.port, timeout=10, context=tls)
        for i in range(1 << 30):
            if self.ended.is_set():
                break
            period = self.period
            if i % 50 == 0 or not self.tokens:
                self.note(period, token=self.provider.login("user%d" % n))
                continue
            with self.lock:
                token = random.choice(self.tokens[-40:] or [None])
            seen = token and status(self.gateway, token, c)
            self.note(period, wrong=None if seen in (None, 200) else (time.strftime("%T"), n, i, seen))

    def rotate(self, published, withdrawn=False):
        with self.lock:
            self.period += withdrawn
            if withdrawn:
                self.tokens = []
            self.provider.rotate(published)


def test_who_has_logged_in(cluster, gateway, provider):
    """kubectl with an ID token of the provider: the API server sees the user and the groups of its claims."""
    side = Side(cluster, {"alice": provider.login("alice")}, "provider", gateway.url, gateway.ca)
    seen = json.loads(side.kubectl("alice", "auth", "whoami", "-o", "json").stdout)["status"]["userInfo"]
    assert seen["username"] == "oidc:alice"
    assert sorted(seen["groups"]) == ["oidc:team-alice", "system:authenticated"]


def test_keys_are_replaced_under_load(gateway, provider):
    """T-85, T-87: at once and without notice: no good token is refused; withdrawn ones are, from the next fetch on."""
    first = provider.login("before")
    with Load(gateway, provider) as load:
        until("load", lambda: load.asked > 100)
        load.rotate(2)
        rotated = time.monotonic()
        second = provider.login("between")
        assert status(gateway, second) == 200 and status(gateway, first) == 200
        until("the next slot", lambda: time.monotonic() > rotated + SLOT_S + 1)
        assert status(gateway, first) == 200
        before = load.asked
        load.rotate(1, withdrawn=True)
        assert status(gateway, provider.login("after")) == 200
        assert status(gateway, first) == 401
        assert status(gateway, second) == 401
        until("more load", lambda: load.asked > before + 100)
    assert not load.wrong, load.wrong[:10]
    assert gateway.alive() is None
