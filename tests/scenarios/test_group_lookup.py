"""Users in too many groups for a token: whom the gateway asks for them, when, and what becomes of the request."""
import json
import os
import signal
import subprocess
import threading
import time

import pytest

from client import new_id, request
from directory import GRAPH, GRAPH_TOKEN, HOSTS, SECRET, Directory, Slow, drop, group, page
from gateway import BINARY, SLOW
from proxy import Proxy
from test_entra import AKS, ELSEWHERE, GROUP, OID, OTHER, PODS, TENANT, V1, V2, ask, entra, reason, signer, token
from test_pop import HOST, Holder
from test_pop import ask as prove
from test_revocation import Stream, serve
from wire import wait_for

assert entra and signer  # fixtures
CLIENT = "cccccccc-1111-2222-3333-44444444abcd"
MANY = [group(n) for n in range(299)] + [GROUP]
UNTOLD = "the directory did not tell them to the gateway"


@pytest.fixture
def directory(world, tmp_path):
    d = Directory(world, tmp_path)
    d.groups[OID] = MANY
    yield d
    d.stop()


@pytest.fixture
def lookup(entra, directory):
    """lookup(settings, keys...): as entra, with an application that looks groups up; nothing secret is told."""
    made = []

    def make(settings=None, **kw):
        gw = entra({"tenantID": TENANT, **(settings or {})}, **kw)
        gw.cluster["authentication"]["entra"].setdefault("groupLookup", {
            "clientID": CLIENT, "secretFile": "secret"})
        gw.write_text("secret", SECRET + "\n")
        made.append(gw)
        return gw
    yield make
    for gw in made:
        for text in (gw.log(), gw.read("audit.log")):
            assert SECRET not in text and "s3cr3t" not in text and "graph-token" not in text
            assert "whatever else" not in text and "AADSTS" not in text


def over(signer, **claims):
    """A token that lists no groups."""
    return token(signer, **{**ELSEWHERE, **claims})


def person(n):
    return "aaaaaaaa-0000-0000-0001-%012d" % n


def start(gw, directory, **kw):
    return gw.start(env=directory.env(**kw))


def asks(gw, directory, *texts):
    """So many requests at once: their answers, once the directory lets them go (a Slow)."""
    answers = [None] * len(texts)

    def one(i):
        answers[i] = ask(gw, texts[i])
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(texts))]
    for t in threads:
        t.start()
    return threads, answers


def refused(gw, upstream, a):
    """401, which says what it is and nothing of the directory's answer."""
    assert a.code == 401 and UNTOLD in a.status()["message"], a.body
    assert reason(gw, a) == "group_lookup"
    assert upstream.requests == []


# --- it works ---

@pytest.mark.parametrize("claims", [{}, {"upn": None}, {"iss": V2, "ver": "2.0"}, {"idtyp": "user"}])
def test_three_hundred_groups(lookup, directory, signer, upstream, claims):
    """Entra lookup, RFC 6749 4.4.2: asked by object id; the groups are the user's; the token itself goes on."""
    gw = start(lookup(), directory)
    audit_id = new_id()
    good = over(signer, **claims)
    assert ask(gw, good, audit_id).code == 200
    user = gw.event(audit_id)["user"]
    assert user["groups"] == MANY + ["system:authenticated"] and user["extra"] == {"oid": [OID]}
    assert upstream.only().all("Authorization") == ["Bearer " + good]
    assert directory.tokens == [{"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET,
                                 "scope": "https://graph.microsoft.com/.default"}]
    assert directory.lookups == [("Bearer " + GRAPH_TOKEN % 1, OID)]
    assert directory.paths[0] == ("login.microsoftonline.com", "POST", "/%s/oauth2/v2.0/token" % TENANT)
    assert directory.paths[1][0] == GRAPH


def test_roles_decide_by_them(lookup, directory, signer, upstream):
    """Who is in other groups only is known, and may nothing."""
    directory.groups[OID] = MANY[:-1]
    gw = start(lookup(), directory)
    a = ask(gw, over(signer))
    assert a.code == 403 and 'User "ann@example.com" cannot list' in a.status()["message"]
    assert upstream.requests == []


