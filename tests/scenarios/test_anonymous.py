"""Requests without credentials: off unless configured, and a bad credential never becomes one."""
import json
import subprocess

import pytest

from client import new_id
from gateway import BINARY, RBAC, rbac
from test_revocation import Stream, serve

PODS = "/api/v1/namespaces/dev/pods"
WATCH = PODS + "?watch=1"


def roles():
    """Everybody, anonymous ones included, may look at health and at pods in dev."""
    who = [{"kind": "Group", "name": "system:unauthenticated", "apiGroup": RBAC}]
    items = rbac()["items"] + [
        {"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": "public"}, "rules": [
            {"nonResourceURLs": ["/livez", "/version"], "verbs": ["get"]},
            {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]}]},
        {"apiVersion": RBAC + "/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "public"},
         "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "public"}, "subjects": who}]
    return {"apiVersion": "v1", "kind": "List", "items": items}


@pytest.fixture
def public(make_gateway, upstream):
    """public(anonymous): a gateway whose cluster has this section."""
    def make(anonymous, **changes):
        gw = make_gateway(upstream)
        gw.write_json("rbac.json", roles())
        gw.cluster["authentication"].update({"anonymous": anonymous} if anonymous is not None else {}, **changes)
        return gw
    return make


def ask(gw, target, *lines, method="GET", audit_id=None):
    with gw.connect() as c:
        return c.ask(method, target, *lines, audit_id=audit_id)


def test_off_unless_said(public, upstream):
    """Kubernetes has it on where nothing is said; the gateway does not."""
    gw = public(None).start()
    assert ask(gw, "/livez").code == 401
    assert ask(gw, PODS).code == 401
    assert upstream.requests == []
    assert gw.metric('authentication_rejected_total{reason="no_credentials"}') == 2


def test_everywhere(public, upstream):
    """Semantics 7.10: system:anonymous of system:unauthenticated, judged as anybody; no Authorization goes upstream."""
    gw = public({"enabled": True}).start()
    audit_id = new_id()
    assert ask(gw, PODS, audit_id=audit_id).code == 200
    assert not upstream.only().has("Authorization")
    event = gw.event(audit_id)
    assert event["user"] == {"username": "system:anonymous", "groups": ["system:unauthenticated"]}
    a = ask(gw, "/api/v1/namespaces/dev/secrets")
    assert a.code == 403
    assert a.status()["message"] == (
        'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group "" in the '
        'namespace "dev": no role grants this')
    assert gw.metric("anonymous_total") == 2


def test_on_some_paths(public, upstream):
    """Decoded, whole, without the query; other paths are 401 as if it were off."""
    gw = public({"enabled": True, "paths": ["/livez"]}).start()
    assert ask(gw, "/livez").code == 200
    assert ask(gw, "/livez?verbose").code == 200
    assert ask(gw, "/%6civez").code == 200
    for path in ("/version", "/livez/", "/livez/etcd", "/Livez", PODS):
        assert ask(gw, path).code == 401, path
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("line", ["Authorization: Bearer x.y.z", "Authorization: Basic cm9vdDpyb290", "Authorization:",
                                  "Authorization: Bearer", "Authorization: Bearer  {t}"])
def test_a_bad_credential_is_not_anonymous(public, world, upstream, line):
    """Semantics 7.1: an error is 401, and never anonymous."""
    gw = public({"enabled": True}).start()
    assert ask(gw, PODS, line.format(t=world.admin)).code == 401
    assert upstream.requests == []


def test_a_good_token_is_its_user(public, world, upstream):
    """It is somebody only because they show nothing."""
    gw = public({"enabled": True}).start()
    audit_id = new_id()
    assert ask(gw, PODS, "Authorization: Bearer " + world.admin, audit_id=audit_id).code == 200
    assert gw.event(audit_id)["user"]["username"] == "ann"
    assert upstream.only().all("Authorization") == ["Bearer " + world.admin]


def test_an_access_rule_sees_who_it_is(public, upstream):
    """Rules name system:anonymous as any user."""
    gw = public({"enabled": True})
    gw.cluster["accessRules"] = [{"name": "no-strangers", "match": {"users": ["system:anonymous"], "verbs": ["watch"]},
                                  "require": {"groups": ["ops"]}}]
    gw.start()
    assert ask(gw, PODS).code == 200
    a = ask(gw, WATCH)
    assert a.code == 403 and "no-strangers" in a.status()["message"]


def test_in_the_authentication_configuration(public, upstream):
    """The same by Kubernetes' own file."""
    gw = public(None)
    document = json.loads(gw.read("authentication.json"))
    document["anonymous"] = {"enabled": True, "conditions": [{"path": "/livez"}]}
    gw.write_json("authentication.json", document)
    gw.start()
    assert ask(gw, "/livez").code == 200
    assert ask(gw, PODS).code == 401


def test_not_in_both(public):
    """One of two could be overlooked."""
    gw = public({"enabled": False})
    document = json.loads(gw.read("authentication.json"))
    document["anonymous"] = {"enabled": True}
    gw.write_json("authentication.json", document)
    r = subprocess.run([BINARY, "check", "--config", gw.write()], capture_output=True, text=True, timeout=30,
                       check=False)
    assert r.returncode == 1
    assert "authentication.anonymous: " in r.stderr and "has it as well; remove one of them" in r.stderr


def test_a_watch_ends_when_it_is_switched_off(public, upstream):
    """T-130: within a second, cleanly; a token's expiry has no say in it."""
    upstream.script = serve
    gw = public({"enabled": True}).start()
    streams = [Stream(gw, kind, None) for kind in ("watch", "log")]
    gw.cluster["authentication"]["anonymous"] = {"enabled": True, "paths": ["/livez"]}
    gw.write()
    gw.reload()
    for stream in streams:
        stream.ends("configuration", "anonymous requests are not let in there any more")
