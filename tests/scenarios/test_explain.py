"""explain: decisions as data, and for people; offline, with nothing but files."""
import json
from functools import partial

import pytest

import command
from gateway import rbac

PODS = "/api/v1/namespaces/dev/pods"

run = partial(command.run, "explain")
batch = partial(command.batch, "explain")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "rbac.json").write_text(json.dumps(rbac()))
    (tmp_path / "ranges.txt").write_text("10.0.0.0/8 # office\n2001:db8::/32\n")
    (tmp_path / "deny.txt").write_text("10.66.0.0/16\n")
    (tmp_path / "none.txt").write_text("# nobody\n")
    return tmp_path


def test_attributes(files):
    """T-59: to method and target; each field present, what the API server cannot read as an error."""
    a, b, c, d = batch((), {"id": "a", "method": "GET", "target": PODS + "?fieldSelector=metadata.name=x&watch=1"},
                       {"id": "b", "method": "GET", "target": "/api/v1/watch"},
                       {"id": "c", "method": "GET", "target": "pods"}, {"id": "d", "method": "PUT", "target": "/x/y"})
    assert a == {"id": "a", "attributes": {
        "isResource": True, "path": PODS, "verb": "watch", "apiPrefix": "api", "apiGroup": "", "apiVersion": "v1",
        "namespace": "dev", "resource": "pods", "subresource": "", "name": "x", "parts": ["pods"],
        "fieldSelector": "metadata.name=x", "labelSelector": ""}}
    assert b == {"id": "b", "attributes": {"error": "request-info"}}
    assert c == {"id": "c", "attributes": {"error": "invalid-target"}}
    assert d["attributes"]["parts"] == [] and d["attributes"]["isResource"] is False


@pytest.mark.parametrize("count", [63, 64, 65, 200])
def test_many_parts(count):
    """Beyond what the server keeps, all of them show."""
    parts = ["p%d" % i for i in range(count)]
    answer, = batch((), {"method": "GET", "target": "/api/v1/" + "/".join(parts) + "//"})
    assert answer["attributes"]["parts"] == parts


def test_decisions(files):
    """The authorizer, the API server's sentence, and the rule."""
    args = ("--rbac", str(files / "rbac.json"))
    yes, no, masters = batch(
        args, {"id": "1", "method": "GET", "target": PODS, "user": {"name": "u", "groups": ["readers"]}},
        {"id": "2", "attributes": {"isResource": True, "verb": "delete", "resource": "pods", "namespace": "dev"},
         "user": {"name": "u", "groups": ["readers"]}},
        {"id": "3", "attributes": {"verb": "get", "path": "/x"}, "user": {"name": "u", "groups": ["system:masters"]}})
    del yes["attributes"]
    assert yes == {"id": "1", "decision": "allow", "authorizer": "rbac",
                   "reason": 'RBAC: allowed by RoleBinding "reader/dev" of ClusterRole "reader" to Group "readers"',
                   "rule": {"binding": {"kind": "RoleBinding", "namespace": "dev", "name": "reader"},
                            "role": {"kind": "ClusterRole", "namespace": "", "name": "reader"}}}
    assert no == {"id": "2", "decision": "no_opinion", "reason": ""}
    assert masters == {"id": "3", "decision": "allow", "authorizer": "masters", "reason": ""}


def test_only_what_was_asked(files):
    """No user, no decision; no address, no range; nothing known of ranges, none."""
    args = ("--rbac", str(files / "rbac.json"))
    assert batch(args, {"id": "1", "sourceIP": "10.0.0.1"}, {"id": "2", "user": {"name": "u"}}, {"id": "3"}) == [
        {"id": "1"}, {"id": "2"}, {"id": "3"}]
    assert batch(("--ranges", str(files / "ranges.txt")), {"id": "1", "sourceIP": "10.0.0.1", "user": {"name": "u"},
                                                           "attributes": {"verb": "get", "path": "/"}}) == [
        {"id": "1", "admitted": True, "range": "10.0.0.0/8"}]


