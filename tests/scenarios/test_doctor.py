"""doctor: live checks, a line each, with what to do."""
import json
import os
import subprocess
import time

import pytest

import tokens
from gateway import BINARY, SLOW
from policy import ROLES, Policy, go_live, kubeconfig, status
from upstream import WATCH_HEAD, answer


def doctor(gw, *args, code=0):
    """The lines by word: ok, warn, FAIL; the configuration is written before."""
    r = subprocess.run([BINARY, "doctor", "--config", gw.write(), *args], capture_output=True, text=True,
                       timeout=60 * SLOW, check=False)
    assert r.returncode == code and r.stderr == "", (r.returncode, r.stderr, r.stdout)
    lines = r.stdout.splitlines()
    found = {"ok": [], "warn": [], "FAIL": []}
    for line in lines[:-1]:
        word, _, text = line.partition(" ")
        assert all(c.isprintable() for c in line)
        found[word].append(text.strip())
    assert lines[-1] == "%d ok, %d warnings, %d failures" % tuple(len(x) for x in found.values())
    assert (code == 1) == bool(found["FAIL"])
    return found


def has(lines, *words):
    assert any(all(w in line for w in words) for line in lines), (words, lines)


@pytest.fixture
def long_pair(world):
    return world.ca.issue("long", "IP:127.0.0.1,DNS:long.example.com", days="90")


@pytest.fixture
def gw(make_gateway, make_upstream, long_pair):
    """A gateway that is not run, in good order: nothing to warn of."""
    g = make_gateway(make_upstream(long_pair))
    g.upstream_url = g.cluster["upstream"]["servers"][0]
    g.config["listeners"][0]["tls"]["certificates"] = [g.certificate(long_pair)]
    return g


def test_all_is_well(gw):
    found = doctor(gw)
    assert found["warn"] == []
    has(found["ok"], "prod upstream " + gw.upstream_url, "127.0.0.1 answers /readyz with status 200 over verified TLS")
    has(found["ok"], "prod upstream", "certificate is good for ")
    has(found["ok"], "listener main", "long.crt", "good for ")
    has(found["ok"], "stateDir " + gw.folder, "can be written")
    has(found["ok"], "audit.file", "can be written")
    has(found["ok"], "prod issuer " + gw.world.issuer.url, "1 usable key from " + gw.path("keys.json"))
    assert not os.path.exists(gw.path("audit.log")) and not [x for x in os.listdir(gw.folder) if "doctor" in x]
    assert doctor(gw, "--cluster", "prod") == found


# --- the configuration ---

def test_a_configuration_that_cannot_be_used(gw):
    gw.cluster["upstream"]["caFile"] = "nowhere.crt"
    has(doctor(gw, code=1)["FAIL"], "configuration", "nowhere.crt")
    gw.config["kind"] = "Gate"
    has(doctor(gw, code=1)["FAIL"], "gateway.yaml:3: kind: must be Gateway")


def test_usage(gw):
    for args in ((), ("--config", gw.write(), "x"), ("--config",)):
        r = subprocess.run([BINARY, "doctor", *args], capture_output=True, timeout=30, check=False)
        assert r.returncode == 2 and r.stdout == b""
    has(doctor(gw, "--cluster", "other", code=1)["FAIL"], 'no cluster is named "other"')


def test_warnings_of_the_configuration(gw):
    del gw.config["stateDir"]
    has(doctor(gw)["warn"], "configuration", "stateDir is not set")


def test_one_cluster_of_several(gw, make_upstream, long_pair):
    other = json.loads(json.dumps(gw.cluster))
    gw.cluster["serverNames"], other["serverNames"] = ["long.example.com"], ["other.example.com"]
    other["name"], other["upstream"]["servers"] = "other", ["https://127.0.0.1:1"]
    gw.config["clusters"].append(other)
    assert doctor(gw, "--cluster", "prod")["FAIL"] == []
    bad = doctor(gw, "--cluster", "other", code=1)
    assert len(bad["FAIL"]) == 2 and not any("prod " in x for x in bad["ok"])
    assert len(doctor(gw, code=1)["FAIL"]) == 2


# --- API servers ---

