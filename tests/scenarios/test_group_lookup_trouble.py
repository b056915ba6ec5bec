"""A directory that does not answer, or says no: whoever needs it is refused, and nothing else happens."""
import time

import pytest

from directory import GRAPH_TOKEN, HOSTS, SECRET, Directory, Slow, drop, failure, group, page
from gateway import BINARY, SLOW
from test_entra import GROUP, OID, PODS, TENANT, ask, entra, signer, token
from test_group_lookup import CLIENT, MANY, directory, lookup, over, person, refused, start
from test_no_memory import CLOSED, Allocations
from upstream import answer
from wire import wait_for

assert entra and signer and directory and lookup  # fixtures


@pytest.mark.parametrize("data,words", [
    (failure("403 Forbidden", "Authorization_RequestDenied"), "status 403, Authorization_RequestDenied"),
    (failure("404 Not Found", "Request_ResourceNotFound"), "status 404, Request_ResourceNotFound"),
    (failure("400 Bad Request", "Directory_ResultSizeLimitExceeded"), "Directory_ResultSizeLimitExceeded"),
    (failure("429 Too Many Requests", "TooManyRequests"), "status 429, TooManyRequests"),
    (failure("500 Internal Server Error", "two words"), "status 500"),
    (answer(b"<html>", "502 Bad Gateway"), "status 502"),
    (answer(b"", "302 Found", "Location: https://graph.microsoft.com/v1.0/elsewhere"), "status 302"),
    (answer(b"", "204 No Content"), "Graph"), (answer(b"garbage"), "no list of groups"),
    (page({"value": MANY + [7]}), "no list of groups"), (page({"value": "x"}), "no list of groups"),
    (page({"value": [GROUP], "@odata.nextLink": "https://graph.microsoft.com/next"}), "no list of groups"),
    (page({"value": [group(n) for n in range(11001)]}), "no list of groups"),
    (page({"value": [GROUP], "padding": "x" * (1 << 20)}), "Graph: the answer is too long"),
    (answer(b"x", "200 OK", "Content-Encoding: gzip"), "compressed"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"value\":[\"" + GROUP.encode() + b"\"]}", "Graph: "),
    (b"nonsense\r\n\r\n", "Graph: ")], ids=lambda x: x[-30:] if isinstance(x, str) else "")
def test_answers_of_no_use(lookup, directory, signer, upstream, data, words):
    """Entra lookup, RFC 6749 5.2: whatever is not a whole list refuses; the log has status and one word."""
    gw = start(lookup(), directory)

    def answer_and_end(ex):
        ex.send(data)
        ex.close()
        return b""
    directory.on_groups = answer_and_end
    refused(gw, upstream, ask(gw, over(signer)))
    gw.wait_log("group lookup tenant=%s user=%s: " % (TENANT, OID), words)
    assert len(directory.lookups) == 1
    assert gw.metric("group_lookups_total") == 1 and gw.metric("group_lookups_failed_total") == 1
    assert gw.metric('authentication_rejected_total{reason="group_lookup"}') == 1


@pytest.mark.parametrize("data,words", [
    (page({"error": "unauthorized_client"}, "400 Bad Request"), "status 400, unauthorized_client"),
    (answer(b"", "302 Found", "Location: https://login.microsoftonline.com/x"), "status 302"),
    (answer(b"", "503 Service Unavailable", "Retry-After: 1"), "status 503"),
    (page({"token_type": "Bearer", "expires_in": 3599}), "no bearer token"),
    (page({"token_type": "Bearer", "expires_in": 3599, "access_token": "a\r\nHost: x"}), "no bearer token"),
    (page({"token_type": "pop", "expires_in": 3599, "access_token": "a"}), "no bearer token"),
    (answer(b"x" * (1 << 17)), "too long"), (None, "")], ids=lambda x: x if isinstance(x, str) else "")
def test_no_token(lookup, directory, signer, upstream, data, words):
    """RFC 6749 5.1, RFC 6749 5.2, RFC 6750 2.1: without one Graph is not asked; the next does not ask again at once."""
    gw = start(lookup(), directory)
    directory.on_token = (lambda ex: data) if data is not None else drop
    refused(gw, upstream, ask(gw, over(signer)))
    gw.wait_log("group lookup tenant=%s client=%s: no token: " % (TENANT, CLIENT), words)
    refused(gw, upstream, ask(gw, over(signer, oid=person(1))))
    assert len(directory.tokens) == 1 and directory.lookups == []


