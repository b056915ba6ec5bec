"""Session fixtures: one cluster, two gateways in front of it, and the sides to compare."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from cluster import Cluster  # noqa: E402
from gateway import Gateway, ORDERS  # noqa: E402
from world import Side, populate, tokens  # noqa: E402

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "e2e")


@pytest.fixture(scope="session")
def cluster():
    with Cluster(os.path.join(BUILD, "run"), os.path.join(BUILD, "bin")) as c:
        populate(c)
        c.tokens = tokens(c)
        yield c


@pytest.fixture(scope="session")
def gateways(cluster):
    """{order: Gateway}"""
    started = {}
    try:
        for order in ORDERS:
            started[order] = Gateway(cluster, order, order).start()
            started[order].descriptors_at_start = started[order].descriptors()
        yield started
    finally:
        for g in started.values():
            g.stop()


@pytest.fixture(scope="session")
def sides(cluster, gateways):
    """{"direct" or order: Side}"""
    made = {"direct": Side(cluster, cluster.tokens, "direct", cluster.url, "ca.crt")}
    for order, g in gateways.items():
        made[order] = Side(cluster, cluster.tokens, order, g.url, g.ca)
    return made


@pytest.fixture(scope="session")
def straight(sides):
    """Runs a script straight against the API server, once for all orders."""
    results = {}

    def run(key, script, user, **kw):
        if (key, user) not in results:
            results[key, user] = sides["direct"].run(script, user, **kw)
        return results[key, user]
    return run