def test_names_of_the_cluster_are_dropped(lookup, directory, signer):
    """T-55: only object ids are groups."""
    directory.groups[OID] = ["system:masters", GROUP, "admins", ""]
    gw = start(lookup(), directory)
    audit_id = new_id()
    assert ask(gw, over(signer), audit_id).code == 200
    assert gw.event(audit_id)["user"]["groups"] == [GROUP, "system:authenticated"]


def test_groups_in_the_token_are_enough(lookup, directory, signer):
    """Entra groups: no lookup where they are listed, or there are none."""
    gw = start(lookup(), directory)
    assert ask(gw, token(signer)).code == 200
    assert ask(gw, token(signer, groups=None)).code == 403
    assert ask(gw, token(signer, groups=[])).code == 403
    assert directory.paths == []


def test_the_tokens_own_tenant_is_asked(lookup, directory, signer):
    """Entra lookup: one application, and the token endpoint of each tenant."""
    urls = [u.replace(TENANT, t) for u in (V1, V2) for t in (TENANT, OTHER)]
    gw = start(several(lookup, urls), directory)
    assert ask(gw, over(signer)).code == 200
    assert ask(gw, over(signer, iss=V1.replace(TENANT, OTHER), tid=OTHER)).code == 200
    assert [p for _, _, p in directory.paths if p.endswith("/token")] == [
        "/%s/oauth2/v2.0/token" % t for t in (TENANT, OTHER)]
    # The same object id in another directory is somebody else.
    assert [t for t, _ in directory.lookups] == ["Bearer " + GRAPH_TOKEN % n for n in (1, 2)]


def several(lookup, urls):
    gw = lookup(urls=urls)
    settings = gw.cluster["authentication"]["entra"]
    del settings["tenantID"]
    settings["tenantIDs"] = [TENANT, OTHER]
    return gw


@pytest.mark.parametrize("cloud,authority,sts,graph", [
    ("usGovernment", "login.microsoftonline.us", "sts.windows.net", "graph.microsoft.us"),
    ("china", "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn", "microsoftgraph.chinacloudapi.cn")])
def test_clouds(lookup, directory, signer, cloud, authority, sts, graph):
    """Entra clouds: each has its own hosts."""
    v1, v2 = "https://%s/%s/" % (sts, TENANT), "https://%s/%s/v2.0" % (authority, TENANT)
    gw = start(lookup({"cloud": cloud}, urls=(v1, v2)), directory)
    assert ask(gw, over(signer, iss=v1)).code == 200
    assert [h for h, _, _ in directory.paths] == [authority, graph]
    assert directory.tokens[0]["scope"] == "https://%s/.default" % graph


def test_everything_from_the_network(lookup, directory, signer):
    """Entra keys, T-84: discovery, keys, token and groups, as in the field."""
    gw = lookup()
    del gw.cluster["authentication"]["jwksFiles"]
    for v, path in ((V1, "/%s/" % TENANT), (V2, "/%s/v2.0/" % TENANT)):
        directory.files[path + ".well-known/openid-configuration"] = {
            "issuer": v, "jwks_uri": "https://login.microsoftonline.com/keys",
            "cloud_instance_name": "microsoftonline.com"}
    directory.files["/keys"] = signer.jwks()
    start(gw, directory)
    assert ask(gw, over(signer)).code == 200


# --- who never causes a question ---

@pytest.mark.parametrize("claims,head,why", [
    ({"exp": 1}, None, "expired"), ({"nbf": 1 << 50}, None, "not_yet_valid"), ({"aud": "x"}, None, "audience"),
    ({"tid": OTHER}, None, "issuer"), ({"iss": V1[:-1]}, None, "issuer"), ({"upn": 7}, None, "username_claim"),
    ({}, {"kid": "two"}, "unknown_key"), ({"cnf": {"kid": "x"}}, None, "pop_binding"),
    ({"idtyp": "App", "upn": None}, None, "app_overage"), ({"_claim_sources": {}}, None, "claim_source"),
    ({"oid": None}, None, "group_lookup"), ({"oid": "me/../x"}, None, "group_lookup"),
    ({"oid": "/" + OID[1:]}, None, "group_lookup")])
