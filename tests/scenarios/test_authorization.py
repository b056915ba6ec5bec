"""Who may do what: the API server's sentences, and what decided."""
import pytest

from client import new_id

PODS = "/api/v1/namespaces/dev/pods"
POD = PODS + "/web"
NO_ROLE = "no role grants this"


def forbidden(gw, token, method, target, *fields, audit_id=None):
    with gw.connect() as c:
        a = c.ask(method, target, *fields, token=token, audit_id=audit_id)
    assert a.code == 403, (a.code, a.body)
    status = a.status()
    assert status["reason"] == "Forbidden"
    return status


@pytest.mark.parametrize("method,target,code", [
    ("GET", PODS, 200), ("GET", PODS + "?watch=0", 200), ("GET", POD, 200), ("HEAD", POD, 200),
    ("GET", POD + "/log", 200), ("POST", PODS, 403), ("DELETE", POD, 403), ("DELETE", PODS, 403), ("PATCH", POD, 403),
    ("GET", "/api/v1/namespaces/prod/pods", 403), ("GET", "/api/v1/pods", 403), ("GET", POD + "/status", 403),
    ("GET", "/api/v1/namespaces/dev/secrets", 403), ("GET", "/version", 403), ("GET", "/apis/apps/v1/pods", 403),
    ("GET", "/api/v1/watch/namespaces/dev/pods", 200), ("GET", PODS + "/%77eb", 200),
    ("GET", "/api/v1/namespaces/DEV/pods", 403), ("GET", POD + "/log?follow=1", 200)])
def test_a_reader(gw, world, upstream, method, target, code):
    """T-59, T-61, T-64: role bindings decide on the decoded attributes; nothing else allows."""
    with gw.connect() as c:
        assert c.ask(method, target, token=world.reader).code == code
    assert len(upstream.requests) == (code == 200)


@pytest.mark.parametrize("method,target,sentence,details", [
    ("GET", "/api/v1/namespaces/y/pods", 'pods is forbidden: User "noel" cannot list resource "pods" in API group "" '
     'in the namespace "y"', {"kind": "pods"}),
    ("PUT", "/apis/apps/v1/namespaces/y/deployments/web/scale", 'deployments.apps "web" is forbidden: User "noel" '
     'cannot update resource "deployments/scale" in API group "apps" in the namespace "y"',
     {"name": "web", "group": "apps", "kind": "deployments"}),
    ("GET", "/api/v1/nodes", 'nodes is forbidden: User "noel" cannot list resource "nodes" in API group "" at the '
     'cluster scope', {"kind": "nodes"}),
    ("GET", "/metrics", 'forbidden: User "noel" cannot get path "/metrics"', {}),
    ("GET", "/a&b", 'forbidden: User "noel" cannot get path "/a&amp;b"', {}),
    ("DELETE", "/api/v1/namespaces/y/pods?fieldSelector=metadata.name%3Da", 'pods is forbidden: User "noel" cannot '
     'deletecollection resource "pods" in API group "" in the namespace "y"', {"kind": "pods"}),
    ("GET", "/api/v1/namespaces/y/pods?fieldSelector=metadata.name%3Da&watch=1", 'pods "a" is forbidden: User "noel" '
     'cannot watch resource "pods" in API group "" in the namespace "y"', {"name": "a", "kind": "pods"})])
def test_forbidden_sentences(gw, world, upstream, method, target, sentence, details):
    """T-07: the API server's own sentence, then what decided."""
    status = forbidden(gw, world.nobody, method, target)
    assert status["message"] == sentence + ": " + NO_ROLE
    assert status["details"] == details
    assert upstream.requests == []


def test_names_are_quoted(gw, world, upstream):
    """T-07, T-132: a user's name and a path cannot end their quotes."""
    token = world.issuer.token('a"b\\c<d>\u00e9')
    message = forbidden(gw, token, "GET", "/x%22y")["message"]
    assert message.startswith('forbidden: User "a\\"b\\\\c&lt;d&gt;\u00e9" cannot get path "/x\\"y"')


def test_forbidden_answers_have_nosniff_and_are_not_cached(gw, world, upstream):
    """Semantics section 9."""
    a = gw.ask("GET", PODS, token=world.nobody)
    assert a.get("X-Content-Type-Options") == "nosniff" and "no-cache" in a.get("Cache-Control")


