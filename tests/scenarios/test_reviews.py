"""`kubectl auth can-i` tells the truth: a no of the gateway is answered here, a yes is the API server's to give."""
import json
import time

import pytest

from client import new_id, request
from upstream import answer

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
YES = b'{"kind":"SelfSubjectAccessReview","status":{"allowed":true}}'
PROTOBUF = "application/vnd.kubernetes.protobuf"


def pb(number, data):
    if isinstance(data, str):
        data = data.encode()
    size, out = len(data), b""
    while size > 127:
        out += bytes([size & 127 | 128])
        size >>= 7
    return bytes([number << 3 | 2]) + out + bytes([size]) + data


def as_protobuf(resource=None, path=None):
    """As kubectl 1.36 sends it."""
    names = ["namespace", "verb", "group", "version", "resource", "subresource", "name"]
    if resource is not None:
        spec = pb(1, b"".join(pb(i + 1, resource.get(n, "")) for i, n in enumerate(names)))
    else:
        spec = pb(2, pb(1, path["path"]) + pb(2, path["verb"]))
    raw = pb(1, pb(1, "") + pb(2, "") + pb(3, "")) + pb(2, spec) + pb(3, b"\x08\0\x12\0")
    return b"k8s\0" + pb(1, pb(1, "authorization.k8s.io/v1") + pb(2, "SelfSubjectAccessReview")) + pb(2, raw) + \
        pb(3, "") + pb(4, "")


