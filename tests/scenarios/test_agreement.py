"""explain says what the server does: both are asked the same, some hundred times, and must agree."""
import json
import random

import pytest

from client import Cut, request
from test_explain import batch
from test_ranges import is_refused

SOURCES = ["127.0.0.1", "127.0.0.2", "127.0.1.1", "127.0.2.1"]  # bastion, vpn, neither, out of range
PEOPLE = [("ann", "admins"), ("rob", "readers"), ("lou", "lookers"), ("run", "runners"), ("two", "readers", "runners"),
          ("ops", "admins", "ops"), ("nil",), ("q\"uote", "readers")]
RULES = [
    {"name": "streams", "match": {"resources": ["pods/exec", "pods/attach"], "namespaces": ["dev"]},
     "require": {"networks": ["bastion"]}},
    {"name": "secrets", "match": {"resources": ["secrets"], "namespaces": ["dev", "prod"]},
     "require": {"groups": ["ops"], "networks": ["vpn", "bastion"]}},
    {"name": "named", "match": {"names": ["web"], "verbs": ["delete", "deletecollection", "patch", "update"]},
     "require": {"users": ["ops"]}},
    {"name": "scale", "match": {"apiGroups": ["apps"], "resources": ["*/scale", "deployments/*"]},
     "require": {"groups": ["ops"]}},
    {"name": "readers", "match": {"groups": ["readers"], "verbs": ["list", "watch"]}, "require": {"networks": ["vpn"]}},
    {"name": "paths", "match": {"nonResourceURLs": ["/metrics", "/debug/*"]}, "require": {"networks": ["bastion"]}},
    {"name": "shadow-a", "mode": "shadow", "match": {"verbs": ["get"]}, "require": {"groups": ["ops"]}},
    {"name": "shadow-b", "mode": "shadow", "match": {"namespaces": ["dev"]}, "require": {"networks": ["bastion"]}},
]
METHODS = ["GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "PROPFIND"]
QUERIES = ["", "", "", "?watch=1", "?watch=false", "?watch", "?fieldSelector=metadata.name%3Dweb",
           "?fieldSelector=metadata.name=web,metadata.namespace=dev", "?fieldSelector=metadata.name!=web",
           "?fieldSelector=a%3D%3Db&watch=true", "?labelSelector=a%3Db", "?limit=x", "?timeoutSeconds=1;watch=1", "?%zz",
           "?follow=true", "?command=sh&stdin=1", "?a=b&fieldSelector=%00", "?watch=1&watch=0"]
SEGMENTS = ["namespaces", "dev", "prod", "pods", "web", "exec", "attach", "log", "secrets", "nodes", "n", "proxy",
            "deployments", "scale", "status", "finalize", "watch", "api", "apis", "apps", "v1", "metrics", "debug", "p%6fds",
            "we%62", "%2e%2e", "..", ".", "", "%2f", "a%2Fb", "%", "%00", "%c3%a4", "%ff", "a+b", "~", "portforward",
            "ephemeralcontainers", "EXEC", "pods;x", "a:b", "*"]
BEGINNINGS = ["/api/v1", "/api/v1/namespaces/dev", "/api/v1/namespaces/dev/pods/web", "/apis/apps/v1/namespaces/dev",
              "/api/v1/watch", "/api/v1/proxy", "/api/v1/nodes/n/proxy", "/apis", "", "", "/api", "/metrics", "/debug",
              "/api/v1/namespaces/dev/secrets", "/api/v1/namespaces/prod/secrets", "/api/v1/namespaces/dev/pods",
              "/apis/apps/v1/namespaces/prod/deployments/web", "/healthz"]


def draw(rng):
    path = rng.choice(BEGINNINGS)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3, 5])):
        path += "/" + rng.choice(SEGMENTS if rng.random() < 0.4 else SEGMENTS[:20])
    path += rng.choice(["", "", "", "/", "//"])
    return rng.choice(METHODS), (path or "/") + rng.choice(QUERIES), rng.choice(PEOPLE), rng.choice(SOURCES[:3])


