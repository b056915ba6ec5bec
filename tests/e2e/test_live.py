"""Live roles before a real cluster: its bindings are the gateway's within a second, and its answers the API server's."""
import json
import random
import select
import ssl
import time

import pytest

from gateway import Gateway
from processes import until
from wire import ask, begin, connect, pods
from world import OTHER_NAMESPACE, Side, rbac, subject

NO_ROLE = ": no role grants this"
SECOND = 1.0
PAIRS = 2000
WATCHES, CHANGES = 200, 1000
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings" % OTHER_NAMESPACE


@pytest.fixture(scope="module")
def live(cluster, sides):
    gateway = Gateway(cluster, "live", "live").start()
    try:
        yield gateway, Side(cluster, cluster.tokens, "live", gateway.url, gateway.ca)
    finally:
        gateway.stop()


def role_binding(name, role, *subjects):
    return rbac("RoleBinding", name, OTHER_NAMESPACE, subjects=list(subjects),
                roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role})


def takes_effect(side, user, allowed):
    """Seconds until the user may, or may not, list pods."""
    begin_s = time.monotonic()
    until("effect", lambda: (ask(side, user, "GET", pods(side)).status == 200) == allowed, 10)
    return time.monotonic() - begin_s


def test_bindings_take_effect(live, cluster):
    """Created, changed and deleted: within a second, end to end."""
    _, side = live
    assert ask(side, "nobody", "GET", pods(side)).json()["message"].endswith(NO_ROLE)
    nina, other = subject("User", "oidc:nina"), subject("User", "oidc:other")
    for n in range(5):
        name = "late-%d" % n
        assert cluster.request("POST", BINDINGS, role_binding(name, "viewer", nina))[0] == 201
        assert takes_effect(side, "nobody", True) < SECOND
        assert cluster.request("PUT", BINDINGS + "/" + name, role_binding(name, "viewer", other))[0] == 200
        assert takes_effect(side, "nobody", False) < SECOND
        assert cluster.request("PUT", BINDINGS + "/" + name, role_binding(name, "viewer", other, nina))[0] == 200
        assert takes_effect(side, "nobody", True) < SECOND
        assert cluster.request("DELETE", BINDINGS + "/" + name)[0] == 200
        assert takes_effect(side, "nobody", False) < SECOND


def test_create_then_use(live):
    """What installers do: make a Role and a RoleBinding through the gateway and use them at once."""
    _, side = live
    side.kubectl("admin", "create", "role", "made", "--verb=get,list", "--resource=configmaps", "-n", side.namespace)
    side.kubectl("admin", "create", "rolebinding", "made", "--role=made", "--user=oidc:nina", "-n", side.namespace)
    begin_s = time.monotonic()
    get = ["get", "configmaps", "-n", side.namespace]
    until("use", lambda: side.kubectl("nobody", *get, check=False).returncode == 0, 10)
    assert time.monotonic() - begin_s < SECOND + 0.5  # a kubectl takes its time
    side.kubectl("admin", "delete", "rolebinding", "made", "-n", side.namespace)


# ---- 2,000 answers ----

VERBS = ["get", "list", "watch", "create", "patch", "delete", "*"]
RESOURCES = ["pods", "pods/log", "configmaps", "secrets", "deployments", "deployments/scale", "*", "*/scale", "nodes"]
GROUPS = ["", "apps", "*"]
NAMES = ["web", "db", "cache"]
NAMESPACES = [OTHER_NAMESPACE, "ns-1", "nowhere"]
USERS = ["alice", "bob", "carol", "dave"]
TEAMS = ["red", "green", "blue"]
URLS = ["/metrics", "/logs", "/debug/*", "/healthz/*", "/nothing"]


def some(random_, most, of):
    return random_.sample(of, random_.randint(1, min(most, len(of))))


def random_rules(random_, cluster_wide):
    rules = []
    for _ in range(random_.randint(1, 3)):
        rule = {"verbs": some(random_, 3, VERBS), "apiGroups": some(random_, 2, GROUPS),
                "resources": some(random_, 3, RESOURCES)}
        if random_.random() < 0.3:
            rule["resourceNames"] = some(random_, 2, NAMES)
        rules.append(rule)
        if cluster_wide and random_.random() < 0.4:
            rules.append({"verbs": ["get", "create"], "nonResourceURLs": some(random_, 2, URLS)})
    return rules


