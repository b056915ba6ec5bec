"""The ways in which a real API server is told who asks: the same user to the last extra, and the same answers."""
import json
import os

import pytest

from gateway import Gateway
from world import Side

IMPERSONATOR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../packaging/impersonator.yaml")
ACCOUNT = "kube-access-gateway-impersonator"


def credentials(cluster, gateway, kind):
    """What the gateway shows on its own behalf, as the documents say to make it."""
    if kind == "passthrough":
        return ""
    if kind == "requestHeader":
        cluster.cert("front-proxy", "/CN=front-proxy", "front-ca")
        gateway.write("own.crt", cluster.read("front-proxy.crt"))
        gateway.write("own.key", cluster.read("front-proxy.key"))
        return "      credentials: {certFile: own.crt, keyFile: own.key}"
    cluster.kubectl("apply", "-f", IMPERSONATOR)
    token = cluster.kubectl("create", "token", ACCOUNT, "-n", "kube-access-gateway").stdout.strip()
    gateway.write("own.token", token)
    return "      credentials: {tokenFile: own.token}"


@pytest.fixture(params=["passthrough", "impersonate", "requestHeader"])
def told(cluster, request):
    """A gateway with that identity mode, and its users: one of them with everything that a token can say."""
    kind = request.param
    tokens = {**cluster.tokens, "whole": cluster.issuer.token("w\xe9", ["admins", "dev ops", "d\xe9v"], jti="id-1")}
    gateway = Gateway(cluster, "identity-" + kind, "upstream", identity=kind)
    os.makedirs(gateway.work, exist_ok=True)
    gateway.credentials = credentials(cluster, gateway, kind)
    gateway.start()
    try:
        yield gateway, Side(cluster, tokens, "identity-" + kind, gateway.url, gateway.ca), \
            Side(cluster, tokens, "straight-" + kind, cluster.url, cluster.path("ca.crt"))
    finally:
        gateway.stop()


def whoami(side, user):
    p = side.kubectl(user, "auth", "whoami", "-o", "json")
    return json.loads(p.stdout)["status"]["userInfo"]


def test_who_the_api_server_sees(told):
    """kubectl auth whoami, through the gateway and straight: equal to the last extra."""
    gateway, side, straight = told
    for user in ("admin", "viewer", "nobody", "whole"):
        seen, wanted = whoami(side, user), whoami(straight, user)
        assert sorted(seen.pop("groups")) == sorted(wanted.pop("groups")), user
        assert seen == wanted, user
    assert gateway.alive() is None


def test_answers_are_the_same(told):
    """Allowed and refused as the API server would: the gateway's own rights never count."""
    _, side, straight = told
    for user in ("admin", "viewer", "nobody"):
        for args in (["get", "pods"], ["get", "secrets"], ["auth", "can-i", "--list"], ["get", "--raw", "/metrics"]):
            seen = side.kubectl(user, "-n", side.namespace, *args, check=False)
            wanted = straight.kubectl(user, "-n", side.namespace, *args, check=False)
            assert seen.returncode == wanted.returncode, (user, args, seen.stderr)
            if seen.returncode != 0:
                assert seen.stderr == wanted.stderr, (user, args)
    p = side.kubectl("admin", "-n", side.namespace, "exec", "shell", "--", "echo", "through")
    assert p.stdout.strip() == "through"
    refused = side.kubectl("nobody", "-n", side.namespace, "exec", "shell", "--", "echo", "x", check=False)
    assert refused.returncode == 1 and "forbidden" in refused.stderr