@pytest.mark.parametrize("ranges,deny,address,want", [
    ("ranges.txt", None, "10.1.2.3", (True, "10.0.0.0/8")), ("ranges.txt", None, "::ffff:10.1.2.3", (True, "10.0.0.0/8")),
    ("ranges.txt", None, "2001:db8::1", (True, "2001:db8::/32")), ("ranges.txt", None, "192.0.2.1", (False, None)),
    ("ranges.txt", "deny.txt", "10.66.1.1", (False, "10.66.0.0/16")), ("none.txt", None, "10.0.0.1", (False, None))])
def test_ranges(files, ranges, deny, address, want):
    """T-89, T-92: the prefix that decided, in canonical form."""
    args = ["--ranges", str(files / ranges)] + (["--deny-ranges", str(files / deny)] if deny else [])
    answer, = batch(args, {"sourceIP": address})
    assert (answer["admitted"], answer.get("range")) == want


def test_lines_that_are_not_understood(files):
    """Each has its error and the batch goes on; the exit status tells."""
    answers = batch((), "", "{", "[]", {"id": 1}, {"id": "a", "method": "GET"}, {"id": "b", "user": {"name": 1}},
                    {"id": "c", "user": []}, {"id": "d", "sourceIP": "10.0.0.0/8"},
                    {"id": "e", "user": {"name": "x", "groups": "y"}}, '{"id":"f","id":"g"}', b'{"id":"\xff"}',
                    {"id": "h", "method": "GET", "target": "/", "attributes": {}}, {"id": "z", "sourceIP": None},
                    {"id": "ok"}, code=1)
    assert [a["id"] for a in answers] == [None, None, None, None, "a", "b", "c", "d", "e", None, None, "h", "z", "ok"]
    assert all("error" in a for a in answers[:-1]) and "error" not in answers[-1]


BARE = {"kind": "Event", "auditID": "e", "verb": "get", "requestURI": "/x", "user": {"username": "u"}}


@pytest.mark.parametrize("change,words", [
    ({"objectRef": "pods"}, "objectRef: must be an object"), ({"user": "u"}, "user: must be an object"),
    ({"impersonatedUser": []}, "impersonatedUser: must be an object"), ({"sourceIPs": "::1"}, "sourceIPs: must be a list"),
    ({"sourceIPs": [1]}, "sourceIPs: must be a list of strings"), ({"sourceIPs": ["x"]}, "sourceIPs: must be an IPv4"),
    ({"annotations": []}, "annotations: must be an object"), ({"verb": 1}, "verb: must be a string"),
    ({"objectRef": {"resource": 1}}, "objectRef.resource: must be a string")])
def test_events_of_another_shape(change, words):
    """Explain protocol: a line that is not understood has an error, not an answer about less than it says."""
    answer, = batch((), {**BARE, **change}, code=1)
    assert answer["id"] == "e" and words in answer["error"]


@pytest.mark.parametrize("change", [
    {"objectRef": None}, {"impersonatedUser": None}, {"sourceIPs": []}, {"sourceIPs": None}, {"annotations": None},
    {"userAgent": None}, {"requestObject": {"n": 18446744073709551615, "m": -1e300, "o": 1 << 200}}])
def test_events_may_lack_parts_and_hold_large_numbers(files, change):
    """Explain protocol: as kube-apiserver writes them; a body's numbers are not ours to judge."""
    answer, = batch(("--rbac", str(files / "rbac.json")), {**BARE, **change})
    assert answer == {"id": "e", "decision": "no_opinion", "reason": ""}