def random_policy(random_):
    items = []
    for n in range(12):
        items.append(rbac("ClusterRole", "random-%d" % n, rules=random_rules(random_, True)))
        items.append(rbac("Role", "random-%d" % n, OTHER_NAMESPACE, rules=random_rules(random_, False)))
    for n in range(40):
        who = [subject("User", "oidc:" + random_.choice(USERS)) if random_.random() < 0.5 else
               subject("Group", "oidc:" + random_.choice(TEAMS))]
        kind = random_.choice(["ClusterRole", "ClusterRole", "Role"])
        ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": "random-%d" % random_.randrange(14)}
        if kind == "ClusterRole" and random_.random() < 0.4:
            items.append(rbac("ClusterRoleBinding", "random-%d" % n, roleRef=ref, subjects=who))
        else:
            items.append(rbac("RoleBinding", "random-%d" % n, OTHER_NAMESPACE, roleRef=ref, subjects=who))
    return {"apiVersion": "v1", "kind": "List", "items": items}


def random_request(random_):
    """(method, target, attributes of a SubjectAccessReview): harmless if it is let through."""
    if random_.random() < 0.15:
        path = random_.choice(["/metrics", "/logs", "/debug/x", "/healthz/y", "/nothing"])
        return "GET", path, {"nonResourceAttributes": {"path": path, "verb": "get"}}
    group, resource = random_.choice([("", "pods"), ("", "configmaps"), ("", "secrets"), ("apps", "deployments"),
                                      ("", "nodes")])
    sub = {"pods": ["", "", "log"], "deployments": ["", "", "scale"]}.get(resource, [""])
    sub = random_.choice(sub)
    namespace = "" if resource == "nodes" else random_.choice(NAMESPACES + [""])
    verb = random_.choice(["get", "list", "watch", "create", "patch", "delete"])
    name = random_.choice(NAMES)
    if sub:
        verb = random_.choice(["get", "patch"]) if sub == "scale" else "get"
    if verb in ("list", "watch", "create"):
        name = ""
    if namespace == "" and resource != "nodes" and name:
        namespace = OTHER_NAMESPACE
    method = {"get": "GET", "list": "GET", "watch": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"}[verb]
    target = ("/apis/%s/v1" % group if group else "/api/v1") + ("/namespaces/" + namespace if namespace else "")
    target += "/" + resource + ("/" + name if name else "") + ("/" + sub if sub else "")
    if verb == "watch":
        target += "?watch=1&resourceVersion=x"  # let through, it is answered with a 400 at once
    return method, target, {"resourceAttributes": {"namespace": namespace, "verb": verb, "group": group,
                                                   "resource": resource, "subresource": sub, "name": name}}


def is_refused_here(answer):
    return answer.status == 403 and json.loads(answer.read()).get("message", "").endswith(NO_ROLE)


def test_the_api_server_agrees(live, cluster):
    """For random users and requests: the gateway refuses exactly what a SubjectAccessReview denies."""
    gateway, side = live
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)
    random_ = random.Random(seed)
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(random_policy(random_)))
    people = []
    for n in range(24):
        name, groups = random_.choice(USERS), random_.sample(TEAMS, random_.randint(0, 2))
        side.tokens["random-%d" % n] = cluster.issuer.token(sub=name, groups=groups)
        people.append((n, "oidc:" + name, ["oidc:" + g for g in groups] + ["system:authenticated"]))
    time.sleep(SECOND)
    conn, review = connect(side), "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    allowed = 0
    api = Side(cluster, cluster.tokens, "live-direct", cluster.url, "ca.crt")
    straight = connect(api)
    for _ in range(PAIRS):
        n, user, groups = random_.choice(people)
        method, target, attributes = random_request(random_)
        response = begin(conn, side, "random-%d" % n, method, target)
        refused = is_refused_here(response)
        response.read()
        asked = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
                 "spec": {**attributes, "user": user, "groups": groups}}
        answer = begin(straight, api, "admin", "POST", review, asked)
        status = json.loads(answer.read())["status"]
        assert refused != status["allowed"], (seed, user, groups, method, target, response.status, status)
        allowed += status["allowed"]
    assert PAIRS * 0.1 < allowed < PAIRS * 0.9, "of %d, %d were allowed: a poor test" % (PAIRS, allowed)


