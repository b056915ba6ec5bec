"""requestHeader: nothing is asked of an API server that was not seen to believe X-Remote-User (T-48)."""
import json
import os
import threading
import time

import pytest

from clock import build_shim
from gateway import SLOW
from test_identity import ask, fields
from upstream import BELIEVES, answer
from wire import wait_for


def sees(name, status="201 Created"):
    return answer(json.dumps({"status": {"userInfo": {"username": name}}}).encode(), status)


def forbids(name):
    message = 'selfsubjectreviews.authentication.k8s.io is forbidden: User "%s" cannot create resource' % name
    return answer(json.dumps({"kind": "Status", "message": message}).encode(), "403 Forbidden")


@pytest.fixture
def front(make_gateway, make_upstream, world):
    """make(count): a gateway that is a front proxy, and its API servers; not started."""
    def make(count=1):
        servers = [make_upstream() for _ in range(count)]
        gw = make_gateway(*servers, workers=1)
        gw.cluster["identity"] = "requestHeader"
        gw.cluster["upstream"]["credentials"] = gw.certificate(world.ca.issue("the-gateway", "DNS:gateway"))
        return (gw, *servers)
    return make


def says(gw, words):
    wait_for(lambda: words in gw.admin("/readyz?verbose")[1], 8 * SLOW, why=lambda: gw.admin("/readyz?verbose")[1])


