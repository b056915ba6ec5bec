"""Proofs of possession: kubectl with the kubeconfig that the gateway prints, and a stand-in for kubelogin behind it."""
import hashlib
import json
import os
import subprocess

import pytest

from gateway import Gateway
from oidc import b64
from processes import until
from test_identity import credentials
from world import OTHER_NAMESPACE, lines_until

HERE = os.path.dirname(os.path.abspath(__file__))
TENANT = "00000000-1111-2222-3333-44444444abcd"
ISSUER = "https://sts.windows.net/%s/" % TENANT
AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
HOST = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c"
ENTRA = """entra:
        tenantID: %s
        proofOfPossession: {host: %s, required: true}
      jwksFiles: {"%s": keys.json, "https://login.microsoftonline.com/%s/v2.0": keys.json}"""


class Proving(Gateway):
    """It takes proofs only, from two addresses."""

    def configuration(self):
        text = super().configuration().replace("configFile: authentication.json", ENTRA % (TENANT, HOST, ISSUER, TENANT))
        return text.replace("127.0.0.1/32", "127.0.0.0/30")


class Ann:
    """A user with kubectl, a kubeconfig of the gateway's making, and kubelogin."""

    def __init__(self, cluster, gateway):
        self.cluster, self.gateway = cluster, gateway
        self.folder = gateway.path("ann")
        os.makedirs(self.folder)
        key = os.path.join(self.folder, "holder.key")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        digits = subprocess.run(["openssl", "rsa", "-in", key, "-noout", "-modulus"], check=True, capture_output=True)
        n = b64(bytes.fromhex(digits.stdout.decode().strip().partition("=")[2]))
        kid = b64(hashlib.sha256(('{"e":"AQAB","kty":"RSA","n":"%s"}' % n).encode()).digest())
        self.write("holder.json", json.dumps({"e": "AQAB", "kty": "RSA", "n": n, "alg": "RS256", "kid": kid}))
        self.access = cluster.issuer.token("pairwise", iss=ISSUER, aud=AKS, tid=TENANT, upn="ann@example.com",
                                           oid="ann-oid", cnf={"kid": kid, "xms_ksl": "sw"})
        self.write("access", self.access)
        self.write("made", "")
        self.write("kubeconfig", gateway.command("kubeconfig", "--server", gateway.url, "--ca-file", gateway.ca))
        os.symlink(os.path.join(HERE, "kubelogin"), os.path.join(self.folder, "kubelogin"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)

    def made(self):
        with open(self.path("made"), encoding="ascii") as f:
            return f.read().split()

    def env(self):
        env = self.cluster.client_env(self.path("kubeconfig"))
        return {**env, "PATH": self.folder + ":" + env["PATH"], "PROOFS": self.folder, "PYTHONPATH": HERE,
                "KUBECACHEDIR": self.path("cache")}

    def kubectl(self, *args):
        return subprocess.run(["kubectl", "-n", OTHER_NAMESPACE, *args], env=self.env(), capture_output=True, text=True,
                              timeout=60, check=False)


@pytest.fixture(scope="module")
def ann(cluster):
    gateway = Proving(cluster, "proving", "upstream", identity="impersonate")
    os.makedirs(gateway.work, exist_ok=True)
    gateway.credentials = credentials(cluster, gateway, "impersonate")
    gateway.start()
    cluster.kubectl("create", "rolebinding", "ann", "--clusterrole=cluster-admin", "--user=ann@example.com", "-n",
                    OTHER_NAMESPACE)
    try:
        yield Ann(cluster, gateway)
    finally:
        gateway.stop()


def metric(gateway, name):
    return sum(int(line.split()[1]) for line in gateway.get("/metrics")[1].splitlines()
               if line.startswith("kube_access_gateway_" + name))


def test_kubectl(ann):
    """Discovery, lists, exec, a watch: one proof for each run, which goes with all its requests, and none is refused."""
    p = ann.kubectl("auth", "whoami", "-o", "json")
    assert p.returncode == 0, p.stderr
    user = json.loads(p.stdout)["status"]["userInfo"]
    assert user["username"] == "ann@example.com" and user["extra"]["oid"] == ["ann-oid"]
    for args in (("get", "pods,configmaps,services,secrets"), ("api-resources",), ("get", "pods", "-o", "wide"),
                 ("exec", "shell", "--", "echo", "through"), ("explain", "pods.spec"),
                 ("create", "configmap", "by-proof", "--from-literal=a=b"), ("delete", "configmap", "by-proof")):
        p = ann.kubectl(*args)
        assert p.returncode == 0, (args, p.stderr)
    assert len(ann.made()) == 8
    assert metric(ann.gateway, "requests_total") > len(ann.made())
    assert metric(ann.gateway, "connections_accepted_total") > len(ann.made())
    assert metric(ann.gateway, "authentication_rejected_total") == 0


def test_a_watch_goes_on(ann):
    """kubectl get -w, in the meantime other runs of the same user."""
    assert ann.kubectl("create", "configmap", "first").returncode == 0
    watch = subprocess.Popen(["kubectl", "-n", OTHER_NAMESPACE, "get", "configmaps", "-w", "-o", "name"], env=ann.env(),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        lines_until(watch, "configmap/first")
        assert ann.kubectl("create", "configmap", "second").returncode == 0
        lines_until(watch, "configmap/second")
    finally:
        watch.kill()
        watch.communicate(timeout=10)


def test_what_was_stolen_is_worth_nothing(ann):
    """The bound token alone, and a whole proof from another address; its owner goes on."""
    assert ann.kubectl("get", "pods").returncode == 0
    stolen = ann.made()[-1]

    def curl(token, source):
        argv = ["curl", "-sS", "--cacert", ann.gateway.ca, "--interface", source, "-H", "Authorization: Bearer " + token,
                "-o", "/dev/null", "-w", "%{http_code}",
                "%s/api/v1/namespaces/%s/pods" % (ann.gateway.url, OTHER_NAMESPACE)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
    assert curl(stolen, "127.0.0.1") == "200"
    assert curl(stolen, "127.0.0.2") == "401"
    assert curl(ann.access, "127.0.0.1") == "401"
    assert curl(stolen, "127.0.0.1") == "200"
    until("the refusal", lambda: metric(ann.gateway, 'authentication_rejected_total{reason="pop_replay"}') == 1, 5)
    assert ann.gateway.alive() is None
