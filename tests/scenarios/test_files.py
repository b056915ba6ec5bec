"""Files that the configuration names are watched by folder and name; the configuration itself is not."""
import json
import os
import shutil
import ssl
import time

import pytest

from client import Cut
from clock import build_shim
from gateway import SLOW
from wire import wait_for

PODS = "/api/v1/namespaces/dev/pods"


@pytest.fixture
def gw(make_gateway, make_upstream):
    """Ranges in a file of a folder of their own; only 127.0.0.1 is in."""
    g = make_gateway(make_upstream())
    os.mkdir(g.path("lists"))
    g.write_text("lists/ranges.txt", "127.0.0.1/32\n")
    g.cluster["authorizedRanges"] = {"files": ["lists/ranges.txt"]}
    return g


def is_admitted(gw, source="127.0.0.9"):
    try:
        with gw.connect(source=source) as c:
            return c.ask("GET", PODS, token=gw.world.admin).code == 200
    except (OSError, Cut):
        return False


def wait_reload(gw, before, name="config_reloads"):
    wait_for(lambda: gw.metric(name) > before, 10 * SLOW, why=lambda: "no reload:\n" + gw.log()[-3000:])
    time.sleep(0.02 * SLOW)


def replace(gw, name, text):
    """As editors do: a file beside it, renamed over."""
    gw.write_text(name + ".swp", text)
    os.rename(gw.path(name + ".swp"), gw.path(name))


def write_slowly(gw, name, text):
    """In place, in two writes, of which the first alone would be wrong."""
    with open(gw.path(name), "w", encoding="ascii") as f:
        f.write(text[:5])
        f.flush()
        time.sleep(0.2)
        f.write(text[5:])


def write(gw, name, text):
    """In place."""
    gw.write_text(name, text)


@pytest.mark.parametrize("how", [replace, write, write_slowly])
def test_a_ranges_file(gw, how):
    """Section 9: taken over without a signal, whichever way it is written, and again."""
    gw.start()
    for n in range(2):
        assert not is_admitted(gw)
        before = gw.metric("config_reloads")
        how(gw, "lists/ranges.txt", "127.0.0.1/32\n127.0.0.9/32\n")
        wait_reload(gw, before)
        assert is_admitted(gw)
        how(gw, "lists/ranges.txt", "127.0.0.1/32\n")
        wait_reload(gw, before + 1)
    assert gw.metric("config_reloads_failed") == 0


def served(gw):
    with gw.connect() as c:
        return c.stream.tls.getpeercert(binary_form=True)


def test_certificates_as_the_kubelet_swaps_them(make_gateway, make_upstream, world):
    """Section 9: links to ..data/NAME, and ..data, a link itself, is renamed over: no name of ours is touched."""
    gw = make_gateway(make_upstream())
    pairs = [world.gateway_pair, world.ca.issue("gateway-2", "IP:127.0.0.1"), world.ca.issue("gateway-3", "IP:127.0.0.1")]

    def publish(n):
        os.makedirs(gw.path("certs/..%d" % n))
        shutil.copy(pairs[n][0], gw.path("certs/..%d/tls.crt" % n))
        shutil.copy(pairs[n][1], gw.path("certs/..%d/tls.key" % n))
        os.symlink("..%d" % n, gw.path("certs/..data_tmp"))
        os.rename(gw.path("certs/..data_tmp"), gw.path("certs/..data"))

    publish(0)
    for name in ("tls.crt", "tls.key"):
        os.symlink("..data/" + name, gw.path("certs/" + name))
    gw.config["listeners"][0]["tls"]["certificates"] = [gw.certificate(("certs/tls.crt", "certs/tls.key"))]
    gw.start()
    for n, pair in enumerate(pairs):
        if n != 0:
            before = gw.metric("config_reloads")
            publish(n)
            shutil.rmtree(gw.path("certs/..%d" % (n - 1)))
            wait_reload(gw, before)
        with open(pair[0], encoding="ascii") as f:
            assert served(gw) == ssl.PEM_cert_to_DER_cert(f.read())


def test_a_bad_file_is_told_and_mended(gw):
    """T-129: the old state stays, the log names file and line; mending it is enough, no signal is needed."""
    gw.start()
    before, size = gw.metrics(), len(gw.log())
    replace(gw, "lists/ranges.txt", "127.0.0.1/32\n127.0.0.9/32\n127.0.0.256/32\n")
    wait_reload(gw, before["config_reloads_failed"], "config_reloads_failed")
    gw.wait_log("lists/ranges.txt:3: ", since=size)
    gw.wait_log("the former configuration stays in force", since=size)
    assert is_admitted(gw, "127.0.0.1") and not is_admitted(gw)
    os.remove(gw.path("lists/ranges.txt"))
    wait_reload(gw, before["config_reloads_failed"] + 1, "config_reloads_failed")
    gw.write_text("lists/ranges.txt", "127.0.0.9/32\n127.0.0.1/32\n")
    wait_reload(gw, before["config_reloads"])
    assert is_admitted(gw)


