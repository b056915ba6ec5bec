"""The binary under test: its files, its process, and what it says in log, audit and metrics."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time

from client import Client
from pki import client_context
from tokens import authentication
from wire import wait_for

BINARY = os.path.abspath(os.environ.get("GATEWAY", "build/release/kube-access-gateway"))
SANITIZER = re.compile("ERROR: AddressSanitizer|runtime error|LeakSanitizer|WARNING: ThreadSanitizer")
SLOW = 8 if re.search("/(asan|tsan|valgrind)/", BINARY) else 1  # checkers take their time

RULES = [
    ("everything", ["*"], ["*"], ["*"], ["*"], "admins"),
    ("reader", [""], ["pods", "pods/log"], ["get", "list", "watch"], None, "readers"),
    ("looker", [""], ["pods/exec", "pods/attach", "pods/portforward"], ["get"], None, "lookers"),
    ("runner", [""], ["pods/exec", "pods/attach", "pods/portforward"], ["get", "create"], None, "runners"),
]
RBAC = "rbac.authorization.k8s.io"


def rbac():
    """Admins may do everything; readers, lookers and runners what RULES says, in namespace dev."""
    items = []
    for name, groups, resources, verbs, urls, who in RULES:
        rules = [{"apiGroups": groups, "resources": resources, "verbs": verbs}]
        if urls:
            rules.append({"nonResourceURLs": urls, "verbs": verbs})
        everywhere = urls is not None
        items.append({"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules})
        items.append({"apiVersion": RBAC + "/v1", "kind": "ClusterRoleBinding" if everywhere else "RoleBinding",
                      "metadata": {"name": name, **({} if everywhere else {"namespace": "dev"})},
                      "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
                      "subjects": [{"apiGroup": RBAC, "kind": "Group", "name": who}]})
    return {"apiVersion": "v1", "kind": "List", "items": items}


def free_port(host="127.0.0.1"):
    with socket.socket() as s:
        s.bind((host, 0))
        return s.getsockname()[1]


class Gateway:
    """Configuration as a dict in .config; change it, write(), then start() or signal(SIGHUP)."""

    def __init__(self, folder, world, servers, **changes):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.world = world
        self.port, self.admin_port = free_port(), free_port()
        self.process = None
        self.clients = []
        self.write_json("authentication.json", authentication((world.issuer.url, None)))
        self.write_json("rbac.json", rbac())
        world.issuer.write_keys(self.path("keys.json"))
        self.config = self.default([s if isinstance(s, str) else s.url for s in servers])
        self.config.update(changes)

    def default(self, servers):
        return {
            "apiVersion": "kube-access-gateway/v1alpha1", "kind": "Gateway", "workers": 2, "stateDir": self.folder,
            "listeners": [{"name": "main", "address": "127.0.0.1:%d" % self.port,
                           "tls": {"certificates": [self.certificate(self.world.gateway_pair)]}}],
            "clusters": [{
                "name": "prod", "authorizedRanges": {"cidrs": ["127.0.0.1/32"]},
                "upstream": {"servers": servers, "caFile": self.world.ca.cert},
                "authentication": {"configFile": "authentication.json",
                                   "jwksFiles": {self.world.issuer.url: "keys.json"}},
                "authorization": {"order": ["rbac"], "rbac": {"files": ["rbac.json"]}}}],
            "audit": {"file": "audit.log"}, "admin": {"address": "127.0.0.1:%d" % self.admin_port},
            "log": {"level": "debug"}, "drainTimeout": "3s"}

    @staticmethod
    def certificate(pair):
        return {"certFile": pair[0], "keyFile": pair[1]}

    @property
    def cluster(self):
        return self.config["clusters"][0]

    # --- files ---
    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def write_text(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        return self.path(name)

    def write_json(self, name, document):
        return self.write_text(name, json.dumps(document, indent=1) + "\n")

    def write(self):
        return self.write_json("gateway.yaml", self.config)

    # --- process ---
    def spawn(self, prepare=None, env=None):
        self.write()
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--config", self.path("gateway.yaml")], stderr=log,
                                            stdout=log, preexec_fn=prepare, env=env)
        return self

    def start(self, ready=True, prepare=None, env=None):
        self.spawn(prepare, env)
        wait_for(self.is_live, 10 * SLOW, why=lambda: "the gateway does not start:\n" + self.log())
        if ready:
            self.wait_ready()
        return self

    def is_live(self):
        assert self.process.poll() is None, "ended:\n" + self.log()
        try:
            return self.admin("/livez")[0] == 200
        except OSError:
            return False

    def wait_ready(self, seconds=10):
        wait_for(lambda: self.admin("/readyz")[0] == 200, seconds * SLOW,
                 why=lambda: "not ready:\n" + self.admin("/readyz?verbose")[1] + self.log()[-2000:])

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self, good=True):
        """SIGHUP with the configuration as it is now; waits for its outcome."""
        name = "config_reloads" if good else "config_reloads_failed"
        before = self.metric(name)
        self.write()
        self.signal(signal.SIGHUP)
        wait_for(lambda: self.metric(name) > before, 10 * SLOW, why=lambda: "no reload:\n" + self.log()[-2000:])
        # Published means posted to the loops: one request later each has it.
        time.sleep(0.02 * SLOW)

    def stop(self, seconds=15):
        """Drain; the end must be orderly and no sanitizer may have complained."""
        if self.process is None:
            return
        for c in self.clients:
            c.close()
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("SIGTERM did not end it:\n" + self.log()[-4000:]) from None
        self.process = None
        self.check_log(code)

    def check_log(self, code):
        log = self.log()
        found = SANITIZER.search(log)
        assert not found, log[max(0, found.start() - 200):found.start() + 6000]
        assert code == 0, "exit status %d\n%s" % (code, log[-4000:])

    def check(self):
        """What `check` says of the files as they are."""
        return subprocess.run([BINARY, "check", "--config", self.path("gateway.yaml")], capture_output=True, text=True,
                              timeout=30 * SLOW, check=False)

    # --- clients ---
    def connect(self, **kw):
        kw.setdefault("ctx", self.world.client_ctx)
        c = Client(("127.0.0.1", kw.pop("port", self.port)), **kw)
        self.clients = [x for x in self.clients if x.stream.sock.fileno() >= 0] + [c]
        return c

    def ask(self, *args, **kw):
        """One request on a connection of its own, by an administrator unless token says otherwise."""
        kw.setdefault("token", self.world.admin)
        with self.connect() as c:
            return c.ask(*args, **kw)

    def context(self, **kw):
        return client_context(self.world.ca, **kw)

    # --- what it says ---
    def log(self):
        return self.read("log")

    def wait_log(self, *words, since=0, seconds=5):
        def line():
            return next((x for x in self.log()[since:].splitlines() if all(w in x for w in words)), None)
        return wait_for(line, seconds * SLOW, why=lambda: "no log line with %r:\n%s" % (words, self.log()[-3000:]))

    def audit(self, name="audit.log"):
        whole = self.read(name).rpartition("\n")[0]  # the last line may still be under way
        return [json.loads(line) for line in whole.split("\n") if line]

    def events(self, audit_id, count=1, name="audit.log"):
        """The events of that exchange, once there are count of them."""
        def found():
            events = [e for e in self.audit(name) if e["auditID"] == audit_id]
            return events if len(events) >= count else None
        events = wait_for(found, 5 * SLOW, why="no %d events for %s" % (count, audit_id))
        assert len(events) == count, events
        return events

    def event(self, audit_id):
        """The only event: a ResponseComplete."""
        e, = self.events(audit_id)
        assert e["stage"] == "ResponseComplete"
        return e

    def admin(self, target, method="GET"):
        c = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=10)
        try:
            c.request(method, target)
            r = c.getresponse()
            return r.status, r.read().decode()
        finally:
            c.close()

    def metrics(self):
        values = {}
        for line in self.admin("/metrics")[1].splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                values[name.removeprefix("kube_access_gateway_")] = float(value)
        return values

    def metric(self, name):
        return self.metrics()[name]

    def wait_metric(self, name, value, seconds=5):
        wait_for(lambda: self.metric(name) == value, seconds * SLOW,
                 why=lambda: "%s is %s, not %s" % (name, self.metric(name), value))

    def memory(self):
        """Resident KiB."""
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def grown(self, before):
        """KiB more than before; nothing to say under a sanitizer, which keeps what was freed."""
        return self.memory() - before if SLOW == 1 else 0

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
