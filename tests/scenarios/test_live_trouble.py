"""API servers, proxies and disks that misbehave while a cluster's own roles are read: nothing hurries, nothing waits for
ever, and what is not renewed gets old."""
import json
import os
import random
import re
import signal
import socket
import time

import pytest

from clock import build_shim
from gateway import RBAC, SLOW, rbac
from policy import ROLES, Policy, go_live, kubeconfig, status
from test_live import PODS, RULE, code, greet, is_quiet, later, live, many, until  # pylint: disable=unused-import
from test_revocation import Stream
from upstream import WATCH_HEAD, answer, chunk
from wire import Cut, wait_for


def page(kind, items=(), **meta):
    return answer(json.dumps({"kind": kind + "List", "metadata": dict({"resourceVersion": "100"}, **meta),
                              "items": list(items)}).encode())


def pages_without_end():
    """A script of lists whose every page names another one."""
    count = []

    def script(ex, _):
        count.append(1)
        ex.send(page("RoleBinding", **{"continue": "token-%d" % len(count)}))
    return script


# --- what renews ---

def test_pages_without_end_renew_nothing(live):
    """spec: T-61 - a list that never ends leaves what is known as it is, and that gets old."""
    gw, policy = live(maxStaleness="2s")
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    policy.wait_watched()
    assert code(gw) == 200
    policy.answers[("rolebindings", "list")] = pages_without_end()
    policy.forget_history()
    policy.end_watches()
    policy.wait_watched([r for r in ROLES if r != "rolebindings"])

    def is_old():
        policy.bookmark()  # the others stay young
        return code(gw) == 403
    wait_for(is_old, 10 * SLOW)
    assert "[-]roles of cluster prod: older than maxStaleness" in gw.admin("/readyz?verbose")[1]


def test_empty_answers_renew_nothing(live):
    """spec: T-61 - 200 and no event is what a proxy says that knows nothing."""
    gw, policy = live(maxStaleness="3s")
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    policy.wait_watched()
    assert code(gw) == 200
    for r in ROLES:
        policy.answers[(r, "watch")] = answer(b"")
        policy.answers[(r, "list")] = status(500, "InternalError")
    policy.end_watches()
    until(gw, 403, seconds=12)
    gw.wait_log("watch: it ended without a word")


# --- haste ---

def test_watches_that_are_always_broken(live):
    """A proxy that breaks every watch does not have everything listed twice a second."""
    gw, policy = live()
    for r in ROLES:
        policy.answers[(r, "watch")] = answer(b"<html>hello</html>\n")
    gw.start()
    time.sleep(6)
    assert 2 <= policy.count("roles", "list") <= 12
    assert gw.ask("GET", PODS).code == 200
    assert gw.log().count("a line that is no event") == len(ROLES)


def test_retry_after(live):
    """spec: RFC 9110 10.2.3 - no sooner than the API server says, and its own words are in the log, on one line."""
    gw, policy = live()
    body = json.dumps({"kind": "Status", "message": "storage is\n[+]all well"}).encode()
    policy.answers[("roles", "list")] = answer(body, "503 Service Unavailable", "Retry-After: 3")
    gw.start(ready=False)
    gw.wait_log("list: answered with status 503: storage is [+]all well")
    time.sleep(2.5)
    assert policy.count("roles", "list") == 1
    assert "\n[+]all well" not in gw.admin("/readyz?verbose")[1]
    policy.answers.clear()
    gw.wait_ready(10)


# --- lists ---

def test_pages_that_are_too_long(live):
    """Large objects, which anybody may make who may make roles: smaller pages are asked for."""
    gw, policy = live(many(30))
    asked = []

    def script(ex, query):
        asked.append(query)
        if int(query["limit"]) < 100:
            return True
        ex.send(answer(b"[" + b" " * (65 << 20)))
        return False
    policy.answers[("clusterroles", "list")] = script
    gw.start(ready=False)
    gw.wait_ready(20)
    assert [int(q["limit"]) for q in asked[:2]] == [250, 62]
    assert code(gw) == 200
    gw.wait_log("list: a page is too long: asking for smaller ones")


def test_a_whole_list_that_fails(live):
    """After pages that expired all is asked for at once, and in pages again if that cannot be had."""
    gw, policy = live(many(600))
    policy.expire_pages = 1

    def script(ex, query):
        if "limit" in query:
            return True
        ex.send(status(500, "InternalError"))
        return False
    policy.answers[("clusterroles", "list")] = script
    gw.start(ready=False)
    gw.wait_ready(20)
    assert code(gw) == 200


