"""Open streams are judged again whenever what they were permitted by changes, and end when they are not any more."""
import socket
import threading
import time

import pytest

from client import Cut, new_id, request
from gateway import RULES, SLOW, rbac
from tokens import Issuer
from upstream import WATCH_HEAD, answer, chunk

POD = "/api/v1/namespaces/dev/pods/web"
STREAMS = {
    "watch": ("GET", "/api/v1/namespaces/dev/pods?watch=1"),
    "log": ("GET", POD + "/log?follow=true"),
    "exec": ("GET", POD + "/exec?command=sh"),
    "portforward": ("POST", POD + "/portforward"),
}
UPGRADES = {"exec": "websocket", "portforward": "SPDY/3.1"}
CLEAN = b"0\r\n\r\n"


def serve(ex):
    """The API server's part: a stream that says one thing and then waits."""
    if ex.get("Upgrade"):
        ex.body_read = True
        ex.send(("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"
                 % ex.get("Upgrade")).encode() + b"hello")
    else:
        ex.read()
        ex.send(WATCH_HEAD + chunk(b"hello"))
    wait(ex)


def wait(ex):
    """Until the gateway leaves."""
    try:
        while ex.stream.recv(timeout=300):
            pass
    except (OSError, ValueError, Cut):
        pass
    ex.stream.close()


class Stream:
    def __init__(self, gw, kind, token, source=None, ctx=None, fields=()):
        method, target = STREAMS[kind]
        fields = list(fields)
        if kind in UPGRADES:
            fields += ["Connection: Upgrade", "Upgrade: " + UPGRADES[kind]]
        self.gw, self.kind, self.id = gw, kind, new_id()
        self.client = gw.connect(source=source, **({"ctx": ctx} if ctx else {}))
        self.client.send(request(method, target, *fields, token=token, audit_id=self.id))
        a = self.client.head()
        assert a.code == (101 if kind in UPGRADES else 200), a.code
        greeting = b"hello" if kind in UPGRADES else chunk(b"hello")
        assert self.client.stream.exactly(len(greeting)) == greeting

    def ends(self, by, why, seconds=1.0):
        """Within a second of the change; a watch cleanly; audit says why."""
        begin = time.monotonic()
        if self.kind == "watch":
            assert self.client.stream.exactly(len(CLEAN)) == CLEAN
        else:
            try:
                assert self.client.stream.rest() == b""
            except OSError:
                pass
        assert time.monotonic() - begin < seconds * SLOW
        done = self.gw.events(self.id, 2)[1]["annotations"]
        assert done["kube-access-gateway/ended-by"] == by
        assert why in done["kube-access-gateway/ended-reason"]
        self.gw.wait_log("ended audit-id=" + self.id, "by=" + by)

    def goes_on(self):
        assert len(self.gw.events(self.id)) == 1
        assert self.client.stream.sock.fileno() >= 0
        self.client.close()


@pytest.fixture
def own(make_gateway, upstream, world):
    """A gateway of its own, whose policy lets runners and readers do all of the streams."""
    upstream.script = serve
    gw = make_gateway(upstream)
    gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/8"]}
    gw.start()
    yield gw
    upstream.close_all()


def admins(gw, *groups):
    """The policy where these groups are administrators."""
    policy = rbac()
    for item in policy["items"]:
        if item["kind"] == "ClusterRoleBinding":
            item["subjects"] = [{"kind": "Group", "name": g} for g in groups]
    gw.write_json("rbac.json", policy)


@pytest.mark.parametrize("kind", STREAMS)
def test_a_binding_is_removed(own, world, kind):
    """T-65, T-118, T-130: the streams of its subjects end, the others do not notice."""
    other = world.issuer.token("olga", "keepers")
    admins(own, "admins", "keepers")
    own.reload()
    gone, kept = Stream(own, kind, world.admin), Stream(own, kind, other)
    admins(own, "keepers")
    own.reload()
    gone.ends("policy", "no role grants this")
    kept.goes_on()
    assert own.metric("long_running_revoked_total") == 1