def test_an_event_whose_target_cannot_be_read(make_gateway):
    """T-57: the server would not even look at it."""
    gw = make_gateway()
    gw.write()
    event = {**BARE, "user": {"username": "u", "groups": ["admins"]}}
    bad, good = batch(("--config", gw.path("gateway.yaml")), {**event, "requestURI": "pods"}, event)
    assert good["gate"] == {"allow": True}
    assert bad["decision"] == "allow" and bad["gate"]["allow"] is False
    assert (bad["gate"]["stage"], bad["gate"]["rule"]) == ("door", "T-57")


@pytest.mark.parametrize("value,good", [(True, True), (False, True), (None, True), ("true", False), (1, False), ([], False)])
def test_is_resource_is_a_truth_value(value, good):
    """Explain protocol: anything else would silently ask of a path."""
    answer, = batch((), {"id": "a", "attributes": {"isResource": value, "verb": "get"}}, code=0 if good else 1)
    assert ("error" in answer) is not good


def test_what_was_asked_is_escaped_for_the_terminal(files):
    """Text for people holds no control octet of the request."""
    out = run("--rbac", str(files / "rbac.json"), "--user", "u", "--group", "readers", "--method", "GET", "--target",
              PODS + "/web/l%1b%5b2J", code=1).stdout
    assert b"nearest" in out and b"\x1b" not in out and rb"asked: get on pods/l\x1b[2J" in out


def test_long_lines():
    """1 MiB is read, an octet more is an error, and the next line is whole."""
    def line(n):
        head = '{"id":"%d","x":"' % n
        return head + "x" * (n - len(head) - 2) + '"}'
    answers = batch((), line(1 << 20), line((1 << 20) + 1), line(5 << 20), {"id": "after"}, code=1)
    assert answers[0] == {"id": str(1 << 20)} and answers[3] == {"id": "after"}
    assert answers[1] == answers[2] == {"id": None, "error": "the line is longer than 1 MiB"}


def test_the_last_line_may_lack_its_end():
    assert json.loads(run("--batch", stdin=b'{"id":"x"}', code=0).stdout) == {"id": "x"}
    assert run("--batch", stdin=b"", code=0).stdout == b""


def test_answers_come_as_questions_do():
    command.check_answers_come_as_questions_do("explain", *({"id": str(i)} for i in range(3)))


def test_odd_octets():
    """An octet that is not UTF-8 is written as U+FFFD, a NUL as its escape."""
    answer, = batch((), {"method": "GET", "target": "/%ff/%00"})
    assert answer["attributes"]["path"] == "/\ufffd/\0"


def test_bad_policies_end_the_command(files):
    """Before the first answer: file, line and reason."""
    (files / "bad.yaml").write_text("kind: Role\napiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}\nrules: 1\n")
    r = run("--batch", "--rbac", str(files / "bad.yaml"), stdin=b"{}\n", code=1)
    assert r.stdout == b"" and b"bad.yaml:4" in r.stderr
    r = run("--batch", "--ranges", str(files / "rbac.json"), stdin=b"{}\n", code=1)
    assert r.stdout == b"" and b"rbac.json:1" in r.stderr
    assert run("--batch", "--rbac", str(files / "absent"), stdin=b"{}\n", code=1).stdout == b""


@pytest.mark.parametrize("args", [
    ("--config", "x", "--rbac", "y"), ("--cluster", "x"), ("--aggregate", "true"), ("--output", "xml"), ("--user", "x"),
    ("--verb", "get"), ("--method", "GET"), ("--method", "GET", "--target", "/", "--verb", "get", "--resource", "x"),
    ("--user", "x", "--verb", "get", "--resource", "pods", "--extra", "novalue"), ("--source-ip", "x"),
    ("--group", "x", "--verb", "get", "--resource", "pods"), ("--azure-cluster", "x")])
def test_usage(args):
    assert run(*args, code=2).stderr


