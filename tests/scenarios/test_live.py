"""A cluster's own roles, by list and watch: what is asked, when it is in force, and what happens when it goes wrong."""
import json
import os
import signal
import time

import pytest

from gateway import RBAC, SLOW
from policy import ROLES, Policy, go_live, kubeconfig, status
from upstream import answer
from wire import wait_for

PODS = "/api/v1/namespaces/dev/pods"
SECRETS = "/api/v1/namespaces/dev/secrets"


@pytest.fixture
def live(make_gateway, make_upstream):
    """live(key=value...): (gateway, its cluster's policy), not started."""
    made = []

    def make(items=None, user=None, files=(), config=None, **settings):
        upstream = make_upstream()
        policy = Policy(upstream, items)
        gw = go_live(make_gateway(upstream, **(config or {})), upstream, user, files, **settings)
        made.append((gw, policy))
        return gw, policy
    yield make
    for gw, policy in made:
        gw.stop()
        policy.held.set()
        policy.end_watches("cut")


def code(gw, target=PODS, token=None):
    return gw.ask("GET", target, token=token or gw.world.nobody).code


def until(gw, want, target=PODS, token=None, seconds=1.0):
    """How long it takes until the answer is want."""
    begin = time.monotonic()
    wait_for(lambda: code(gw, target, token) == want, seconds * SLOW, every=0.002,
             why=lambda: "still %d\n%s" % (code(gw, target, token), gw.log()[-3000:]))
    return time.monotonic() - begin


def test_first_sync_makes_ready(live):
    """Nothing is judged before every kind was listed: 503 with Retry-After, and not ready."""
    gw, policy = live()
    policy.held.clear()
    gw.start(ready=False)
    a = gw.ask("GET", PODS)
    assert (a.code, a.get("Retry-After")) == (503, "1")
    assert json.loads(a.body)["message"] == "the cluster's roles are not known to the gateway yet"
    code_, text = gw.admin("/readyz?verbose")
    assert code_ == 503 and "[-]roles of cluster prod: not known yet" in text
    policy.held.set()
    gw.wait_ready()
    assert gw.ask("GET", PODS).code == 200
    assert code(gw) == 403
    assert "[+]roles of cluster prod ok: 8 objects" in gw.admin("/readyz?verbose")[1]
    policy.wait_watched()
    for resource in ROLES:
        assert policy.count(resource, "list") == 1 and policy.count(resource, "watch") == 1


def test_events_take_effect(live):
    """Added, modified and deleted bindings are in force within a second; 200 ms are the aim."""
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    assert code(gw) == 403
    took = []
    for _ in range(3):
        policy.bind("noel", "reader", user="noel", namespace="dev")
        took.append(until(gw, 200))
        policy.bind("noel", "looker", user="noel", namespace="dev")
        took.append(until(gw, 403))
        policy.bind("noel", "reader", user="noel", namespace="dev")
        took.append(until(gw, 200))
        policy.delete("RoleBinding", "noel", "dev")
        took.append(until(gw, 403))
    print("event to decision, ms:", [round(t * 1000) for t in took])
    assert max(took) < 1.0 * SLOW
    assert gw.metric('live_events_total{cluster="prod"}') == 12