def test_a_bad_token_asks_nobody(lookup, directory, signer, upstream, claims, head, why):
    """Entra lookup, T-83: signature, times, issuer, audience and object id come first."""
    gw = start(lookup(), directory)
    a = ask(gw, over(signer, head=head, **claims))
    assert a.code == 401 and reason(gw, a) == why
    bad = over(signer)
    a = ask(gw, bad[:-8] + ("A" * 8 if bad[-8:] != "A" * 8 else "B" * 8))
    assert a.code == 401 and reason(gw, a) == "signature"
    assert directory.paths == [] and upstream.requests == []


# --- once, and not again ---

def test_all_who_wait_share_one_question(lookup, directory, signer):
    """Entra lookup: one question for a user at a time, by whatever token and on whatever loop."""
    gw = start(lookup(), directory)
    slow = directory.on_groups = Slow()
    threads, answers = asks(gw, directory, *[over(signer, jti=str(n)) for n in range(6)],
                            over(signer, oid=OID.upper()))
    slow.wait()
    wait_for(lambda: gw.metric("exchanges") == 7)
    slow.go.set()
    for t in threads:
        t.join()
    assert [a.code for a in answers] == [200] * 7
    assert len(directory.lookups) == 1 and len(directory.tokens) == 1


def test_what_is_known_is_used(lookup, directory, signer):
    """A token is remembered as any other; another token of the user asks nobody; another user needs no token."""
    gw = lookup()
    gw.config["workers"] = 1
    start(gw, directory)
    directory.groups[person(1)] = MANY
    for _ in range(3):
        assert ask(gw, over(signer)).code == 200
    assert gw.metric("tokens_remembered_total") == 2 and gw.metric("group_lookups_remembered_total") == 0
    assert ask(gw, over(signer, jti="x")).code == 200
    assert ask(gw, over(signer, oid=person(1))).code == 200
    assert [oid for _, oid in directory.lookups] == [OID, person(1)] and len(directory.tokens) == 1
    assert gw.metric("group_lookups_total") == 2 and gw.metric("group_lookups_failed_total") == 0
    assert gw.metric("group_lookups_remembered_total") == 1


def test_groups_live_for_five_minutes(lookup, directory, signer, clock):
    """Entra lookup: then they are asked for again, also for a token that was remembered; it itself lives on."""
    gw = lookup()
    gw.config["workers"] = 1
    clock.env = {**directory.env([clock.env["LD_PRELOAD"]]), "CLOCK": clock.path}
    gw.start(env=clock.env)
    assert ask(gw, over(signer)).code == 200

    def at(seconds):
        clock.set_wall(seconds)
        clock.jump(gw, seconds - clock.ahead / 1000)
        return ask(gw, over(signer)).code
    assert at(290) == 200 and len(directory.lookups) == 1
    directory.groups[OID] = MANY[:-1]
    assert at(301) == 403 and len(directory.lookups) == 2
    assert len(directory.tokens) == 1
    # What a second token learns late is not older for the first one's sake.
    directory.groups[OID] = MANY
    assert at(590) == 403 and at(602) == 200 and len(directory.lookups) == 3


def test_a_clock_that_goes_back_keeps_no_groups(lookup, directory, signer, clock):
    """Entra lookup: five minutes as they pass, whatever the wall clock says meanwhile."""
    gw = lookup()
    gw.config["workers"] = 1
    gw.start(env={**directory.env([clock.env["LD_PRELOAD"]]), "CLOCK": clock.path})
    good = over(signer)
    assert ask(gw, good).code == 200
    directory.groups[OID] = []
    clock.set_wall(-1000)
    assert ask(gw, good).code == 200 and len(directory.lookups) == 1
    clock.set_wall(-690)
    clock.jump(gw, 310)
    assert ask(gw, good).code == 403