def test_a_wrong_secret(lookup, directory, signer, upstream):
    """RFC 6749 5.2: the log says invalid_client; the file is watched, and the right one counts at once."""
    gw = lookup()
    gw.write_text("secret", "another\n")
    start(gw, directory)
    refused(gw, upstream, ask(gw, over(signer)))
    gw.wait_log("login.microsoftonline.com answered with status 401, invalid_client")
    before = gw.metric("config_reloads")
    gw.write_text("secret", SECRET + "\r\n")
    wait_for(lambda: gw.metric("config_reloads") > before, 10 * SLOW)
    time.sleep(0.02 * SLOW)
    assert ask(gw, over(signer)).code == 200
    assert [t["client_secret"] for t in directory.tokens] == ["another", SECRET]


def test_a_file_without_a_secret_is_not_taken_over(lookup, directory, signer):
    """T-129: the former one stays in force."""
    gw = start(lookup(), directory)
    gw.write_text("secret", "")
    gw.wait_log("secret", "is empty: it must hold the client secret")
    assert ask(gw, over(signer)).code == 200


def test_a_foreign_certificate(lookup, directory, signer, upstream, world):
    """Entra lookup, T-84: the hosts must show a certificate of a public CA."""
    env = {**directory.env(), "HOSTS_CAS": world.other_ca.cert}
    gw = lookup().start(env=env)
    refused(gw, upstream, ask(gw, over(signer)))
    gw.wait_log("no token", "certificate refused")
    assert directory.paths == []


@pytest.mark.parametrize("where", ["on_token", "on_groups"])
def test_an_answer_that_does_not_come(lookup, directory, signer, upstream, where):
    """Entra lookup: the timeout is the whole wait; the connection can be used after it."""
    gw = start(lookup({"groupLookup": {"clientID": CLIENT, "secretFile": "secret", "timeout": "1s"}}), directory)
    slow = Slow()
    setattr(directory, where, slow)
    begun = time.monotonic()
    with gw.connect() as c:
        refused(gw, upstream, c.ask("GET", PODS, token=over(signer)))
        assert 0.9 < time.monotonic() - begun < 2 * SLOW + 1
        assert c.ask("GET", PODS, token=token(signer)).code == 200
    gw.wait_log("group lookup", "timed out")
    slow.go.set()


def test_a_failure_is_not_asked_for_again_at_once(lookup, directory, signer, upstream):
    """Entra lookup: for three seconds it stands, whoever asks; another user is asked for."""
    gw = start(lookup(), directory)
    directory.on_groups = lambda ex: failure("500 Internal Server Error", "x") if OID in ex.target else None
    directory.groups[person(1)] = MANY
    for n in range(5):
        refused(gw, upstream, ask(gw, over(signer, jti=str(n))))
    assert len(directory.lookups) == 1
    assert ask(gw, over(signer, oid=person(1))).code == 200
    time.sleep(3.1)
    directory.on_groups = None
    assert ask(gw, over(signer)).code == 200
    assert len(directory.lookups) == 3


def test_a_pause_that_graph_asks_for(lookup, directory, signer, upstream):
    """RFC 6585 4: after 429 with Retry-After nobody is asked for, until then."""
    gw = start(lookup(), directory)
    directory.groups[person(1)] = MANY
    directory.on_groups = lambda ex: failure("429 Too Many Requests", "x", "Retry-After: 2")
    refused(gw, upstream, ask(gw, over(signer)))
    directory.on_groups = None
    refused(gw, upstream, ask(gw, over(signer, oid=person(1))))
    assert len(directory.lookups) == 1
    time.sleep(3.1)
    assert ask(gw, over(signer, oid=person(1))).code == 200


