"""kubectl --as: who may act for whom, as the API server would say, and what is told to it."""
import json

import pytest

from client import new_id
from gateway import RBAC
from test_revocation import Stream, serve

PODS = "/api/v1/namespaces/dev/pods"
AUTHN = "authentication.k8s.io"


def rule(group, resources, verbs, *names):
    return {"apiGroups": [group], "resources": resources, "verbs": verbs, **({"resourceNames": list(names)} if names else {})}


def grants(*rules):
    """Ann's group may do this beside what it may anyway; rita and the group ops may list pods in dev."""
    def binding(name, role, kind, subject):
        return {"apiVersion": RBAC + "/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
                "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
                "subjects": [{"kind": kind, "name": subject, "apiGroup": RBAC}]}
    items = [{"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": "acting"}, "rules": list(rules)},
             {"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": "pods"},
              "rules": [rule("", ["pods", "pods/log"], ["get", "list", "watch"])]},
             binding("acting", "acting", "User", "noel"), binding("rita", "pods", "User", "rita"),
             binding("ops", "pods", "Group", "ops"), binding("accounts", "pods", "Group", "system:serviceaccounts:dev"),
             binding("nodes", "pods", "Group", "system:nodes")]
    return {"apiVersion": "v1", "kind": "List", "items": items}


@pytest.fixture
def acting(make_gateway, upstream):
    """acting(rules..., identity): noel may impersonate by these rules."""
    def make(*rules, identity="passthrough", start=True):
        gw = make_gateway(upstream)
        gw.write_json("rbac.json", grants(*rules))
        gw.cluster["authentication"]["impersonation"] = True
        if identity != "passthrough":
            gw.write_text("own.token", "gateway-token")
            gw.cluster["identity"] = identity
            gw.cluster["upstream"]["credentials"] = {"tokenFile": "own.token"}
        return gw.start() if start else gw
    return make


def ask(gw, *lines, audit_id=None, target=PODS, token=None):
    with gw.connect() as c:
        return c.ask("GET", target, *lines, token=token or gw.world.nobody, audit_id=audit_id)


def told(ex):
    return [(n, v) for n, v in ex.fields if n.lower().startswith("impersonate-")]


USERS = rule("", ["users"], ["impersonate"])
GROUPS = rule("", ["groups"], ["impersonate"])
ACCOUNTS = rule("", ["serviceaccounts"], ["impersonate"])


def test_legacy(acting, world, upstream):
    """Semantics 6.3, 6.4: judged for the caller; the other one acts; audit has both; the API server judges again."""
    gw = acting(USERS)
    audit_id = new_id()
    assert ask(gw, "Impersonate-User: rita", audit_id=audit_id).code == 200
    event = gw.event(audit_id)
    assert event["user"] == {"username": "noel", "groups": ["system:authenticated"]}
    assert event["impersonatedUser"] == {"username": "rita", "groups": ["system:authenticated"]}
    assert told(upstream.only()) == [("Impersonate-User", "rita")]
    assert upstream.only().all("Authorization") == ["Bearer " + world.nobody]


def test_by_the_gateway(acting, upstream):
    """Where the gateway impersonates, the other one is told at once, with all groups."""
    gw = acting(USERS, GROUPS, ACCOUNTS, identity="impersonate")
    assert ask(gw, "Impersonate-User: x", "Impersonate-Group: ops").code == 200
    assert ask(gw, "Impersonate-User: system:serviceaccount:dev:bot").code == 200
    assert [told(r) for r in upstream.requests] == [
        [("Impersonate-User", "x"), ("Impersonate-Group", "ops")],
        [("Impersonate-User", "system:serviceaccount:dev:bot"), ("Impersonate-Group", "system:serviceaccounts"),
         ("Impersonate-Group", "system:serviceaccounts:dev")]]
    assert all(r.all("Authorization") == ["Bearer gateway-token"] for r in upstream.requests)


@pytest.mark.parametrize("lines,what", [
    (["Impersonate-User: rita"], 'cannot impersonate-on:user-info:list resource "pods"'),
    (["Impersonate-User: rita", "Impersonate-Group: ops"], 'cannot impersonate-on:user-info:list resource "pods"'),
    (["Impersonate-User: system:node:n1"], 'cannot impersonate-on:arbitrary-node:list resource "pods"'),
    (["Impersonate-User: system:serviceaccount:dev:bot"], 'cannot impersonate-on:serviceaccount:list resource "pods"'),
    (["Impersonate-User: system:serviceaccount:dev:bot", "Impersonate-Group: ops"],
     'serviceaccounts "bot" is forbidden: User "noel" cannot impersonate resource "serviceaccounts" in API group "" in the '
     'namespace "dev"')])