def test_a_token_is_renewed_before_it_ends(lookup, directory, signer, clock):
    """Entra lookup: 300 s before, and not sooner."""
    gw = lookup()
    gw.config["workers"] = 1
    directory.expires_in = 3600
    gw.start(env={**directory.env([clock.env["LD_PRELOAD"]]), "CLOCK": clock.path})
    for n in range(3):
        directory.groups[person(n)] = MANY
    assert ask(gw, over(signer, oid=person(0))).code == 200
    clock.jump(gw, 3290)
    assert ask(gw, over(signer, oid=person(1))).code == 200
    assert len(directory.tokens) == 1
    clock.jump(gw, 11)
    assert ask(gw, over(signer, oid=person(2))).code == 200
    assert len(directory.tokens) == 2


def test_a_token_that_ends_soon(lookup, directory, signer):
    """It serves whoever waits; then there is another."""
    gw = start(lookup(), directory)
    directory.expires_in = 1
    directory.groups[person(1)] = MANY
    assert ask(gw, over(signer)).code == 200
    time.sleep(0.6)
    assert ask(gw, over(signer, oid=person(1))).code == 200
    assert len(directory.tokens) == 2


def test_sixteen_questions_at_once(lookup, directory, signer):
    """Entra lookup: no more; the others wait for their turn, and get it."""
    gw = start(lookup({"groupLookup": {"clientID": CLIENT, "secretFile": "secret", "timeout": "30s"}}), directory)
    slow = directory.on_groups = Slow()
    for n in range(40):
        directory.groups[person(n)] = MANY
    threads, answers = asks(gw, directory, *[over(signer, oid=person(n)) for n in range(40)])
    slow.wait(16)
    wait_for(lambda: gw.metric("exchanges") == 40, 20 * SLOW)
    time.sleep(0.2)
    assert directory.now == 16
    slow.go.set()
    for t in threads:
        t.join()
    assert [a.code for a in answers] == [200] * 40
    assert directory.most == 16 and len(directory.lookups) == 40 and len(directory.tokens) == 1


def test_a_turn_that_does_not_come(lookup, directory, signer, upstream):
    """Entra lookup: waiting for one's turn is part of the wait."""
    settings = {"clientID": CLIENT, "secretFile": "secret", "timeout": "30s"}
    gw = start(lookup({"groupLookup": settings}), directory)
    slow = directory.on_groups = Slow()
    for n in range(17):
        directory.groups[person(n)] = MANY
    threads, answers = asks(gw, directory, *[over(signer, oid=person(n)) for n in range(16)])
    slow.wait(16)
    settings["timeout"] = "1s"
    gw.reload()
    refused(gw, upstream, ask(gw, over(signer, oid=person(16))))
    gw.wait_log("user=" + person(16), "its turn did not come in time")
    assert len(directory.lookups) == 16
    slow.go.set()
    for t in threads:
        t.join()
    assert [a.code for a in answers] == [200] * 16


# --- while it is under way ---

def wait_for_groups(gw, directory, signer):
    """(the Slow that holds the answer back, thread, answers) of a request that waits for its groups."""
    slow = directory.on_groups = Slow()
    threads, answers = asks(gw, directory, over(signer))
    slow.wait()
    return slow, threads[0], answers


def test_a_reload(lookup, directory, signer):
    """T-65: the question goes on, and its answer is for the snapshot of then."""
    gw = start(lookup(), directory)
    slow, thread, answers = wait_for_groups(gw, directory, signer)
    document = json.loads(gw.read("rbac.json"))
    document["items"][1]["subjects"][0]["name"] = group(7)
    gw.write_json("rbac.json", document)
    gw.reload()
    slow.go.set()
    thread.join()
    assert answers[0].code == 200 and len(directory.lookups) == 1
    document["items"][1]["subjects"][0]["name"] = group(777)
    gw.write_json("rbac.json", document)
    gw.reload()
    assert ask(gw, over(signer)).code == 403


