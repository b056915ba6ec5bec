"""What the scenarios share: throw-away keys for the session, gateways, scripted upstreams.

GATEWAY names the binary.  A gateway made by make_gateway is stopped at teardown, which fails the test if it did not
end in order or a sanitizer complained.
"""
import pytest

from clock import Clock
from gateway import SLOW, Gateway
from pki import Authority, client_context
from tokens import Issuer
from upstream import Upstream

ISSUER = "https://issuer.example.com"


class World:
    """Certificates, an issuer and ready-made tokens."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = Authority(folder, "ca")
        self.other_ca = Authority(folder, "other-ca")
        self.gateway_pair = self.ca.issue("gateway", "IP:127.0.0.1,DNS:gw.example.com")
        self.rsa_pair = self.ca.issue("gateway-rsa", "IP:127.0.0.1,DNS:rsa.example.com", rsa=True)
        self.upstream_pair = self.ca.issue("upstream", "IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3,DNS:kubernetes.default")
        self.client_ctx = client_context(self.ca)
        self.issuer = Issuer(folder, ISSUER)
        self.admin = self.issuer.token("ann", "admins")
        self.reader = self.issuer.token("rita", "readers")
        self.nobody = self.issuer.token("noel")


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def shared_upstream(world):
    u = Upstream(world.upstream_pair)
    yield u
    u.stop()


@pytest.fixture(scope="session")
def shared_gateway(world, shared_upstream, tmp_path_factory):
    g = Gateway(tmp_path_factory.mktemp("gateway"), world, [shared_upstream]).start()
    yield g
    g.stop()


@pytest.fixture
def upstream(shared_upstream):
    """The session's upstream, without the requests and the script of the test before."""
    shared_upstream.clear()
    return shared_upstream


@pytest.fixture
def gw(shared_gateway, upstream):
    """The session's gateway, which uses `upstream`."""
    yield shared_gateway
    for c in shared_gateway.clients:
        c.close()
    assert shared_gateway.process.poll() is None, "the gateway died:\n" + shared_gateway.log()[-4000:]
    shared_gateway.wait_metric("exchanges", 0)
    assert shared_gateway.metric("broken_invariants") == 0


@pytest.fixture
def clock(tmp_path):
    """For make_gateway(workers=1).start(env=clock.env); not under sanitizers, which want to be first."""
    if SLOW != 1:
        pytest.skip("a preloaded clock and a sanitizer do not go together")
    return Clock(tmp_path)


@pytest.fixture
def make_upstream(world):
    made = []

    def make(pair=None, **kw):
        made.append(Upstream(pair or world.upstream_pair, **kw))
        return made[-1]
    yield make
    for u in made:
        u.stop()


@pytest.fixture
def make_gateway(world, tmp_path):
    """make_gateway(upstream..., key=value...): a Gateway of the test's own, not started yet."""
    made = []

    def make(*servers, **changes):
        g = Gateway(tmp_path / ("gw%d" % len(made)), world, servers or ["https://127.0.0.1:1"], **changes)
        made.append(g)
        return g
    yield make
    for g in made:
        g.stop()
