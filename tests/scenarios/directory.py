"""Entra ID and Microsoft Graph in miniature: a token endpoint, groups of users, and how the gateway gets there."""
import json
import os
import subprocess
import threading
import urllib.parse

from clock import build_shim
from gateway import BINARY, SLOW
from upstream import Upstream, answer

AUTHORITY, GRAPH = "login.microsoftonline.com", "graph.microsoft.com"
HOSTS = [AUTHORITY, GRAPH, "login.microsoftonline.us", "graph.microsoft.us", "login.partner.microsoftonline.cn",
         "microsoftgraph.chinacloudapi.cn", "sts.windows.net"]
SECRET = "s3cr3t~of.the_app&more"
GRAPH_TOKEN = "eyJ0eXAiOiJKV1QifQ.graph-token-%d.c2ln"


def group(n):
    return "dddddddd-0000-0000-0000-%012d" % n


def page(document, status="200 OK", *fields):
    return answer(json.dumps(document).encode(), status, "Content-Type: application/json", *fields)


def failure(status, code, *fields):
    """What Graph answers where it refuses; the message is for nobody's log."""
    return page({"error": {"code": code, "message": "whatever else it says"}}, status, *fields)


class Directory:
    """Answers both hosts; .groups by object id, .on_token and .on_groups answer otherwise where they are set."""

    def __init__(self, world, folder, hosts=tuple(HOSTS)):
        self.world = world
        self.server = Upstream(world.ca.issue("directory", ",".join("DNS:" + h for h in hosts)))
        self.server.script = self.script
        self.shim = build_shim(folder, "elsewhere")
        self.groups, self.secret, self.expires_in = {}, SECRET, 3599
        self.on_token = self.on_groups = None
        self.tokens, self.lookups = [], []  # forms; (tenant's token, object id) of each question
        self.paths = []
        self.now, self.most = 0, 0  # questions at once
        self.lock = threading.Lock()
        self.files = {}  # path: document, for the rest

    def stop(self):
        for held in (self.on_token, self.on_groups):
            if isinstance(held, Slow):
                held.go.set()
        self.server.stop()

    def env(self, preload=()):
        first = []
        if "/asan/" in BINARY or "/tsan/" in BINARY:
            linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout.split()
            first = [x for x in linked if x.startswith("/") and ("/libasan." in x or "/libtsan." in x)]
        return {**os.environ, "LD_PRELOAD": ":".join([*first, self.shim, *preload]), "HOSTS": ",".join(HOSTS),
                "HOSTS_PORT": str(self.server.port), "HOSTS_CAS": self.world.ca.cert}

    # --- the server ---
    def script(self, ex):
        body = ex.read().decode()
        host = ex.get("Host")
        self.paths.append((host, ex.method, ex.target))
        if ex.target.endswith("/oauth2/v2.0/token"):
            ex.send(self.token(ex, host, body))
        elif ex.target.endswith("/getMemberGroups"):
            with self.lock:
                self.now += 1
                self.most = max(self.most, self.now)
            try:
                data = self.members(ex, host, body)
            finally:
                with self.lock:
                    self.now -= 1
            ex.send(data)
        elif ex.target in self.files:
            ex.send(page(self.files[ex.target]))
        else:
            ex.send(page({}, "404 Not Found"))

    def token(self, ex, host, body):
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
        self.tokens.append(form)
        assert ex.method == "POST" and ex.get("Content-Type") == "application/x-www-form-urlencoded"
        assert host.startswith("login.") and form["grant_type"] == "client_credentials", (host, form)
        data = self.on_token(ex) if self.on_token else None
        if data is not None:
            return data
        if form["client_secret"] != self.secret:
            return page({"error": "invalid_client", "error_description": "AADSTS7000215: " + form["client_secret"]},
                        "401 Unauthorized")
        return page({"token_type": "Bearer", "expires_in": self.expires_in, "ext_expires_in": self.expires_in,
                     "access_token": GRAPH_TOKEN % len(self.tokens)})

    def members(self, ex, host, body):
        oid = ex.target.split("/")[3]
        assert ex.method == "POST" and "graph" in host and ex.target == "/v1.0/users/%s/getMemberGroups" % oid
        assert json.loads(body) == {"securityEnabledOnly": False} and ex.get("Content-Type") == "application/json"
        self.lookups.append((ex.get("Authorization"), oid))
        if self.on_groups:
            data = self.on_groups(ex)
            if data is not None:
                return data
        if oid not in self.groups:
            return failure("404 Not Found", "Request_ResourceNotFound")
        return page({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Collection(Edm.String)",
                     "value": self.groups[oid]})


class Slow:
    """An answer of None, once released; for on_groups and on_token."""

    def __init__(self):
        self.go = threading.Event()
        self.came = threading.Semaphore(0)

    def __call__(self, ex):
        self.came.release()
        self.go.wait(60 * SLOW)
        return None

    def wait(self, count=1):
        for _ in range(count):
            assert self.came.acquire(timeout=10 * SLOW), "no question came"


def drop(ex):
    """No answer: the connection ends."""
    ex.close()
    return b""