def test_a_reload_that_ends_lookups(lookup, directory, signer):
    """T-65: what nobody may look up any more is not used, even if it comes."""
    gw = start(lookup(), directory)
    slow, thread, answers = wait_for_groups(gw, directory, signer)
    del gw.cluster["authentication"]["entra"]["groupLookup"]
    gw.reload()
    slow.go.set()
    thread.join()
    assert answers[0].code == 401 and "the gateway does not look them up" in answers[0].status()["message"]


def test_a_new_secret(lookup, directory, signer):
    """The question goes on by the former one; the next is by the new one."""
    gw = start(lookup(), directory)
    slow, thread, answers = wait_for_groups(gw, directory, signer)
    before = gw.metric("config_reloads")
    directory.secret = "the-next-one"
    gw.write_text("secret", "the-next-one")
    wait_for(lambda: gw.metric("config_reloads") > before, 10 * SLOW)
    slow.go.set()
    thread.join()
    assert answers[0].code == 200
    directory.groups[person(1)] = MANY
    assert ask(gw, over(signer, oid=person(1))).code == 200
    assert [t["client_secret"] for t in directory.tokens] == [SECRET, "the-next-one"]
    assert "the-next-one" not in gw.log()


def test_a_client_that_goes(lookup, directory, signer, upstream):
    """Nobody is served; what was asked is known to the next."""
    gw = start(lookup(), directory)
    slow = directory.on_groups = Slow()
    c = gw.connect()
    c.send(request("GET", PODS, token=over(signer)))
    slow.wait()
    c.close()
    gw.wait_metric("exchanges", 0)
    slow.go.set()
    wait_for(lambda: directory.now == 0)
    assert upstream.requests == []
    assert ask(gw, over(signer, jti="x")).code == 200
    assert len(directory.lookups) == 1


def test_a_drain(lookup, directory, signer):
    """Who waits when the gateway is told to stop is served."""
    gw = start(lookup(), directory)
    slow, thread, answers = wait_for_groups(gw, directory, signer)
    gw.signal(signal.SIGTERM)
    gw.wait_log("draining")
    slow.go.set()
    thread.join()
    assert answers[0].code == 200
    assert gw.process.wait(10 * SLOW) == 0


@pytest.mark.parametrize("where", ["on_token", "on_groups"])
def test_the_end_of_a_drain(lookup, directory, signer, where):
    """An answer that does not come holds nobody up; the process ends in order."""
    gw = lookup({"groupLookup": {"clientID": CLIENT, "secretFile": "secret", "timeout": "30s"}})
    gw.config["drainTimeout"] = "1s"
    start(gw, directory)
    slow = Slow()
    setattr(directory, where, slow)
    c = gw.connect()
    c.send(request("GET", PODS, token=over(signer)))
    slow.wait()
    gw.signal(signal.SIGTERM)
    assert gw.process.wait(15 * SLOW) == 0
    slow.go.set()


def test_streams_go_on_and_end(lookup, directory, signer, upstream):
    """T-130: a watch goes on as long as its token, on the groups of its beginning; it ends where lookups end."""
    upstream.script = serve
    gw = lookup()
    document = json.loads(gw.read("rbac.json"))
    document["items"][0]["rules"][0]["verbs"].append("watch")
    gw.write_json("rbac.json", document)
    start(gw, directory)
    listed = Stream(gw, "watch", token(signer))
    looked_up = Stream(gw, "watch", over(signer))
    gw.reload()
    assert len(gw.events(looked_up.id)) == 1
    del gw.cluster["authentication"]["entra"]["groupLookup"]
    gw.reload()
    looked_up.ends("keys", "not trusted any more")
    listed.goes_on()


# --- whom the API server is told of ---