@pytest.mark.parametrize("token,why", [("same", "list: a page names itself as the next one"),
                                       ("x" * 70000, "list: a continue token is too long")])
def test_continue_tokens_that_lead_nowhere(live, token, why):
    """The list begins anew, and is had once tokens are as they should be."""
    gw, policy = live()
    policy.answers[("roles", "list")] = page("Role", **{"continue": token})
    gw.start(ready=False)
    gw.wait_log(why)
    policy.answers.clear()
    gw.wait_ready(20)


def test_the_version_of_the_first_page(live):
    """Pages of several versions: the watch starts at the oldest, so that nothing is missed."""
    gw, policy = live()

    def script(ex, query):
        if "continue" in query:
            ex.send(page("Role", resourceVersion="95"))
        else:
            ex.send(page("Role", resourceVersion="90", **{"continue": "x"}))
    policy.answers[("roles", "list")] = script
    gw.start()
    policy.wait_watched()
    assert next(q for r, what, q, _ in policy.seen if (r, what) == ("roles", "watch"))["resourceVersion"] == "90"


def test_a_list_that_does_not_end(live, clock):
    """Ten minutes for all of its pages."""
    gw, policy = live()
    script = pages_without_end()

    def slowly(ex, query):
        time.sleep(0.02)
        return script(ex, query)
    policy.answers[("rolebindings", "list")] = slowly
    gw.start(ready=False, env=clock.env)

    def for_a_while(times):
        for _ in range(times):
            later(gw, clock, 6)  # a page has 10 s, so the one under way now must not see two of these
            asked = policy.count("rolebindings", "list")
            wait_for(lambda: policy.count("rolebindings", "list") > asked, 5)
    for_a_while(95)
    assert "list: it does not end" not in gw.log()
    for_a_while(9)
    gw.wait_log("list: it does not end")
    policy.answers.clear()
    later(gw, clock, 1)
    gw.wait_ready()


# --- watches ---

@pytest.mark.parametrize("how", ["silence", "end"])
def test_a_version_that_is_long_in_coming(live, clock, how):
    """etcd was restored from an older copy: a watch from a version of the future says nothing at all.  List again."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start(env=clock.env)
    policy.wait_watched()
    with policy.lock:
        del policy.objects["rolebindings"][("dev", "noel")]
        policy.version, policy.history = 50, []
    if how == "silence":
        later(gw, clock, 181)
    else:
        later(gw, clock, 100)
        policy.end_watches()
        gw.wait_log("watch: it ended without a word")
    later(gw, clock, 1)
    until(gw, 403, seconds=5)
    wait_for(lambda: any(q.get("resourceVersion") == "50" for r, what, q, _ in policy.seen if what == "watch"), 5)


def test_a_watch_that_does_not_end(live, clock):
    """Empty lines keep a connection alive, and are no news.  A watch ends a minute after it should, at the latest."""
    gw, policy = live()
    gw.start(env=clock.env)
    policy.wait_watched()
    for _ in range(7):
        assert policy.count("roles", "watch") == 1
        policy.send_all(chunk(b"\n"))
        time.sleep(0.1)
        later(gw, clock, 100)
    gw.wait_log("watch: it does not end")
    later(gw, clock, 1)
    wait_for(lambda: policy.count("roles", "list") == 2 and policy.count("roles", "watch") == 2, 5)


def test_a_watch_that_floods(live):
    """Octets that come faster than they are read keep the control thread from nothing: pages answer, and it stops."""
    gw, policy = live()

    def flood(ex, _):
        ex.send(WATCH_HEAD)
        lines = chunk(b"\n" * (1 << 20))
        try:
            while True:
                ex.send(lines)
        except (OSError, ValueError, Cut):
            pass
    policy.answers[("roles", "watch")] = flood
    gw.start(ready=False)
    gw.wait_ready()
    for _ in range(5):
        assert gw.admin("/readyz")[0] == 200
        time.sleep(0.2)
    gw.stop()


def test_readyz_says_what_no_longer_works(live):
    """Roles that are still good, but no longer renewed."""
    gw, policy = live()
    gw.start()
    policy.wait_watched()
    for r in ROLES:
        policy.answers[r] = status(500, "InternalError", "etcdserver: no leader")
    policy.end_watches("cut")
    gw.wait_log("answered with status 500: etcdserver: no leader; what is known stays in force")
    wait_for(lambda: re.search(r"^\[\+\]roles of cluster prod ok, heard of \d+ s ago: .* etcdserver: no leader$",
                               gw.admin("/readyz?verbose")[1], re.M), 10 * SLOW)
    assert gw.admin("/readyz")[0] == 200


@pytest.mark.skipif(SLOW != 1, reason="a preloaded resolver and a sanitizer do not go together")
def test_one_address_of_several_says_nothing(make_gateway, make_upstream, tmp_path):
    """The API server's name has two addresses; nobody answers at the first, and the second has its share of the time."""
    policy = Policy(make_upstream(host="127.0.0.2"))
    gw = go_live(make_gateway(policy.upstream), policy.upstream)
    with socket.create_server(("127.0.0.1", policy.upstream.port)):
        gw.write_json("reader.kubeconfig", kubeconfig(
            "https://api.example.com:%d" % policy.upstream.port, gw.world.ca.cert,
            **{"tls-server-name": "kubernetes.default"}))
        gw.start(ready=False, env={**os.environ, "LD_PRELOAD": build_shim(tmp_path, "resolve"),
                                   "RESOLVE": "api.example.com=127.0.0.1,127.0.0.2"})
        gw.wait_ready(9)
        gw.stop()
    policy.end_watches("cut")


