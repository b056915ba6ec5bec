"""A cluster's own roles, by list and watch: what is asked, when it is in force, and what happens when it goes wrong."""
import base64
import json
import os
import re
import ssl
import subprocess
import time

import pytest

from gateway import BINARY, RBAC, SLOW, rbac
from policy import ROLES, Policy, go_live, kubeconfig, sign, status
from test_revocation import Stream, wait
from upstream import WATCH_HEAD, answer, chunk
from wire import wait_for

PODS = "/api/v1/namespaces/dev/pods"
SECRETS = "/api/v1/namespaces/dev/secrets"


@pytest.fixture
def live(make_gateway, make_upstream):
    """live(key=value...): (gateway, its cluster's policy), not started."""
    made = []

    def make(items=None, user=None, files=(), config=None, **settings):
        upstream = make_upstream()
        policy = Policy(upstream, items)
        gw = go_live(make_gateway(upstream, **(config or {})), upstream, user, files, **settings)
        made.append((gw, policy))
        return gw, policy
    yield make
    for gw, policy in made:
        gw.stop()
        policy.held.set()
        policy.end_watches("cut")


def greet(ex):
    """A watch that says hello and stays open."""
    ex.read()
    ex.send(WATCH_HEAD + chunk(b"hello"))
    wait(ex)


def is_quiet(stream):
    """Nothing came, and no end."""
    stream.client.stream.sock.settimeout(0.02)
    try:
        stream.client.stream.sock.recv(1)
    except TimeoutError:
        return True
    return False


def code(gw, target=PODS, token=None):
    return gw.ask("GET", target, token=token or gw.world.nobody).code


def until(gw, want, target=PODS, token=None, seconds=1.0):
    """How long it takes until the answer is want."""
    begin = time.monotonic()
    wait_for(lambda: code(gw, target, token) == want, seconds * SLOW, every=0.002,
             why=lambda: "still %d\n%s" % (code(gw, target, token), gw.log()[-3000:]))
    return time.monotonic() - begin


def test_first_sync_makes_ready(live):
    """Nothing is judged before every kind was listed: 503 with Retry-After, and not ready."""
    gw, policy = live()
    policy.held.clear()
    gw.start(ready=False)
    a = gw.ask("GET", PODS)
    assert (a.code, a.get("Retry-After")) == (503, "1")
    assert json.loads(a.body)["message"] == "the cluster's roles are not known to the gateway yet"
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
              "spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    a = gw.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "Content-Type: application/json",
               body=json.dumps(review).encode())
    assert a.code == 503
    code_, text = gw.admin("/readyz?verbose")
    assert code_ == 503 and "[-]roles of cluster prod: not known yet" in text
    policy.held.set()
    gw.wait_ready()
    assert gw.ask("GET", PODS).code == 200
    assert code(gw) == 403
    assert "[+]roles of cluster prod ok" in gw.admin("/readyz?verbose")[1]
    policy.wait_watched()
    for resource in ROLES:
        assert policy.count(resource, "list") == 1 and policy.count(resource, "watch") == 1


def test_events_take_effect(live):
    """Added, modified and deleted bindings are in force within a second; 200 ms are the aim."""
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    assert code(gw) == 403
    took = []
    for _ in range(3):
        policy.bind("noel", "reader", user="noel", namespace="dev")
        took.append(until(gw, 200))
        policy.bind("noel", "looker", user="noel", namespace="dev")
        took.append(until(gw, 403))
        policy.bind("noel", "reader", user="noel", namespace="dev")
        took.append(until(gw, 200))
        policy.delete("RoleBinding", "noel", "dev")
        took.append(until(gw, 403))
    print("event to decision, ms:", [round(t * 1000) for t in took])
    assert max(took) < 1.0 * SLOW
    assert gw.metric('live_events_total{cluster="prod"}') == 12


# --- lists ---

