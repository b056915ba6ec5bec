"""Access rules at the door: what they refuse, in whose name, and what only a shadow says."""
import json
import time

import pytest

from client import new_id

PODS = "/api/v1/namespaces/dev/pods"
EXEC = PODS + "/web/exec?command=sh"


@pytest.fixture
def ruled(make_gateway, upstream):
    """A gateway with the given rules and three addresses: 127.0.0.1 is the bastion."""
    def make(*rules):
        gw = make_gateway(upstream)
        gw.config["networks"] = {"bastion": ["127.0.0.1"], "vpn": ["127.0.0.0/29"]}
        gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/8"]}
        gw.cluster["accessRules"] = list(rules)
        return gw.start()
    return make


def ask(gw, method, target, source="127.0.0.1", token=None, audit_id=None):
    with gw.connect(source=source) as c:
        return c.ask(method, target, token=token or gw.world.admin, audit_id=audit_id)


def test_a_rule_refuses_by_network(ruled, world, upstream):
    """T-61, T-07: the API server's sentence, then the rule and what it requires; audit names both."""
    gw = ruled({"name": "exec-from-bastion", "match": {"resources": ["pods/exec"], "namespaces": ["dev"]},
                "require": {"networks": ["bastion"]}})
    audit_id = new_id()
    a = ask(gw, "POST", EXEC, "127.0.0.2", audit_id=audit_id)
    assert a.code == 403
    assert a.status()["message"] == (
        'pods "web" is forbidden: User "ann" cannot create resource "pods/exec" in API group "" in the namespace '
        '"dev": access rule "exec-from-bastion" requires network bastion')
    assert a.status()["details"] == {"name": "web", "kind": "pods"}
    notes = gw.event(audit_id)["annotations"]
    assert notes["authorization.k8s.io/decision"] == "forbid"
    assert notes["authorization.k8s.io/reason"] == 'access rule "exec-from-bastion" requires network bastion'
    assert notes["kube-access-gateway/rule"] == "exec-from-bastion"
    assert notes["kube-access-gateway/network"] == "vpn"  # the first that has the address
    gw.wait_log("refused audit-id=" + audit_id, "stage=access-rule", "exec-from-bastion")
    assert gw.metric('refusals_total{stage="rule"}') == 1
    assert upstream.requests == []
    assert ask(gw, "POST", EXEC).code == 200
    assert ask(gw, "GET", PODS, "127.0.0.2").code == 200


@pytest.mark.parametrize("method,target,code", [
    ("GET", EXEC, 403), ("POST", EXEC, 403), ("GET", "/api/v1/nodes/n/proxy/exec/dev/web/c", 403),
    ("GET", PODS + "/web", 200), ("GET", "/api/v1/nodes/n", 200),
    ("GET", "/api/v1/namespaces/dev/secrets", 403), ("GET", "/api/v1/secrets", 403),
    ("GET", "/api/v1/secrets?watch=1", 403), ("DELETE", "/api/v1/secrets", 403),
    ("GET", "/api/v1/watch/secrets", 403), ("GET", "/api/v1/namespaces//secrets", 400),
    ("GET", "/api/v1/secrets?fieldSelector=metadata.namespace%3Dlab", 403),
    ("GET", "/api/v1/namespaces/lab/secrets", 200)])
def test_wide_requests_touch_what_a_rule_names(ruled, method, target, code):
    """T-59: all namespaces, a node's proxy, a stream by GET."""
    gw = ruled({"name": "exec", "match": {"namespaces": ["dev"], "resources": ["pods/exec"], "verbs": ["create"]},
                "require": {"groups": ["nobody"]}},
               {"name": "secrets", "match": {"namespaces": ["dev"], "resources": ["secrets"]},
                "require": {"groups": ["nobody"]}})
    assert ask(gw, method, target).code == code


def test_a_rule_gives_no_right(ruled, world):
    """T-61: it narrows only; who meets it still needs a role."""
    gw = ruled({"name": "all", "require": {"networks": ["bastion"]}})
    a = ask(gw, "GET", PODS, token=world.nobody)
    assert a.code == 403 and a.status()["message"].endswith(": no role grants this")


