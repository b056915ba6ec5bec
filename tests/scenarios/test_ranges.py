"""Addresses: who is in no authorized range is closed before TLS."""
import ipaddress
import socket
import time

import pytest

from gateway import SLOW

PODS = "/api/v1/namespaces/dev/pods"


def is_refused(gw, source):
    """True: closed without one octet, before anything was sent."""
    with socket.create_connection(("127.0.0.1", gw.port), 5, (source, 0)) as s:
        s.settimeout(0.3 * min(SLOW, 3))
        try:
            return s.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def ranged(make_gateway, upstream, ranges, **changes):
    gw = make_gateway(upstream, **changes)
    gw.cluster["authorizedRanges"] = ranges
    return gw


def test_an_address_in_no_range_is_closed_before_tls(gw, world, upstream):
    """T-89: not one octet; counted, and told in the log."""
    before = gw.metric("connections_refused_total")
    assert is_refused(gw, "127.0.0.2")
    assert not is_refused(gw, "127.0.0.1")
    gw.wait_metric("connections_refused_total", before + 1)
    gw.wait_log("refused source=127.0.0.2", "no authorized range")


def test_repeated_refusals_are_summarised(gw, upstream):
    """T-133: one line for an address, however often it comes."""
    before = gw.metric("connections_refused_total")
    for _ in range(30):
        assert is_refused(gw, "127.0.0.9")
    gw.wait_metric("connections_refused_total", before + 30)
    assert gw.log().count("refused source=127.0.0.9") <= 2  # once a loop


@pytest.mark.parametrize("ranges,inside,outside", [
    ({"cidrs": ["127.0.0.0/8"], "deny": ["127.0.0.3/32"]}, "127.0.0.2", "127.0.0.3"),
    ({"cidrs": ["127.0.0.3/32", "127.0.0.2"], "deny": ["127.0.0.3/30"]}, None, "127.0.0.3"),
    ({"cidrs": ["vpn"], "deny": ["bad"]}, "127.0.1.1", "127.0.1.2"),
    ({"files": ["ranges.txt"]}, "127.0.2.2", "127.0.2.3"),
    ({"files": ["ranges.txt"], "cidrs": ["127.0.2.3/32"], "deny": ["127.0.2.2/32"]}, "127.0.2.3", "127.0.2.2"),
    ({"unrestricted": True, "deny": ["127.0.0.5/32"]}, "127.0.0.6", "127.0.0.5"),
    ({"cidrs": ["2001:db8::/32"]}, None, "127.0.0.1"), ({"cidrs": ["::/0"]}, None, "127.0.0.1"),
    ({"cidrs": ["0.0.0.0/0"]}, "127.0.0.1", None)])
def test_which_ranges_count(make_gateway, make_upstream, ranges, inside, outside):
    """T-89, T-91, T-92: names, files, and deny that beats allow whatever the lengths."""
    if ranges.get("deny") == ["127.0.0.3/30"]:
        ranges = {**ranges, "deny": ["127.0.0.0/30"]}
    gw = ranged(make_gateway, make_upstream(), ranges, networks={"vpn": ["127.0.1.0/24"], "bad": ["127.0.1.2/32"]})
    gw.write_text("ranges.txt", "# pasted\n10.0.0.0/8, 127.0.2.2/32,,\n\n  192.0.2.1 # one\n2001:db8::/32\n")
    gw.start(ready=False)
    assert inside is None or not is_refused(gw, inside)
    assert outside is None or is_refused(gw, outside)


def test_an_ipv4_mapped_peer_is_ipv4(make_gateway, make_upstream, world):
    """T-92: on a dual-stack listener IPv4 rules match IPv4 peers."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    gw = make_gateway(make_upstream())
    gw.config["listeners"][0]["address"] = "[::]:%d" % gw.port
    gw.start()
    a = gw.ask("GET", PODS)
    assert a.code == 200 and gw.event(a.audit_id)["sourceIPs"] == ["127.0.0.1"]
    assert is_refused(gw, "127.0.0.2")


def test_a_reload_adds_and_removes_ranges(make_gateway, make_upstream, world):
    """T-89, T-128: for new connections at once, and for the next request of one that was kept."""
    gw = ranged(make_gateway, make_upstream(), {"cidrs": ["127.0.0.1/32", "127.0.0.2/32"]}).start()
    with gw.connect(source="127.0.0.2") as c:
        assert c.ask("GET", PODS, token=world.admin).code == 200
        gw.cluster["authorizedRanges"] = {"cidrs": ["127.0.0.1/32", "127.0.0.4/32"]}
        gw.reload()
        assert is_refused(gw, "127.0.0.2") and not is_refused(gw, "127.0.0.4")
        refused = c.ask("GET", PODS, token=world.admin)
        assert refused.code == 403 and "in no authorized range" in refused.status()["message"]
        c.expect_end()


def test_each_cluster_has_its_own_ranges(make_gateway, make_upstream, world):
    """The listener admits the union, the name's cluster decides."""
    up = make_upstream()
    gw = make_gateway(up)
    gw.cluster["serverNames"] = ["a.example.com"]
    gw.config["clusters"].append({**gw.cluster, "name": "b", "serverNames": ["b.example.com"],
                                  "authorizedRanges": {"cidrs": ["127.0.0.2/32"]}})
    gw.start()
    for source, mine, other in (("127.0.0.1", "a.example.com", "b.example.com"),
                                ("127.0.0.2", "b.example.com", "a.example.com")):
        with gw.connect(source=source, name=mine) as c:
            assert c.ask("GET", PODS, token=world.admin, host=mine).code == 200
        with pytest.raises(Exception):
            gw.connect(source=source, name=other)
    gw.wait_log("no authorized range of the cluster")


def test_a_hundred_thousand_entries_load_fast(make_gateway, make_upstream):
    """Issue of scale: in under two seconds, and they all count."""
    gw = ranged(make_gateway, make_upstream(), {"files": ["many.txt"]})
    base = int(ipaddress.ip_address("20.0.0.0"))
    lines = [str(ipaddress.ip_address(base + 512 * i)) + "/24" for i in range(100000)]
    gw.write_text("many.txt", "\n".join(lines + ["127.0.0.1/32"]) + "\n")
    begin = time.monotonic()
    gw.start(ready=False)
    assert time.monotonic() - begin < 2 * SLOW
    assert not is_refused(gw, "127.0.0.1") and is_refused(gw, "127.0.0.2")