def test_a_token_that_graph_does_not_take(lookup, directory, signer, upstream):
    """RFC 6750 3.1: the next question has a new one."""
    gw = start(lookup(), directory)
    directory.groups[person(1)] = MANY
    directory.on_groups = lambda ex: failure("401 Unauthorized", "InvalidAuthenticationToken")
    refused(gw, upstream, ask(gw, over(signer)))
    directory.on_groups = None
    assert ask(gw, over(signer, oid=person(1))).code == 200
    assert [t for t, _ in directory.lookups] == ["Bearer " + GRAPH_TOKEN % n for n in (1, 2)]


def test_a_host_of_another_name(lookup, directory, signer, upstream, world, tmp_path):
    """T-84: a good certificate of somebody else is of no use; Graph gets no token."""
    other = Directory(world, tmp_path, [h for h in HOSTS if "graph" not in h])
    try:
        gw = start(lookup(), other)
        refused(gw, upstream, ask(gw, over(signer)))
        gw.wait_log("user=" + OID, "certificate refused")
        assert len(other.tokens) == 1 and other.lookups == []
    finally:
        other.stop()


@pytest.mark.skipif("/tsan/" in BINARY, reason="TSan's allocator starts before a preloaded library")
@pytest.mark.parametrize("thread", ["loop-", "kube-access-gat"])
def test_no_memory(lookup, directory, signer, tmp_path, thread):
    """T-125, T-01: each allocation may fail; that costs one request, and nobody gets groups of somebody else."""
    allocations = Allocations(tmp_path)
    gw = lookup({"groupLookup": {"clientID": CLIENT, "secretFile": "secret", "timeout": "%ds" % min(30, SLOW)}})
    gw.config.update(workers=1, log={"level": "info"})
    gw.start(env={**directory.env(), **allocations.env, "ALLOCATIONS_THREAD": thread,
                  "LD_PRELOAD": allocations.shim + ":" + directory.shim})
    codes, failures = set(), 0

    def one(n, left):
        """What becomes of a user's first request while the left-th allocation fails; 0: the connection ended."""
        directory.groups[person(n)] = MANY if n % 2 else MANY[:-1]
        good, since = over(signer, oid=person(n)), len(gw.log())
        with gw.connect() as c:
            allocations.fail(left)
            try:
                code = c.ask("GET", PODS, token=good).code
            except CLOSED:
                code = 0
        failed = allocations.failed
        allocations.fail(0)
        assert code in (0, 200 if n % 2 else 403, 401, 502, 503), (n, code)
        assert code in (200, 403) or failed, (n, code, gw.log()[-2000:])
        assert gw.process.poll() is None, gw.log()[-3000:]
        codes.add(code)
        time.sleep(0.2 if code == 401 else 0)  # it may be told a moment later
        if "no token" in gw.log()[since:]:
            time.sleep(3.1)  # nobody asks for one
        return failed

    directory.expires_in = 1
    for n in range(1, 6):  # a token for each
        failures += one(n, 17 * n)
        time.sleep(0.6)
    directory.expires_in = 3600
    one(1001, 0)
    for n in range(11, 300, 5 if SLOW == 1 else 20):
        failures += one(n, n - 10)
    assert failures > 10 and codes & {200, 403} and (503 if thread == "loop-" else 401) in codes
    time.sleep(3.1)
    one(2001, 0)
    assert gw.metric("broken_invariants") == 0


def test_a_token_of_eight_kibibytes(lookup, directory, signer):
    """As long as it may be; Graph gets all of it."""
    long = "x" * 8192
    directory.on_token = lambda ex: page({"token_type": "Bearer", "expires_in": 3599, "access_token": long})
    gw = start(lookup(), directory)
    assert ask(gw, over(signer)).code == 200
    assert directory.lookups == [("Bearer " + long, OID)]


def test_an_answer_in_chunks(lookup, directory, signer):
    """RFC 9112 7.1: as Graph sends it."""
    def pieces(ex):
        body = page({"value": MANY}).partition(b"\r\n\r\n")[2]
        ex.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        for i in range(0, len(body), 1000):
            ex.send(b"%x\r\n%s\r\n" % (len(body[i:i + 1000]), body[i:i + 1000]))
        return b"0\r\n\r\n"
    directory.on_groups = pieces
    gw = start(lookup(), directory)
    assert ask(gw, over(signer)).code == 200
