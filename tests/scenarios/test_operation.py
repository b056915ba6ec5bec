"""Running it: signals, drains, descriptors, pages, metrics, log and audit."""
import json
import os
import random
import re
import resource
import signal
import socket
import stat
import subprocess
import threading
import time
import zlib

import pytest

from client import Cut, new_id, request
from gateway import BINARY, SLOW, free_port
from tokens import Issuer, authentication
from upstream import OK, WATCH_HEAD, answer, chunk
from wire import wait_for

PODS = "/api/v1/namespaces/dev/pods"


# --- reload ---

def test_a_bad_file_leaves_the_old_state(gw, world, upstream):
    """T-129: the log names file and line; the next good file is taken over."""
    good = json.dumps(gw.config)
    size = len(gw.log())
    gw.config["drainTimeout"] = "soon"
    gw.reload(good=False)
    line = gw.wait_log("gateway.yaml:", "drainTimeout", since=size)
    assert re.search(r"gateway\.yaml:\d+: ", line)
    gw.wait_log("reload failed", since=size)
    assert gw.ask("GET", PODS).code == 200
    gw.config = json.loads(good)
    gw.reload()
    assert gw.ask("GET", PODS).code == 200


@pytest.mark.parametrize("name,text", [("rbac.json", "{"), ("keys.json", "{}"), ("authentication.json", "[]")])
def test_a_bad_file_that_is_named_leaves_the_old_state(gw, world, upstream, name, text):
    """T-129."""
    good, size = gw.read(name), len(gw.log())
    gw.write_text(name, text)
    gw.reload(good=False)
    gw.wait_log(name, since=size)
    assert gw.ask("GET", PODS).code == 200
    gw.write_text(name, good)
    gw.reload()


def test_a_reload_changes_the_policy(make_gateway, make_upstream, world):
    """T-127, T-128: also for a connection that was open before."""
    gw = make_gateway(make_upstream()).start()
    with gw.connect() as c:
        assert c.ask("GET", PODS, token=world.nobody).code == 403
        policy = json.loads(gw.read("rbac.json"))
        policy["items"][1]["subjects"].append({"apiGroup": "rbac.authorization.k8s.io", "kind": "User",
                                               "name": "noel"})
        gw.write_json("rbac.json", policy)
        gw.reload()
        assert c.ask("GET", PODS, token=world.nobody).code == 200