def test_aggregation_can_be_left_to_the_controller(files):
    (files / "agg.yaml").write_text("""
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: sum}
aggregationRule: {clusterRoleSelectors: [{matchLabels: {part: "yes"}}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: part, labels: {part: "yes"}}
rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: b}
roleRef: {kind: ClusterRole, name: sum}
subjects: [{kind: User, name: u}]
""")
    ask = {"attributes": {"isResource": True, "verb": "get", "resource": "pods"}, "user": {"name": "u"}}
    for flag, want in ((None, "allow"), ("true", "allow"), ("false", "no_opinion")):
        args = ["--rbac", str(files / "agg.yaml")] + (["--aggregate=" + flag] if flag else [])
        assert batch(args, ask)[0]["decision"] == want


CONFIG = """
apiVersion: kube-access-gateway/v1alpha1
kind: Gateway
networks: {bastion: [10.1.2.3/32]}
clusters:
  - name: prod
    authorizedRanges: {cidrs: [10.0.0.0/8], deny: [10.66.0.0/16]}
    authorization: {order: [rbac], rbac: {files: [rbac.json]}}
    accessRules:
      - {name: exec-from-bastion, match: {resources: [pods/exec]}, require: {networks: [bastion]}}
      - {name: watched, mode: shadow, match: {verbs: [list]}, require: {users: [nobody]}}
  - name: open
    authorization: {order: [upstream]}
"""


@pytest.fixture
def config(files):
    (files / "gateway.yaml").write_text(CONFIG)
    return ("--config", str(files / "gateway.yaml"), "--cluster", "prod")


def gate(config, user, method, target, address=None):
    question = {"method": method, "target": target, "user": {"name": "u", "groups": [user]}}
    if address:
        question["sourceIP"] = address
    return batch(config, question)[0]


def test_the_gate(config):
    """What the server would do: ranges, the door, access rules, authorizers; shadow rules beside."""
    assert gate(config, "readers", "GET", PODS, "10.1.1.1")["gate"] == {"allow": True, "shadow": ["watched"]}
    assert gate(config, "readers", "GET", PODS + "/x", "10.1.1.1")["gate"] == {"allow": True}
    a = gate(config, "readers", "GET", PODS + "/x", "10.66.1.1")
    assert a["gate"]["stage"] == "ranges" and a["gate"]["rule"] == "10.66.0.0/16" and a["decision"] == "allow"
    a = gate(config, "readers", "GET", PODS + "/x", "192.0.2.1")
    assert a["gate"]["stage"] == "ranges" and "rule" not in a["gate"]
    a = gate(config, "admins", "GET", PODS + "/%2e%2e/x", "10.1.1.1")
    assert (a["gate"]["stage"], a["gate"]["rule"]) == ("door", "T-57") and a["decision"] == "allow"
    a = gate(config, "admins", "BREW", PODS, "10.1.1.1")
    assert (a["gate"]["stage"], a["gate"]["rule"]) == ("door", "T-12")
    a = gate(config, "admins", "POST", PODS + "/web/exec", "10.1.1.1")
    assert (a["gate"]["stage"], a["gate"]["rule"]) == ("access_rule", "exec-from-bastion")
    assert a["gate"]["message"].endswith('access rule "exec-from-bastion" requires network bastion')
    assert gate(config, "admins", "POST", PODS + "/web/exec", "10.1.2.3")["gate"] == {"allow": True}
    # Without an address a required network is unmet.
    assert gate(config, "admins", "POST", PODS + "/web/exec")["gate"]["stage"] == "access_rule"
    a = gate(config, "readers", "DELETE", PODS + "/x", "10.1.1.1")
    assert a["gate"] == {"allow": False, "stage": "authorizer", "message": 'pods "x" is forbidden: User "u" cannot '
                         'delete resource "pods" in API group "" in the namespace "dev": no role grants this'}


