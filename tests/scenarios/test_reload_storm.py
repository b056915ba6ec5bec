"""Everything at once, while ranges, rules, keys, policy and limits change again and again."""
import collections
import json
import random
import threading
import time

from client import Cut, new_id, request
from gateway import SLOW, rbac
from test_reviews import REVIEWS, as_json, pods
from test_revocation import POD, STREAMS, UPGRADES
from tokens import Issuer
from upstream import WATCH_HEAD, answer, chunk

SECONDS = 4 if SLOW == 1 else 8
SOURCES = ["127.0.0.1", "127.0.0.7"]
CLIENTS = 10


def serve(rng):
    """An API server that is quick, slow, silent, cut off, or streams for a while."""
    def script(ex):
        if ex.get("Upgrade"):
            ex.body_read = True
            ex.send(("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"
                     % ex.get("Upgrade")).encode() + b"hello")
            return linger(ex, rng)
        ex.read()
        if "watch" in ex.target or "/log" in ex.target:
            if rng.random() < 0.4:
                return linger(ex, rng)  # not a word
            ex.send(WATCH_HEAD + chunk(b"x" * rng.choice([5, 5, 70000])))
            return linger(ex, rng)
        time.sleep(rng.choice([0, 0, 0, 0.05]))
        if rng.random() < 0.05:
            return ex.stream.close()
        return ex.send(answer(b"{}" * rng.choice([1, 1, 40000])))
    return script


def linger(ex, rng):
    try:
        ex.stream.recv(timeout=rng.uniform(0.05, 2))
    except (OSError, ValueError, Cut):
        pass
    ex.stream.close()


class Storm:
    def __init__(self, gw, seed, tokens):
        self.gw, self.rng, self.tokens = gw, random.Random(seed), tokens
        self.answered, self.sent, self.errors = set(), set(), []

    def draw(self):
        """The parts of one request; a pause lies between them."""
        rng, audit_id = self.rng, new_id()
        token = rng.choice(self.tokens)
        kind = rng.choice(["plain", "plain", "upload", "review", "watch", "log", "exec", "portforward", "bad"])
        if kind in STREAMS:
            method, target = STREAMS[kind]
            fields = ["Connection: Upgrade", "Upgrade: " + UPGRADES[kind]] if kind in UPGRADES else []
            return audit_id, [request(method, target, *fields, token=token, audit_id=audit_id)]
        if kind == "review":
            body = as_json(pods(rng.choice(["list", "delete"])))
            whole = request("POST", REVIEWS, "Content-Type: application/json", token=token, body=body,
                            audit_id=audit_id)
            return audit_id, [whole[:-60], whole[-60:]]
        if kind == "upload":
            whole = request("PUT", POD, token=token, body=b"y" * 3000, audit_id=audit_id)
            return audit_id, [whole[:-2000], whole[-2000:-10], whole[-10:]]
        target = "/api/v1/../x" if kind == "bad" else "/api/v1/namespaces/dev/pods"
        version = rng.choice(["HTTP/1.1", "HTTP/1.1", "HTTP/1.0"])
        return audit_id, [request("GET", target, token=token, audit_id=audit_id, version=version)]

    def one(self):
        rng = self.rng
        with self.gw.connect(source=rng.choice(SOURCES), timeout=rng.choice([0.1, 0.5, 3]) * min(SLOW, 3)) as c:
            for _ in range(rng.randint(1, 5)):
                drawn = [self.draw() for _ in range(rng.choice([1, 1, 1, 3]))]  # pipelined
                for audit_id, parts in drawn:
                    self.sent.add(audit_id)
                    for i, p in enumerate(parts):
                        time.sleep(rng.choice([0, 0.02]) if i else 0)
                        c.send(p)
                for _ in drawn:
                    if rng.random() < 0.1:
                        return
                    a = c.answer()
                    self.answered.add(a.audit_id)
                    if a.code == 101 or (a.get("Connection") or "") == "close":
                        return

    def run(self, until):
        while time.monotonic() < until:
            try:
                self.one()
            except (OSError, Cut, ValueError):
                pass  # cut off, refused, or out of patience
            except Exception as e:  # pylint: disable=broad-exception-caught
                self.errors.append(repr(e))


def change(gw, rng, key_sets):
    gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/8"], "deny": rng.choice([[], [], ["127.0.0.7"]])}
    rule = {"name": "r", "mode": rng.choice(["enforce", "shadow"]),
            "match": {"resources": rng.choice([["pods/exec"], ["pods"], ["pods/*", "pods"]])},
            "require": rng.choice([{"networks": ["bastion"]}, {"groups": ["nobody"]}, {"times": [{"days": ["mon"]}]}])}
    gw.cluster["accessRules"] = rng.choice([[], [], [rule]])
    gw.cluster["limits"] = {"sessionMaxAge": rng.choice(["0s", "100ms", "8h", "token"])}
    policy = rbac()
    if rng.random() < 0.3:
        policy["items"] = [x for x in policy["items"] if x["metadata"]["name"] != "everything"]
    gw.write_json("rbac.json", policy)
    rng.choice(key_sets).write_keys(gw.path("keys.json"))
    gw.reload()


def test_nothing_is_lost_and_nothing_stays(make_gateway, upstream, world, tmp_path):
    """T-08, T-65, T-127, T-131: one ResponseComplete an exchange, and all gauges back at nothing."""
    upstream.script = serve(random.Random(1))
    both = Issuer(tmp_path, world.issuer.url, "other")
    both.keys.append(world.issuer.keys[0])
    gw = make_gateway(upstream)
    gw.config["networks"] = {"bastion": ["127.0.0.1"]}
    gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/8"]}
    both.write_keys(gw.path("keys.json"))
    gw.start()
    tokens = [world.admin, world.admin, world.reader, both.token("bob", "admins"), "broken"]
    storms = [Storm(gw, n, tokens) for n in range(CLIENTS)]
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=s.run, args=(until,)) for s in storms]
    for t in threads:
        t.start()
    rng = random.Random(2)
    while time.monotonic() < until:
        change(gw, rng, [both, both, world.issuer])
    for t in threads:
        t.join()
    assert [s.errors for s in storms if s.errors] == []
    upstream.close_all()
    for name in ("exchanges", "long_running_exchanges", "tunnels"):
        gw.wait_metric(name, 0, seconds=20)
    assert gw.metric("broken_invariants") == 0
    revoked = gw.metric("long_running_revoked_total")
    gw.stop()
    events = gw.audit()
    complete = collections.Counter(e["auditID"] for e in events if e["stage"] == "ResponseComplete")
    started = collections.Counter(e["auditID"] for e in events if e["stage"] == "ResponseStarted")
    answered = set().union(*(s.answered for s in storms))
    sent = set().union(*(s.sent for s in storms))
    assert len(answered) > 50 and revoked > 0, (len(answered), revoked)
    assert max(complete.values()) == 1 and max(started.values()) == 1
    assert answered <= set(complete) and set(started) <= set(complete)
    assert not [e for e in events if e["stage"] == "ResponseComplete" and e["auditID"] in sent
                and e.get("responseStatus", {}).get("code") in (401, 403)
                and e["annotations"].get("authorization.k8s.io/decision") == "allow"
                and "kube-access-gateway/ended-by" not in e["annotations"]], json.dumps(events[-1])