@pytest.mark.parametrize("count", [300, 2000, 11000])
@pytest.mark.parametrize("identity", ["passthrough", "impersonate", "requestHeader"])
def test_thousands_of_groups(lookup, directory, signer, upstream, world, identity, count):
    """As far as fields go; beyond, the Status says so. With the token itself their number means nothing."""
    directory.groups[OID] = [group(n) for n in range(count - 1)] + [GROUP]
    gw = lookup()
    gw.cluster["identity"] = identity
    if identity != "passthrough":
        cert, key = world.ca.issue("front", "DNS:front", subject="/CN=front", usage="clientAuth")
        gw.cluster["upstream"]["credentials"] = {"certFile": cert, "keyFile": key}
    start(gw, directory)
    a = ask(gw, over(signer))
    if identity == "passthrough" or count == 300:
        assert a.code == 200
        told = [n.lower() for n, _ in upstream.only().fields if n.lower() in ("impersonate-group", "x-remote-group")]
        assert len(told) == {"passthrough": 0, "impersonate": 300, "requestHeader": 301}[identity]
        return
    assert a.code == 403 and "take more than 56 KiB of header fields" in a.status()["message"]
    assert upstream.requests == []


# --- commands ---

def run(command, gw, directory, **kw):
    return subprocess.run([BINARY, command, "--config", gw.write()], capture_output=True, text=True, check=False,
                          timeout=60 * SLOW, env=directory.env(), **kw)


@pytest.mark.parametrize("change,words", [
    ({"clientID": None}, "entra.groupLookup.clientID: is required"),
    ({"clientID": "kubelogin"}, '.clientID: "kubelogin" must be the application\'s id, a GUID in lower case'),
    ({"clientID": CLIENT.upper()}, "a GUID in lower case"),
    ({"secretFile": None}, "entra.groupLookup.secretFile: is required"),
    ({"secretFile": "nowhere"}, "nowhere: cannot be opened"),
    ({"timeout": "999ms"}, "entra.groupLookup.timeout: "), ({"timeout": "31s"}, "entra.groupLookup.timeout: "),
    ({"timeout": 5}, "entra.groupLookup.timeout: "), ({"secret": "x"}, "entra.groupLookup.secret: unknown field")])
def test_mistakes(lookup, directory, change, words):
    """Each with its line, its field and what would be right."""
    gw = lookup()
    settings = gw.cluster["authentication"]["entra"]["groupLookup"]
    settings.update(change)
    gw.cluster["authentication"]["entra"]["groupLookup"] = {k: v for k, v in settings.items() if v is not None}
    r = run("check", gw, directory)
    assert r.returncode == 1 and words in r.stderr, r.stderr
    if "nowhere" not in words:
        line = int(r.stderr.split("gateway.yaml:")[1].split(":")[0])
        text = gw.read("gateway.yaml").splitlines()[line - 1]
        assert "groupLookup" in text or next(iter(change)) in text, (line, text)


@pytest.mark.parametrize("content,words", [
    ("", "is empty: it must hold the client secret"), ("\n", "is empty"), ("\r\n", "is empty"),
    ("zq9\n\n", "in one line without blanks"), ("zq9\nzq9\n", "in one line without blanks"),
    (" zq9", "in one line without blanks"), ("zq9\u00e4", "in one line without blanks"),
    ("zq9" * 342, "is longer than 1024 octets"), ("zq9" * 2000, "is larger than")],
    ids=lambda x: x[:30] if " " in x else "")
def test_a_file_that_is_no_secret(lookup, directory, content, words):
    """Entra lookup: said of the file, without a word of what is in it."""
    gw = lookup()
    gw.write_text("secret", content)
    r = run("check", gw, directory)
    assert r.returncode == 1 and gw.path("secret") in r.stderr and words in r.stderr
    assert "zq9" not in r.stderr