def test_streams_need_create(config):
    """The API server's own answer beside it; the built-in rule by its name only if the method's verb was allowed."""
    a = gate(config, "lookers", "GET", PODS + "/web/attach", "10.1.1.1")
    assert a["decision"] == "allow" and a["gate"]["stage"] == "access_rule"
    assert a["gate"]["rule"] == "streams-need-create" and "cannot create" in a["gate"]["message"]
    a = gate(config, "readers", "GET", PODS + "/web/attach", "10.1.1.1")
    assert a["decision"] == "no_opinion" and a["gate"]["stage"] == "authorizer"
    assert "cannot create" in a["gate"]["message"]


def test_upstream_has_the_last_word(files, config):
    args = config[:3] + ("open",)
    a = gate(args, "x", "DELETE", PODS)
    assert (a["decision"], a["authorizer"], a["gate"]) == ("allow", "upstream", {"allow": True})


def test_which_cluster(config):
    r = run(*config[:2], "--batch", stdin=b"{}\n", code=1)
    assert b"several clusters" in r.stderr
    assert b'no cluster is named "x"' in run(*config[:3], "x", "--batch", stdin=b"{}\n", code=1).stderr


EVENT = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Metadata", "auditID": "abc",
         "stage": "ResponseComplete", "requestURI": PODS + "/web", "verb": "delete",
         "user": {"username": "u", "groups": ["readers", "system:authenticated"]}, "sourceIPs": ["10.1.1.1"],
         "objectRef": {"resource": "pods", "namespace": "dev", "name": "web", "apiVersion": "v1"}}


def test_lines_of_an_audit_log(config):
    """A whole event is a question: its id, its people, its object."""
    no, yes, as_admin, path = batch(
        config, EVENT, {**EVENT, "verb": "get"},
        {**EVENT, "impersonatedUser": {"username": "boss", "groups": ["admins"]}},
        {**EVENT, "requestURI": "/version?x", "verb": "get", "objectRef": None,
         "user": {"username": "u", "groups": ["admins"]}})
    assert no["id"] == "abc" and no["decision"] == "no_opinion" and no["gate"]["stage"] == "authorizer"
    assert no["range"] == "10.0.0.0/8" and "attributes" not in no
    assert yes["decision"] == "allow" and yes["gate"]["allow"]
    assert as_admin["decision"] == "allow"
    assert path["decision"] == "allow" and path["gate"]["allow"]


def test_an_event_without_a_user():
    """An unauthenticated request has no decision."""
    answer, = batch((), {**EVENT, "user": {}})
    assert answer == {"id": "abc"}


def test_text(config, files):
    """For people: the range, the role, the rule, the answer; the exit status says it too."""
    base = (*config, "--user", "ann", "--group", "admins", "--source-ip")
    r = run(*base, "10.1.1.1", "--method", "POST", "--target", PODS + "/web/exec", code=1)
    assert r.stdout.decode().splitlines() == [
        "request      create pods/exec named web in namespace dev",
        "user         ann, groups admins",
        "address      10.1.1.1 is let in by 10.0.0.0/8",
        'authorizers  RBAC: allowed by ClusterRoleBinding "everything" of ClusterRole "everything" to Group "admins"',
        'access rules access rule "exec-from-bastion" requires network bastion',
        'answer       NO (access_rule): pods "web" is forbidden: User "ann" cannot create resource "pods/exec" in API '
        'group "" in the namespace "dev": access rule "exec-from-bastion" requires network bastion']
    r = run(*base, "10.1.2.3", "--verb", "create", "--resource", "pods", "--subresource", "exec", "--namespace", "dev",
            code=0)
    assert "address      10.1.2.3 of network bastion is let in by 10.0.0.0/8" in r.stdout.decode()
    assert r.stdout.decode().splitlines()[-2:] == ["access rules all that match hold", "answer       YES"]
    r = run(*base, "10.1.2.3", "--method", "GET", "--target", PODS, "--output", "json", code=0)
    assert json.loads(r.stdout)["gate"] == {"allow": True, "shadow": ["watched"]}


