"""What must hold over everything that the other files have sent: comes last, as pytest takes files by name.

The API server's audit log says how it read each request that the gateway passed on. So every request of the run is a
test of the gateway's own reading.
"""
import collections
import re
import time

import pytest

from gateway import ORDERS
from processes import PAUSE, until

LEAST = 20  # requests; run alone, this file has little to look at
POOL = 16   # idle connections to the API server that may stay open for a minute


def by_id(events, stage):
    found = collections.defaultdict(list)
    for e in events:
        if e["stage"] == stage:
            found[e["auditID"]].append(e)
    return found


def unfinished(gateway):
    """Requests that have begun and not ended."""
    events = gateway.audit()
    complete = by_id(events, "ResponseComplete")
    return ["%s %s" % (e["stageTimestamp"], e["requestURI"]) for e in events if e["auditID"] not in complete]


def reading(event):
    """How a server has understood a request, and what it answered."""
    ref = {k: v for k, v in event.get("objectRef", {}).items() if k not in ("uid", "resourceVersion")}
    if event["verb"] == "create" and "subresource" not in ref:
        ref.pop("name", None)  # the API server looks into the body for it
    user = event["user"]
    return {"verb": event["verb"], "uri": event["requestURI"], "object": ref, "user": user["username"],
            "groups": sorted(user["groups"]), "agent": event.get("userAgent"), "code": event["responseStatus"]["code"]}


def was_passed_on(notes):
    """Allowed, and no review of access that the gateway answers by itself."""
    return notes.get("authorization.k8s.io/decision") == "allow" and "kube-access-gateway/answered-by" not in notes


@pytest.mark.parametrize("order", ORDERS)
def test_one_complete_event_each(order, gateways, sides):
    gateway = gateways[order]
    end = time.monotonic() + 15
    while unfinished(gateway) and time.monotonic() < end:
        time.sleep(PAUSE)
    assert unfinished(gateway) == []
    complete = by_id(gateway.audit(), "ResponseComplete")
    assert {i: e for i, e in complete.items() if len(e) != 1} == {}
    started = by_id(gateway.audit(), "ResponseStarted")
    assert {i: e for i, e in started.items() if len(e) != 1} == {}


@pytest.mark.parametrize("order", ORDERS)
def test_read_as_the_api_server_does(order, gateways, cluster, sides):
    here, there = by_id(gateways[order].audit(), "ResponseComplete"), by_id(cluster.audit(), "ResponseComplete")
    both = here.keys() & there.keys()
    differ = [(reading(here[i][0]), reading(there[i][0])) for i in both]
    assert [pair for pair in differ if pair[0] != pair[1]] == []
    passed = {i for i, (e,) in here.items() if was_passed_on(e.get("annotations", {}))}
    assert passed <= there.keys(), "passed on, but unknown to the API server under this Audit-ID"
    if len(here) < LEAST:
        pytest.skip("only %d requests were made" % len(here))


@pytest.mark.parametrize("order", ORDERS)
def test_no_secrets_in_logs(order, gateways, cluster, sides):
    g = gateways[order]
    text = g.read("gateway.log") + g.read("audit.log") + g.get("/metrics")[1]
    for name, token in cluster.tokens.items():
        if name not in ("anonymous", "garbage"):
            assert token not in text and token.rpartition(".")[2] not in text, name


@pytest.mark.parametrize("order", ORDERS)
def test_still_well(order, gateways, sides):
    g = gateways[order]
    g.alive()
    assert g.get("/readyz")[0] == 200
    assert not re.search("(?i)invariant|Sanitizer", g.read("gateway.log"))
    limit = g.descriptors_at_start + POOL
    until("only %d descriptors" % limit, lambda: g.descriptors() <= limit, 15)
