"""A steady keep-alive request allocates nothing on its loop."""
import os

import pytest

from clock import build_shim
from gateway import SLOW

REQUESTS = 200


@pytest.mark.skipif(SLOW != 1, reason="sanitizers have an allocator of their own")
@pytest.mark.parametrize("audit", [False, True])
def test_a_steady_request_allocates_nothing(audit, make_gateway, shared_upstream, world, tmp_path):
    """Token, RBAC and relay. Audit records come back from the writer, which may lag on a busy machine."""
    shim, counter = build_shim(tmp_path, "count_allocations"), str(tmp_path / "count")
    with open(counter, "wb") as f:
        f.write(bytes(4096))
    g = make_gateway(shared_upstream, workers=1, log={"level": "info"})
    if not audit:
        del g.config["audit"]
    g.start(env={**os.environ, "LD_PRELOAD": shim, "ALLOCATIONS": counter})

    def allocations():
        with open(counter, "rb") as f:
            return int.from_bytes(f.read(8), "little")

    client = g.connect()
    for _ in range(50):  # buffers, exchanges and records find their size
        assert client.ask(token=world.reader).code == 200
    warm = allocations()
    assert warm > 0, "the shim counts nothing"
    for _ in range(REQUESTS):
        assert client.ask(token=world.reader).code == 200
    assert allocations() - warm <= (REQUESTS // 2 if audit else 0)
