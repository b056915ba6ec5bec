"""What only the gateway does, with real clients and a real API server: its refusals, ranges, reload, drain, audit."""
import json
import re
import subprocess
import threading

import pytest

from gateway import ORDERS, Gateway
from processes import until
from signal import SIGHUP
from wire import SPDY, WEBSOCKET, ask, begin, connect, is_closed, pods
from world import Side, close, lines_until

INSIDE, OUTSIDE = "127.0.0.1", "127.0.0.2"
NO_ROLE = "no role grants this"


# ---- refusals ----

def test_kubectl_shows_what_decided(sides):
    side = sides["rbac"]
    p = side.kubectl("nobody", "get", "pods", "-n", side.namespace, check=False)
    assert p.returncode == 1
    sentence = 'User "oidc:nina" cannot list resource "pods" in API group "" in the namespace "%s"' % side.namespace
    assert p.stderr == "Error from server (Forbidden): pods is forbidden: %s: %s\n" % (sentence, NO_ROLE)


@pytest.mark.parametrize("method, path", [
    ("GET", "/api/v1/namespaces/NS/pods"),
    ("GET", "/api/v1/namespaces/NS/pods/shell/log"),
    ("GET", "/api/v1/pods?fieldSelector=metadata.name%3Dx"),
    ("GET", "/api/v1/namespaces/NS"),
    ("GET", "/api/v1/watch/namespaces/NS/pods"),
    ("PATCH", "/apis/apps/v1/namespaces/NS/deployments/web/scale"),
    ("DELETE", "/api/v1/nodes/node1"),
    ("GET", "/metrics"),
    ("POST", "/logs"),
])
def test_forbidden_is_the_api_servers_status(method, path, sides):
    """The whole object is equal, but for the end of the sentence."""
    direct, here = (ask(sides[s], "nobody", method, path.replace("NS", sides[s].namespace)) for s in ("direct", "rbac"))
    assert (here.status, direct.status) == (403, 403)
    wanted = json.loads(direct.body.decode().replace(sides["direct"].namespace, sides["rbac"].namespace))
    assert here.json() == {**wanted, "message": wanted["message"] + ": " + NO_ROLE}


@pytest.mark.parametrize("user", ["viewer", "getter"])
@pytest.mark.parametrize("stream", ["exec?command=true&stdout=true", "attach?stdout=true", "portforward"])
def test_get_and_post_of_a_stream_read_alike(stream, user, sides):
    """After a 403 on its GET kubectl asks again by POST and shows only the second answer."""
    side = sides["rbac"]
    path, who = pods(side, "/shell/" + stream), {"viewer": "oidc:vera", "getter": "oidc:gus"}[user]
    sentence = ('pods "shell" is forbidden: User "%s" cannot create resource "pods/%s" in API group "" in the '
                'namespace "%s": %s' % (who, stream.partition("?")[0], side.namespace, NO_ROLE))
    for method, headers in (("GET", WEBSOCKET), ("POST", SPDY)):
        answer = ask(side, user, method, path, headers=headers)
        got = answer.json()
        assert (answer.status, got["kind"], got["reason"], got["message"]) == (403, "Status", "Forbidden", sentence)


@pytest.mark.parametrize("user", ["expired", "wrong-audience", "wrong-issuer", "wrong-key", "garbage", "anonymous"])
@pytest.mark.parametrize("order", ORDERS)
def test_unauthorized(order, user, sides):
    """One sentence for all: a client does not learn which check failed. The API server's own answer is the same."""
    answer, direct = (ask(sides[s], user, "GET", pods(sides[s])) for s in (order, "direct"))
    assert answer.status == 401 and answer.headers["Audit-ID"]
    got = answer.json()
    assert (got["kind"], got["message"], got["reason"], got["code"]) == ("Status", "Unauthorized", "Unauthorized", 401)
    if user != "anonymous":  # whom this API server does let in, to be forbidden
        assert got == direct.json()


@pytest.mark.parametrize("order", ORDERS)
def test_impersonation_is_refused(order, sides):
    get = ["get", "pods", "-n", sides[order].namespace]
    sides[order].kubectl("admin", *get)  # fills kubectl's discovery cache: it prints no reason for a refused discovery
    p = sides[order].kubectl("admin", *get, "--as=bob", check=False)
    assert p.returncode == 1 and "(Forbidden)" in p.stderr and "mpersonat" in p.stderr