class Door:
    """What the server answers; a connection for each address, as long as it lives."""

    def __init__(self, gw):
        self.gw, self.open = gw, {}

    def ask(self, method, target, person, source):
        octets = request(method, target, token=self.gw.world.issuer.token(*person))
        for _ in range(2):  # a refusal may have closed the one before
            if source not in self.open:
                self.open[source] = self.gw.connect(source=source)
            c = self.open[source]
            try:
                a = c.send(octets).answer(method)
                if (a.get("Connection") or "").lower() == "close":
                    self.open.pop(source).close()
                return a
            except (OSError, Cut):
                self.open.pop(source).close()
        raise AssertionError("no answer to " + target)


def expect(question, answer, served, head):
    where = (question, answer, served.code, served.body[:600])
    gate = answer.get("gate")
    if gate is None:  # not to be read as a request
        assert "error" in answer["attributes"] and served.code in (400, 405), where
        return "unreadable"
    if gate["allow"]:
        assert set(gate) <= {"allow", "shadow"} and served.code == 200, where
        assert answer["decision"] == "allow", where
        return "allow"
    if gate["stage"] == "door":
        assert served.code == {"T-57": 400, "T-12": 405, "T-22": 414}[gate["rule"]], where
        return gate["rule"]
    assert gate["stage"] in ("access_rule", "authorizer") and served.code == 403, where
    if not head:
        assert served.status()["message"] == gate["message"], where
    return gate["stage"]


@pytest.mark.parametrize("seed", range(3))
def test_explain_and_the_server_agree(make_gateway, upstream, world, seed):
    """Explain protocol, gate: allow, stage, rule and message are what a client would be told."""
    gw = make_gateway(upstream)
    gw.config["networks"] = {"bastion": ["127.0.0.1"], "vpn": ["127.0.0.0/24"]}
    gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/16"], "deny": ["127.0.2.0/24"]}
    gw.cluster["accessRules"] = RULES
    gw.start()
    rng = random.Random(seed)
    drawn = [draw(rng) for _ in range(400)]
    questions = [{"id": str(i), "method": m, "target": t, "sourceIP": s,
                  "user": {"name": p[0], "groups": [*p[1:], "system:authenticated"]}}
                 for i, (m, t, p, s) in enumerate(drawn)]
    answers = batch(("--config", gw.path("gateway.yaml"), "--cluster", "prod"), *questions)
    door, seen = Door(gw), {}
    for (method, target, person, source), q, a in zip(drawn, questions, answers):
        assert a["id"] == q["id"] and a["admitted"] is True
        kind = expect(q, a, door.ask(method, target, person, source), method == "HEAD")
        seen[kind] = seen.get(kind, 0) + 1
    assert set(seen) >= {"allow", "T-57", "T-12", "access_rule", "authorizer", "unreadable"}, seen
    # The audit log says the same in its own words, and explain reads that as well.
    events = [e for e in gw.audit() if e.get("verb") and e["user"].get("username")]
    again = batch(("--config", gw.path("gateway.yaml"), "--cluster", "prod"), *events)
    for e, a in zip(events, again):
        notes = e["annotations"]
        assert a["id"] == e["auditID"]
        assert a["gate"]["allow"] is (e["responseStatus"]["code"] == 200), (e, a)
        if not a["gate"]["allow"]:
            assert a["gate"].get("rule") == notes.get("kube-access-gateway/rule"), (e, a)
        assert ",".join(a["gate"].get("shadow", [])) == notes.get("kube-access-gateway/shadow", ""), (e, a)


def test_they_agree_about_ranges(make_gateway, upstream):
    """The prefix that decided."""
    gw = make_gateway(upstream)
    gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/16"], "deny": ["127.0.2.0/24"]}
    gw.start()
    questions = [{"sourceIP": s, "user": {"name": "ann", "groups": ["admins"]}, "method": "GET", "target": "/"}
                 for s in [*SOURCES, "127.9.9.9"]]
    answers = batch(("--config", gw.path("gateway.yaml")), *questions)
    assert json.dumps([a["gate"]["allow"] for a in answers]) == "[true, true, true, false, false]"
    for q, a in zip(questions, answers):
        assert is_refused(gw, q["sourceIP"]) is not a["gate"]["allow"]
    assert [(a["gate"].get("stage"), a["gate"].get("rule")) for a in answers[3:]] == [
        ("ranges", "127.0.2.0/24"), ("ranges", None)]