def as_json(resource=None, path=None):
    spec = {"resourceAttributes": resource} if resource is not None else {"nonResourceAttributes": path}
    return json.dumps({"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                       "spec": spec, "status": {"allowed": False}}).encode()


FORMS = {"json": (as_json, "application/json"), "protobuf": (as_protobuf, PROTOBUF)}


def pods(verb="list", **more):
    return {"namespace": "dev", "verb": verb, "version": "v1", "resource": "pods", **more}


@pytest.fixture
def asking(make_gateway, upstream):
    """A gateway where everybody may ask reviews, readers read pods of dev, and exec needs the bastion."""
    def script(ex):
        ex.read()
        ex.send(answer(YES, "201 Created"))
    upstream.script = script
    gw = make_gateway(upstream)
    policy = json.loads(gw.read("rbac.json"))
    policy["items"] += [
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "basic"}, "rules": [
            {"apiGroups": ["authorization.k8s.io"], "verbs": ["create"],
             "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]}]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "basic"},
         "roleRef": {"kind": "ClusterRole", "name": "basic"},
         "subjects": [{"kind": "Group", "name": "system:authenticated"}]}]
    gw.write_json("rbac.json", policy)
    gw.config["networks"] = {"bastion": ["127.0.0.1"]}
    gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/8"]}
    gw.cluster["accessRules"] = [{"name": "exec-from-bastion", "match": {"resources": ["pods/exec"]},
                                  "require": {"networks": ["bastion"]}}]
    return gw.start()


def ask(gw, body, kind="application/json", token=None, source="127.0.0.1", audit_id=None, target=REVIEWS, fields=()):
    with gw.connect(source=source) as c:
        return c.ask("POST", target, "Content-Type: " + kind, *fields, token=token or gw.world.reader, body=body,
                     audit_id=audit_id)


@pytest.mark.parametrize("form", FORMS)
def test_a_no_is_answered_here(asking, upstream, form):
    """201, allowed false, the reason that the request itself would get; nothing goes upstream."""
    make, kind = FORMS[form]
    audit_id = new_id()
    a = ask(asking, make(pods("delete")), kind, audit_id=audit_id)
    assert a.code == 201 and a.get("Content-Type") == "application/json"
    document = json.loads(a.body)
    assert document["kind"] == "SelfSubjectAccessReview"
    assert document["apiVersion"] == "authorization.k8s.io/v1"
    assert document["spec"]["resourceAttributes"] == pods("delete")
    assert document["status"] == {"allowed": False, "reason": "no role grants this"}
    assert upstream.requests == []
    event = asking.event(audit_id)
    assert event["responseStatus"]["code"] == 201
    assert event["annotations"]["authorization.k8s.io/decision"] == "allow"  # to ask
    assert event["annotations"]["kube-access-gateway/answered-by"] == "gateway"
    assert asking.metric("access_reviews_answered_total") == 1


@pytest.mark.parametrize("form", FORMS)
def test_a_yes_is_the_api_servers(asking, upstream, form):
    """The same octets go on, and its answer stands."""
    make, kind = FORMS[form]
    body = make(pods())
    a = ask(asking, body, kind)
    assert a.code == 201 and a.body == YES
    ex = upstream.only()
    assert ex.body == body and ex.get("Content-Type") == kind
    assert asking.metric("access_reviews_answered_total") == 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source,here", [("127.0.0.1", False), ("127.0.0.2", True)])
def test_access_rules_count(asking, world, upstream, form, source, here):
    """This network, now."""
    make, kind = FORMS[form]
    a = ask(asking, make(pods("create", subresource="exec")), kind, token=world.admin, source=source)
    assert a.code == 201 and len(upstream.requests) == (not here)
    if here:
        assert json.loads(a.body)["status"]["reason"] == \
            'access rule "exec-from-bastion" requires network bastion'


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("question,here", [
    ({"verb": "get", "resource": "pods"}, True), ({"verb": "delete", "resource": "pods", "name": "web"}, True),
    ({"verb": "get", "resource": "pods", "namespace": "prod"}, True),
    ({"verb": "get", "resource": "pods", "namespace": "dev"}, False),
    ({"verb": "get", "resource": "nodes", "name": "n"}, False),
    ({"verb": "get", "resource": "nodes", "namespace": "prod"}, False),
    ({"verb": "list", "resource": "nodes", "namespace": "dev"}, True),
    ({"verb": "get", "resource": "namespaces", "namespace": "dev", "name": "prod"}, True)])
def test_all_namespaces(asking, world, upstream, form, question, here):
    """T-61: `can-i -A` asks about each namespace, so a rule on one of them counts; what has none is in none."""
    asking.cluster["accessRules"].append({"name": "prod", "match": {"namespaces": ["prod"]},
                                          "require": {"groups": ["nobody"]}})
    asking.reload()
    make, kind = FORMS[form]
    a = ask(asking, make(question), kind, token=world.admin)
    assert a.code == 201 and len(upstream.requests) == (not here)
    if here:
        assert json.loads(a.body)["status"]["reason"] == 'access rule "prod" requires group nobody'


@pytest.mark.parametrize("form", FORMS)
def test_paths(asking, world, upstream, form):
    make, kind = FORMS[form]
    question = {"path": "/metrics", "verb": "get"}
    a = ask(asking, make(None, question), kind)
    document = json.loads(a.body)
    assert document["spec"] == {"nonResourceAttributes": question} and not document["status"]["allowed"]
    assert ask(asking, make(None, question), kind, token=world.admin).body == YES
    assert len(upstream.requests) == 1


def test_streams_need_create_here_too(asking, world, upstream):
    """A get on exec is refused at the door, so can-i says no."""
    looker = world.issuer.token("lou", "lookers")
    a = ask(asking, as_json(pods("get", subresource="exec")), token=looker)
    assert not json.loads(a.body)["status"]["allowed"] and upstream.requests == []


@pytest.mark.parametrize("body,kind", [
    (b"{", "application/json"), (b"", "application/json"), (b"{}", "application/json"),
    (b'{"spec":{"resourceAttributes":{},"nonResourceAttributes":{}}}', "application/json"),
    (b"k8s\0\xff", PROTOBUF), (as_json(pods("delete")), PROTOBUF), (as_protobuf(pods("delete")), "application/json"),
    (b"kind: SelfSubjectAccessReview\n", "application/yaml"), (as_json(pods("delete")), "text/plain")])
def test_what_is_not_understood_goes_on(asking, upstream, body, kind):
    """The API server says what is wrong with it."""
    assert ask(asking, body, kind).body == YES
    assert upstream.only().body == body
    assert asking.metric("access_reviews_unheld_total") == (kind in ("application/yaml", "text/plain"))


@pytest.mark.parametrize("size,here", [(65536, True), (65537, False), (300000, False)])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_limit(asking, upstream, size, here, chunked):
    """T-05: 64 KiB are held, at the ceiling and one above."""
    body = as_json(pods("delete"))
    body += b" " * (size - len(body))
    with asking.connect() as c:
        if chunked:
            c.send(request("POST", REVIEWS, "Transfer-Encoding: chunked", token=asking.world.reader))
            for at in range(0, size, 10000):
                part = body[at:at + 10000]
                c.send(b"%x\r\n%s\r\n" % (len(part), part))
            c.send(b"0\r\n\r\n")
        else:
            c.send(request("POST", REVIEWS, token=asking.world.reader, body=body))
        a = c.answer("POST")
        assert a.code == 201
        assert json.loads(a.body)["status"]["allowed"] != here
        # The connection goes on.
        assert c.ask("GET", "/api/v1/namespaces/dev/pods", token=asking.world.reader).code == 201
    assert len(upstream.requests) == 1 + (not here)
    if not here:
        assert upstream.requests[0].body == body
    assert asking.metric("access_reviews_unheld_total") == (not here)


def test_what_is_too_long_by_its_length_is_not_waited_for(asking, upstream):
    """T-05: nothing of it is held, so the API server hears of it before it is here."""
    with asking.connect() as c:
        c.send(request("POST", REVIEWS, "Content-Length: 65537", token=asking.world.reader) + b"{")
        upstream.wait(1)
        c.send(b" " * 65536)
        assert c.answer("POST").body == YES
    assert asking.metric("access_reviews_unheld_total") == 1


def test_a_long_reason(asking, world, upstream):
    """T-05: a reason that does not fit is not cut off but left out."""
    asking.cluster["accessRules"] = [{"name": "long-%s" % ("x" * 3000), "require": {"groups": ["nobody"]},
                                      "match": {"namespaces": ["dev"]}}]
    asking.reload()
    a = ask(asking, as_json(pods()), token=world.admin)
    assert json.loads(a.body)["status"] == {"allowed": False, "reason": "not allowed by the gateway"}
    assert upstream.requests == []


def test_a_body_in_pieces(asking, upstream):
    """Octet by octet, and with Expect: 100-continue."""
    body = as_json(pods("delete"))
    with asking.connect() as c:
        c.send(request("POST", REVIEWS, "Expect: 100-continue", "Content-Length: %d" % len(body),
                       token=asking.world.reader))
        assert c.head().code == 100
        for i in range(len(body)):
            c.send(body[i:i + 1])
        assert c.answer("POST").code == 201
    assert upstream.requests == []


def test_a_cut_body(asking, upstream):
    """T-24: never a whole request."""
    with asking.connect() as c:
        c.send(request("POST", REVIEWS, "Content-Length: 100", token=asking.world.reader) + b'{"spec":')
        time.sleep(0.1)
    asking.wait_metric("exchanges", 0)
    assert upstream.requests == []
    with asking.connect() as c:
        c.send(request("POST", REVIEWS, "Transfer-Encoding: chunked", token=asking.world.reader) + b"zz\r\n")
        assert c.answer("POST").code == 400
    assert upstream.requests == []


def test_other_requests_are_not_held(asking, world, upstream):
    """Only creations of v1 reviews of the caller."""
    for target in (REVIEWS.replace("/v1/", "/v1beta1/"), REVIEWS + "/x", REVIEWS.replace("selfsubject", "subject")):
        assert ask(asking, as_json(pods("delete")), token=world.admin, target=target).body == YES
    assert asking.metric("access_reviews_answered_total") == 0


def test_a_long_question(asking, upstream):
    """The answer does not repeat what does not fit."""
    a = ask(asking, as_json(pods("delete", name="\x01" * 5000)))
    assert a.code == 201 and not json.loads(a.body)["status"]["allowed"]
    assert json.loads(a.body)["spec"]["resourceAttributes"] == {}


def test_rules_reviews_carry_a_warning(asking, world, upstream):
    """`kubectl auth can-i --list` shows what the API server knows, and says what it does not."""
    a = ask(asking, b'{"spec":{"namespace":"dev"}}', target=RULES)
    assert a.code == 201 and a.body == YES
    assert a.get("Warning").startswith('299 - "access rules of the gateway narrow what is listed')
    asking.cluster["accessRules"][0]["match"]["users"] = ["somebody"]
    asking.reload()
    assert ask(asking, b'{"spec":{"namespace":"dev"}}', target=RULES).get("Warning") is None


def halves(gw, body, token, audit_id):
    """A review whose second half is still to come."""
    c = gw.connect()
    whole = request("POST", REVIEWS, "Content-Type: application/json", token=token, body=body, audit_id=audit_id)
    c.send(whole[:-len(body) // 2])
    gw.wait_metric("exchanges", 1)
    time.sleep(0.2)
    return c, whole[-len(body) // 2:]


def without(gw, *names):
    policy = json.loads(gw.read("rbac.json"))
    policy["items"] = [x for x in policy["items"]
                       if x["metadata"]["name"] not in names or x["kind"] == "ClusterRole"]
    gw.write_json("rbac.json", policy)


def test_a_held_review_is_judged_by_the_policy_of_now(asking, world, upstream):
    """T-65: what it asks about was allowed when it came, and is not when it is whole."""
    audit_id = new_id()
    c, rest = halves(asking, as_json(pods("list")), world.reader, audit_id)
    without(asking, "reader")
    asking.reload()
    c.send(rest)
    a = c.answer()
    assert a.code == 201 and json.loads(a.body)["status"]["allowed"] is False
    assert upstream.requests == []


@pytest.mark.parametrize("change", ["policy", "ranges"])
def test_who_may_not_ask_any_more_gets_no_answer(asking, world, upstream, change):
    """T-65, T-130: judged again, whole, while it is held."""
    audit_id = new_id()
    c, _ = halves(asking, as_json(pods("list")), world.reader, audit_id)
    if change == "policy":
        without(asking, "basic")
    else:
        asking.cluster["authorizedRanges"]["deny"] = ["127.0.0.1/32"]
    asking.reload()
    a = c.answer()
    assert a.code == 403 and a.status()["kind"] == "Status"
    event = asking.event(audit_id)
    assert event["responseStatus"]["code"] == 403
    assert event["annotations"]["kube-access-gateway/ended-by"] == change
    assert upstream.requests == []
    assert len(asking.events(audit_id)) == 1


def test_a_held_review_that_stays_allowed_goes_on(asking, world, upstream):
    """T-127: a reload in the midst of it costs nothing."""
    c, rest = halves(asking, as_json(pods("list")), world.reader, new_id())
    asking.reload()
    c.send(rest)
    assert c.answer().body == YES
    assert len(upstream.requests) == 1


def test_a_client_that_leaves_a_held_review(asking, world, upstream):
    """T-02: one ResponseComplete, and nothing goes upstream."""
    audit_id = new_id()
    c, _ = halves(asking, as_json(pods("list")), world.reader, audit_id)
    c.close()
    asking.wait_metric("exchanges", 0)
    assert asking.event(audit_id)["stage"] == "ResponseComplete"
    assert len(asking.events(audit_id)) == 1 and upstream.requests == []