def test_nobody_listens(gw, make_upstream):
    """Each server is told of by itself."""
    gw.cluster["upstream"]["servers"].append("https://127.0.0.1:1")
    found = doctor(gw, code=1)
    has(found["FAIL"], "prod upstream https://127.0.0.1:1: 127.0.0.1: ", "refused", "does the API server listen there")
    has(found["ok"], "prod upstream " + gw.upstream_url)


def test_a_name_that_does_not_resolve(gw):
    gw.cluster["upstream"]["servers"] = ["https://api.invalid:443"]
    assert len(doctor(gw, code=1)["FAIL"]) == 1
    has(doctor(gw, code=1)["FAIL"], "prod name api.invalid: does not resolve", "spelled right")


def test_a_name_with_two_addresses(gw, world, make_upstream):
    """localhost may be ::1 too, where nobody listens: one that answers is enough, the other is a warning."""
    up = make_upstream(world.ca.issue("local", "DNS:localhost", days="90"))
    gw.cluster["upstream"]["servers"] = ["https://localhost:%d" % up.port]
    found = doctor(gw)
    has(found["ok"], "prod name localhost: is ", "127.0.0.1")
    has(found["ok"], "prod upstream https://localhost", "127.0.0.1 answers")
    assert all("::1" in x and "refused" in x for x in found["warn"])


def test_an_api_server_that_is_not_ready(gw, make_upstream, long_pair):
    up = make_upstream(long_pair)
    gw.cluster["upstream"]["servers"] = [up.url]
    up.probe_answer = answer(b"", "500 Internal Server Error")
    has(doctor(gw, code=1)["FAIL"], "status 500", "/readyz?verbose")
    up.probe_answer = answer(b"", "401 Unauthorized")
    has(doctor(gw)["ok"], "status 401")
    up.probe_answer = b"nonsense\r\n\r\n"
    has(doctor(gw, code=1)["FAIL"], "is it an API server?")


def test_a_foreign_certificate(gw, world):
    """T-108: the chain and the name; what to set is said."""
    gw.cluster["upstream"]["caFile"] = world.other_ca.cert
    found = doctor(gw, code=1)
    has(found["FAIL"], "certificate refused", "upstream.caFile")
    gw.cluster["upstream"].update(caFile=world.ca.cert, tlsServerName="kubernetes.default")
    has(doctor(gw, code=1)["FAIL"], "certificate refused", "upstream.tlsServerName")
    gw.cluster["upstream"]["tlsServerName"] = "long.example.com"
    assert doctor(gw)["warn"] == []


def test_a_certificate_that_ends_soon(gw, world, make_upstream):
    """RFC 5280 4.1.2.5: ours and the API server's, below 30 days; the worst of a chain counts."""
    pair = world.ca.issue("soon", "IP:127.0.0.1", days="10")
    gw.cluster["upstream"]["servers"] = [make_upstream(pair).url]
    gw.config["listeners"][0]["tls"]["certificates"] = [gw.certificate(pair)]
    found = doctor(gw)
    has(found["warn"], "prod upstream", "the certificate ends in ", " days: renew it")
    has(found["warn"], "listener main", "soon.crt", "the certificate ends in ", " days: renew it")
    assert len(found["warn"]) == 2
    chain = gw.write_text("chain.crt", "".join(open(x, encoding="ascii").read() for x in (
        world.ca.issue("late", "IP:127.0.0.1", days="90")[0], pair[0])))
    gw.config["listeners"][0]["tls"]["certificates"] = [
        {"certFile": chain, "keyFile": os.path.join(world.folder, "late.key")}]
    has(doctor(gw)["warn"], "chain.crt", "the certificate ends in ")


def test_a_certificate_that_has_ended(gw, world, make_upstream):
    """RFC 5280 4.1.2.5: the second that notAfter names is the last good one."""
    pair = world.ca.issue_ended("ended", "IP:127.0.0.1")
    gw.cluster["upstream"]["servers"] = [make_upstream(pair).url]
    gw.config["listeners"][0]["tls"]["certificates"] = [gw.certificate(pair)]
    time.sleep(2)
    found = doctor(gw, code=1)
    has(found["FAIL"], "listener main", "ended.crt", "has ended 0 days ago: renew it")
    has(found["FAIL"], "prod upstream", "certificate refused", "expired", "is this machine's clock right?")
    has(found["warn"], "configuration", "ended.crt", "expired")


def date(offset):
    return "Date: " + time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + offset))


