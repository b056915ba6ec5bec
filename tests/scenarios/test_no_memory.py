"""T-125, T-01: each allocation of a loop may fail; it costs one request or one connection, and the gateway goes on."""
import json
import mmap
import os
import ssl
import struct
import subprocess
import time

import pytest

from client import Cut, new_id, request
from clock import Clock
from gateway import BINARY, SLOW
from policy import Policy, go_live
from upstream import OK, WATCH_HEAD, answer, chunk
from wire import wait_for

HERE = os.path.dirname(os.path.abspath(__file__))
PODS = "/api/v1/namespaces/dev/pods"
BIG = b"x" * 200000
CLOSED = (Cut, ConnectionError, ssl.SSLError)
UPGRADE = ("Connection: Upgrade", "Upgrade: websocket")

pytestmark = pytest.mark.skipif("/tsan/" in BINARY, reason="TSan's allocator starts before a preloaded library")


class Allocations:
    """The numbers that the preloaded library looks at."""

    def __init__(self, folder):
        self.shim, path = str(folder / "shim.so"), str(folder / "allocations")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", self.shim, HERE + "/shims/fail_allocations.c", "-ldl"],
                       check=True)
        with open(path, "w+b") as f:
            f.write(bytes(4096))
            f.flush()
            self.map = mmap.mmap(f.fileno(), 4096)
        # In a sanitizer's build its allocator is the one behind ours.
        asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.env = {**os.environ, "LD_PRELOAD": self.shim, "ALLOCATIONS": path, "ASAN_OPTIONS": asan.lstrip(":")}

    def fail(self, left, period=0):
        """The left-th from now on, and then each period-th."""
        self.map[8:32] = struct.pack("<qqq", period, 0, 0)
        self.map[0:8] = struct.pack("<q", left)

    @property
    def seen(self):
        return struct.unpack("<q", self.map[16:24])[0]

    @property
    def failed(self):
        return struct.unpack("<q", self.map[24:32])[0]


@pytest.fixture
def allocations(tmp_path):
    return Allocations(tmp_path)


def script(ex):
    if ex.has("Upgrade"):
        ex.body_read = True
        ex.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        ex.stream.send(ex.stream.recv())
        ex.stream.end()
        ex.stream.rest()
        return
    ex.read()
    if "watch" in ex.target:
        ex.send(WATCH_HEAD + chunk(b"event"))
        ex.ended.wait(0.02)
        ex.send(b"0\r\n\r\n")
    else:
        ex.send(answer(BIG) if "big" in ex.target else OK)


def tunnel(c):
    c.send(b"hello")
    assert c.stream.exactly(5) == b"hello"
    c.stream.end()
    c.stream.rest()


REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
LOCKED = "/api/v1/namespaces/locked/pods"
LONG = ("/x?" + "q" * 10000, *("X-%d: %s" % (i, "v" * 900) for i in range(20)))
# What is asked, by whom (a token that no loop has seen, or another), what is answered, and what is done then.
KINDS = {
    "get": (("GET", PODS), "new", 200, None),
    "post": (("POST", PODS), "new", 200, None),
    "remembered": (("GET", PODS), "admin", 200, None),
    "forbidden": (("GET", PODS), "nobody", 403, None),
    "anonymous": (("GET", PODS), None, 401, None),
    "impersonation": (("GET", PODS, "Impersonate-User: " + "u" * 2000), "admin", 403, None),
    "bad target": (("GET", "/a\\b"), "admin", 400, None),
    "bad head": (("GET", PODS, "Bad Name: x"), "admin", 400, None),
    "access rule": (("GET", LOCKED), "admin", 403, None),
    "review, yes": (("POST", REVIEWS, "Content-Type: application/json"), "admin", 200, None),
    "review, no": (("POST", REVIEWS, "Content-Type: application/json"), "admin", 201, None),
    "long head": (("GET", *LONG), "admin", 200, None),
    "big answer": (("GET", "/big"), "admin", 200, None),
    "watch": (("GET", PODS + "?watch=1"), "admin", 200, None),
    "tunnel": (("GET", PODS + "/web/exec?command=sh", *UPGRADE), "admin", 101, tunnel),
}


def body_of(kind):
    if kind.startswith("review"):
        return json.dumps({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {
            "resourceAttributes": {"namespace": "locked" if "no" in kind else "dev", "verb": "list",
                                   "resource": "pods"}}}).encode()
    return b"b" * 30000 if kind == "post" else None


