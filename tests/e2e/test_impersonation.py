"""Random impersonations, constrained ones included: the gateway's verdict and the API server's are the same."""
import json
import os
import random

import pytest

from gateway import Gateway
from wire import Answer, connect
from world import Side, rbac, subject

COUNT = 500
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
REVIEWS = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
NAMES = ["oidc:x", "oidc:y", "system:node:n1", "system:node:N1", "system:serviceaccount:ns-3:bot",
         "system:serviceaccount:ns-3:a:b", "system:serviceaccount:NS:bot", "system:anonymous", "plain"]
GROUPS = ["oidc:a", "oidc:b", "oidc:c", "system:masters", "system:unauthenticated", "system:authenticated", "dev"]
EXTRAS = ["Scope", "example.com%2Fa", "Example.com%2FA", "a%2", "b"]
VALUES = ["1", "2", "3"]
MODES = ["user-info", "serviceaccount", "arbitrary-node"]


def random_rules(random_):
    """What somebody may impersonate: enough of it that half of the questions are answered yes."""
    rules = []

    def add(groups, resources, verbs, names=()):
        names = [n for n in names if random_.random() < 0.5] if random_.random() < 0.4 else []
        rules.append({"apiGroups": groups, "resources": resources, "verbs": verbs,
                      **({"resourceNames": names} if names else {})})
    if random_.random() < 0.7:
        add([""], ["users"], ["impersonate"], NAMES)
    if random_.random() < 0.7:
        add([""], ["groups"], ["impersonate"], GROUPS)
    if random_.random() < 0.5:
        add([""], ["serviceaccounts"], ["impersonate"], ["bot"])
    if random_.random() < 0.6:
        add(["authentication.k8s.io"], ["uids", "userextras/scope", "userextras/example.com/a"], ["impersonate"], VALUES)
    for mode in MODES:
        if random_.random() < 0.6:
            add(["authentication.k8s.io"], ["selfsubjectreviews"], ["impersonate-on:%s:create" % mode])
        if random_.random() < 0.6:
            add(["authentication.k8s.io"], ["users", "nodes", "serviceaccounts"], ["impersonate:" + mode], NAMES + ["n1", "bot"])
        if random_.random() < 0.5:
            add(["authentication.k8s.io"], ["groups"], ["impersonate:" + mode], GROUPS + ["*"])
        if random_.random() < 0.5:
            add(["authentication.k8s.io"], ["uids", "userextras/*", "userextras/scope", "userextras/example.com/a"],
                ["impersonate:" + mode], VALUES + ["*"])
    return rules


def random_fields(random_):
    fields = []
    if random_.random() < 0.95:
        fields.append(("Impersonate-User", random_.choice(NAMES)))
    if random_.random() < 0.5:
        fields += [("Impersonate-Group", g) for g in random_.sample(GROUPS, random_.randrange(1, 6))]
    if random_.random() < 0.2:
        fields.append(("Impersonate-Uid", random_.choice(VALUES)))
    if random_.random() < 0.3:
        fields += [("Impersonate-Extra-" + random_.choice(EXTRAS), random_.choice(VALUES))
                   for _ in range(random_.randrange(1, 5))]
    return fields


def review(side, token, fields):
    """Who the API server takes it for: (status, userInfo or message)."""
    conn = connect(side)
    try:
        body = json.dumps(REVIEWS).encode()
        conn.putrequest("POST", REVIEW)
        for name, value in [("Authorization", "Bearer " + token), ("Content-Type", "application/json"),
                            ("Accept", "application/json"), ("Content-Length", str(len(body)))] + fields:
            conn.putheader(name, value)
        conn.endheaders(body)
        a = Answer(conn.getresponse())
    finally:
        conn.close()
    if a.status != 201:
        return a.status, None
    info = a.json()["status"]["userInfo"]
    return a.status, {**info, "groups": sorted(info.get("groups", []))}


def without_mode(answer):
    """A node is in system:nodes by a constrained mode only; the API server begins with the mode that worked last."""
    code, info = answer
    if info and info["username"].startswith("system:node:"):
        info = {**info, "groups": [g for g in info["groups"] if g != "system:nodes"]}
    return code, info


@pytest.fixture(scope="module")
def requestors(cluster):
    """Users with random rights to impersonate, and the gateway's own credential, which may all of it."""
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    print("seed", seed)
    random_ = random.Random(seed)
    names = ["imp-%d" % n for n in range(12)]
    items = []
    for name in names:
        items += [rbac("ClusterRole", name, rules=random_rules(random_)),
                  rbac("ClusterRoleBinding", name, subjects=[subject("User", "oidc:" + name)],
                       roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name})]
    items += [rbac("ClusterRole", "the-gateway", rules=[
                  {"apiGroups": ["", "authentication.k8s.io"], "resources": ["*"], "verbs": ["impersonate"]}]),
              rbac("ClusterRoleBinding", "the-gateway", subjects=[subject("User", "the-gateway")],
                   roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "the-gateway"})]
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    cluster.cert("the-gateway", "/CN=the-gateway", "ca")
    yield random_, {name: cluster.issuer.token(name) for name in names}
    cluster.kubectl("delete", "clusterrolebinding", *names, "the-gateway")


@pytest.mark.parametrize("identity", ["passthrough", "impersonate"])
def test_as_the_api_server_does(cluster, requestors, identity):
    random_, tokens = requestors
    gateway = Gateway(cluster, "impersonation-" + identity, "rbac", identity=identity)
    os.makedirs(gateway.work, exist_ok=True)
    gateway.sources = "      impersonation: true"
    if identity == "impersonate":
        gateway.write("own.crt", cluster.read("the-gateway.crt"))
        gateway.write("own.key", cluster.read("the-gateway.key"))
        gateway.credentials = "      credentials: {certFile: own.crt, keyFile: own.key}"
    gateway.start()
    try:
        side = Side(cluster, cluster.tokens, "impersonation-" + identity, gateway.url, gateway.ca)
        straight = Side(cluster, cluster.tokens, "impersonation-straight-" + identity, cluster.url, cluster.path("ca.crt"))
        codes = {}
        for _ in range(COUNT):
            token, fields = random_.choice(list(tokens.values())), random_fields(random_)
            seen, wanted = review(side, token, fields), review(straight, token, fields)
            if identity == "impersonate":
                seen, wanted = without_mode(seen), without_mode(wanted)
            assert seen == wanted, fields
            codes[seen[0]] = codes.get(seen[0], 0) + 1
        print(codes)
        as_vera = ["--as=oidc:vera", "--as-group=oidc:viewers", "--as-uid=u-1", "--as-user-extra=example.com/room=1"]
        seen, wanted = (json.loads(s.kubectl("admin", "auth", "whoami", "-o", "json", *as_vera).stdout)["status"]["userInfo"]
                        for s in (side, straight))
        assert seen == wanted and seen["username"] == "oidc:vera" and seen["uid"] == "u-1"
        seen, wanted = (s.kubectl("nobody", "get", "--raw", "/api/v1/pods", "--as=oidc:vera", check=False) for s in (side, straight))
        assert seen.returncode == wanted.returncode == 1
        assert seen.stderr.strip() == wanted.stderr.strip() + ": no role grants this"
        assert codes[201] > COUNT / 20 and codes[403] > COUNT / 20 and codes.get(400, 0) > 0
    finally:
        gateway.stop()