def test_clocks(gw, make_upstream, long_pair):
    up = make_upstream(long_pair)
    gw.cluster["upstream"]["servers"] = [up.url]
    for offset, words in ((300, "s ahead of ours"), (-300, "s behind ours")):
        up.probe_answer = answer(b"{}", "200 OK", date(offset))
        found = doctor(gw)
        assert len(found["warn"]) == 1
        has(found["warn"], "prod upstream", words, "NTP")
    up.probe_answer = answer(b"{}", "200 OK", date(0))
    found = doctor(gw)
    has(found["ok"], "its clock and ours are", "s apart")
    assert found["warn"] == []


# --- our own names ---

def test_names_of_the_certificate(gw, world):
    """RFC 6125 6.4.3: each server name needs a certificate that has it; wildcards and addresses count."""
    wild = world.ca.issue("wild", "DNS:*.wild.example.com,IP:2001:db8::1", days="90")
    gw.config["listeners"][0]["tls"]["certificates"].append(gw.certificate(wild))
    gw.cluster["serverNames"] = ["long.example.com", "a.wild.example.com", "2001:db8::1", "127.0.0.1"]
    assert sum("a certificate is for" in x for x in doctor(gw)["ok"]) == 4
    gw.cluster["serverNames"] += ["a.b.wild.example.com", "127.0.0.2"]
    found = doctor(gw, code=1)
    assert len(found["FAIL"]) == 2
    has(found["FAIL"], "listener main: no certificate is for a.b.wild.example.com of cluster prod", "subjectAltName")
    has(found["FAIL"], "127.0.0.2")


# --- files ---

def test_files_that_cannot_be_written(gw):
    gw.config["stateDir"], gw.config["audit"]["file"] = "absent", "absent/audit.log"
    found = doctor(gw, code=1)
    has(found["FAIL"], "stateDir " + gw.path("absent"), "No such file", "user that the gateway runs as")
    has(found["FAIL"], "audit.file " + gw.path("absent/audit.log"), "No such file")
    gw.config["audit"]["file"] = gw.folder
    has(doctor(gw, code=1)["FAIL"], "audit.file", "Is a directory")


def test_an_audit_file_is_not_changed(gw):
    path = gw.write_text("audit.log", "x\n")
    before = os.stat(path)
    has(doctor(gw)["ok"], "audit.file " + path)
    assert gw.read("audit.log") == "x\n" and os.stat(path).st_mtime_ns == before.st_mtime_ns


# --- issuers ---

class Provider:
    """An issuer over HTTPS whose answers a test may change by path."""

    def __init__(self, folder, server):
        self.server = server
        self.issuer = tokens.Issuer(folder, "https://localhost:%d" % server.port)
        self.keys = self.issuer.jwks()
        self.fields, self.answers = (), {}
        server.script = self.script

    def script(self, ex):
        ex.read()
        document = self.keys if ex.target == "/keys" else {"issuer": self.issuer.url,
                                                           "jwks_uri": self.issuer.url + "/keys"}
        ex.send(self.answers.get(ex.target) or answer(json.dumps(document).encode(), "200 OK", *self.fields))


@pytest.fixture
def provider(gw, world, tmp_path, make_upstream):
    p = Provider(tmp_path, make_upstream(world.ca.issue("issuer", "DNS:localhost")))
    gw.write_json("authentication.json", tokens.authentication((p.issuer.url, world.ca.text())))
    del gw.cluster["authentication"]["jwksFiles"]
    return p


def test_discovery_and_keys(gw, provider):
    """T-84: as the gateway would fetch them; keys that are skipped are told of, with why."""
    provider.keys["keys"] += [{"kty": "oct", "k": "AA", "kid": "mac"}, {**provider.keys["keys"][0], "use": "enc"}]
    provider.fields = (date(300),)
    found = doctor(gw)
    subject = "prod issuer " + provider.issuer.url
    has(found["ok"], "prod name localhost: is")
    has(found["ok"], subject + ": its discovery document names it")
    has(found["ok"], subject + ": 1 usable key from " + provider.issuer.url + "/keys")
    has(found["warn"], subject + ": keys[1] is skipped")
    has(found["warn"], subject + ": keys[2] is skipped")
    has(found["warn"], subject + ": its clock is", "ahead of ours")
    assert len(found["warn"]) == 3