def test_a_shadow_rule_refuses_nothing(ruled):
    """Counted and audited, with all of its names."""
    rule = {"mode": "shadow", "match": {"verbs": ["list"]}, "require": {"groups": ["nobody"]}}
    gw = ruled({"name": "one", **rule}, {"name": "two", **rule}, {"name": "three", "mode": "shadow",
                                                                   "require": {"networks": ["bastion"]}})
    audit_id = new_id()
    assert ask(gw, "GET", PODS, audit_id=audit_id).code == 200
    assert gw.event(audit_id)["annotations"]["kube-access-gateway/shadow"] == "one,two"
    assert gw.metric("shadow_refusals_total") == 1
    audit_id = new_id()
    assert ask(gw, "GET", PODS + "/web", audit_id=audit_id).code == 200
    assert "kube-access-gateway/shadow" not in gw.event(audit_id)["annotations"]


def test_times(ruled):
    """A window that is now, and one that is not."""
    now = time.time()
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    today = days[time.gmtime(now + 120).tm_wday]
    other = days[(days.index(today) + 3) % 7]
    gw = ruled({"name": "now", "match": {"verbs": ["get"]}, "require": {"times": [{"days": [today]}, {
        "days": [days[time.gmtime(now).tm_wday]]}]}},
        {"name": "not-now", "match": {"verbs": ["list"]}, "require": {"times": [{"days": [other]}]}})
    assert ask(gw, "GET", PODS + "/web").code == 200
    a = ask(gw, "GET", PODS)
    assert a.code == 403 and a.status()["message"].endswith(
        'access rule "not-now" requires the time %s 00:00-24:00 UTC' % other)


@pytest.mark.parametrize("rule,words", [
    ({"name": "x"}, "require: is required"),
    ({"name": "x", "require": {}}, "must name one of networks, users, groups"),
    ({"require": {"users": ["a"]}}, "name: is required"),
    ({"name": "x", "require": {"networks": ["home"]}}, '"home" is no network'),
    ({"name": "x", "require": {"networks": []}}, "must not be empty"),
    ({"name": "x", "require": {"clientCertificate": True}}, "nobody can meet this"),
    ({"name": "x", "require": {"times": [{"from": "7:00"}]}}, "no time of the day"),
    ({"name": "x", "require": {"times": [{"from": "24:01"}]}}, "no time of the day"),
    ({"name": "x", "require": {"times": [{"from": "07:00", "to": "07:00"}]}}, "are the same"),
    ({"name": "x", "require": {"times": [{"days": ["monday"]}]}}, "is not one of: sun, mon"),
    ({"name": "x", "require": {"times": [{"timeZone": "Mars/Base"}]}}, "no such zone"),
    ({"name": "x", "mode": "audit", "require": {"users": ["a"]}}, "is not one of: enforce, shadow"),
    ({"name": "x", "match": {"users": []}, "require": {"users": ["a"]}}, "leave the field out for any"),
    ({"name": "x", "match": {"resources": ["pods/"]}, "require": {"users": ["a"]}}, "is none of: pods, pods/exec"),
    ({"name": "x", "match": {"resource": ["pods"]}, "require": {"users": ["a"]}}, "unknown field"),
    ({"name": "x", "match": {"namespaceSelector": {"matchLabels": {"a": "b"}}}, "require": {"users": ["a"]}},
     "needs authorization.rbac.live"),
    ({"name": "x", "match": {"namespaces": "prod"}, "require": {"users": ["a"]}}, "must be a list"),
    ({"name": "x", "match": {"users": ["*"]}, "require": {"users": ["a"]}}, "no wildcards here"),
    ({"name": "x", "match": {"groups": ["*"]}, "require": {"users": ["a"]}}, "no wildcards here"),
    ({"name": "x", "match": {"names": ["*"]}, "require": {"users": ["a"]}}, "no wildcards here"),
    ({"name": "x", "match": {"namespaces": ["*"]}, "require": {"users": ["a"]}}, "no wildcards here"),
    ({"name": "x", "match": {"namespaces": ["prod-*"]}, "require": {"users": ["a"]}}, "no wildcards here"),
    ({"name": "x", "match": {"namespaces": ["Prod"]}, "require": {"users": ["a"]}}, "no namespace has such a name"),
    ({"name": "x", "match": {"namespaces": [""]}, "require": {"users": ["a"]}}, "must not be empty"),
    ({"name": "x", "match": {"namespaces": ["-a"]}, "require": {"users": ["a"]}}, "no namespace"),
    ({"name": "x", "match": {"namespaces": ["x" * 64]}, "require": {"users": ["a"]}}, "no namespace"),
    ({"name": "x", "match": {"apiGroups": ["core"]}, "require": {"users": ["a"]}}, "the core group is"),
    ({"name": "x", "match": {"apiGroups": ["apps/v1"]}, "require": {"users": ["a"]}}, "without its version"),
    ({"name": "x", "match": {"apiGroups": ["*.example.com"]}, "require": {"users": ["a"]}}, "no API group"),
    ({"name": "x", "match": {"apiGroups": ["Apps"]}, "require": {"users": ["a"]}}, "no API group"),
    ({"name": "x", "match": {"resources": ["Pods"]}, "require": {"users": ["a"]}}, "in lower case, in the plural"),
    ({"name": "x", "match": {"resources": ["pods*"]}, "require": {"users": ["a"]}}, "is none of"),
    ({"name": "x", "match": {"resources": ["pods/ex*"]}, "require": {"users": ["a"]}}, "is none of"),
    ({"name": "x", "match": {"resources": ["*/*"]}, "require": {"users": ["a"]}}, "is none of"),
    ({"name": "x", "match": {"nonResourceURLs": ["metrics"]}, "require": {"users": ["a"]}}, "begins with a slash"),
    ({"name": "x", "match": {"nonResourceURLs": ["/a/*/b"]}, "require": {"users": ["a"]}}, "at the end only"),
    ({"name": "x", "match": {"nonResourceURLs": ["*/metrics"]}, "require": {"users": ["a"]}}, "begins with a slash")])