# ---- changes while watches are open ----

def open_watch(side, user):
    """A connection with a watch whose head has come."""
    conn = connect(side)
    conn.connect()
    head = "GET %s?watch=1&resourceVersion=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % (
        pods(side), side.tokens[user])
    conn.sock.sendall(head.encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += conn.sock.recv(4096)
    assert data.startswith(b"HTTP/1.1 200"), data[:200]
    conn.sock.setblocking(False)
    return conn


def has_ended(conn):
    """Whether the server closed it, or ended the answer."""
    data = b""
    try:
        while select.select([conn.sock], [], [], 0)[0] or conn.sock.pending():
            more = conn.sock.recv(65536)
            if not more:
                return True
            data += more
    except ssl.SSLWantReadError:
        pass
    return data.endswith(b"0\r\n\r\n")


def test_changes_disturb_no_watch(live, cluster):
    """1,000 changes, 200 watches: those that stay allowed stay, and then the one binding ends them all."""
    gateway, side = live
    cluster.request("POST", BINDINGS, role_binding("watched", "viewer", subject("User", "oidc:nina")))
    takes_effect(side, "nobody", True)
    watches = [open_watch(side, "nobody") for _ in range(WATCHES)]
    try:
        for n in range(CHANGES):
            who = subject("User", "oidc:changing-%d" % n)
            if n == 0:
                status = cluster.request("POST", BINDINGS, role_binding("changing", "viewer", who))[0]
            else:
                status = cluster.request("PUT", BINDINGS + "/changing", role_binding("changing", "viewer", who))[0]
            assert status in (200, 201)
        time.sleep(SECOND)
        assert [w for w in watches if has_ended(w)] == []
        cluster.request("DELETE", BINDINGS + "/watched")
        begin_s = time.monotonic()
        left = set(watches)
        until("end of the watches", lambda: not left.difference_update([w for w in left if has_ended(w)]) and not left, 10)
        assert time.monotonic() - begin_s < 2 * SECOND
        until("audit of their end", lambda: len([
            e for e in gateway.audit() if e["annotations"].get("kube-access-gateway/ended-by") == "policy"]) == WATCHES, 10)
    finally:
        for w in watches:
            w.close()


# ---- what a tenant may write ----

def test_odd_octets_in_one_role(live, cluster):
    """Who may write a Role chooses octets: NUL in rules and names, whatever in managedFields. Nobody is shut out."""
    _, side = live
    roles = BINDINGS.replace("rolebindings", "roles")
    fields = {"manager": "x", "operation": "Update", "apiVersion": "rbac.authorization.k8s.io/v1",
              "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1"}
    odd = rbac("Role", "odd\0", OTHER_NAMESPACE, rules=[{"verbs": ["\0"], "apiGroups": [""], "resources": ["\0"]}])
    odd["metadata"]["managedFields"] = [dict(fields, fieldsV1={"f:rules": {}, "f:\0": {}})]
    assert cluster.request("POST", roles, odd)[0] == 201
    assert takes_effect(side, "nobody", False) < SECOND
    binding = role_binding("beside", "viewer", subject("User", "oidc:nina"))
    assert cluster.request("POST", BINDINGS, binding)[0] == 201
    assert takes_effect(side, "nobody", True) < SECOND
    again = Gateway(cluster, "live-again", "live").start()
    try:
        beside = Side(cluster, cluster.tokens, "live-again", again.url, again.ca)
        assert ask(beside, "nobody", "GET", pods(beside)).status == 200
    finally:
        again.stop()
    cluster.request("DELETE", BINDINGS + "/beside")
    assert takes_effect(side, "nobody", False) < SECOND