@pytest.mark.parametrize("path,reply,words", [
    ("/.well-known/openid-configuration", answer(b"", "404 Not Found"), ["discovery", "status 404", "issuer.url"]),
    ("/.well-known/openid-configuration", answer(b"{}"), ["discovery document is refused"]),
    ("/.well-known/openid-configuration", answer(b'{"issuer":"x"}'), ["issuer"]),
    ("/keys", answer(b"", "302 Found", "Location: /x"), ["its keys", "status 302", "redirect"]),
    ("/keys", answer(b'{"keys":[]}'), ["no key of 0 can be used"]), ("/keys", answer(b"x"), ["no strict JSON"]),
    ("/keys", answer(b"\x1b[2J{}", "200 OK", "Content-Encoding: gzip"), ["compressed"])])
def test_issuers_that_do_not_serve(gw, provider, path, reply, words):
    provider.answers[path] = reply
    has(doctor(gw, code=1)["FAIL"], "prod issuer " + provider.issuer.url, *words)


def test_issuers_that_are_not_there(gw, provider, world):
    gw.write_json("authentication.json", tokens.authentication((provider.issuer.url, world.other_ca.text())))
    has(doctor(gw, code=1)["FAIL"], "certificate refused", "issuer.certificateAuthority")
    gw.write_json("authentication.json", tokens.authentication(("https://issuer.invalid", world.ca.text())))
    assert len(doctor(gw, code=1)["FAIL"]) == 1
    has(doctor(gw, code=1)["FAIL"], "prod name issuer.invalid: does not resolve")
    provider.server.stop()
    gw.write_json("authentication.json", tokens.authentication((provider.issuer.url, world.ca.text())))
    has(doctor(gw, code=1)["FAIL"], "refused", "authentication.jwksFiles")


def test_skipped_keys_of_a_file(gw):
    keys = json.loads(gw.read("keys.json"))
    keys["keys"].append({"kty": "oct", "k": "AA"})
    gw.write_json("keys.json", keys)
    found = doctor(gw)
    assert len(found["warn"]) == 2  # the loader warns as well
    has(found["warn"], "prod issuer", "keys[1] is skipped: its kty")


# --- the cluster's own roles ---

class Reader:
    """What reads the cluster's roles, and what the API server says of it."""

    def __init__(self, gw, server):
        self.gw, self.policy = gw, Policy(server)
        self.user = {"username": "system:serviceaccount:kube-system:policy-reader", "groups": ["system:serviceaccounts"]}
        self.review = None
        self.asked = []
        self.policy.other = self.other
        for resource in ROLES + ["namespaces"]:  # a second less each
            self.policy.answers[(resource, "watch")] = WATCH_HEAD + b"0\r\n\r\n"
        go_live(gw, server)
        self.subject = "prod roles from " + server.url

    def other(self, ex):
        body = json.loads(ex.read())
        self.asked.append((ex.method, ex.target, ex.get("Authorization"), ex.get("Content-Type"), body["kind"]))
        body["status"] = {"userInfo": self.user}
        ex.send(self.review or answer(json.dumps(body).encode(), "201 Created"))


@pytest.fixture
def reader(gw, make_upstream, long_pair):
    return Reader(gw, make_upstream(long_pair))


def test_who_reads_roles(gw, reader):
    """Who the credential is, and each right by itself: list and watch; nothing else is asked."""
    reader.policy.answers = {}
    found = doctor(gw)
    assert found["warn"] == []
    has(found["ok"], reader.subject, "the credential is system:serviceaccount:kube-system:policy-reader")
    for resource in ROLES:
        has(found["ok"], reader.subject, "may list and watch " + resource)
    has(found["ok"], reader.subject, "certificate is good for")
    assert reader.asked == [("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", "Bearer a-token",
                             "application/json", "SelfSubjectReview")]
    assert sorted((s[0], s[1]) for s in reader.policy.seen) == sorted((r, w) for r in ROLES for w in ("list", "watch"))
    assert all(s[2]["limit"] == "1" for s in reader.policy.seen if s[1] == "list")


def test_namespaces_are_read_where_labels_count(gw, reader):
    gw.config["networks"] = {"vpn": ["10.0.0.0/8"]}
    gw.cluster["accessRules"] = [{"name": "x", "match": {"namespaceSelector": {"matchLabels": {"a": "b"}}},
                                  "require": {"networks": ["vpn"]}}]
    has(doctor(gw)["ok"], reader.subject, "may list and watch namespaces")