def test_bad_rules_are_told(make_gateway, upstream, rule, words):
    """Every mistake with its line and field; serve starts with none of them."""
    gw = make_gateway(upstream)
    gw.cluster["accessRules"] = [rule]
    gw.write()
    text = json.dumps(rule)
    out = gw.check()
    assert out.returncode == 1, text
    assert "accessRules[0]" in out.stderr or "times.timeZone" in out.stderr, out.stderr
    assert words in out.stderr, out.stderr


@pytest.mark.parametrize("match", [
    {"users": ["a*"]}, {"groups": ["system:masters"]}, {"names": ["a*b"]}, {"namespaces": ["a", "0-9", "x" * 63]},
    {"apiGroups": ["", "apps", "*", "rbac.authorization.k8s.io"]}, {"resources": ["*", "pods/*", "*/scale", "pods/exec"]},
    {"nonResourceURLs": ["/", "*", "/x*", "/x/*"]}, {"verbs": ["get", "list", "watch", "*"]}])
def test_rules_that_may_match_are_taken(make_gateway, match):
    """And without a word of warning."""
    gw = make_gateway()
    gw.cluster["accessRules"] = [{"name": "x", "match": match, "require": {"users": ["a"]}}]
    gw.write()
    out = gw.check()
    assert out.returncode == 0 and "accessRules" not in out.stderr, out.stderr


@pytest.mark.parametrize("verb", ["GET", "exec", "read", "gte"])
def test_verbs_that_no_request_has_are_warned_of(make_gateway, verb):
    """A custom verb of an access review may be meant, so it is no error."""
    gw = make_gateway()
    gw.cluster["accessRules"] = [{"name": "x", "match": {"verbs": [verb]}, "require": {"users": ["a"]}}]
    gw.write()
    out = gw.check()
    assert out.returncode == 0
    assert 'accessRules[0].match.verbs: no request has the verb "%s"' % verb in out.stderr