def many(n, user="noel"):
    """n roles that grant nothing of interest, and the last binding is the one that counts."""
    items = [{"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": "r%04d" % i},
              "rules": [{"apiGroups": ["x"], "resources": ["y"], "verbs": ["get"]}]} for i in range(n)]
    items.append({"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": "zz-reader"},
                  "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]})
    items.append({"apiVersion": RBAC + "/v1", "kind": "ClusterRoleBinding", "metadata": {"name": user},
                  "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "zz-reader"},
                  "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}]})
    return items


def test_lists_come_in_pages(live):
    """Pages of 250, each asked for by the continue token of the one before, octet for octet."""
    gw, policy = live(many(600))
    gw.start()
    assert code(gw) == 200
    asked = [q for r, what, q, _ in policy.seen if (r, what) == ("clusterroles", "list")]
    assert [q["limit"] for q in asked] == ["250"] * 3
    assert "continue" not in asked[0] and all(q["continue"].startswith("page/+") for q in asked[1:])
    assert gw.metric('live_objects{cluster="prod"}') == 602


def test_pages_that_expire(live):
    """410 on a continue token: the list is read anew, in one piece, and nothing of the first try is left."""
    gw, policy = live(many(600))
    policy.expire_pages = 1
    gw.start()
    assert code(gw) == 200
    asked = [q for r, what, q, _ in policy.seen if (r, what) == ("clusterroles", "list")]
    assert len(asked) == 3 and "limit" not in asked[2] and "continue" not in asked[2]
    gw.wait_log("changed faster than its pages were read")


def test_nothing_half_listed_is_in_force(live):
    """While a list is read again, page by page, the former objects decide; then those that are gone are gone."""
    gw, policy = live(many(600))
    gw.start()
    policy.wait_watched()
    with policy.lock:
        policy.forget_history()
        for i in range(600):
            del policy.objects["clusterroles"][("", "r%04d" % i)]
        del policy.objects["clusterrolebindings"][("", "noel")]
        policy.held.clear()
    lists = policy.count("clusterrolebindings", "list")
    policy.end_watches()
    wait_for(lambda: len(policy.seen) > 0 and any(w[1] == "watch" for w in policy.seen[-4:]), 5 * SLOW)
    for _ in range(20):
        assert code(gw) == 200
        time.sleep(0.02)
    policy.held.set()
    until(gw, 403, seconds=5)
    assert policy.count("clusterrolebindings", "list") == lists + 1
    wait_for(lambda: gw.metric('live_objects{cluster="prod"}') == 1, 5 * SLOW)


def test_a_list_that_is_none(live):
    """An answer that is no list of that kind replaces nothing."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel")
    gw.start()
    policy.wait_watched()
    assert code(gw) == 200
    for body in (b"{}", b'{"kind":"RoleList","metadata":{"resourceVersion":"7"},"items":[]}', b"[", b"",
                 b'{"kind":"ClusterRoleBindingList","metadata":{"resourceVersion":"7"},"items":{}}'):
        failures = gw.metric('live_failures_total{cluster="prod"}')
        policy.answers["clusterrolebindings"] = answer(body)
        policy.forget_history()
        policy.end_watches()
        wait_for(lambda: gw.metric('live_failures_total{cluster="prod"}') > failures + 1, 10 * SLOW)
        assert code(gw) == 200, body
    policy.answers.clear()


# --- watches ---

def test_watch_asks_for_what_it_needs(live):
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    for resource, what, query, ex in list(policy.seen):
        assert ex.get("Authorization") == "Bearer a-token"
        assert ex.get("Accept") == "application/json" and ex.get("Accept-Encoding") is None
        if what == "watch":
            assert query["allowWatchBookmarks"] == "true" and 300 <= int(query["timeoutSeconds"]) <= 600
            assert int(query["resourceVersion"]) == policy.version


@pytest.mark.parametrize("how", ["end", "cut"])
def test_watch_goes_on_where_it_was(live, how):
    """A watch that ends, or is cut, goes on from the last event, which no list has to tell again."""
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    until(gw, 200)
    version = policy.version
    policy.end_watches(how)
    policy.bind("noel", "looker", user="noel", namespace="dev")  # nobody watches now
    until(gw, 403, seconds=5)
    wait_for(lambda: policy.count("rolebindings", "watch") == 2, 5 * SLOW)
    again = [q for r, what, q, _ in policy.seen if (r, what) == ("rolebindings", "watch")][1]
    assert int(again["resourceVersion"]) == version
    assert all(policy.count(r, "list") == 1 for r in ROLES)


def test_bookmarks_move_the_version(live):
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    policy.version += 50
    policy.bookmark()
    time.sleep(0.1 * SLOW)
    policy.end_watches("cut")
    wait_for(lambda: policy.count("roles", "watch") == 2, 5 * SLOW)
    again = [q for r, w, q, _ in policy.seen if (r, w) == ("roles", "watch")][1]
    assert int(again["resourceVersion"]) == policy.version


def test_version_too_old(live):
    """spec: K8S 410 Gone - by an event or as an answer: list again; what is gone meanwhile is gone here."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    policy.wait_watched()
    assert code(gw) == 200
    with policy.lock:
        policy.forget_history()
        del policy.objects["rolebindings"][("dev", "noel")]
    policy.end_watches()
    until(gw, 403, seconds=5)
    policy.wait_watched()
    policy.answers[("rolebindings", "watch")] = status(410, "Gone")
    lists = policy.count("rolebindings", "list")
    policy.end_watches("cut")
    wait_for(lambda: policy.count("rolebindings", "list") > lists, 10 * SLOW)
    policy.answers.clear()


def test_events_that_change_nothing(live):
    """Annotations, resourceVersions and order of fields make no new policy."""
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    before = gw.metric("config_generation")
    for i in range(5):
        for resource in ("clusterroles", "rolebindings"):
            item = list(policy.objects[resource].values())[0]
            policy.put(dict(reversed(list(item.items())), metadata=dict(item["metadata"], annotations={"a": str(i)})))
    wait_for(lambda: gw.metric('live_events_total{cluster="prod"}') == 10, 5 * SLOW)
    time.sleep(0.2 * SLOW)
    assert gw.metric("config_generation") == before


@pytest.mark.parametrize("event", [
    b"nonsense\n", b'{"type":"ADDED"}\n', b"[]\n", b'{"type":"BECOME","object":{"metadata":{"resourceVersion":"9"}}}\n'])
def test_lines_that_are_no_events(live, event):
    """Another line than an event: what is known stays, and is listed again."""
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    lists = policy.count("roles", "list")
    policy.send_all(b"%x\r\n%s\r\n" % (len(event), event))
    wait_for(lambda: policy.count("roles", "list") > lists, 10 * SLOW)
    assert gw.ask("GET", PODS).code == 200
    gw.wait_log("a line that is no event")


def test_objects_of_a_wrong_shape(live):
    """An object with a wrong type is left out, told in the log, and grants nothing; its neighbours do."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    bad = {"apiVersion": RBAC + "/v1", "kind": "RoleBinding", "metadata": {"name": "bad", "namespace": "dev"},
           "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "reader"}, "subjects": "everybody"}
    policy.put(bad)
    gw.start()
    gw.wait_log('rolebindings: "bad" is left out: subjects must be a list, not a string')
    assert code(gw) == 200
    policy.wait_watched()
    policy.put(dict(bad, metadata={"name": "noel", "namespace": "dev"}))
    until(gw, 403)


# --- silence ---

def later(gw, clock, seconds):
    """So many seconds later: the control thread has read what came before, and has looked at the clock after."""
    gw.admin("/livez")
    clock.jump(gw, seconds)
    gw.admin("/livez")


def test_a_watch_that_is_silent(live, clock):
    """Three minutes without an octet, a bookmark included: the connection is dead; the watch goes on by another one."""
    gw, policy = live()
    gw.start(env=clock.env)
    policy.wait_watched()
    later(gw, clock, 170)
    time.sleep(0.2)
    assert policy.count("roles", "watch") == 1
    policy.bookmark()
    wait_for(lambda: re.search("heard of [0-9] s ago", gw.admin("/readyz?verbose")[1]), 5)
    later(gw, clock, 170)
    time.sleep(0.2)
    assert policy.count("roles", "watch") == 1
    later(gw, clock, 12)
    wait_for(lambda: all(policy.count(r, "watch") == 2 for r in ROLES), 5)
    assert all(policy.count(r, "list") == 1 for r in ROLES)
    gw.wait_log("watch: timed out")


def test_an_answer_that_does_not_come(live, clock):
    """A head has 10 s; a page may take as long as it likes, if 30 s never pass without an octet of it."""
    gw, policy = live()
    policy.held.clear()
    gw.start(ready=False, env=clock.env)
    wait_for(lambda: len(policy.seen) == 4, 5)
    later(gw, clock, 6)
    time.sleep(0.2)
    assert len(policy.seen) == 4
    later(gw, clock, 6)
    gw.wait_log("list: timed out")
    later(gw, clock, 1)
    wait_for(lambda: len(policy.seen) == 8, 5)
    policy.answers["roles"] = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"kind":'
    policy.held.set()
    slow = next(ex for resource, _, _, ex in policy.seen[4:] if resource == "roles")
    wait_for(lambda: slow in policy.answered, 5)
    policy.wait_watched([r for r in ROLES if r != "roles"])
    assert gw.metric('live_lists_total{cluster="prod"}') == 3
    failures = gw.metric('live_failures_total{cluster="prod"}')
    later(gw, clock, 22)
    time.sleep(0.2)
    assert gw.metric('live_failures_total{cluster="prod"}') == failures
    later(gw, clock, 10)
    wait_for(lambda: gw.metric('live_failures_total{cluster="prod"}') > failures, 5)
    policy.answers.clear()
    later(gw, clock, 1)
    gw.wait_ready()


def test_a_day_without_the_api_server(live, clock):
    """maxStaleness is 24 h where nothing else is said."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start(env=clock.env)
    policy.wait_watched()
    policy.upstream.listener.close()
    policy.end_watches("cut")
    policy.answers = {r: status(500, "InternalError") for r in ROLES}
    later(gw, clock, 24 * 3600 - 60)
    assert gw.ask("GET", SECRETS, token=gw.world.nobody).code == 403
    assert "[+]roles of cluster prod ok" in gw.admin("/readyz?verbose")[1]
    later(gw, clock, 70)
    wait_for(lambda: "[-]roles of cluster prod: older than maxStaleness" in gw.admin("/readyz?verbose")[1], 5)
    a = gw.ask("GET", PODS, token=gw.world.nobody)
    assert a.code == 403 and b"older than maxStaleness" in a.body


# --- the API server is away ---

def test_absent_at_start(live):
    """Without a copy: 503 and not ready until it is there; it is tried again by itself."""
    gw, policy = live()
    policy.upstream.stop()
    gw.start(ready=False)
    assert gw.ask("GET", PODS).code == 503
    wait_for(lambda: "roles of cluster prod: not known yet: list: " in gw.admin("/readyz?verbose")[1], 5 * SLOW)
    policy.upstream.start()
    gw.wait_ready(40)
    assert gw.ask("GET", PODS).code == 200


def test_absent_at_start_with_a_copy(live):
    """The copy of the last run serves until the API server answers; explain reads it and says how old it is."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    copy = gw.path("rbac-prod.json")
    wait_for(lambda: os.path.exists(copy), 5 * SLOW)
    assert os.stat(copy).st_mode & 0o777 == 0o600
    gw.stop()
    policy.end_watches("cut")
    policy.upstream.stop()
    gw.start(ready=False)
    assert "[+]roles of cluster prod ok" in gw.admin("/readyz?verbose")[1]
    assert "using the roles of" in gw.log()
    c = gw.ask("GET", SECRETS, token=gw.world.nobody)
    assert c.code == 403
    assert gw.ask("GET", PODS, token=gw.world.nobody).code == 503  # allowed; nobody to forward it to
    with policy.lock:
        del policy.objects["rolebindings"][("dev", "noel")]
    policy.upstream.start()
    until(gw, 403, seconds=40)


def test_copy_is_written_while_it_changes(live):
    """What changed is in the copy when the gateway has stopped, and both policies of explain read it."""
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    wait_for(lambda: os.path.exists(gw.path("rbac-prod.json")), 5 * SLOW)
    policy.bind("noel", "reader", user="noel", namespace="dev")
    until(gw, 200)
    gw.stop()
    copy = json.loads(gw.read("rbac-prod.json"))
    assert copy["kind"] == "List"
    assert {"noel"} <= {i["metadata"]["name"] for i in copy["items"] if i["kind"] == "RoleBinding"}
    question = ["--user", "noel", "--verb", "list", "--resource", "pods", "--namespace", "dev"]
    for how in (["--config", gw.path("gateway.yaml")], ["--rbac", gw.path("rbac-prod.json")]):
        r = explain(*how, *question)
        assert r.returncode == 0 and "answer       YES" in r.stdout, (how, r)
        assert ("policy       live copy of 2" in r.stdout) == ("--config" in how)
    r = explain("--config", gw.path("gateway.yaml"), *question)
    line = r.stdout.splitlines()[0]
    assert line.startswith("policy       live copy of 2") and line.endswith(" old"), line
    r = explain("--config", gw.path("gateway.yaml"), "--batch",
                input='{"user":{"name":"noel"},"target":"/"}\n' * 3)
    assert r.stderr.count("live copy of") == 1 and "live copy" not in r.stdout


@pytest.mark.parametrize("spoil,why", [
    (lambda c: c[:-20], "is no copy of a cluster's roles"),
    (lambda c: "{}", "is no copy of a cluster's roles"),
    (lambda c: c.replace('"name":"reader"', '"name":"writer"', 1), "its digest does not fit"),
    (lambda c: sign(c.replace('synced":"2', 'synced":"1', 1)), "is older than maxStaleness"),
    (lambda c: sign(c.replace('synced":"2', 'synced":"3', 1)), "is from the future"),
    (lambda c: sign(c.replace('"subjects":[', '"subjects":"x","y":[', 1)), "subjects must be a list"),
])
def test_copies_that_are_not_used(live, spoil, why):
    gw, policy = live()
    gw.start()
    wait_for(lambda: os.path.exists(gw.path("rbac-prod.json")), 5 * SLOW)
    gw.stop()
    gw.write_text("rbac-prod.json", spoil(gw.read("rbac-prod.json")))
    policy.end_watches("cut")
    policy.upstream.stop()
    gw.start(ready=False)
    gw.wait_log("the copy of the roles", why)
    assert "\\x0a" not in gw.log()
    assert gw.ask("GET", PODS).code == 503
    assert "not known yet" in gw.admin("/readyz?verbose")[1]


def explain(*args, **kw):
    return subprocess.run([BINARY, "explain", *args], capture_output=True, text=True, timeout=30 * SLOW, check=False,
                          **kw)


def test_explain_without_a_copy(live):
    """No copy, no answer; and without stateDir it says what to do."""
    gw, _ = live()
    gw.write()
    r = explain("--config", gw.path("gateway.yaml"), "--user", "noel", "--verb", "list", "--resource", "pods")
    assert r.returncode == 1 and "there is no copy of the cluster's roles yet" in r.stderr
    del gw.config["stateDir"]
    gw.write()
    r = explain("--config", gw.path("gateway.yaml"), "--user", "noel", "--verb", "list", "--resource", "pods")
    assert r.returncode == 1 and "set stateDir" in r.stderr
    assert "no roles of rbac.live" in gw.check().stderr


def test_roles_that_are_too_old(live):
    """Not heard of for maxStaleness: live roles grant nothing and say so, those in files do; then all is well again."""
    gw, policy = live(files=["rbac.json"], maxStaleness="2s")
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    policy.wait_watched()
    assert code(gw) == 200
    for _ in range(10):  # bookmarks keep it young
        policy.bookmark()
        time.sleep(0.3)
    assert code(gw) == 200
    wait_for(lambda: code(gw) == 403, 8 * SLOW)
    a = gw.ask("GET", PODS, token=gw.world.nobody)
    why = ": the cluster's roles are older than maxStaleness: no role grants this"
    assert json.loads(a.body)["message"].endswith(why)
    assert gw.metric('live_old{cluster="prod"}') == 1
    gw.wait_log("the cluster's roles are older than maxStaleness")
    gw.wait_log("refused", "older than maxStaleness")
    assert "older than maxStaleness" in gw.admin("/readyz?verbose")[1]
    assert gw.ask("GET", PODS).code == 200  # rbac.json lets administrators
    policy.bookmark()
    until(gw, 200, seconds=2)
    assert gw.metric('live_old{cluster="prod"}') == 0


# --- the credential ---

def test_token_rotation(live):
    """401: the token file is read again, as it is for each connection; the log says what is wrong."""
    gw, policy = live(user={"tokenFile": "reader.token"})
    gw.write_text("reader.token", "old\n")
    policy.tokens = ["old"]
    gw.start()
    policy.wait_watched()
    policy.tokens = ["new"]
    policy.end_watches("cut")
    gw.wait_log("the API server does not accept the credential (401)", "is the token in tokenFile still good?")
    gw.write_text("reader.token", "new\n")
    policy.bind("noel", "reader", user="noel", namespace="dev")
    until(gw, 200, seconds=20)
    assert "a-token" not in gw.log() and "Bearer" not in gw.log()
    assert gw.metric("config_reloads") == 0


def test_rights_that_are_missing(live):
    """403 is told in words: which resource, and what to apply."""
    gw, policy = live()
    policy.answers["clusterrolebindings"] = status(403, "Forbidden")
    gw.start(ready=False)
    gw.wait_log("the credential may not list clusterrolebindings (403): apply packaging/policy-reader.yaml")
    assert gw.ask("GET", PODS).code == 503
    policy.answers.clear()
    gw.wait_ready(20)


def test_client_certificate(live, world):
    """A certificate instead of a token is presented; one of system:masters is refused by check and by serve."""
    gw, policy = live()
    cert, key = world.ca.issue("reader", "DNS:reader", subject="/CN=reader/O=readers/O=more", usage="clientAuth")
    gw.write_json("reader.kubeconfig", kubeconfig(policy.upstream.url, world.ca.cert,
                                                  {"client-certificate": cert, "client-key": key}))
    policy.upstream.ctx.verify_mode = ssl.CERT_REQUIRED
    policy.upstream.ctx.load_verify_locations(world.ca.cert)
    gw.start(ready=False)
    gw.wait_log("the cluster's roles are known")
    assert all(ex.get("Authorization") is None for _, _, _, ex in policy.seen)


@pytest.mark.parametrize("inline", [False, True])
def test_masters_are_refused(live, world, inline):
    gw, policy = live()
    cert, key = world.ca.issue("master", "DNS:m", subject="/CN=m/O=x/O=system:masters", usage="clientAuth")
    user = {"client-certificate": cert, "client-key": key}
    if inline:
        user = {}
        for field, path in (("client-certificate-data", cert), ("client-key-data", key)):
            with open(path, "rb") as f:
                user[field] = base64.b64encode(f.read()).decode()
    gw.write_json("reader.kubeconfig", kubeconfig(policy.upstream.url, world.ca.cert, user))
    gw.write()
    r = gw.check()
    assert r.returncode == 1
    assert "reader.kubeconfig:" in r.stderr and "is of the group system:masters" in r.stderr
    p = subprocess.run([BINARY, "serve", "--config", gw.path("gateway.yaml")], capture_output=True, text=True,
                       timeout=30 * SLOW, check=False)
    assert p.returncode == 1 and "system:masters" in p.stderr


@pytest.mark.parametrize("change,why", [
    ({"user": {"exec": {"command": "x"}}}, "users[0].user.exec: is not supported; use tokenFile"),
    ({"user": {"token": "x", "as": "root"}}, "users[0].user.as: a policy reader acts as itself"),
    ({"user": {"tokenFile": "nowhere"}}, "nowhere: cannot be opened"),
    ({"user": {}}, "has no credential; set tokenFile"),
    ({"insecure-skip-tls-verify": True}, "clusters[0].cluster.insecure-skip-tls-verify: the API server's certificate"),
    ({"proxy-url": "http://p"}, "clusters[0].cluster.proxy-url: a proxy on the way"),
    ({"server": "http://x"}, "clusters[0].cluster.server: must be https://"),
    ({"certificate-authority": "nowhere.crt"}, "nowhere.crt: cannot load the CA certificates"),
])
def test_kubeconfig_mistakes(live, change, why):
    gw, policy = live()
    user = change.get("user")
    cluster = {k: v for k, v in change.items() if k != "user"}
    document = kubeconfig(policy.upstream.url, gw.world.ca.cert, **cluster)
    if user is not None:
        document["users"][0]["user"] = user
    gw.write_json("reader.kubeconfig", document)
    gw.write()
    r = gw.check()
    assert r.returncode == 1 and why in r.stderr, r.stderr


# --- beside others ---

def test_sighup_keeps_what_is_known(live):
    """Settings that are the same: no list and no watch again; an event after the reload is in force as before."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    policy.wait_watched()
    asked = len(policy.seen)
    for _ in range(3):
        gw.reload()
        assert code(gw) == 200
    assert len(policy.seen) == asked
    policy.delete("RoleBinding", "noel", "dev")
    until(gw, 403)


def test_another_credential_keeps_what_is_known(live):
    """Another token: everything is listed with it; meanwhile what is known decides."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    policy.wait_watched()
    policy.held.clear()
    gw.write_json("reader.kubeconfig", kubeconfig(policy.upstream.url, gw.world.ca.cert, {"token": "b-token"}))
    gw.reload()
    assert code(gw) == 200
    with policy.lock:
        del policy.objects["rolebindings"][("dev", "noel")]
    policy.held.set()
    until(gw, 403, seconds=5)
    assert policy.seen[-1][3].get("Authorization") == "Bearer b-token"


def test_remembered_tokens_stay(live):
    """A change of roles does not have tokens verified again."""
    gw, policy = live(config={"workers": 1})
    gw.start()
    policy.wait_watched()
    assert code(gw) == 403
    before = gw.metric("tokens_verified_total")
    policy.bind("noel", "reader", user="noel", namespace="dev")
    until(gw, 200)
    assert gw.metric("tokens_verified_total") == before == 1


def test_storm(live):
    """1,000 changes while 20 watches are open: few snapshots, and none that stays allowed is disturbed."""
    gw, policy = live()
    policy.other = greet
    gw.start()
    policy.wait_watched()
    streams = [Stream(gw, "watch", gw.world.admin) for _ in range(20)]
    before, seals = gw.metric("config_generation"), gw.metric('live_changes_total{cluster="prod"}')
    begin = time.monotonic()
    for i in range(1000):
        policy.bind("b%d" % (i % 300), "reader", user="u%d" % i, namespace="dev")
    policy.bind("noel", "reader", user="noel", namespace="dev")
    policy.other = None
    until(gw, 200, seconds=5)
    took = time.monotonic() - begin
    wait_for(lambda: gw.metric('live_events_total{cluster="prod"}') == 1001, 5 * SLOW)
    published = gw.metric("config_generation") - before
    print("storm: %.2f s, %d snapshots, %d seals" % (
        took, published, gw.metric('live_changes_total{cluster="prod"}') - seals))
    assert 1 <= published <= took / 0.05 + 3
    assert all(is_quiet(s) for s in streams)
    assert gw.metric("long_running_revoked_total") == 0


def test_streams_end_with_their_role(live):
    """spec: T-65 - a watch whose binding is deleted ends within a second; its neighbour goes on."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    policy.other = greet
    gw.start()
    policy.wait_watched()
    gone, stays = Stream(gw, "watch", gw.world.nobody), Stream(gw, "watch", gw.world.admin)
    policy.delete("RoleBinding", "noel", "dev")
    gone.ends("policy", "no role grants this")
    assert is_quiet(stays)


def test_from_files_to_live(live):
    """SIGHUP puts live roles in the place of files: streams wait for the first list, too, then end or stay."""
    gw, policy = live([i for i in rbac()["items"] if i["metadata"]["name"] == "everything"])
    policy.other = greet
    settings = gw.cluster["authorization"]["rbac"]
    gw.cluster["authorization"]["rbac"] = {"files": ["rbac.json"]}
    gw.start()
    stays, goes = Stream(gw, "watch", gw.world.admin), Stream(gw, "watch", gw.world.reader)
    policy.held.clear()
    policy.other = None
    gw.cluster["authorization"]["rbac"] = settings
    gw.reload()
    assert gw.ask("GET", PODS).code == 503
    assert is_quiet(stays) and is_quiet(goes)
    policy.held.set()
    goes.ends("policy", "no role grants this", seconds=5)
    assert is_quiet(stays)
    assert gw.ask("GET", PODS).code == 200


# --- labels of namespaces ---

RULE = {"name": "guarded", "match": {"namespaceSelector": {"matchLabels": {"guard": "yes"}}},
        "require": {"users": ["somebody-else"]}}


def test_labels_of_namespaces(live):
    """A rule by labels holds in the namespaces that have them, at once when they change; an unknown one is touched."""
    gw, policy = live()
    gw.cluster["accessRules"] = [RULE]
    policy.namespace("dev")
    policy.namespace("prod", guard="yes")
    gw.start()
    policy.wait_watched(ROLES + ["namespaces"])
    ex = next(ex for r, what, _, ex in policy.seen if (r, what) == ("namespaces", "list"))
    assert ex.get("Accept").startswith("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
    assert gw.ask("GET", PODS).code == 200
    assert gw.ask("GET", PODS.replace("dev", "prod")).code == 403
    assert gw.ask("GET", PODS.replace("dev", "new")).code == 403
    policy.namespace("dev", guard="yes")
    until(gw, 403, token=gw.world.admin)
    policy.namespace("dev", guard="no")
    until(gw, 200, token=gw.world.admin)
    policy.delete("Namespace", "dev")
    until(gw, 403, token=gw.world.admin)
    wait_for(lambda: os.path.exists(gw.path("rbac-prod.json")), 5 * SLOW)
    gw.stop()
    assert "guard" in gw.read("rbac-prod.json")


def test_labels_alone(live):
    """order [upstream] with a selector reads namespaces and no roles."""
    gw, policy = live()
    gw.cluster["accessRules"] = [RULE]
    gw.cluster["authorization"]["order"] = ["upstream"]
    policy.namespace("dev")
    gw.start()
    policy.wait_watched(["namespaces"])
    assert {r for r, _, _, _ in policy.seen} == {"namespaces"}
    assert code(gw) == 200


def test_labels_that_may_not_be_read(live):
    """Without the right to list namespaces roles are current all the same; only what a selector may touch waits."""
    gw, policy = live()
    gw.cluster["accessRules"] = [RULE]
    policy.namespace("dev")
    policy.answers["namespaces"] = status(403, "Forbidden")
    gw.start(ready=False)
    gw.wait_log("may not list namespaces (403)")
    wait_for(lambda: "[+]roles of cluster prod ok" in gw.admin("/readyz?verbose")[1], 5 * SLOW)
    assert "[-]namespaces of cluster prod: not known yet" in gw.admin("/readyz?verbose")[1]
    assert gw.ask("GET", PODS).code == 503
    assert gw.ask("GET", "/version").code == 200
    policy.answers.clear()
    until(gw, 200, token=gw.world.admin, seconds=20)


def test_rules_that_come_later(live):
    """A rule with a selector by SIGHUP: namespaces are read from then on; roles stay known."""
    gw, policy = live()
    policy.namespace("dev")
    gw.start()
    policy.wait_watched()
    gw.cluster["accessRules"] = [RULE]
    gw.reload()
    policy.wait_watched(["namespaces"])
    until(gw, 200, token=gw.world.admin, seconds=5)