class Prober:
    """Asks, and holds that whatever is not as it should be is the fault of an allocation."""

    def __init__(self, gw, allocations):
        self.gw, self.allocations = gw, allocations
        self.answered, self.codes, self.count = [], set(), 0

    def token(self, whose):
        if whose == "new":
            self.count += 1
            return self.gw.world.issuer.token("ann%d" % self.count, "admins")
        return getattr(self.gw.world, whose) if whose else None

    def ask(self, kind, c, token):
        args, _, want, then = KINDS[kind]
        audit_id = new_id()
        try:
            c.send(request(*args, token=token, audit_id=audit_id, body=body_of(kind)))
            a = c.answer(args[0])
            # A head that cannot be read names no audit ID.
            self.answered.append(a.audit_id)
            self.codes.add(a.code)
            # 502: it was a connection to the API server that could not go on.
            assert a.code == want or (a.code in (502, 503) and self.allocations.failed), (kind, a.code, a.body[:300])
            if a.code in (502, 503):
                assert a.status()["reason"] == "ServiceUnavailable"
            if a.code == want and then:
                then(c)
        except TimeoutError:
            raise AssertionError("%s: no answer and no end" % kind) from None
        except CLOSED as e:
            assert self.allocations.failed, (kind, e)

    def connect(self):
        try:
            return self.gw.connect(timeout=8 * SLOW)
        except TimeoutError:
            raise AssertionError("the handshake hangs") from None
        except CLOSED as e:
            assert self.allocations.failed, e
            return None

    def probe(self, kind, left, period=0, handshake=False):
        """One request on a connection of its own; the left-th allocation fails.  How many there were."""
        token = self.token(KINDS[kind][1])
        if handshake:
            self.allocations.fail(left, period)
        c = self.connect()
        if c is None:
            return self.allocations.seen
        with c:
            if not handshake:
                self.allocations.fail(left, period)
            self.ask(kind, c, token)
        return self.allocations.seen


def descriptors(gw):
    return len(os.listdir("/proc/%d/fd" % gw.process.pid))


@pytest.fixture
def short(make_gateway, make_upstream, allocations):
    """A gateway of one loop that will be short of memory, and what it holds when it rests."""
    up = make_upstream()
    up.script = script
    gw = make_gateway(up, workers=1, log={"level": "info"}, networks={"bastion": ["10.9.9.9/32"]})
    gw.cluster["accessRules"] = [{"name": "locked", "match": {"namespaces": ["locked"]},
                                  "require": {"networks": ["bastion"]}}]
    gw.start(env=allocations.env)
    probe = Prober(gw, allocations)
    for kind in KINDS:
        probe.probe(kind, 0)
    rest(gw, up)
    return gw, up, descriptors(gw)


def rest(gw, up):
    """No exchange, no client, no pooled connection."""
    gw.wait_metric("exchanges", 0)
    gw.wait_metric("connections", 0)
    up.close_all()
    up.requests = []


def check_whole(gw, up, before, answered):
    """As good as new: it answers, holds nothing, broke no invariant, and audited what it answered."""
    with gw.connect() as c:
        for _ in range(3):
            assert c.ask("GET", PODS, token=gw.world.admin).code == 200
    rest(gw, up)
    wait_for(lambda: descriptors(gw) <= before, 8 * SLOW,
             why=lambda: "%d descriptors, not %d" % (descriptors(gw), before))
    assert gw.metric("broken_invariants") == 0
    lost = int(gw.metric("audit_lines_lost"))

    def missing():
        ends = [e["auditID"] for e in gw.audit() if e["stage"] == "ResponseComplete"]
        assert len(ends) == len(set(ends)), "two ends of one exchange"
        return set(answered) - set(ends)
    wait_for(lambda: len(missing()) <= lost, 8 * SLOW, why=lambda: "no record of %s, lost %d" % (missing(), lost))