def test_a_system_without_cas(lookup, directory):
    """The system's CAs are needed, also where keys come from files."""
    gw = lookup()
    r = subprocess.run([BINARY, "check", "--config", gw.write()], capture_output=True, text=True, check=False,
                       timeout=30 * SLOW, env={**directory.env(), "HOSTS_CAS": "/nowhere"})
    assert r.returncode == 1 and "entra.groupLookup: the system's CAs cannot be used" in r.stderr
    r = run("check", gw, directory)
    assert r.returncode == 0, r.stderr


def test_doctor(lookup, directory, upstream):
    """It gets a token of each tenant, and asks for nobody."""
    gw = lookup()
    r = run("doctor", gw, directory)
    subject = "prod groupLookup %s: " % TENANT
    assert "ok    " + subject + "login.microsoftonline.com gives application %s a token for Graph" % CLIENT in r.stdout
    assert directory.lookups == [] and SECRET not in r.stdout and "graph-token" not in r.stdout
    for change, words in ((lambda ex: page({"error": "invalid_client"}, "401 Unauthorized"),
                           "is answered with status 401, invalid_client: is the secret"),
                          (lambda ex: page({"error": "unauthorized_client"}, "400 Bad Request"),
                           "is answered with status 400, unauthorized_client"),
                          (lambda ex: page({"x": 1}), "is no bearer token"), (drop, "POST ")):
        directory.on_token = change
        r = run("doctor", gw, directory)
        assert r.returncode == 1
        line, = [x for x in r.stdout.splitlines() if x.startswith("FAIL  " + subject)]
        assert words in line and SECRET not in r.stdout
    assert AKS not in [t["client_id"] for t in directory.tokens]


def test_whoami(lookup, directory, signer):
    """Offline: a lookup is needed, and not made."""
    gw = lookup()
    r = run("whoami", gw, directory, input=over(signer))
    assert r.returncode == 1 and "group_lookup" in r.stdout and "the gateway looks them up in the directory" in r.stdout
    assert "signature    good" in r.stdout and directory.paths == []
    assert os.path.exists(gw.path("secret")) and SECRET not in r.stdout


# --- beside other ways ---

def test_whoever_has_proved_who_they_are_is_looked_up(lookup, directory, signer, upstream, world):
    """Entra PoP replay: a bound token's user has groups too; a proof that was stolen asks nobody for them."""
    holder = Holder(world.folder, signer, "looked-up")
    gw = lookup({"proofOfPossession": {"host": HOST}})
    gw.cluster["identity"] = "impersonate"
    gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.0/30"]}
    gw.cluster["upstream"]["credentials"] = {"tokenFile": "own.token"}
    gw.write_text("own.token", "gateway-token\n")
    start(gw, directory)
    proof = holder.prove(at=holder.access(**ELSEWHERE))
    for _ in range(3):
        assert prove(gw, proof).code == 200
    assert len(directory.lookups) == 1
    a = prove(gw, proof, source="127.0.0.2")
    assert a.code == 401 and reason(gw, a) == "pop_replay"
    other = holder.prove(at=holder.access(**{**ELSEWHERE, "oid": person(1)}), nonce="again")
    directory.groups[person(1)] = MANY
    assert prove(gw, other).code == 200
    a = prove(gw, holder.prove(at=holder.access(**{**ELSEWHERE, "oid": person(2)}), nonce="again"))
    assert a.code == 401 and reason(gw, a) == "pop_replay"
    assert [oid for _, oid in directory.lookups] == [OID, person(1)]
    assert upstream.requests[0].all("Impersonate-Group")[-1] == MANY[-1]


def test_the_directory_behind_a_proxy(lookup, directory, signer):
    """authentication.proxy is on the way to the authority and to Graph."""
    proxy = Proxy()
    gw = lookup()
    gw.cluster["authentication"]["proxy"] = proxy.url
    proxy.hosts = {h: ("127.0.0.1", directory.server.port) for h in HOSTS}
    try:
        start(gw, directory)
        assert ask(gw, over(signer)).code == 200
        assert proxy.targets() == ["login.microsoftonline.com:443", GRAPH + ":443"]
    finally:
        gw.stop()
        proxy.stop()