@pytest.mark.parametrize("order", ORDERS)
def test_identity_headers_have_no_effect(order, sides):
    headers = {"X-Remote-User": "root", "X-Remote-Group": "system:masters", "X-Forwarded-For": "192.0.2.1"}
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    answer = ask(sides[order], "nobody", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body, headers)
    assert answer.status == 201
    assert answer.json()["status"]["userInfo"]["username"] == "oidc:nina"
    assert answer.json()["status"]["userInfo"]["groups"] == ["system:authenticated"]


# ---- ranges ----

@pytest.mark.parametrize("order", ORDERS)
def test_outside_the_ranges(order, sides):
    """Closed before TLS: without an octet from either end. Clients inside may take their time."""
    assert is_closed(sides[order].port, OUTSIDE, 5)
    assert not is_closed(sides[order].port, INSIDE, 0.3)
    curl = ["curl", "-sv", "--max-time", "5", "--cacert", sides[order].ca, sides[order].url + "/version", "--interface"]
    outside = subprocess.run(curl + [OUTSIDE], capture_output=True, text=True, timeout=10, check=False)
    assert outside.returncode != 0 and outside.stdout == "" and "Server hello" not in outside.stderr
    inside = subprocess.run(curl + [INSIDE], capture_output=True, text=True, timeout=10, check=False)
    assert inside.returncode == 0 and "Server hello" in inside.stderr


# ---- audit ----

def audited(server, audit_id, stage="ResponseComplete"):
    """Events in the log of the gateway, or of the API server."""
    return [e for e in server.audit() if e["auditID"] == audit_id and e["stage"] == stage]


@pytest.mark.parametrize("order", ORDERS)
def test_each_request_is_audited_once(order, sides, gateways, cluster):
    side, gateway = sides[order], gateways[order]
    cases = [  # user, name in the log, method, path, status, verb
        ("admin", "oidc:ada", "GET", pods(side), 200, "list"),
        ("admin", "oidc:ada", "GET", pods(side, "/shell"), 200, "get"),
        ("admin", "oidc:ada", "GET", pods(side, "/none"), 404, "get"),
        ("admin", "oidc:ada", "GET", pods(side, "?watch=1&timeoutSeconds=1"), 200, "watch"),
        ("admin", "oidc:ada", "GET", "/version", 200, "get"),
        ("nobody", "oidc:nina", "GET", pods(side), 403, "list"),
        ("nobody", "oidc:nina", "DELETE", pods(side), 403, "deletecollection"),
        ("viewer", "oidc:vera", "POST", pods(side, "/shell/exec?command=true"), 403, "create"),
        ("expired", "", "GET", pods(side), 401, "list"),
    ]
    for i, (user, name, method, path, status, verb) in enumerate(cases):
        audit_id = "e2e-%s-%d" % (order, i)
        answer = ask(side, user, method, path, headers={"Audit-ID": audit_id})
        assert (answer.status, answer.headers.get_all("Audit-ID")) == (status, [audit_id])
        until("audit event", lambda: audited(gateway, audit_id), 5)
        event, = audited(gateway, audit_id)
        assert (event["verb"], event["requestURI"], event["responseStatus"]["code"]) == (verb, path, status)
        assert (event["user"].get("username", ""), event["sourceIPs"]) == (name, [INSIDE])
        assert len(audited(gateway, audit_id, "ResponseStarted")) == (verb == "watch") or status == 403
        if user == "admin":
            until("event at the API server", lambda: audited(cluster, audit_id), 5)


# ---- reload and drain: gateways of their own ----

@pytest.fixture
def extra(cluster):
    """A function that starts one more gateway and makes a side of it."""
    started = []

    def start(name, order, **kw):
        g = Gateway(cluster, name, order, **kw)
        started.append(g)
        return g.start(), Side(cluster, cluster.tokens, name, g.url, g.ca)
    yield start
    for g in started:
        g.stop()