def test_what_audit_says_about_a_refusal(gw, world, upstream):
    """T-66, T-132: attributes, user, decision; one ResponseComplete."""
    audit_id = new_id()
    forbidden(gw, world.nobody, "GET", "/apis/apps/v1/namespaces/y/deployments/web/scale?pretty=1", "User-Agent: k/1",
              audit_id=audit_id)
    e = gw.event(audit_id)
    assert e["kind"] == "Event" and e["apiVersion"] == "audit.k8s.io/v1" and e["level"] == "Metadata"
    assert e["verb"] == "get" and e["user"] == {"username": "noel", "groups": ["system:authenticated"]}
    assert e["objectRef"] == {"resource": "deployments", "namespace": "y", "name": "web", "apiGroup": "apps",
                              "apiVersion": "v1", "subresource": "scale"}
    assert e["requestURI"] == "/apis/apps/v1/namespaces/y/deployments/web/scale?pretty=1"
    assert e["sourceIPs"] == ["127.0.0.1"] and e["userAgent"] == "k/1"
    assert e["responseStatus"]["code"] == 403 and e["responseStatus"]["reason"] == "Forbidden"
    assert e["annotations"]["authorization.k8s.io/decision"] == "forbid"
    assert e["annotations"]["kube-access-gateway/cluster"] == "prod"
    line = gw.wait_log("refused", audit_id)
    assert 'stage=authz' in line and 'user="noel"' in line and "source=127.0.0.1" in line


def test_what_audit_says_about_an_allowed_request(gw, world, upstream):
    """T-66, T-132: which binding allowed it."""
    audit_id = new_id()
    with gw.connect() as c:
        assert c.ask("GET", PODS, token=world.reader, audit_id=audit_id).code == 200
    e = gw.event(audit_id)
    assert e["responseStatus"] == {"metadata": {}, "code": 200}
    assert e["annotations"]["authorization.k8s.io/decision"] == "allow"
    reason = e["annotations"]["authorization.k8s.io/reason"]
    assert 'RoleBinding "reader/dev"' in reason and 'ClusterRole "reader"' in reason and 'Group "readers"' in reason
    assert e["annotations"]["kube-access-gateway/authorizer"] == "rbac"
    assert e["annotations"]["kube-access-gateway/issuer"] == world.issuer.url
    assert e["requestReceivedTimestamp"] <= e["stageTimestamp"]


@pytest.mark.parametrize("sub", ["exec", "attach", "portforward"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_streams_need_create(gw, world, upstream, sub, method):
    """With only get, GET and POST read alike, in the sentence for create."""
    token = world.issuer.token("leo", "lookers")
    status = forbidden(gw, token, method, "%s/%s?command=sh" % (POD, sub))
    assert status["message"] == ('pods "web" is forbidden: User "leo" cannot create resource "pods/%s" in API group '
                                 '"" in the namespace "dev": %s' % (sub, NO_ROLE))
    assert upstream.requests == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_streams_with_get_and_create(gw, world, upstream, method):
    token = world.issuer.token("rob", "runners")
    with gw.connect() as c:
        assert c.ask(method, POD + "/exec?command=sh", token=token).code == 200


def test_the_stream_rule_stands_in_audit(gw, world, upstream):
    audit_id = new_id()
    forbidden(gw, world.issuer.token("leo", "lookers"), "GET", POD + "/exec", audit_id=audit_id)
    e = gw.event(audit_id)
    assert e["annotations"]["kube-access-gateway/rule"] == "streams-need-create"
    assert e["annotations"]["authorization.k8s.io/decision"] == "forbid"


@pytest.mark.parametrize("user", ["system:admin", "system:serviceaccount:a:b", "system:", "system:anonymous"])
def test_reserved_user_names_are_refused(gw, world, upstream, user):
    """T-55: a token cannot yield a system: name."""
    before = gw.metric('authentication_rejected_total{reason="reserved"}')
    with gw.connect() as c:
        assert c.ask(token=world.issuer.token(user, "admins")).code == 401
    assert upstream.requests == []
    gw.wait_metric('authentication_rejected_total{reason="reserved"}', before + 1)


@pytest.mark.parametrize("group", ["system:masters", "system:nodes", "system:"])
def test_reserved_groups_give_nothing(gw, world, upstream, group):
    """T-55: dropped, or the identity refused; system:masters is never believed."""
    with gw.connect() as c:
        a = c.ask(token=world.issuer.token("eve", group))
    assert a.code in (401, 403)
    assert upstream.requests == []
    assert group not in gw.event(a.audit_id).get("user", {}).get("groups", [])


def test_order_upstream_lets_the_api_server_decide(make_gateway, make_upstream, world):
    """ALLOW with authorizer upstream; who is not known stays out."""
    up = make_upstream()
    gw = make_gateway(up)
    gw.cluster["authorization"] = {"order": ["rbac", "upstream"], "rbac": {"files": ["rbac.json"]}}
    gw.start()
    a = gw.ask("GET", PODS, token=world.nobody)
    assert a.code == 200
    assert gw.event(a.audit_id)["annotations"]["kube-access-gateway/authorizer"] == "upstream"
    assert gw.ask("GET", PODS, token="x.y.z").code == 401
    up.only()