def test_groups_are_a_list(config):
    r = run(*config, "--user", "u", "--group", "x", "readers", "--group", "y", "--extra", "k=1", "k=2", "--method", "GET",
            "--target", PODS + "/x", code=0)
    assert "groups x, readers, y" in r.stdout.decode()


def test_literals():
    """--cidr: the rules of every configured prefix; empty lines are empty literals."""
    out = run("--cidr", stdin=b"10.0.0.0/8\n\n10.0.0.1/8\n::ffff:1.2.3.4/128\n2001:DB8::/32", code=0).stdout
    a = [json.loads(x) for x in out.splitlines()]
    assert [x["cidr"] for x in a] == ["10.0.0.0/8", "", "10.0.0.1/8", "::ffff:1.2.3.4/128", "2001:DB8::/32"]
    assert [x.get("canonical") for x in a] == ["10.0.0.0/8", None, None, "1.2.3.4/32", "2001:db8::/32"]
    assert [x["valid"] for x in a] == [True, False, False, True, True]
    assert all(("error" in x) != x["valid"] for x in a)


@pytest.mark.parametrize("policy", [(), ("--ranges", "ranges.txt", "--source-ip", "10.0.0.1")])
def test_no_answer_is_no_yes(files, policy):
    """T-01: where nobody judges requests, an address that is let in is not all."""
    policy = [str(files / x) if x.endswith(".txt") else x for x in policy]
    asked = ("--user", "u", "--verb", "get", "--resource", "pods")
    out = run(*policy, *asked, code=1).stdout.decode()
    assert "answer       none: nobody judges requests" in out and "YES" not in out
    assert "decision" not in json.loads(run(*policy, *asked, "--output", "json", code=1).stdout)


# --- diff ---

def diff(config, events, *args, code):
    text = "\n".join(e if isinstance(e, str) else json.dumps(e) for e in events)
    return command.run("diff", *config, "--audit", "-", *args, stdin=text.encode(), code=code)


def event(decision, verb="get", user="u", groups=("readers",), audit_id="a", **more):
    notes = {"authorization.k8s.io/decision": decision, "kube-access-gateway/cluster": "prod"}
    return {**EVENT, "auditID": audit_id, "verb": verb, "annotations": {**notes, **more.pop("annotations", {})},
            "user": {"username": user, "groups": list(groups)}, **more}


def test_diff_says_whose_requests_would_change(config):
    """Gathered by user and kind of request; what stays as it is does not show."""
    events = [event("allow"), event("forbid", "delete"), event("allow", "delete", audit_id="first"),
              event("allow", "delete", audit_id="second"), event("forbid", "get", "v", audit_id="third"),
              event("allow", "delete", stage="ResponseStarted"), {**EVENT, "annotations": {}}, ""]
    r = diff(config, events, code=1)
    assert r.stdout.decode().splitlines() == [
        "u: delete pods in dev: 2 requests would be refused: no role grants this (first: first)",
        "v: get pods in dev: 1 request would be allowed (first: third)",
        "3 of 5 requests would be answered differently"]
    lines = [json.loads(x) for x in diff(config, events, "--output", "json", code=1).stdout.splitlines()]
    assert lines[0] == {"user": "u", "request": "delete pods in dev", "now": "refuse", "count": 2,
                        "firstAuditID": "first", "message": "no role grants this"}
    assert lines[1]["now"] == "allow"


def test_diff_sees_ranges_and_rules(config):
    r = diff(config, [event("allow", sourceIPs=["192.0.2.1"]),
                      event("allow", "create", groups=["admins"],
                            objectRef={"resource": "pods", "subresource": "exec", "namespace": "dev", "name": "web"})],
             code=1)
    assert b"refused: the address is in no authorized range" in r.stdout
    assert b'create pods/exec in dev: 1 request would be refused: access rule "exec-from-bastion"' in r.stdout