def test_reload(extra, cluster):
    """SIGHUP brings new ranges and roles; a watch and an exec go on over it; a broken file changes nothing."""
    gateway, side = extra("reload", "rbac")
    watch = side.popen("admin", "get", "configmaps", "-w", "-o", "name")
    shell = side.popen("admin", "exec", "-i", "shell", "--", "cat", stdin=subprocess.PIPE)

    def both_live(mark):
        cluster.kubectl("create", "configmap", mark, "-n", side.namespace)
        lines_until(watch, mark)
        shell.stdin.write(mark + "\n")
        shell.stdin.flush()
        lines_until(shell, mark)

    try:
        until("the watch", lambda: [e for e in gateway.audit() if e["verb"] == "watch"], 10)
        both_live("before")
        assert is_closed(gateway.port, "127.0.0.3", 5)
        get = ["get", "pods", "-n", side.namespace]
        assert side.kubectl("nobody", *get, check=False).returncode == 1
        cluster.kubectl("create", "rolebinding", "late", "-n", side.namespace, "--role=viewer", "--user=oidc:nina")
        gateway.write_rbac()
        gateway.write("ranges.txt", "127.0.0.3\n")
        gateway.signal(SIGHUP)
        until("the new range", lambda: not is_closed(gateway.port, "127.0.0.3", 0.2), 10)
        until("the new role", lambda: side.kubectl("nobody", *get, check=False).returncode == 0, 10)
        both_live("reloaded")

        logged = len(gateway.read("gateway.log"))
        gateway.write("gateway.yaml", gateway.configuration() + "nonsense: true\n")
        gateway.signal(SIGHUP)
        until("an error about the file", lambda: "gateway.yaml" in gateway.read("gateway.log")[logged:], 10)
        assert "nonsense" in gateway.read("gateway.log")[logged:]
        both_live("refused")
        assert side.kubectl("admin", *get).returncode == 0
        watches = [e["stage"] for e in gateway.audit() if e["verb"] == "watch"]
        assert watches == ["ResponseStarted"], "it is still the first one"
    finally:
        cluster.kubectl("delete", "rolebinding", "late", "-n", side.namespace, "--ignore-not-found")
        close(watch)
        close(shell)


def test_drain(extra):
    """SIGTERM: not ready, no new connections; a watch ends cleanly, a log to its end, an exec at the drain timeout."""
    gateway, side = extra("drain", "upstream", drain="4s")
    ticks = "for i in $(seq 20); do echo tick$i; sleep 0.1; done"
    side.run("""pod ticks '"command":["sh","-c","%s"]' | admin create -f -""" % ticks, "admin")
    conn, result = connect(side), {}
    response = begin(conn, side, "admin", "GET", pods(side, "?watch=1"))
    reader = threading.Thread(target=lambda: result.update(body=response.read()))  # raises on a stream cut short
    reader.start()
    shell = side.popen("admin", "exec", "-i", "shell", "--", "cat", stdin=subprocess.PIPE)
    log = None
    try:
        shell.stdin.write("typed\n")
        shell.stdin.flush()
        lines_until(shell, "typed")
        logs = ["logs", "ticks", "-n", side.namespace]
        until("log", lambda: side.kubectl("admin", *logs, check=False).returncode == 0, 10)
        log = side.popen("admin", "logs", "-f", "ticks")
        seen = lines_until(log, "tick2")

        gateway.process.terminate()
        until("end of the watch", lambda: "body" in result, 3)
        assert result["body"].endswith(b"\n")
        assert not ready(gateway)
        assert refuses(gateway.port)
        rest, err = log.communicate(timeout=10)
        assert (log.returncode, err) == (0, "")
        assert seen + rest.split() == ["tick%d" % (i + 1) for i in range(20)]
        assert gateway.process.wait(10) == 0
        shell.wait(10)
        assert shell.returncode != 0
    finally:
        conn.close()
        for p in (shell, log):
            if p:
                close(p)
    stages = {}
    for e in gateway.audit():
        stages.setdefault(e["auditID"], []).append(e["stage"])
    assert all(s.count("ResponseComplete") == 1 for s in stages.values()), stages


def ready(gateway):
    try:
        return gateway.get("/readyz")[0] == 200
    except OSError:
        return False


def refuses(port):
    try:
        return is_closed(port, INSIDE, 1)
    except ConnectionError:
        return True


# ---- resources ----

def test_descriptors_do_not_grow(sides, gateways):
    side, gateway = sides["upstream"], gateways["upstream"]

    def round_():
        for _ in range(20):
            assert ask(side, "admin", "GET", pods(side, "?limit=1")).status == 200
            assert ask(side, "expired", "GET", pods(side)).status == 401
            is_closed(side.port, OUTSIDE, 5)
        assert side.kubectl("admin", "exec", "-n", side.namespace, "shell", "--", "true").returncode == 0
        side.kubectl("admin", "get", "configmaps", "-n", side.namespace, "-w", "--request-timeout=300ms", check=False)

    round_()
    before = gateway.descriptors()
    for _ in range(5):
        round_()
    until("as few descriptors as before (%d)" % before, lambda: gateway.descriptors() <= before + 4, 20)


def test_metrics(gateways):
    for g in gateways.values():
        status, text = g.get("/metrics")
        assert status == 200 and re.search(r"(?m)^kube_access_gateway_\w+(\{[^}]*\})? \d", text)
        assert not re.search(r"(?m)^[^#\s](?!ube_access_gateway_|rocess_)", text)