REFUSALS = {
    "another name": (sees("the-gateway"), "it does not listen to X-Remote-User, every caller would be the-gateway"),
    "another name is forbidden": (forbids("the-gateway"), "every caller would be the-gateway"),
    "401": (answer(b"{}", "401 Unauthorized"), "does not accept the gateway's certificate as a front proxy's (401)"),
    "no name": (answer(b"{}", "201 Created"), "whether it believes X-Remote-User cannot be seen"),
    "no JSON": (answer(b"x", "201 Created"), "whether it believes X-Remote-User cannot be seen"),
    "an error": (answer(b"{}", "500 Internal Server Error"), "cannot be seen: SelfSubjectReview fails (status 500)"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_one_that_does_not_believe(front, world, kind):
    """T-48: nothing goes to it, and it is said why; once it believes, all is well by itself."""
    gw, up = front()
    up.believes, words = REFUSALS[kind]
    gw.start(ready=False)
    says(gw, words)
    a = ask(gw, world.admin)
    assert a.code == 503 and a.get("Retry-After") and b"the-gateway" not in a.body
    gw.wait_log("it was not seen to believe X-Remote-User")
    assert not up.requests
    up.believes = BELIEVES
    gw.wait_ready()
    assert ask(gw, world.admin).code == 200
    assert fields(up.only(), "x-remote-")[0] == ("X-Remote-User", "ann")


@pytest.mark.parametrize("told", [BELIEVES, forbids("kube-access-gateway:doctor"), answer(b"{}", "404 Not Found")],
                         ids=["its name", "its name is forbidden", "no such question"])
def test_one_that_believes(front, world, told):
    """By whatever answer names whom it saw; servers before 1.28 have none, which is logged."""
    gw, up = front()
    up.believes = told
    gw.start()
    assert ask(gw, world.admin).code == 200
    if told.startswith(b"HTTP/1.1 404"):
        gw.wait_log("whether it believes X-Remote-User was not seen")


def test_one_of_two(front, world):
    """Each server by itself: all go to the one that believes."""
    gw, bad, good = front(2)
    bad.believes = sees("the-gateway")
    gw.start()
    says(gw, "[-]upstream prod " + bad.url)
    for _ in range(6):
        assert ask(gw, world.admin).code == 200
    assert not bad.requests and len(good.requests) == 6


def test_one_that_comes_back_with_other_flags(front, world):
    """It is asked again whenever it was away."""
    gw, up = front()
    gw.start()
    assert ask(gw, world.admin).code == 200
    up.stop()
    wait_for(lambda: "down:" in gw.log(), 15 * SLOW, why=gw.log)
    up.believes = sees("the-gateway")
    up.start()
    says(gw, "every caller would be the-gateway")
    assert ask(gw, world.admin).code == 503
    assert len(up.requests) == 1


def test_other_ways_do_not_wait_for_it(front, world):
    """Tokens that are passed through speak for themselves."""
    gw, up = front()
    gw.cluster["identity"] = "passthrough"
    gw.cluster["authentication"]["clientCertificates"] = {"caFile": world.other_ca.cert, "identity": "requestHeader"}
    up.believes = sees("the-gateway")
    gw.start(ready=False)
    says(gw, "every caller would be the-gateway")
    assert ask(gw, world.admin).code == 200


def test_a_renewed_certificate_stops_nobody(front, world):
    """What was seen of the former one holds until the new one is asked about."""
    gw, up = front()
    gw.start()
    reviews = up.reviews
    gw.cluster["upstream"]["credentials"] = gw.certificate(world.ca.issue("renewed", "DNS:gateway"))
    gw.write()
    gw.reload()
    assert ask(gw, world.admin).code == 200
    wait_for(lambda: up.reviews > reviews, why="the new one was not asked about")


def test_an_answer_to_the_former_certificate(front, world):
    """T-48: one under way while the certificate is replaced says nothing of the new one, which is asked about at once."""
    gw, up = front()
    reviews, held = [], threading.Event()

    def script(ex):
        ex.read()
        if ex.get("X-Remote-User") != "kube-access-gateway:doctor":
            ex.send(answer(b"{}"))
            return
        reviews.append(ex)
        if ex is not reviews[0]:
            ex.send(sees("the-gateway"))
        elif held.wait(60):
            ex.send(BELIEVES)
    up.believes, up.script = None, script
    gw.start(ready=False)
    wait_for(lambda: reviews, 8 * SLOW, why=gw.log)
    gw.cluster["upstream"]["credentials"] = gw.certificate(world.ca.issue("renewed", "DNS:gateway"))
    gw.reload()
    held.set()
    says(gw, "every caller would be the-gateway")
    assert ask(gw, world.admin).code == 503


@pytest.mark.skipif(SLOW != 1, reason="a preloaded resolver and a sanitizer do not go together")
def test_each_address_of_a_name(make_gateway, make_upstream, world, tmp_path):
    """T-48: requests may come to any of them, so one that does not believe is enough; one that is away says nothing."""
    good = make_upstream()
    bad = make_upstream(host="127.0.0.2", port=good.port)
    gw = make_gateway("https://api.example.com:%d" % good.port, workers=1)
    gw.cluster["identity"] = "requestHeader"
    gw.cluster["upstream"].update({"tlsServerName": "kubernetes.default", "credentials": gw.certificate(
        world.ca.issue("the-gateway", "DNS:gateway"))})
    bad.believes = sees("the-gateway")
    gw.start(ready=False, env={**os.environ, "LD_PRELOAD": build_shim(tmp_path, "resolve"),
                               "RESOLVE": "api.example.com=127.0.0.1,127.0.0.2"})
    says(gw, "127.0.0.2: it does not listen to X-Remote-User, every caller would be the-gateway")
    good.stop()
    assert ask(gw, world.admin).code == 503
    good.start()
    bad.stop()
    gw.wait_ready()
    assert ask(gw, world.admin).code == 200
    bad.believes = BELIEVES
    bad.start()
    good.stop()
    gw.wait_ready(15)
    assert ask(gw, world.admin).code == 200
    assert good.requests and [r.get("X-Remote-User") for r in bad.requests] == ["ann"]


def test_a_reload_that_fails(front, make_upstream, world):
    """T-48: a configuration that is not taken, and needs no belief, makes none for the one in force."""
    gw, up = front()
    up.believes = sees("the-gateway")
    gw.start(ready=False)
    says(gw, "every caller would be the-gateway")
    was = json.loads(json.dumps(gw.config))
    other = make_upstream()
    gw.cluster["identity"] = "passthrough"
    del gw.cluster["upstream"]["credentials"]
    gw.cluster["upstream"]["servers"].append(other.url)
    gw.config["audit"]["file"] = gw.path("nowhere/audit.log")
    gw.reload(good=False)
    gw.config = was
    for _ in range(10):
        assert ask(gw, world.admin).code == 503
        time.sleep(0.1)
    assert not up.requests and not other.conns and up.reviews > 1