def test_a_folder_that_is_swapped(gw):
    """Section 9: moved away, and another one in its place, at once or later."""
    gw.start()
    before = gw.metrics()
    os.mkdir(gw.path("lists.new"))
    gw.write_text("lists.new/ranges.txt", "127.0.0.9/32\n127.0.0.1/32\n")
    os.rename(gw.path("lists"), gw.path("lists.old"))
    os.rename(gw.path("lists.new"), gw.path("lists"))
    wait_reload(gw, before["config_reloads"])
    assert is_admitted(gw)
    os.rename(gw.path("lists"), gw.path("lists.new"))
    wait_reload(gw, before["config_reloads_failed"], "config_reloads_failed")
    assert is_admitted(gw)
    os.rename(gw.path("lists.old"), gw.path("lists"))
    wait_reload(gw, before["config_reloads"] + 1)
    assert not is_admitted(gw)


def test_a_folder_of_manifests(make_gateway, make_upstream, world):
    """Section 9: a file that is new there, one behind a link, one that is gone."""
    gw = make_gateway(make_upstream())
    os.mkdir(gw.path("rbac.d"))
    os.rename(gw.path("rbac.json"), gw.path("rbac.d/rbac.json"))
    gw.cluster["authorization"]["rbac"] = {"files": ["rbac.d"]}
    gw.start()
    grant = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "noel"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "everything"},
             "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "noel"}]}

    def changed(what, code):
        before = gw.metric("config_reloads")
        what()
        wait_reload(gw, before)
        assert gw.ask("GET", PODS, token=world.nobody).code == code
    assert gw.ask("GET", PODS, token=world.nobody).code == 403
    changed(lambda: gw.write_json("rbac.d/noel.json", grant), 200)
    changed(lambda: os.remove(gw.path("rbac.d/noel.json")), 403)
    gw.write_json("elsewhere.json", {**grant, "subjects": []})
    changed(lambda: os.symlink("../elsewhere.json", gw.path("rbac.d/link.json")), 403)
    changed(lambda: gw.write_json("elsewhere.json", grant), 200)


def test_many_changes_are_one(gw):
    """Section 9: coalesced, and told when they have settled."""
    gw.start()
    before = gw.metric("config_reloads")
    for n in range(10):
        replace(gw, "lists/ranges.txt", "127.0.0.1/32\n127.0.0.%d/32\n" % n)
        gw.write_text("rbac.json", gw.read("rbac.json"))
        time.sleep(0.05)
    wait_reload(gw, before)
    assert is_admitted(gw)
    time.sleep(1.2)
    assert gw.metric("config_reloads") == before + 1


def test_the_configuration_waits_for_its_signal(gw):
    """Section 9: it is edited in steps; a file that it names does not bring half of them into force."""
    gw.start()
    before = gw.metrics()
    unfinished = json.loads(json.dumps(gw.config))
    unfinished["clusters"][0]["authorizedRanges"] = {"cidrs": ["127.0.0.8/32"]}
    gw.write_json("gateway.yaml", unfinished)
    time.sleep(1)
    assert gw.metric("config_reloads") == before["config_reloads"]
    gw.write_text("lists/ranges.txt", "127.0.0.1/32\n127.0.0.9/32\n")
    wait_reload(gw, before["config_reloads"])
    assert is_admitted(gw) and not is_admitted(gw, "127.0.0.8")
    gw.reload()
    replace(gw, "lists/ranges.txt", "127.0.0.1/32\n")
    wait_reload(gw, before["config_reloads"] + 2)
    assert not is_admitted(gw)


@pytest.mark.skipif(SLOW != 1, reason="a preloaded inotify and a sanitizer do not go together")
@pytest.mark.parametrize("what", ["instances", "watches"])
def test_without_inotify_the_signal_still_works(gw, tmp_path, what):
    """Section 9: a limit that is reached is a warning which says so."""
    gw.start(env={**os.environ, "LD_PRELOAD": build_shim(tmp_path, "no_inotify"), "INOTIFY": what})
    gw.wait_log("warn", "cannot watch", "fs.inotify.max_user_%s is reached" % what, "until SIGHUP")
    assert gw.log().count("cannot watch") == 1
    gw.write_text("lists/ranges.txt", "127.0.0.1/32\n127.0.0.9/32\n")
    time.sleep(1)
    assert gw.metric("config_reloads") == 0 and not is_admitted(gw)
    gw.reload()
    assert is_admitted(gw)