@pytest.mark.parametrize("kind", STREAMS)
def test_a_range_is_removed(own, world, kind):
    """T-130, T-89: by the address of the connection."""
    gone, kept = Stream(own, kind, world.admin, source="127.0.0.7"), Stream(own, kind, world.admin)
    own.cluster["authorizedRanges"]["deny"] = ["127.0.0.7/32"]
    own.reload()
    gone.ends("ranges", "no authorized range")
    kept.goes_on()


@pytest.mark.parametrize("kind", STREAMS)
def test_a_rule_is_tightened(own, world, kind):
    """T-130: an access rule that came, or asks for more."""
    own.config["networks"] = {"bastion": ["127.0.0.0/8"]}
    own.cluster["accessRules"] = [{"name": "dev-from-bastion", "match": {"namespaces": ["dev"]},
                                   "require": {"networks": ["bastion"]}}]
    own.reload()
    gone, kept = Stream(own, kind, world.admin, source="127.0.0.7"), Stream(own, kind, world.admin)
    own.config["networks"]["bastion"] = ["127.0.0.1"]
    own.reload()
    gone.ends("access-rule", 'access rule "dev-from-bastion" requires network bastion')
    kept.goes_on()


@pytest.mark.parametrize("kind", STREAMS)
def test_a_key_is_withdrawn(own, world, kind, tmp_path):
    """T-87, T-130: the streams of tokens that it signed end; those of other keys, kid aside, do not."""
    issuer = Issuer(tmp_path, world.issuer.url, "old")
    issuer.keys.append(world.issuer.keys[0])
    issuer.write_keys(own.path("keys.json"))
    own.reload()
    gone, kept = Stream(own, kind, issuer.token("ann", "admins")), Stream(own, kind, world.admin)
    world.issuer.write_keys(own.path("keys.json"))
    own.reload()
    gone.ends("keys", "key or issuer is not trusted any more")
    kept.goes_on()


@pytest.mark.parametrize("change", ["audience", "claim", "comment"])
def test_identity_rules_change(own, world, change):
    """T-65: what the token yields could be another now; a comment changes nothing."""
    s = Stream(own, "watch", world.admin)
    text = own.read("authentication.json")
    if change == "audience":
        text = text.replace('"kubernetes"', '"another"')
    elif change == "claim":
        text = text.replace('"claim": "sub"', '"claim": "email"')
    else:
        text = "# the same\n" + text
    own.write_text("authentication.json", text)
    own.reload()
    if change == "comment":
        s.goes_on()
    else:
        s.ends("keys", "key or issuer")


@pytest.mark.parametrize("kind", STREAMS)
def test_a_cluster_is_removed(own, world, kind):
    """T-130: nobody configures it any more."""
    s = Stream(own, kind, world.admin)
    own.cluster["name"] = "another"
    own.reload()
    s.ends("configuration", "not configured any more")


def test_a_token_expires(own, world):
    """T-118: a watch ends a minute after its token; so do the others where sessionMaxAge says `token`."""
    own.cluster["limits"] = {"sessionMaxAge": "token"}
    own.reload()
    expires = int(time.time()) + 4 * SLOW
    token = world.issuer.token("ann", "admins", exp=expires)
    streams = [Stream(own, kind, token) for kind in STREAMS]
    time.sleep(max(0, expires + 58 - time.time()))
    assert own.metric("long_running_revoked_total") == 0
    for s in streams:
        s.ends("token-expired", "the token has expired", seconds=4)


@pytest.mark.parametrize("kind", [k for k in STREAMS if k != "watch"])
def test_sessions_have_an_age(own, world, kind):
    """T-118: exec, port-forward and logs end at sessionMaxAge, whatever the token says."""
    own.cluster["limits"] = {"sessionMaxAge": "%dms" % (500 * SLOW)}
    own.reload()
    s = Stream(own, kind, world.admin)
    s.ends("session-max-age", "older than limits.sessionMaxAge", seconds=2)