def test_diff_without_differences(config):
    other = event("allow", "delete", annotations={"kube-access-gateway/cluster": "open"})
    r = diff(config, [event("allow"), event("forbid", "delete"), other], code=0)
    assert r.stdout == b"0 of 2 requests would be answered differently\n"


def test_diff_names_lines_that_it_cannot_read(config):
    r = diff(config, [event("allow"), "{", event("allow")], code=1)
    assert b"line 2: no JSON" in r.stderr and b"0 of 2 requests" in r.stdout
    r = command.run("diff", *config, "--audit", "/absent")
    assert r.returncode == 1 and b"/absent: No such file" in r.stderr


@pytest.mark.parametrize("request_,nearest", [
    (("--verb", "create", "--resource", "pods", "--subresource", "log", "--namespace", "dev"),
     'ClusterRole "reader" by RoleBinding "reader" grants get, list, watch on pods, pods/log; asked: create on pods/log'),
    (("--verb", "get", "--resource", "pods", "--subresource", "exec", "--namespace", "dev"),
     'ClusterRole "reader" by RoleBinding "reader" grants get, list, watch on pods, pods/log; asked: get on pods/exec'),
    (("--verb", "get", "--resource", "pods", "--api-group", "metrics.k8s.io", "--namespace", "dev"),
     'ClusterRole "reader" by RoleBinding "reader" grants get, list, watch on pods, pods/log of group ""; asked: get on '
     'pods of group "metrics.k8s.io"'),
    (("--verb", "get", "--resource", "secrets", "--namespace", "dev"), None),
    (("--verb", "delete", "--resource", "pods", "--namespace", "prod"), None)])
def test_the_nearest_miss(config, request_, nearest):
    """A refusal names the rule that nearly allowed."""
    out = run(*config, "--user", "u", "--group", "readers", *request_, code=1).stdout.decode().splitlines()
    assert next((x for x in out if x.startswith("nearest ")), None) == (nearest and "nearest      " + nearest)


def test_a_rule_that_wants_a_certificate(make_gateway, world, tmp_path):
    """Said by the option, by the field, or by the identity that a certificate gave: an audit log's, too."""
    gw = make_gateway()
    gw.cluster["upstream"]["credentials"] = {"tokenFile": "own.token"}
    gw.write_text("own.token", "x")
    gw.cluster["authentication"]["clientCertificates"] = {"caFile": world.other_ca.cert, "identity": "impersonate"}
    gw.cluster["accessRules"] = [{"name": "shown", "require": {"clientCertificate": True}}]
    args = ("--config", gw.write())
    ask = {"method": "GET", "target": PODS, "user": {"name": "u", "groups": ["readers"]}, "sourceIP": "127.0.0.1"}
    extra = {"authentication.kubernetes.io/credential-id": ["X509SHA256=00"]}
    token = {"authentication.kubernetes.io/credential-id": ["JTI=00"]}
    event = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "stage": "ResponseComplete", "requestURI": PODS,
             "verb": "list", "user": {"username": "u", "groups": ["readers"], "extra": extra},
             "objectRef": {"resource": "pods", "namespace": "dev", "apiVersion": "v1"}, "sourceIPs": ["127.0.0.1"]}
    answers = batch(args, ask, {**ask, "clientCertificate": True}, {**ask, "user": {**ask["user"], "extra": extra}},
                    {**ask, "user": {**ask["user"], "extra": token}}, event, {**ask, "clientCertificate": False})
    assert [a["gate"]["allow"] for a in answers] == [False, True, True, False, True, False]
    assert answers[0]["gate"]["rule"] == "shown"
    single = (*args, "--user", "u", "--group", "readers", "--method", "GET", "--target", PODS, "--source-ip", "127.0.0.1")
    run(*single, code=1)
    run(*single, "--client-certificate", code=0)
    wrong, = batch(args, {**ask, "clientCertificate": "yes"}, code=1)
    assert wrong["error"] == "clientCertificate: must be true or false"