def test_nobody_may(acting, upstream, lines, what):
    """Semantics 6.6: if every mode fails the first error is told."""
    gw = acting(rule("", ["secrets"], ["get"]))
    audit_id = new_id()
    a = ask(gw, *lines, audit_id=audit_id)
    assert a.code == 403 and what in a.status()["message"], a.status()["message"]
    assert a.status()["message"].endswith(": no role grants this")
    assert "impersonatedUser" not in gw.event(audit_id)
    gw.wait_log("refused audit-id=" + audit_id, "cannot impersonate")
    assert upstream.requests == []


@pytest.mark.parametrize("rules,lines,code", [
    ((USERS,), ["Impersonate-User: x", "Impersonate-Group: ops"], 403),
    ((USERS, rule("", ["groups"], ["impersonate"], "ops")), ["Impersonate-User: x", "Impersonate-Group: ops"], 200),
    ((USERS, rule("", ["groups"], ["impersonate"], "ops")),
     ["Impersonate-User: x", "Impersonate-Group: ops", "Impersonate-Group: more"], 403),
    ((rule("", ["users"], ["impersonate"], "rita"),), ["Impersonate-User: rita"], 200),
    ((rule("", ["users"], ["impersonate"], "rita"),), ["Impersonate-User: Rita"], 403),
    ((USERS,), ["Impersonate-User: system:serviceaccount:dev:bot"], 403),
    ((ACCOUNTS,), ["Impersonate-User: system:serviceaccount:dev:bot"], 200),
    ((USERS,), ["Impersonate-User: system:serviceaccount:dev:bot:x", "Impersonate-Group: ops"], 403),
    ((USERS, GROUPS), ["Impersonate-User: system:serviceaccount:dev:bot:x", "Impersonate-Group: ops"], 200),
    ((USERS, GROUPS), ["Impersonate-User: x", "Impersonate-Group: system:masters"], 200),
    ((USERS,), ["Impersonate-User: rita", "Impersonate-Uid: u"], 403),
    ((USERS, rule(AUTHN, ["uids"], ["impersonate"])), ["Impersonate-User: rita", "Impersonate-Uid: u"], 200),
    ((USERS,), ["Impersonate-User: rita", "Impersonate-Extra-Scope: a"], 403),
    ((USERS, rule(AUTHN, ["userextras/scope"], ["impersonate"], "a")),
     ["Impersonate-User: rita", "Impersonate-Extra-Scope: a"], 200),
    ((USERS, rule(AUTHN, ["userextras/scope"], ["impersonate"], "a")),
     ["Impersonate-User: rita", "Impersonate-Extra-Scope: b"], 403),
    ((USERS, rule(AUTHN, ["userextras/a.b/c"], ["impersonate"])),
     ["Impersonate-User: rita", "Impersonate-Extra-A.b%2fC: x"], 200),
])
def test_each_value_is_asked(acting, rules, lines, code):
    """Semantics 6.3, T-45: user, uid, each group, each extra value, by its own name."""
    assert ask(acting(*rules), *lines).code == code


ON = rule("", ["pods"], ["impersonate-on:user-info:list"])


@pytest.mark.parametrize("rules,lines,code", [
    ((ON, rule(AUTHN, ["users"], ["impersonate:user-info"])), ["Impersonate-User: rita"], 200),
    ((rule("", ["pods"], ["impersonate-on:user-info:get"]), rule(AUTHN, ["users"], ["impersonate:user-info"])),
     ["Impersonate-User: rita"], 403),
    ((ON, rule("", ["users"], ["impersonate:user-info"])), ["Impersonate-User: rita"], 403),
    ((ON, rule(AUTHN, ["users", "groups"], ["impersonate:user-info"])),
     ["Impersonate-User: x", "Impersonate-Group: ops"], 200),
    ((ON, rule(AUTHN, ["users", "groups"], ["impersonate:user-info"])),
     ["Impersonate-User: x", "Impersonate-Group: system:masters"], 403),
    ((ON, rule(AUTHN, ["users"], ["impersonate:user-info"]), rule(AUTHN, ["groups"], ["impersonate:user-info"], "*")),
     ["Impersonate-User: x"] + ["Impersonate-Group: " + g for g in ("ops", "a", "b", "c")], 200),
    ((ON, rule(AUTHN, ["users"], ["impersonate:user-info"]), rule(AUTHN, ["groups"], ["impersonate:user-info"], "*")),
     ["Impersonate-User: x"] + ["Impersonate-Group: " + g for g in ("ops", "a", "b")], 403),
    ((rule("", ["pods"], ["impersonate-on:serviceaccount:list"]),
      rule(AUTHN, ["serviceaccounts"], ["impersonate:serviceaccount"])),
     ["Impersonate-User: system:serviceaccount:dev:bot"], 200),
    ((rule("", ["pods"], ["impersonate-on:arbitrary-node:list"]), rule(AUTHN, ["nodes"], ["impersonate:arbitrary-node"], "n1")),
     ["Impersonate-User: system:node:n1"], 200),
    ((rule("", ["pods"], ["impersonate-on:arbitrary-node:list"]), rule(AUTHN, ["nodes"], ["impersonate:arbitrary-node"], "n1")),
     ["Impersonate-User: system:node:n2"], 403),
])
def test_constrained(acting, rules, lines, code):
    """Semantics 6.6: the request by impersonate-on, then who it is by impersonate:MODE."""
    assert ask(acting(*rules), *lines).code == code