@pytest.mark.parametrize("handshake", [False, True], ids=["request", "handshake"])
@pytest.mark.parametrize("dial", [False, True], ids=["pooled", "dialled"])
def test_each_allocation_may_fail(short, allocations, handshake, dial):
    """T-125: one by one, over requests of every kind; each is answered or ended, and the next one is served."""
    gw, up, before = short
    probe, failures = Prober(gw, allocations), 0
    for kind in ("get", "tunnel") if handshake or dial else KINDS:
        total, n = probe.probe(kind, 0, handshake=handshake), 1
        while n <= total:
            if dial:
                up.close_all()
            allocations.fail(0)
            probe.probe(kind, n, handshake=handshake)
            failures += allocations.failed
            assert gw.process.poll() is None, gw.log()[-4000:]
            # A handshake and a new token have hundreds: by samples.
            n += max(1, total // (70 if SLOW == 1 else 25))
        allocations.fail(0)
        for _ in range(3):
            probe.probe("remembered", 0)
    assert failures > 30 and 503 in probe.codes
    check_whole(gw, up, before, probe.answered)


class Batch:
    """A command that answers line by line, short of memory where a test says so."""

    def __init__(self, folder, allocations, *args):
        program = folder / "loop-batch"  # by its name the preloaded library knows the thread
        program.symlink_to(BINARY)
        self.allocations = allocations
        self.process = subprocess.Popen([str(program), *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=allocations.env)

    def ask(self, question, n):
        """The answer while the n-th allocation fails, and whether one has."""
        self.allocations.fail(n)
        self.process.stdin.write(json.dumps(question).encode() + b"\n")
        self.process.stdin.flush()
        answer_line = self.process.stdout.readline()
        failed = self.allocations.failed
        self.allocations.fail(0)
        return json.loads(answer_line), failed

    def end(self):
        self.process.stdin.close()
        return self.process.wait(10 * SLOW)


def test_whoami_is_never_wrong(make_gateway, world, allocations, tmp_path):
    """T-125, T-01: who is short of memory says so, and names nobody else, nor refuses anybody for it."""
    claims = {"iss": "i", "aud": "a", "exp": 9, "upn": "ann@example.com", "oid": "o", "groups": ["g%d" % i for i in range(40)]}
    batch = Batch(tmp_path, allocations, "whoami", "--batch", "--config", make_gateway().write())
    failures = 0
    for question in ({"token": world.issuer.token("ann", "g1", "g2", jti="t")}, {"token": world.issuer.token("ann", aud="x")},
                     {"claims": claims, "config": {"issuers": ["i"], "audiences": ["a"], "now": 1}}):
        good, _ = batch.ask(question, 0)
        n, failed = 1, True
        while failed:
            got, failed = batch.ask(question, n)
            assert got == good or failed and "memory" in got["error"], (n, got)
            failures += got != good
            n += 1 if SLOW == 1 else 5
        assert batch.ask(question, 0)[0] == good
    assert failures > 50 // (1 if SLOW == 1 else 5)
    assert batch.end() == 1


@pytest.mark.parametrize("period", [2, 3, 7, 31, 97, 313])
def test_many_allocations_fail(short, allocations, period):
    """T-125: a lasting shortage; nothing hangs, and when it is over all is well again."""
    gw, up, before = short
    probe, failures = Prober(gw, allocations), 0
    for handshake in (False, True):
        for kind in KINDS:
            allocations.fail(0)
            probe.probe(kind, 1, period, handshake)
            failures += allocations.failed
    assert failures > 0
    allocations.fail(0)
    assert gw.process.poll() is None, gw.log()[-4000:]
    check_whole(gw, up, before, probe.answered)


# --- live roles ---

def test_live_roles(make_gateway, make_upstream, allocations, tmp_path):
    """What cannot be read or published for want of memory is in force once there is some: lists, events, copies."""
    up = make_upstream()
    policy = Policy(up)
    gw = go_live(make_gateway(up, log={"level": "info"}), up)
    env = {**allocations.env, "ALLOCATIONS_THREAD": "kube-access-gat"}
    clock = Clock(tmp_path) if SLOW == 1 else None
    if clock is not None:  # watches that fail so often are asked for each 30 s only
        env.update(CLOCK=clock.path, LD_PRELOAD=env["LD_PRELOAD"] + ":" + clock.env["LD_PRELOAD"])
    gw.start(env=env)
    policy.wait_watched()

    def in_force(want):
        def is_so():
            if gw.ask("GET", PODS, token=gw.world.nobody).code == want:
                return True
            if clock is not None:
                clock.jump(gw, 1)
            return False
        wait_for(is_so, 60 * SLOW, every=0.05, why=lambda: "not %d:\n%s" % (want, gw.log()[-3000:]))

    for left in range(1, 60 if SLOW == 1 else 9):
        if left % 10 == 0:
            policy.forget_history()
        allocations.fail(left)
        if left % 2:
            policy.bind("noel", "reader", user="noel", namespace="dev")
        else:
            policy.delete("RoleBinding", "noel", "dev")
        if left % 10 == 0:
            policy.end_watches("cut")
        in_force(200 if left % 2 else 403)
    for period in (3, 31, 1009):
        allocations.fail(1, period)
        for n in range(100):
            policy.bind("b%d" % n, "reader", user="u%d" % period, namespace="dev")
        policy.bind("noel", "reader", user="noel", namespace="dev")
        policy.forget_history()
        policy.end_watches()
        time.sleep(0.5)
        policy.delete("RoleBinding", "noel", "dev")
        time.sleep(0.1)
        allocations.fail(0)
        in_force(403)
        policy.bind("noel", "reader", user="noel", namespace="dev")
        in_force(200)
    gw.wait_ready(60)
    gw.stop()
    policy.end_watches("cut")
    copy = json.loads(gw.read("rbac-prod.json"))
    assert "noel" in {i["metadata"]["name"] for i in copy["items"] if i["kind"] == "RoleBinding"}