def test_masters_do_not_read_roles(gw, reader):
    """However it comes to be one."""
    reader.user["groups"].append("system:masters")
    has(doctor(gw, code=1)["FAIL"], reader.subject, "system:masters", "packaging/policy-reader.yaml")


def test_rights_that_are_missing(gw, reader):
    reader.policy.answers[("roles", "list")] = reader.policy.answers[("clusterroles", "watch")] = status(403, "Forbidden")
    found = doctor(gw, code=1)
    assert len(found["FAIL"]) == 2
    has(found["FAIL"], reader.subject, "list of roles is answered with status 403", "packaging/policy-reader.yaml")
    has(found["FAIL"], reader.subject, "watch of clusterroles is answered with status 403")
    has(found["ok"], "may list and watch rolebindings")


def test_a_credential_that_is_not_accepted(gw, reader):
    """Said once: nothing else can be found out with it."""
    reader.review = status(401, "Unauthorized")
    found = doctor(gw, code=1)
    assert len(found["FAIL"]) == 1 and reader.policy.seen == []
    has(found["FAIL"], reader.subject, "status 401", "make a new one")
    token = gw.write_text("token", "t\n")
    gw.write_json("reader.kubeconfig", kubeconfig(reader.policy.upstream.url, gw.world.ca.cert, {"tokenFile": token}))
    has(doctor(gw, code=1)["FAIL"], "status 401", "tokenFile")


def test_an_api_server_that_does_not_say_who(gw, reader):
    """An older one: a warning, and the rights are looked at all the same."""
    reader.review = status(404, "NotFound")
    found = doctor(gw)
    assert len(found["warn"]) == 1
    has(found["warn"], reader.subject, "cannot be told", "status 404")
    has(found["ok"], "may list and watch roles")


def test_roles_from_nowhere(gw, reader, world):
    gw.write_json("reader.kubeconfig", kubeconfig(reader.policy.upstream.url, world.other_ca.cert))
    has(doctor(gw, code=1)["FAIL"], reader.subject, "certificate refused", "certificate-authority")
    gw.write_json("reader.kubeconfig", kubeconfig("https://api.invalid", world.ca.cert))
    has(doctor(gw, code=1)["FAIL"], "prod name api.invalid: does not resolve")
    gw.write_json("reader.kubeconfig", kubeconfig("https://127.0.0.1:1", world.ca.cert))
    has(doctor(gw, code=1)["FAIL"], "prod roles from https://127.0.0.1:1", "refused", "firewall")


def test_lists_that_are_none(gw, reader):
    for body in (b"{}", b"x", b'{"metadata":{"resourceVersion":"1&watch=0"}}', b'{"metadata":{"resourceVersion":7}}'):
        reader.policy.answers[("roles", "list")] = answer(body)
        found = doctor(gw, code=1)
        assert len(found["FAIL"]) == 1
        has(found["FAIL"], reader.subject, "list of roles has no resourceVersion")


# --- the gateway's own credential ---

class Believer:
    """An API server that believes what flags say: of the gateway's certificate or token, and of the names it tells."""

    def __init__(self, server):
        self.own = {"username": "gateway", "groups": ["system:authenticated"]}
        self.believes = ["User", "Group", "Uid", "Extra-"]  # of X-Remote-* and Impersonate-*
        self.refuses = {}  # a field: the status of requests that have it
        self.asked = []
        server.script, server.believes = self.serve, None

    def serve(self, ex):
        document = json.loads(ex.read())
        assert (ex.method, document["kind"]) == ("POST", "SelfSubjectReview")
        self.asked.append(ex)
        for field, code in self.refuses.items():
            if field is None or ex.has(field):
                return ex.send(answer(b"{}", code))
        user = dict(self.own)
        for prefix in ("X-Remote-", "Impersonate-"):
            if ex.has(prefix + "User") and "User" in self.believes:
                user = {"username": ex.get(prefix + "User"), "groups": [], "extra": {}}
                user["groups"] = ex.all(prefix + "Group") if "Group" in self.believes else []
                user["uid"] = ex.get(prefix + "Uid", "") if "Uid" in self.believes else ""
                if "Extra-" in self.believes:
                    user["extra"] = {"doctor": ex.all("X-Remote-Extra-Doctor")}
        document["status"] = {"userInfo": user}
        ex.send(answer(json.dumps(document).encode(), "201 Created"))


