"""Access rules before a real cluster: kubectl sees them, can-i tells of them, and open streams end by them."""
import json

import pytest

from gateway import Gateway
from processes import until
from signal import SIGHUP
from world import OTHER_NAMESPACE, Side, close, lines_until

RULES = """\
    accessRules:
      - name: exec-from-elsewhere
        match: {resources: [pods/exec, pods/attach, pods/portforward], namespaces: [%s]}
        require: {networks: [%s]}
      - {name: watched, mode: shadow, match: {resources: [configmaps]}, require: {networks: [elsewhere]}}
"""
REFUSAL = 'access rule "exec-from-elsewhere" requires network elsewhere'


@pytest.fixture
def ruled(cluster, sides, request):
    """A gateway whose rule wants another network for streams, and kubectl for it."""
    name = request.node.name
    gateway = Gateway(cluster, name, "rbac", more=RULES % (OTHER_NAMESPACE, "elsewhere")).start()
    try:
        yield gateway, Side(cluster, cluster.tokens, name, gateway.url, gateway.ca)
    finally:
        gateway.stop()


def can_i(side, user, *args):
    p = side.kubectl(user, "auth", "can-i", *args, "-n", side.namespace, check=False)
    return p.returncode, p.stdout.strip()


def test_can_i_in_both_directions(ruled, sides):
    """The API server says yes to all of this; behind the gateway kubectl hears what would really happen."""
    gateway, side = ruled
    straight = sides["direct"]
    assert can_i(straight, "admin", "create", "pods", "--subresource=exec") == (0, "yes")
    assert can_i(side, "admin", "create", "pods", "--subresource=exec") == (1, "no - " + REFUSAL)
    assert can_i(side, "admin", "create", "pods", "--subresource=attach") == (1, "no - " + REFUSAL)
    assert can_i(side, "admin", "get", "pods") == (0, "yes")
    assert can_i(side, "nobody", "get", "pods") == (1, "no - no role grants this")
    assert can_i(side, "admin", "get", "/metrics") == (0, "yes")
    listed = side.kubectl("admin", "auth", "can-i", "--list", "-n", side.namespace)
    assert "access rules of the gateway narrow what is listed" in listed.stderr
    answered = [e for e in gateway.audit() if e["annotations"].get("kube-access-gateway/answered-by") == "gateway"]
    assert len(answered) == 3 and all(e["responseStatus"]["code"] == 201 for e in answered)


def test_what_can_i_says_is_what_happens(ruled):
    gateway, side = ruled
    for args in (["exec", "shell", "--", "true"], ["attach", "shell"], ["port-forward", "pod/shell", ":80"]):
        p = side.kubectl("admin", "-n", side.namespace, *args, check=False)
        assert p.returncode == 1 and p.stderr.strip().endswith(REFUSAL), p.stderr
    assert side.kubectl("admin", "get", "configmaps", "-n", side.namespace).returncode == 0
    shadow = [e for e in gateway.audit() if "kube-access-gateway/shadow" in e["annotations"]]
    assert shadow and {e["annotations"]["kube-access-gateway/shadow"] for e in shadow} == {"watched"}


def test_a_rule_ends_what_is_open(ruled, cluster):
    """Tightened by SIGHUP: an exec ends, a watch that stays allowed does not."""
    gateway, side = ruled
    gateway.more = RULES % (side.namespace, "here")
    gateway.write("gateway.yaml", gateway.configuration())
    gateway.signal(SIGHUP)
    until("the wider rule", lambda: can_i(side, "admin", "create", "pods", "--subresource=exec")[0] == 0, 10)
    shell = side.popen("admin", "exec", "shell", "--", "sh", "-c", "echo begun; sleep 600")
    watch = side.popen("admin", "get", "configmaps", "-w", "-o", "name")
    try:
        lines_until(shell, "begun")
        until("the watch", lambda: [e for e in gateway.audit() if e["verb"] == "watch"], 10)
        gateway.more = RULES % (side.namespace, "elsewhere")
        gateway.write("gateway.yaml", gateway.configuration())
        gateway.signal(SIGHUP)
        assert shell.wait(10) != 0
        cluster.kubectl("create", "configmap", "still-watched", "-n", side.namespace)
        lines_until(watch, "still-watched")
        ended = [e for e in gateway.audit() if "kube-access-gateway/ended-by" in e["annotations"]]
        assert [e["annotations"]["kube-access-gateway/ended-by"] for e in ended
                if e["objectRef"].get("subresource") == "exec"] == ["access-rule"]
        assert REFUSAL in json.dumps([e["annotations"].get("kube-access-gateway/ended-reason", "") for e in ended]
                                     ).replace('\\"', '"')
    finally:
        close(shell)
        close(watch)