# --- what a tenant may write ---

def test_nul_in_one_role(live):
    """Nothing checks rules for NUL: one role of one namespace must not keep all others from being read."""
    gw, policy = live()
    role = {"apiVersion": RBAC + "/v1", "kind": "Role", "metadata": {"name": "a\0b", "namespace": "dev"},
            "rules": [{"apiGroups": [""], "resources": ["\0"], "verbs": ["\0"]}]}
    policy.put(role)
    gw.start()
    policy.wait_watched()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    until(gw, 200)
    policy.put(dict(role, metadata={"name": "b\0c", "namespace": "dev"}))
    policy.delete("RoleBinding", "noel", "dev")
    until(gw, 403)
    assert policy.count("roles", "list") == 1
    wait_for(lambda: os.path.exists(gw.path("rbac-prod.json")), 5 * SLOW)
    gw.stop()
    policy.end_watches("cut")
    policy.upstream.stop()
    gw.start(ready=False)
    assert "using the roles of" in gw.log()


# --- streams, and another API server ---

def test_streams_do_not_wait_for_ever(live, clock):
    """spec: T-130 - roles that are awaited and do not come: what was open before ends within a minute."""
    gw, policy = live([i for i in rbac()["items"] if i["metadata"]["name"] == "everything"])
    policy.other = greet
    settings = gw.cluster["authorization"]["rbac"]
    gw.cluster["authorization"]["rbac"] = {"files": ["rbac.json"]}
    gw.start(env=clock.env)
    waits = Stream(gw, "watch", gw.world.reader)
    policy.held.clear()
    gw.cluster["authorization"]["rbac"] = settings
    gw.reload()
    later(gw, clock, 48)
    time.sleep(0.2)
    assert is_quiet(waits)
    later(gw, clock, 3)
    waits.ends("policy", "not known yet", seconds=5)
    gw.wait_log("the cluster's roles are still not known")
    assert gw.ask("GET", PODS).code == 503
    policy.held.set()
    later(gw, clock, 31)
    gw.wait_ready(20)


def test_another_api_server_is_another_cluster(live, make_upstream):
    """What one API server said decides nothing once another is asked: neither after SIGHUP nor by the copy."""
    gw, policy = live()
    policy.bind("noel", "reader", user="noel", namespace="dev")
    gw.start()
    policy.wait_watched()
    assert code(gw) == 200
    wait_for(lambda: os.path.exists(gw.path("rbac-prod.json")), 5 * SLOW)
    other = Policy(make_upstream())
    other.held.clear()
    gw.write_json("reader.kubeconfig", kubeconfig(other.upstream.url, gw.world.ca.cert))
    gw.reload()
    assert code(gw) == 503
    gw.stop()
    gw.start(ready=False)
    gw.wait_log("the copy of the roles is not used", "is of the API server " + policy.upstream.url)
    assert code(gw) == 503
    other.held.set()
    gw.wait_ready(20)
    assert code(gw) == 403
    assert gw.ask("GET", PODS).code == 200
    gw.stop()
    other.end_watches("cut")