@pytest.fixture
def believer(make_gateway, make_upstream, long_pair, world):
    """make(mode): a gateway that is not run, and its API server."""
    def make(mode):
        server = make_upstream(long_pair)
        gw = make_gateway(server)
        gw.config["listeners"][0]["tls"]["certificates"] = [gw.certificate(long_pair)]
        gw.cluster["identity"] = mode
        gw.cluster["upstream"]["credentials"] = gw.certificate(world.ca.issue("own-" + mode, "DNS:gateway", days="90"))
        gw.own = "prod credentials at " + server.url
        return gw, Believer(server)
    return make


def test_a_credential_that_may_impersonate(believer):
    gw, api = believer("impersonate")
    found = doctor(gw)
    assert found["warn"] == []
    has(found["ok"], gw.own, "the credential is gateway")
    has(found["ok"], gw.own, "may impersonate users and groups")
    asked = [sorted(n for n, _ in ex.fields if n.startswith("Impersonate")) for ex in api.asked]
    assert asked == [[], ["Impersonate-Group", "Impersonate-User"], ["Impersonate-Uid", "Impersonate-User"],
                     ["Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id", "Impersonate-User"]]


@pytest.mark.parametrize("field, code, kind, words", [
    (None, "401 Unauthorized", "FAIL", "the credential is not accepted"),
    (None, "404 Not Found", "warn", "who the credential is cannot be told"),
    ("Impersonate-User", "403 Forbidden", "FAIL", "may not impersonate any user and group: apply packaging/impersonator.yaml"),
    ("Impersonate-Uid", "403 Forbidden", "warn", "it may not tell a uid"),
    ("Impersonate-Extra-authentication.kubernetes.io%2Fcredential-id", "403 Forbidden", "warn", "the extra credential-id"),
])
def test_a_credential_that_may_not(believer, field, code, kind, words):
    gw, api = believer("impersonate")
    api.refuses[field] = code
    has(doctor(gw, code=kind == "FAIL")[kind], gw.own, words)


def test_a_credential_that_may_do_everything(believer):
    gw, api = believer("impersonate")
    api.own["groups"].append("system:masters")
    has(doctor(gw)["warn"], gw.own, "the credential is gateway of the group system:masters")


def test_a_front_proxy_that_is_believed(believer):
    gw, api = believer("requestHeader")
    found = doctor(gw)
    assert found["warn"] == []
    has(found["ok"], gw.own, "the API server believes its X-Remote-User")
    assert len(api.asked) == 1 and api.asked[0].all("X-Remote-Group")[-1] == "system:authenticated"


def test_a_front_proxy_that_is_taken_for_a_client(believer):
    """T-48: an API server that does not listen lets everybody be the gateway."""
    gw, api = believer("requestHeader")
    api.believes = []
    has(doctor(gw, code=1)["FAIL"], gw.own, "does not listen to X-Remote-User: every caller would be gateway",
        "--requestheader-client-ca-file")
    api.refuses[None] = "401 Unauthorized"
    has(doctor(gw, code=1)["FAIL"], gw.own, "the certificate is not accepted", "--requestheader-allowed-names")


@pytest.mark.parametrize("code, kind", [("404 Not Found", "warn"), ("500 Internal Server Error", "FAIL")])
def test_a_front_proxy_of_which_nothing_is_seen(believer, code, kind):
    """T-48: serve goes on where there is no such question, and asks nothing of one that does not answer it."""
    gw, api = believer("requestHeader")
    api.refuses[None] = code
    has(doctor(gw, code=kind == "FAIL")[kind], gw.own, "whether X-Remote-User is believed cannot be told", code[:3])


@pytest.mark.parametrize("lost, kind, flag", [
    ("Group", "FAIL", "--requestheader-group-headers=X-Remote-Group"),
    ("Uid", "warn", "--requestheader-uid-headers=X-Remote-Uid"),
    ("Extra-", "warn", "--requestheader-extra-headers-prefix=X-Remote-Extra-"),
])
def test_what_of_a_front_proxy_is_lost(believer, lost, kind, flag):
    gw, api = believer("requestHeader")
    api.believes.remove(lost)
    has(doctor(gw, code=kind == "FAIL")[kind], gw.own, "not arrive: the API server needs " + flag)