def test_a_watch_outlives_the_session_age(own, world):
    """T-118: it ends with its token."""
    own.cluster["limits"] = {"sessionMaxAge": "300ms"}
    own.reload()
    s = Stream(own, "watch", world.admin)
    time.sleep(0.8)
    s.goes_on()


def test_what_waits_for_its_answer_is_judged_again_too(own, world, upstream):
    """T-65: nothing was sent yet, so the refusal is an answer."""
    def hold(ex):
        ex.read()
        wait(ex)
    upstream.script = hold
    audit_id = new_id()
    c = own.connect()
    c.send(request(*STREAMS["watch"], token=world.admin, audit_id=audit_id))
    upstream.wait(1)
    admins(own)
    own.reload()
    a = c.answer()
    assert a.code == 403 and a.status()["message"].endswith("no role grants this")
    done = own.event(audit_id)["annotations"]
    assert done["kube-access-gateway/ended-by"] == "policy"
    assert done["authorization.k8s.io/decision"] == "forbid"
    assert done["authorization.k8s.io/reason"] == ""


@pytest.fixture
def connecting(make_gateway):
    """A gateway whose API server takes connections and says nothing: whatever is asked waits for the handshake."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(64)
        gw = make_gateway("https://127.0.0.1:%d" % deaf.getsockname()[1])
        gw.deaf = deaf
        yield gw.start(ready=False)


def wait_in_connect(gw, target):
    audit_id = new_id()
    c = gw.connect()
    c.send(request("GET", target, token=gw.world.admin, audit_id=audit_id))
    gw.wait_metric("exchanges", 1)
    time.sleep(0.2)
    return c, audit_id


@pytest.mark.parametrize("kind", ["log", "watch"])
def test_what_has_no_server_yet_is_judged_again(connecting, kind):
    """T-65, T-130: before a connection is there."""
    c, audit_id = wait_in_connect(connecting, STREAMS[kind][1])
    admins(connecting)
    connecting.reload()
    a = c.answer()
    assert a.code == 403 and a.status()["message"].endswith("no role grants this")
    assert connecting.event(audit_id)["annotations"]["kube-access-gateway/ended-by"] == "policy"


@pytest.mark.parametrize("change", ["sessionMaxAge", "rights of a list"])
def test_what_has_no_server_yet_goes_on(connecting, change):
    """T-118, T-65: a session that has not begun has no age; what ends soon keeps the verdict that it has."""
    target = STREAMS["log"][1] if change == "sessionMaxAge" else "/api/v1/namespaces/dev/pods"
    wait_in_connect(connecting, target)
    if change == "sessionMaxAge":
        connecting.cluster["limits"] = {"sessionMaxAge": "300ms"}
    else:
        admins(connecting)
    connecting.reload()
    time.sleep(0.5)
    assert connecting.metric("exchanges") == 1
    assert connecting.metric("long_running_revoked_total") == 0


def test_what_moved_names_its_cluster_when_no_server_takes_it(connecting):
    """T-02, T-128: it came with a configuration that nobody else holds any more."""
    c = connecting.connect()  # holds the configuration of its accept, which must be another one
    connecting.reload()
    c.send(request(*STREAMS["log"], token=connecting.world.admin))
    connecting.wait_metric("exchanges", 1)
    time.sleep(0.2)
    connecting.reload()
    connecting.reload()
    connecting.deaf.close()
    assert c.answer().code == 503
    connecting.wait_log("upstream cluster=prod", "server=")


def silent(upstream):
    """An API server that takes requests and answers none, as of a log without a line."""
    def hold(ex):
        ex.read()
        wait(ex)
    upstream.script = hold


def begin(gw, upstream, kind, token):
    audit_id, count = new_id(), len(upstream.requests)
    c = gw.connect()
    c.send(request(*STREAMS[kind], token=token, audit_id=audit_id))
    upstream.wait(count + 1)
    return c, audit_id


def test_a_rule_refuses_what_waits_for_its_answer(own, world, upstream):
    """T-66, T-130: audit tells of the rule as it does of any refusal by one."""
    silent(upstream)
    c, audit_id = begin(own, upstream, "log", world.admin)
    own.cluster["accessRules"] = [{"name": "ops-only", "match": {"resources": ["pods/log"]},
                                   "require": {"groups": ["ops"]}}]
    own.reload()
    a = c.answer()
    why = 'access rule "ops-only" requires group ops'
    assert a.code == 403 and a.status()["message"].endswith(": " + why)
    assert a.status()["details"] == {"name": "web", "kind": "pods"}
    done = own.event(audit_id)["annotations"]
    assert done["authorization.k8s.io/decision"] == "forbid"
    assert done["authorization.k8s.io/reason"] == done["kube-access-gateway/ended-reason"] == why
    assert done["kube-access-gateway/rule"] == "ops-only"


def test_which_check_failed_is_not_told(own, world, upstream, tmp_path):
    """T-07: a stream that waits for its answer gets the plain 401 when its key goes."""
    issuer = Issuer(tmp_path, world.issuer.url, "old")
    issuer.keys.append(world.issuer.keys[0])
    issuer.write_keys(own.path("keys.json"))
    own.reload()
    silent(upstream)
    c, audit_id = begin(own, upstream, "log", issuer.token("ann", "admins"))
    world.issuer.write_keys(own.path("keys.json"))
    own.reload()
    a = c.answer()
    assert a.code == 401 and a.status()["message"] == "Unauthorized"
    assert own.event(audit_id)["annotations"]["kube-access-gateway/ended-by"] == "keys"


def test_a_log_without_a_line_has_an_age_too(own, world, upstream):
    """T-118: it counts from when the request went upstream, not from an answer that may never come."""
    own.cluster["limits"] = {"sessionMaxAge": "%dms" % (500 * SLOW)}
    own.reload()
    silent(upstream)
    c, audit_id = begin(own, upstream, "log", world.admin)
    a = c.answer()
    assert a.code == 403 and "older than limits.sessionMaxAge" in a.status()["message"]
    assert own.event(audit_id)["annotations"]["kube-access-gateway/ended-by"] == "session-max-age"


@pytest.mark.parametrize("kind", [k for k in STREAMS if k != "watch"])
def test_a_lower_age_ends_what_is_open(own, world, kind):
    """T-118: the age of the configuration in force, counted from the beginning; off again, nothing ends."""
    s = Stream(own, kind, world.admin)
    own.cluster["limits"] = {"sessionMaxAge": "1h"}
    own.reload()
    own.cluster["limits"] = {"sessionMaxAge": "300ms"}
    own.reload()
    s.ends("session-max-age", "older than limits.sessionMaxAge", seconds=2)


def test_an_age_that_is_lifted_ends_nothing(own, world):
    """T-118: moved to a configuration without one."""
    own.cluster["limits"] = {"sessionMaxAge": "%ds" % (2 * SLOW)}
    own.reload()
    s = Stream(own, "exec", world.admin)
    own.cluster["limits"] = {"sessionMaxAge": "0s"}
    own.reload()
    time.sleep(2.5 * SLOW)
    s.goes_on()


def test_a_watch_whose_client_reads_nothing_ends_too(own, world, upstream):
    """T-118, T-121: a clean end needs a reader; after a second any end will do."""
    def flood(ex):
        ex.read()
        ex.send(WATCH_HEAD + chunk(b"hello"))
        try:
            for _ in range(400):
                ex.send(chunk(b"x" * 65536))
        except OSError:
            pass
        ex.stream.close()
    upstream.script = flood
    s = Stream(own, "watch", world.admin)
    time.sleep(0.3 * SLOW)
    admins(own)
    for _ in range(4):  # what is ending already is not told again, nor given more time
        own.reload()
        time.sleep(0.2)
    own.wait_metric("long_running_exchanges", 0, seconds=3)
    assert own.events(s.id, 2)[1]["annotations"]["kube-access-gateway/ended-by"] == "policy"
    assert own.metric("long_running_revoked_total") == 1


def test_a_watch_in_a_tunnel_ends_at_once(own, world):
    """T-118, T-130: over WebSocket there is no clean end to write; nothing of ours gets between the frames."""
    audit_id = new_id()
    c = own.connect()
    c.send(request("GET", STREAMS["watch"][1], "Connection: Upgrade", "Upgrade: websocket", token=world.admin,
                   audit_id=audit_id))
    assert c.head().code == 101
    assert c.stream.exactly(5) == b"hello"
    own.cluster["authorizedRanges"]["deny"] = ["127.0.0.1/32"]
    begin = time.monotonic()
    own.reload()
    try:
        assert c.stream.rest() == b""
    except OSError:
        pass
    assert time.monotonic() - begin < 0.9 * SLOW
    assert own.events(audit_id, 2)[1]["annotations"]["kube-access-gateway/ended-by"] == "ranges"


def test_many_reloads_disturb_nothing_that_stays_allowed(own, world):
    """T-127: moved from snapshot to snapshot, still the same stream."""
    assert RULES  # the policy of the scenarios
    streams = [Stream(own, kind, world.admin) for kind in STREAMS for _ in range(3)]
    for n in range(20):
        admins(own, "admins", "others-%d" % n)
        own.reload()
    for s in streams:
        s.goes_on()
    assert own.metric("long_running_revoked_total") == 0


def big_policy(gw, n):
    """Three megabytes once it is compiled; none is like the one before."""
    policy = rbac()
    for i in range(2000):
        name = "r%d-%d" % (n, i)
        policy["items"] += [
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
             "rules": [{"apiGroups": [name], "verbs": ["get", "list"], "resources": ["a", "b", "c", "d"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
             "roleRef": {"kind": "ClusterRole", "name": name}, "subjects": [{"kind": "User", "name": name}]}]
    gw.write_json("rbac.json", policy)


@pytest.mark.parametrize("slow", ["stream", "answer"])
def test_what_is_slow_holds_no_policy(own, world, upstream, slow):
    """T-131: open streams and answers under way leave each configuration when the next one is there."""
    def half(ex):
        ex.read()
        ex.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        wait(ex)
    if slow == "answer":
        upstream.script = half
    for n in range(10):
        big_policy(own, n)
        own.reload()
        if slow == "stream":
            Stream(own, "log", world.admin)
        else:
            c = own.connect()
            c.send(request("GET", POD, token=world.admin))
            assert c.head().code == 200
        if n == 2:
            before = own.memory()
    assert own.grown(before) < 6000  # KiB; seven of them would be 20000


def test_what_moved_names_its_server_when_that_is_lost(own, world, upstream):
    """T-02, T-128: it came with a configuration that nobody else holds any more; the log speaks of its server."""
    leave = threading.Event()

    def hold(ex):
        ex.read()
        leave.wait(30)
        ex.stream.close()
    c = own.connect()  # holds the configuration of its accept, which must be another one
    upstream.replies(answer())
    assert c.ask("GET", "/api", token=world.admin).code == 200
    own.reload()
    upstream.clear()
    upstream.script = hold
    audit_id = new_id()
    c.send(request(*STREAMS["log"], token=world.admin, audit_id=audit_id))
    upstream.wait(1)
    own.reload()
    own.reload()
    leave.set()
    assert c.answer().code == 502
    own.wait_log("audit-id=" + audit_id, "server=" + upstream.url)
