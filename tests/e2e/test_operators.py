"""What operators ask: doctor and whoami, of a real cluster and beside its API server's own answers."""
import json
import subprocess

import pytest

from gateway import BINARY, Gateway
from world import USERS

REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}


def doctor(gateway, code=0):
    p = subprocess.run([BINARY, "doctor", "--config", gateway.path("gateway.yaml")], capture_output=True, text=True,
                       timeout=60, check=False)
    assert p.returncode == code, p.stdout + p.stderr
    return p.stdout.splitlines()


def said(lines, *words):
    return [x for x in lines if all(w in x for w in words)]


def test_a_gateway_in_good_order(gateways, cluster):
    """By discovery from the issuer: everything that it depends on answers."""
    lines = doctor(gateways["upstream"])
    assert not said(lines, "FAIL")
    assert said(lines, "ok", "e2e upstream " + cluster.url, "answers /readyz with status 200")
    assert said(lines, "ok", "e2e issuer " + cluster.issuer.url, "1 usable key from")
    assert said(lines, "ok", "its clock and ours are")


def test_the_reader_of_live_roles(cluster):
    """packaging/policy-reader.yaml is enough; without its binding each missing right is named."""
    gateway = Gateway(cluster, "doctor", "live")
    gateway.write_files()
    lines = doctor(gateway)
    assert said(lines, "ok", "the credential is system:serviceaccount:kube-access-gateway:kube-access-gateway")
    assert len(said(lines, "ok", "may list and watch")) == 4
    cluster.kubectl("create", "serviceaccount", "idle", "-n", "kube-access-gateway")
    token = cluster.kubectl("create", "token", "idle", "-n", "kube-access-gateway").stdout.strip()
    text = gateway.read("reader.kubeconfig")
    old = next(w for w in text.replace('"', " ").replace(",", " ").split() if w.count(".") == 2 and len(w) > 200)
    gateway.write("reader.kubeconfig", text.replace(old, token))
    lines = doctor(gateway, code=1)
    assert len(said(lines, "FAIL", "list of", "status 403", "packaging/policy-reader.yaml")) == 4


@pytest.mark.parametrize("user", [name for name, args in USERS.items() if args])
def test_whoami_says_what_the_api_server_says(gateways, cluster, user):
    """Name and groups, and who is nobody to either."""
    token = cluster.tokens[user]
    p = subprocess.run([BINARY, "whoami", "--output", "json", "--config", gateways["rbac"].path("gateway.yaml")],
                       input=token + "\n", capture_output=True, text=True, timeout=20, check=False)
    mine = json.loads(p.stdout)
    status, theirs = cluster.request("POST", REVIEWS, REVIEW, token=token)
    assert (p.returncode, mine["result"]) == ((0, "accept") if status == 201 else (1, "reject"))
    if status == 201:
        info = theirs["status"]["userInfo"]
        assert (mine["username"], mine["uid"]) == (info["username"], info.get("uid", ""))
        assert sorted(mine["groups"] + ["system:authenticated"]) == sorted(info["groups"])
        assert mine["extra"] == info.get("extra", {})
