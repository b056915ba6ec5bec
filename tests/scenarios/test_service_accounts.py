"""Tokens of the cluster's own service accounts: who they are, and that they are always passed through."""
import pytest

from client import new_id
from command import run
from gateway import RBAC
from tokens import Issuer

PODS = "/api/v1/namespaces/dev/pods"
ISSUER = "https://kubernetes.default.svc.cluster.local"
EXTRA = "authentication.kubernetes.io/"
BOUND = {"namespace": "dev", "serviceaccount": {"name": "bot", "uid": "u-1"}, "pod": {"name": "web", "uid": "p-1"},
         "node": {"name": "n1", "uid": "n-1"}, "warnafter": 1}


@pytest.fixture(scope="module")
def signer(world):
    return Issuer(world.folder, ISSUER, kid="accounts")


@pytest.fixture
def accounts(make_gateway, upstream, signer):
    """accounts(settings, identity): a gateway whose cluster takes service accounts; those of dev may list pods."""
    def make(settings=None, identity="passthrough", start=True):
        gw = make_gateway(upstream)
        signer.write_keys(gw.path("sa.json"))
        gw.write_text("own.token", "gateway-token")
        gw.write_json("rbac.json", {"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": "pods"}, "rules": [
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]},
            {"apiVersion": RBAC + "/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "pods"},
             "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "pods"},
             "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": "dev"},
                          {"kind": "User", "name": "ann", "apiGroup": RBAC}]}]})
        gw.cluster["authentication"]["serviceAccounts"] = {"issuer": ISSUER, "jwksFile": "sa.json", **(settings or {})}
        if identity != "passthrough":
            gw.cluster["identity"] = identity
            gw.cluster["upstream"]["credentials"] = {"tokenFile": "own.token"}
        return gw.start() if start else gw
    return make


def token(signer, own=None, **claims):
    made = {"aud": [ISSUER], "sub": "system:serviceaccount:dev:bot", "groups": None, "jti": "j-1",
            "kubernetes.io": BOUND if own is None else own, **claims}
    return signer.token("x", **made)


def ask(gw, text, audit_id=None):
    with gw.connect() as c:
        return c.ask("GET", PODS, token=text, audit_id=audit_id)


def test_who_it_is(accounts, signer, upstream):
    """T-55, spec: K8S service accounts: names and groups unlisted; pod, node and token as extra."""
    gw = accounts()
    audit_id = new_id()
    good = token(signer)
    assert ask(gw, good, audit_id).code == 200
    assert gw.event(audit_id)["user"] == {
        "username": "system:serviceaccount:dev:bot", "uid": "u-1",
        "groups": ["system:serviceaccounts", "system:serviceaccounts:dev", "system:authenticated"],
        "extra": {EXTRA + "pod-name": ["web"], EXTRA + "pod-uid": ["p-1"], EXTRA + "node-name": ["n1"],
                  EXTRA + "node-uid": ["n-1"], EXTRA + "credential-id": ["JTI=j-1"]}}
    assert upstream.only().all("Authorization") == ["Bearer " + good]


def test_always_passed_through(accounts, signer, world, upstream):
    """Only the API server knows whether pod and account are there; others are impersonated beside them."""
    gw = accounts(identity="impersonate")
    good = token(signer)
    assert ask(gw, good).code == 200
    assert ask(gw, world.admin).code == 200
    assert [r.get("Authorization") for r in upstream.requests] == ["Bearer " + good, "Bearer gateway-token"]
    assert [r.get("Impersonate-User") for r in upstream.requests] == [None, "ann"]


@pytest.mark.parametrize("own,claims,why", [
    ({}, {}, "username_claim"), ({**BOUND, "namespace": None}, {}, "username_claim"),
    ({**BOUND, "namespace": "Dev"}, {"sub": "system:serviceaccount:Dev:bot"}, "username_claim"),
    ({**BOUND, "serviceaccount": {"name": "a:b", "uid": "u"}}, {"sub": "system:serviceaccount:dev:a:b"}, "username_claim"),
    ({**BOUND, "serviceaccount": {"uid": "u"}}, {}, "username_claim"),
    (None, {"sub": "system:serviceaccount:dev:other"}, "username_claim"), (None, {"sub": None}, "username_claim"),
    (None, {"sub": "system:admin"}, "username_claim"),
    ({**BOUND, "serviceaccount": {"name": "bot"}}, {}, "uid_claim"),
    ({**BOUND, "pod": {"name": "a\nb", "uid": "p"}}, {}, "uid_claim"),
    (None, {"aud": "kubernetes"}, "audience"), (None, {"exp": None}, "expired"), (None, {"exp": 1}, "expired")])
def test_tokens_that_do_not_count(accounts, signer, upstream, own, claims, why):
    gw = accounts()
    a = ask(gw, token(signer, own, **claims))
    assert a.code == 401 and gw.event(a.audit_id)["annotations"]["kube-access-gateway/authentication"] == why
    assert upstream.requests == []


def test_other_issuers_may_not(accounts, world):
    """T-55: such a name from another issuer is nobody."""
    gw = accounts()
    a = ask(gw, world.issuer.token("system:serviceaccount:dev:bot", **{"kubernetes.io": BOUND}))
    assert a.code == 401 and gw.event(a.audit_id)["annotations"]["kube-access-gateway/authentication"] == "reserved"


def test_bound_to_less(accounts, signer):
    """A pod without uid is none, a node needs only its name."""
    gw = accounts({"audiences": ["api"]})
    audit_id = new_id()
    own = {**BOUND, "pod": {"name": "web"}, "node": {"name": "n1"}}
    assert ask(gw, token(signer, own, aud="api", jti=None), audit_id).code == 200
    assert gw.event(audit_id)["user"]["extra"] == {EXTRA + "node-name": ["n1"]}


def test_the_only_source(accounts, signer, world):
    """Without an AuthenticationConfiguration."""
    gw = accounts(start=False)
    for field in ("configFile", "jwksFiles"):
        del gw.cluster["authentication"][field]
    gw.start()
    assert ask(gw, token(signer)).code == 200
    assert ask(gw, world.admin).code == 401


@pytest.mark.parametrize("change,words", [
    ({"issuer": "https://issuer.example.com"}, "which is that of authentication.serviceAccounts in line"),
    ({"jwksFile": "nothing.json"}, "nothing.json"), ({"audiences": []}, "serviceAccounts.audiences: must not be empty"),
    ({"issuers": "x"}, "serviceAccounts.issuers: unknown field")])
def test_mistakes(accounts, change, words):
    gw = accounts(change, start=False)
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and words in r.stderr, r.stderr


@pytest.mark.parametrize("claims,code,words", [
    ({}, 0, ["system:serviceaccount:dev:bot\n             by claim \"sub\"", "uid          u-1",
             "as of every service account of its namespace", "by claim \"kubernetes.io\""]),
    ({"sub": "x"}, 1, ["sub must be system:serviceaccount:NAMESPACE:NAME", '"x"'])])
def test_whoami(accounts, signer, claims, code, words):
    gw = accounts(start=False)
    r = run("whoami", "--config", gw.write(), stdin=token(signer, **claims).encode(), code=code)
    for word in words:
        assert word in r.stdout.decode(), r.stdout.decode()