@pytest.mark.parametrize("lines,code", [
    (["Impersonate-Group: ops"], 400), (["Impersonate-Uid: u"], 400), (["Impersonate-Extra-A: b"], 400),
    (["Impersonate-User:", "Impersonate-Group: ops"], 400), (["Impersonate-User:"], 403),
    (["Impersonate-User: rita", "Impersonate-User: ann"], 400)])
def test_odd_fields(acting, upstream, lines, code):
    """Semantics 6.1: no user is 400; an empty one counts as absent; two are refused, where upstream takes the first."""
    gw = acting(USERS, GROUPS)
    assert ask(gw, *lines).code == code
    assert upstream.requests == []


def test_the_other_one_is_judged(acting):
    """Allowed to act as somebody who may not: their sentence, not the caller's."""
    gw = acting(USERS)
    a = ask(gw, "Impersonate-User: zoe")
    assert a.code == 403 and 'User "zoe" cannot list resource "pods"' in a.status()["message"]


def test_access_rules_see_the_caller(acting):
    """Design: networks, users and groups of a rule are those of the requestor."""
    gw = acting(USERS, start=False)
    gw.cluster["accessRules"] = [{"name": "not-noel", "match": {"users": ["noel"]}, "require": {"groups": ["ops"]}},
                                 {"name": "not-rita", "match": {"users": ["rita"]}, "require": {"groups": ["nobody"]}}]
    gw.start()
    a = ask(gw, "Impersonate-User: rita")
    assert a.code == 403 and "not-noel" in a.status()["message"]
    gw.cluster["accessRules"].pop(0)
    gw.write()
    gw.reload()
    assert ask(gw, "Impersonate-User: rita").code == 200


def test_streams_end_with_the_right(acting, upstream):
    """T-130: whoever may not impersonate any more is cut off from what they opened so."""
    upstream.script = serve
    gw = acting(USERS)
    stay = Stream(gw, "watch", gw.world.reader)
    leave = Stream(gw, "watch", gw.world.nobody, fields=["Impersonate-User: rita"])
    gw.write_json("rbac.json", grants(rule("", ["secrets"], ["get"])))
    gw.wait_log("reloaded")
    leave.ends("policy", "may not impersonate this user any more")
    stay.goes_on()


def test_can_i_speaks_of_the_other_one(acting, upstream):
    """A review is judged for whom it is asked, and goes on with the fields."""
    gw = acting(USERS)
    body = json.dumps({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {
        "resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "dev"}}}).encode()
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    own = rule("authorization.k8s.io", ["selfsubjectaccessreviews"], ["create"])
    document = grants(USERS, own)
    document["items"][1]["rules"].append(own)
    gw.write_json("rbac.json", document)
    gw.wait_log("reloaded")
    with gw.connect() as c:
        a = c.ask("POST", reviews, "Content-Type: application/json", "Impersonate-User: rita", token=gw.world.nobody,
                  body=body)
        assert a.code == 200
        a = c.ask("POST", reviews, "Content-Type: application/json", token=gw.world.nobody, body=body)
        assert a.code == 201 and json.loads(a.body)["status"]["allowed"] is False
    assert told(upstream.only()) == [("Impersonate-User", "rita")]


def test_nobody_would_check(acting, upstream):
    """order: [upstream] beside identity: impersonate: refused at load; with rbac before it, upstream has no say."""
    gw = acting(USERS, identity="impersonate", start=False)
    gw.cluster["authorization"] = {"order": ["upstream"]}
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and "authentication.impersonation: true needs rbac in authorization.order" in r.stderr
    gw.cluster["authorization"] = {"order": ["rbac", "upstream"], "rbac": {"files": ["rbac.json"]}}
    gw.write_json("rbac.json", grants(rule("", ["secrets"], ["get"])))
    gw.start()
    assert ask(gw, "Impersonate-User: rita").code == 403
    assert ask(gw).code == 200  # the API server has the last word on what noel asks for himself
    assert len(upstream.requests) == 1
