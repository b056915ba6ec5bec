"""The ways in which a real API server is told who asks: the same user to the last extra, and the same answers."""
import json
import os

import pytest

from gateway import Gateway
from processes import until
from world import OTHER_NAMESPACE, Side

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


@pytest.fixture(scope="module", params=["passthrough", "impersonate", "requestHeader"])
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


def test_doctor_knows_whether_it_is_believed(told):
    """What doctor says of the credential, about a real API server's flags and roles."""
    gateway, _, _ = told
    lines = [line for line in gateway.command("doctor").splitlines() if "e2e credentials at" in line]
    words = {"passthrough": [], "requestHeader": ["the API server believes its X-Remote-User"],
             "impersonate": ["the credential is system:serviceaccount:kube-access-gateway:" + ACCOUNT,
                             "the credential may impersonate users and groups"]}[gateway.identity]
    assert len(lines) == len(words) and all(w in line for w, line in zip(words, lines)), lines
    assert all(line.startswith("ok ") for line in lines), lines


def test_a_clients_certificate_is_no_front_proxys(cluster):
    """T-48: the API server would take every caller for the gateway, so nobody gets through."""
    gateway = Gateway(cluster, "no-front-proxy", "upstream", identity="requestHeader")
    os.makedirs(gateway.work, exist_ok=True)
    cluster.cert("plain", "/O=some/CN=plain", "ca")
    gateway.write("own.crt", cluster.read("plain.crt"))
    gateway.write("own.key", cluster.read("plain.key"))
    gateway.credentials = "      credentials: {certFile: own.crt, keyFile: own.key}"
    try:
        gateway.run()
        until("refusal", lambda: "every caller would be plain" in gateway.get("/readyz?verbose")[1], 20, gateway.alive)
        side = Side(cluster, cluster.tokens, "no-front-proxy", gateway.url, gateway.ca)
        p = side.kubectl("nobody", "get", "--raw", "/version", check=False)
        assert p.returncode == 1 and "plain" not in p.stderr
    finally:
        gateway.stop()


def by_certificate(cluster, side, name):
    """The path of a kubeconfig with that client certificate."""
    config = {"apiVersion": "v1", "kind": "Config", "current-context": "c",
              "clusters": [{"name": "c", "cluster": {"server": side.url, "certificate-authority": side.ca}}],
              "users": [{"name": "c", "user": {"client-certificate": cluster.path(name + ".crt"),
                                                "client-key": cluster.path(name + ".key")}}],
              "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}]}
    return cluster.write("%s-%s.kubeconfig" % (name, side.name), config)


@pytest.mark.parametrize("kind", ["impersonate", "requestHeader"])
def test_client_certificates(cluster, kind):
    """A certificate of the API server's own client CA: the same user through the gateway and straight."""
    cluster.cert("dora", "/O=oidc:viewers/O=dev ops/CN=dora", "ca")
    gateway = Gateway(cluster, "certificates-" + kind, "upstream")
    os.makedirs(gateway.work, exist_ok=True)
    gateway.credentials = credentials(cluster, gateway, kind)
    gateway.sources = "      clientCertificates: {caFile: upstream-ca.crt, identity: %s}" % kind
    gateway.start()
    try:
        side = Side(cluster, cluster.tokens, "certificates-" + kind, gateway.url, gateway.ca)
        straight = Side(cluster, cluster.tokens, "certificates-straight-" + kind, cluster.url, cluster.path("ca.crt"))
        here, there = by_certificate(cluster, side, "dora"), by_certificate(cluster, straight, "dora")
        seen, wanted = (json.loads(cluster.kubectl("auth", "whoami", "-o", "json", kubeconfig=k).stdout)["status"]
                        ["userInfo"] for k in (here, there))
        assert sorted(seen.pop("groups")) == sorted(wanted.pop("groups"))
        assert seen == wanted and seen["username"] == "dora"
        for args, code in ((["get", "pods"], 0), (["get", "secrets"], 1)):
            got = [cluster.kubectl("-n", side.namespace, *args, kubeconfig=k, check=False) for k in (here, there)]
            assert [g.returncode for g in got] == [code, code], got[0].stderr
        # A token passes through beside it, as it is.
        assert whoami(side, "viewer")["username"] == whoami(straight, "viewer")["username"]
    finally:
        gateway.stop()


def test_service_accounts(cluster):
    """A token of the API server's own, bound to a Pod: verified here, passed through, the same user there."""
    gateway = Gateway(cluster, "accounts", "upstream")
    os.makedirs(gateway.work, exist_ok=True)
    gateway.write("sa.json", cluster.kubectl("get", "--raw", "/openid/v1/jwks").stdout)
    gateway.sources = '      serviceAccounts: {issuer: "https://kubernetes.default.svc", jwksFile: sa.json}'
    gateway.start()
    try:
        cluster.kubectl("create", "serviceaccount", "bot", "-n", OTHER_NAMESPACE)
        tokens = {"plain": cluster.kubectl("create", "token", "bot", "-n", OTHER_NAMESPACE).stdout.strip(),
                  "other": cluster.kubectl("create", "token", "bot", "-n", OTHER_NAMESPACE, "--audience=other").stdout.strip()}
        side = Side(cluster, tokens, "accounts", gateway.url, gateway.ca)
        straight = Side(cluster, tokens, "accounts-straight", cluster.url, cluster.path("ca.crt"))
        seen, wanted = whoami(side, "plain"), whoami(straight, "plain")
        assert sorted(seen.pop("groups")) == sorted(wanted.pop("groups"))
        assert seen == wanted and seen["username"] == "system:serviceaccount:%s:bot" % OTHER_NAMESPACE
        for s in (side, straight):
            assert s.kubectl("other", "auth", "whoami", check=False).returncode == 1
        cluster.kubectl("delete", "serviceaccount", "bot", "-n", OTHER_NAMESPACE)
        # Only the API server knows that it is gone; what it says stands.
        until("the end of the account", lambda: side.kubectl("plain", "auth", "whoami", check=False).returncode == 1, 30)
    finally:
        gateway.stop()