def test_the_file_of_a_token_moves(live):
    """The same kubeconfig in another folder, with a token file beside it, is another credential."""
    gw, policy = live(user={"tokenFile": "token"})
    for folder in ("one", "two"):
        os.mkdir(gw.path(folder))
        gw.write_text(folder + "/token", folder)
        gw.write_json(folder + "/reader.kubeconfig",
                      kubeconfig(policy.upstream.url, gw.world.ca.cert, {"tokenFile": "token"}))
    gw.cluster["authorization"]["rbac"]["live"]["kubeconfig"] = "one/reader.kubeconfig"
    gw.start()
    policy.wait_watched()
    gw.cluster["authorization"]["rbac"]["live"]["kubeconfig"] = "two/reader.kubeconfig"
    gw.reload()
    wait_for(lambda: policy.seen[-1][3].get("Authorization") == "Bearer two", 5 * SLOW)


@pytest.mark.parametrize("spoil,why", [
    (lambda path: os.chmod(path, 0o666), "may be written by everybody"),
    (lambda path: (os.unlink(path), os.mkfifo(path)), "is no regular file"),
    (lambda path: (os.unlink(path), os.mkdir(path)), "is no regular file"),
])
def test_files_that_are_no_copies(live, spoil, why):
    gw, policy = live()
    gw.start()
    wait_for(lambda: os.path.exists(gw.path("rbac-prod.json")), 5 * SLOW)
    gw.stop()
    spoil(gw.path("rbac-prod.json"))
    policy.end_watches("cut")
    policy.upstream.stop()
    gw.start(ready=False)
    gw.wait_log("the copy of the roles is not used", why)
    assert gw.ask("GET", PODS).code == 503


def test_reloads_at_random(live, make_upstream):
    """SIGHUP, once or twice at a time, at any moment of lists, watches and waits: files and live and back, another server,
    another credential, another name, labels or none. Nothing is lost or freed too early, and what is asked for last is
    what is in force."""
    gw, policy = live()
    other = Policy(make_upstream())
    settings = gw.cluster["authorization"]["rbac"]
    seed = random.SystemRandom().randrange(1 << 30)
    print("seed", seed)
    r = random.Random(seed)
    gw.start()

    def trouble():
        what = r.randrange(6)
        p = r.choice([policy, other])
        if what == 0:
            p.end_watches(r.choice(["cut", "end"]))
        elif what == 1:
            p.forget_history()
            p.end_watches()
        elif what == 2:
            p.answers = {(r.choice(ROLES), r.choice(["list", "watch"])): status(500, "InternalError")}
        elif what == 3:
            p.answers = {}
        elif what == 4:
            r.choice([p.held.set, p.held.clear])()
        else:
            p.bind("b%d" % r.randrange(5), "reader", user="u%d" % r.randrange(5), namespace="dev")

    for _ in range(60):
        for _ in range(r.randrange(4)):
            trouble()
        rbac_ = gw.cluster["authorization"]["rbac"] = {"files": ["rbac.json"]} if r.random() < 0.2 else settings
        gw.cluster["name"] = r.choice(["prod", "prod", "prod", "other"])
        gw.cluster.pop("accessRules", None)
        if r.random() < 0.3 and rbac_ is settings:
            gw.cluster["accessRules"] = [RULE]
        gw.write_json("reader.kubeconfig", kubeconfig(r.choice([policy, policy, other]).upstream.url, gw.world.ca.cert,
                                                      {"token": r.choice(["a", "b"])}))
        gw.write()
        for _ in range(r.randrange(1, 3)):
            gw.process.send_signal(signal.SIGHUP)
        time.sleep(r.random() * 0.1 * SLOW)
    for p in policy, other:
        p.held.set()
        p.answers = {}
    gw.cluster["authorization"]["rbac"], gw.cluster["name"] = settings, "prod"
    gw.cluster.pop("accessRules", None)
    gw.write_json("reader.kubeconfig", kubeconfig(policy.upstream.url, gw.world.ca.cert))
    gw.reload()
    gw.wait_ready(60)
    policy.bind("noel", "reader", user="noel", namespace="dev")
    until(gw, 200, seconds=40)
    policy.delete("RoleBinding", "noel", "dev")
    until(gw, 403, seconds=40)
    gw.stop()
    other.end_watches("cut")