def test_a_reload_loses_no_request(gw, world, upstream):
    """T-127: while clients keep asking."""
    wrong, stop = [], threading.Event()

    def client():
        with gw.connect() as c:
            while not stop.is_set():
                if c.ask("GET", PODS, token=world.admin).code != 200:
                    wrong.append(1)
    threads = [threading.Thread(target=client) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(10):
        gw.reload()
    stop.set()
    for t in threads:
        t.join()
    assert wrong == []


def test_reloads_cut_nothing_that_runs(make_gateway, make_upstream, world):
    """T-08, T-127, T-129: a download, an upload and a tunnel over good and bad reloads; every octet arrives, once."""
    size, piece, done = 6 << 20, 6 << 16, threading.Event()
    whole = random.Random(1).randbytes(size)

    def script(ex):
        if ex.has("Upgrade"):
            ex.body_read = ex.stream.ended = True
            ex.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            while True:
                ex.send(ex.stream.exactly(4096))
        got = ex.read()
        if ex.method == "POST":
            ex.send(answer(b"%d" % zlib.crc32(got)))
            return
        ex.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for n in range(0, size, piece):
            time.sleep(0.05)
            ex.send(whole[n:n + piece])
    up = make_upstream()
    up.script = script
    gw = make_gateway(up, log={"level": "info"}).start()
    results, echoed = {}, [0]

    def slowly(method):
        with gw.connect(timeout=60) as c:
            c.send(request(method, PODS, *(() if method == "GET" else ("Content-Length: %d" % size,)),
                           token=world.admin))
            for n in range(0, 0 if method == "GET" else size, piece):
                c.send(whole[n:n + piece])
                time.sleep(0.05)
            results[method] = c.answer().body

    def tunnel():
        with gw.connect() as c:
            c.send(request("GET", PODS + "/web/exec", "Connection: Upgrade", "Upgrade: websocket", token=world.admin))
            assert c.answer().code == 101
            while not done.is_set():
                at = echoed[0] * 4096 % size
                block = whole[at:at + 4096]
                c.send(block)
                if c.stream.exactly(4096) != block:
                    return
                echoed[0] += 1
            results["tunnel"] = True
    threads = [threading.Thread(target=slowly, args=(m,)) for m in ("GET", "POST")] + [threading.Thread(target=tunnel)]
    for t in threads:
        t.start()
    wait_for(lambda: len(up.requests) == 3)
    good, before = json.dumps(gw.config), echoed[0]
    for n in range(8):
        if n % 2:
            gw.config["drainTimeout"] = "soon"
        gw.reload(good=not n % 2)
        gw.config = json.loads(good)
    done.set()
    for t in threads:
        t.join(60)
    assert results["GET"] == whole and results["POST"] == b"%d" % zlib.crc32(whole)
    assert results["tunnel"] and echoed[0] > before


# --- log files ---

def test_sigusr1_opens_the_audit_file_again(make_gateway, make_upstream):
    """Rename, then signal; nothing is lost, the new file is private."""
    gw = make_gateway(make_upstream()).start()
    first = gw.ask("GET", PODS).audit_id
    gw.event(first)
    os.rename(gw.path("audit.log"), gw.path("audit.log.1"))
    second = gw.ask("GET", PODS).audit_id
    gw.events(second, name="audit.log.1")
    gw.signal(signal.SIGUSR1)
    wait_for(lambda: os.path.exists(gw.path("audit.log")))
    third = gw.ask("GET", PODS).audit_id
    gw.event(third)
    assert stat.S_IMODE(os.stat(gw.path("audit.log")).st_mode) == 0o600


def test_a_reload_moves_the_audit_log(make_gateway, make_upstream):
    """T-127, T-132: switched on, elsewhere, and off again; a place that cannot be opened leaves all as it was."""
    gw = make_gateway(make_upstream())
    del gw.config["audit"]
    gw.start()
    gw.ask("GET", PODS)
    gw.config["audit"] = {"file": "one.log", "failClosed": True}
    gw.reload()
    gw.events(gw.ask("GET", PODS).audit_id, name="one.log")
    gw.config["audit"]["file"] = "two.log"
    gw.reload()
    moved = gw.ask("GET", PODS).audit_id
    gw.events(moved, name="two.log")
    assert moved not in gw.read("one.log")
    gw.config["audit"]["file"] = "/nowhere/three.log"
    gw.reload(good=False)
    gw.wait_log("/nowhere/three.log", "cannot be opened for the audit log")
    gw.events(gw.ask("GET", PODS).audit_id, name="two.log")
    del gw.config["audit"]
    gw.reload()
    size = len(gw.read("two.log"))
    assert gw.ask("GET", PODS).code == 200
    time.sleep(0.1)
    assert len(gw.read("two.log")) == size and gw.metric("audit_lines_lost") == 0


def test_a_reload_tells_what_needs_a_restart(gw, world, upstream):
    """A setting that is read and not followed is said to be."""
    good, size = json.dumps(gw.config), len(gw.log())
    gw.config.update(workers=3, limits={"connections": 77}, log={"level": "debug", "format": "json"},
                     health={"address": "127.0.0.1:%d" % free_port()})
    gw.reload()
    for field in ("workers", "limits.connections", "log.format", "health.address"):
        gw.wait_log("gateway.yaml: %s has changed and takes effect at the next start only" % field, since=size)
    assert "admin.address has changed" not in gw.log()[size:]
    gw.config = json.loads(good)
    gw.reload()


def test_fail_closed_refuses_what_cannot_be_recorded(make_gateway, make_upstream):
    """T-135: 503 while the audit file takes nothing, forwarding again once it does."""
    up = make_upstream()
    gw = make_gateway(up, audit={"file": "audit.log", "failClosed": True})
    os.symlink("/dev/full", gw.path("audit.log"))
    gw.start()
    gw.ask("GET", PODS)
    wait_for(lambda: gw.ask("GET", PODS).code == 503)
    count = len(up.requests)
    a = gw.ask("GET", PODS)
    assert a.code == 503 and a.get("Retry-After") and "audit" in a.status()["message"]
    assert len(up.requests) == count
    assert gw.metric("audit_lines_lost") > 0
    os.remove(gw.path("audit.log"))
    wait_for(lambda: gw.ask("GET", PODS).code == 200, 6 * SLOW, 0.1)
    gw.wait_log("audit: cannot write")


def test_log_format_json(make_gateway, make_upstream, world):
    """An object a line, also for what a client sent."""
    gw = make_gateway(make_upstream(), log={"format": "json", "level": "info"}).start()
    gw.ask("GET", "/x%22", token=world.issuer.token('q"\\'))
    gw.stop()
    for line in gw.log().splitlines():
        assert isinstance(json.loads(line), dict)
    assert "refused" in gw.log()


# --- the end ---

def test_sigterm_drains(make_gateway, make_upstream, world):
    """T-08, T-131: a running request is answered, a watch ends cleanly, new ones are not taken, readyz is false."""
    up = make_upstream()
    go = threading.Event()

    def script(ex):
        ex.read()
        if "watch" in ex.target:
            ex.send(WATCH_HEAD + chunk(b"one"))
            ex.ended.wait(0.1)
            ex.stream.rest()
        else:
            go.wait(10)
            ex.send(OK)
    up.script = script
    gw = make_gateway(up, drainTimeout="10s").start()
    slow, watch, idle = gw.connect(), gw.connect(), gw.connect()
    audit_id = new_id()
    watch.send(request("GET", PODS + "?watch=1", token=world.admin, audit_id=audit_id))
    watch.head()
    assert watch.stream.exactly(8) == b"3\r\none\r\n"
    slow.send(request("GET", PODS, token=world.admin))
    up.wait(2)
    gw.signal(signal.SIGTERM)
    assert watch.stream.exactly(5) == b"0\r\n\r\n"
    idle.expect_end()
    assert gw.admin("/readyz")[0] == 503 and "draining" in gw.admin("/readyz?verbose")[1]
    with pytest.raises(ConnectionRefusedError):
        gw.connect(timeout=3)
    go.set()
    a = slow.answer()
    assert a.code == 200 and a.get("Connection") == "close"
    slow.expect_end()
    for c in (slow, watch, idle):
        c.close()
    assert gw.process.wait(8 * SLOW) == 0
    assert gw.events(audit_id, 2)[1]["annotations"]["kube-access-gateway/ended-by"] == "drain"
    gw.stop()


def test_drain_timeout_ends_what_lasts(make_gateway, make_upstream, world):
    """T-131: in bounded time, visibly for the client, and audited."""
    up = make_upstream()
    up.script = lambda ex: ex.stream.rest()
    gw = make_gateway(up, drainTimeout="500ms").start()
    c, audit_id = gw.connect(), new_id()
    c.send(request("GET", PODS, token=world.admin, audit_id=audit_id))
    up.only()
    begin = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert c.stream.rest() == b""
    assert gw.process.wait(10 * SLOW) == 0
    assert time.monotonic() - begin < 7 * SLOW
    assert gw.event(audit_id)["annotations"]["kube-access-gateway/ended-by"] == "drain"
    gw.stop()


def test_an_idle_gateway_ends_at_once(make_gateway, make_upstream):
    """T-131."""
    gw = make_gateway(make_upstream()).start()
    begin = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.process.wait(10) == 0
    assert time.monotonic() - begin < 2 * SLOW
    gw.stop()


def test_the_end_frees_what_is_under_way(make_gateway, make_upstream, world):
    """T-131: fetches, probes, waiting exchanges, pages and connections; the sanitizers' leak check says if not."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(64)
        url = "https://127.0.0.1:%d" % deaf.getsockname()[1]
        gw = make_gateway(make_upstream(), url, drainTimeout="200ms")
        del gw.cluster["authentication"]["jwksFiles"]
        gw.write_json("authentication.json", authentication((url, world.ca.text())))
        gw.start(ready=False)
        issuer = Issuer(gw.folder, url)
        waiting = [gw.connect() for _ in range(3)]
        for c in waiting:
            c.send(request("GET", PODS, token=issuer.token("ann", "admins")))
        page = socket.create_connection(("127.0.0.1", gw.admin_port))
        page.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\nGET /me")
        assert page.recv(15) == b"HTTP/1.1 200 OK"
        gw.wait_metric("exchanges", 3)
        gw.stop()
        page.close()


# --- limits ---

def test_out_of_descriptors(make_gateway, make_upstream, world):
    """T-123: no spinning, a warning about what fits, and recovery."""
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
    up = make_upstream()
    gw = make_gateway(up).start(prepare=few)
    gw.wait_log("limits.connections is lowered")
    held = []
    for _ in range(40):
        try:
            held.append(gw.connect(timeout=5))
        except (OSError, Cut):
            pass
    cpu = gw.cpu_seconds()
    time.sleep(1)
    assert gw.cpu_seconds() - cpu < 0.3 * SLOW
    assert 1 <= len(held) <= 20 and gw.metric("connections") <= 18
    for c in held:
        c.close()
    wait_for(lambda: gw.metric("connections") == 0, 10)
    assert gw.ask("GET", PODS).code == 200


def test_the_limit_of_connections(make_gateway, make_upstream, world):
    """T-120: at the limit all work, one above is closed and counted."""
    gw = make_gateway(make_upstream(), limits={"connections": 5}).start()
    held = [gw.connect() for _ in range(5)]
    with pytest.raises((OSError, Cut)):
        gw.connect()
    gw.wait_metric("connections_over_limit_total", 1)
    for c in held:
        assert c.ask("GET", PODS, token=world.admin).code == 200
    held[0].close()
    gw.wait_metric("connections", 4)
    assert gw.connect().ask("GET", PODS, token=world.admin).code == 200


def test_descriptors_come_back(gw, world, upstream):
    """T-131: after clients, watches, tunnels and refusals."""
    def count():
        return len(os.listdir("/proc/%d/fd" % gw.process.pid))
    upstream.close_all()
    gw.wait_metric("connections", 0)
    before = count()
    for n in range(30):
        with gw.connect() as c:
            c.ask("GET", PODS, token=world.admin if n % 2 else world.nobody)
    upstream.close_all()
    wait_for(lambda: count() <= before + 2, why=lambda: "%d descriptors, not %d" % (count(), before))


# --- pages ---

@pytest.mark.parametrize("target,method,code", [
    ("/livez", "GET", 200), ("/readyz", "GET", 200), ("/readyz?verbose", "GET", 200), ("/metrics", "GET", 200),
    ("/statusz", "GET", 200), ("/", "GET", 404), ("/livez/x", "GET", 404), ("/livez", "HEAD", 200),
    ("/livez", "POST", 405), ("/metrics", "DELETE", 405)])
def test_admin_pages(gw, target, method, code):
    assert gw.admin(target, method)[0] == code


def test_the_health_port_shows_no_more_than_health(make_gateway, make_upstream):
    gw = make_gateway(make_upstream())
    health = free_port()
    gw.config["health"] = {"address": "127.0.0.1:%d" % health}
    gw.start()
    gw.admin_port, admin = health, gw.admin_port
    assert [gw.admin(t)[0] for t in ("/livez", "/readyz", "/metrics", "/statusz")] == [200, 200, 404, 404]
    gw.admin_port = admin


def test_metrics_are_prometheus_text(gw, world, upstream):
    """Every sample has HELP and TYPE, names and labels are well-formed, counters do not fall."""
    gw.ask("GET", PODS)
    text = gw.admin("/metrics")[1]
    known, kind = set(), {}
    for line in text.splitlines():
        if line.startswith("# HELP "):
            known.add(line.split(" ", 3)[2])
            continue
        if line.startswith("# TYPE "):
            _, _, name, what = line.split(" ")
            assert what in ("counter", "gauge") and name not in kind
            kind[name] = what
            continue
        m = re.fullmatch(r'(kube_access_gateway_[a-z0-9_]+)(\{[a-z]+="[a-zA-Z0-9_]+"\})? (\d+)', line)
        assert m, line
        assert m.group(1) in known and m.group(1) in kind
        assert m.group(1).endswith("_total") == (kind[m.group(1)] == "counter"), line
    assert text.endswith("\n") and len(kind) > 15


def test_metrics_count_what_happened(gw, world, upstream):
    before = gw.metrics()
    with gw.connect() as c:
        for token in (world.admin, world.nobody, "bad", world.admin):
            c.ask("POST", PODS, token=token, body=b"x" * 100)
    gw.wait_metric("exchanges", 0)  # an answer is counted when the kernel has it
    after = gw.metrics()

    def grown(name):
        return after[name] - before[name]
    assert grown('requests_total{code="2xx"}') == 2 and grown('requests_total{code="4xx"}') == 2
    assert grown('refusals_total{stage="authz"}') == 1 and grown('refusals_total{stage="authn"}') == 1
    assert grown("connections_accepted_total") == 1
    assert grown("client_received_bytes_total") == 200 and grown("client_sent_bytes_total") == 4


# --- audit ---

def test_exactly_one_response_complete(gw, world, upstream):
    """T-132: over a mixed run, whatever happened; one JSON object a line."""
    def script(ex):
        ex.read()
        if "cut" in ex.target:
            ex.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
            ex.stream.close()
        elif "bad" in ex.target:
            ex.send(b"garbage\r\n\r\n")
        else:
            ex.send(OK)
    upstream.script = script
    ids = []
    for target, token in (("/ok", world.admin), ("/cut", world.admin), ("/bad", world.admin), ("/no", world.nobody),
                          ("/anon", None), ("/a/..", world.admin), (PODS + "?watch=1", world.admin),
                          (PODS + "/a/log?follow=true", world.admin), (PODS + "/a/exec", world.nobody)):
        for _ in range(3):
            ids.append(new_id())
            c = gw.connect()
            c.send(request("GET", target, token=token, audit_id=ids[-1]))
            try:
                c.answer()
            except Cut:
                pass
            c.close()

    def complete():
        ends = [e["auditID"] for e in gw.audit() if e["stage"] == "ResponseComplete" and e["auditID"] in ids]
        return ends if len(ends) >= len(ids) else None
    assert sorted(wait_for(complete)) == sorted(ids)
    starts = [e["auditID"] for e in gw.audit() if e["stage"] == "ResponseStarted" and e["auditID"] in ids]
    assert sorted(starts) == sorted(ids[18:24])


def test_long_foreign_texts_are_cut_and_escaped(gw, world, upstream):
    """T-132, T-133: userAgent at 1 KiB, the target at 8 KiB, control and odd octets escaped."""
    audit_id = new_id()
    with gw.connect() as c:
        c.ask("GET", "/api?" + "q" * 10000, "User-Agent: " + "\xff\"\\" + "u" * 2000, token=world.admin,
              audit_id=audit_id)
    e = gw.event(audit_id)
    assert len(e["userAgent"]) <= 1024 + 14 and e["userAgent"].endswith("...TRUNCATED")
    assert len(e["requestURI"]) <= 8192 + 14
    assert '"\\u' in e["userAgent"][:5]


def test_an_audit_policy_chooses(make_gateway, make_upstream, world):
    """None leaves requests out, omitStages their stages."""
    gw = make_gateway(make_upstream(), audit={"file": "audit.log", "policyFile": "policy.yaml"})
    gw.write_json("policy.yaml", {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [
        {"level": "None", "nonResourceURLs": ["/quiet*"]}, {"level": "Metadata"}]})
    gw.start()
    quiet, loud = gw.ask("GET", "/quiet/x").audit_id, gw.ask("GET", "/loud").audit_id
    gw.event(loud)
    assert all(e["auditID"] != quiet for e in gw.audit())


# --- the process ---

def test_the_process_is_hardened(gw):
    """T-136, T-137: no dumps, no new privileges."""
    with open("/proc/%d/status" % gw.process.pid, encoding="ascii") as f:
        assert re.search(r"NoNewPrivs:\s+1", f.read())
    with open("/proc/%d/limits" % gw.process.pid, encoding="ascii") as f:
        assert re.search(r"Max core file size\s+0\s+0", f.read())


def test_a_second_gateway_on_the_port_says_so(gw):
    """Exit status 1 and a sentence with file and line."""
    r = subprocess.run([BINARY, "serve", "--config", gw.path("gateway.yaml")], capture_output=True, text=True,
                       timeout=20, check=False)
    assert r.returncode == 1 and "cannot listen on 127.0.0.1:%d" % gw.port in r.stderr
    assert re.search(r"gateway\.yaml:\d+: ", r.stderr)
