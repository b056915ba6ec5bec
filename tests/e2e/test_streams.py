"""Streams by kubectl: exec, attach, cp, port-forward and followed logs, with both executors and equal output on all
sides.

Transfers are compared inside the scripts, so that the printed text stays small. The stand-in kubelet's containers share
this machine's files, so $DATA names the same files here and there.
"""
import functools
import http.server
import os
import threading

import pytest

from gateway import ORDERS
from test_kubectl import Row, object_name, run_and_compare
from world import close, lines_until

MIB = 1 << 20

ROWS = [
    Row("exec", "kubectl exec -n $NS shell -- sh -c 'echo out; echo err >&2'"),
    Row("exec status", "kubectl exec -n $NS shell -- sh -c 'exit 7'; [ $? = 7 ]"),
    Row("exec no such program", "kubectl exec -n $NS shell -- /no/such/program", fails=True),
    Row("exec 10 MB in", "kubectl exec -i -n $NS shell -- sha256sum <$DATA/10m"),
    Row("exec 10 MB in and out", "kubectl exec -i -n $NS shell -- cat <$DATA/10m | cmp - $DATA/10m && echo same"),
    Row("exec 10 MB out", "kubectl exec -n $NS shell -- cat $DATA/10m | cmp - $DATA/10m && echo same"),
    Row("exec stdin not read", """
        kubectl exec -i -n $NS shell -- true <$DATA/10m 2>err; status=$?
        grep -v 'Copying stdin failed' err >&2; exit $status"""),
    Row("exec tty", """
        cat >inside <<'EOF'
tty | tr -d 0-9; for _ in $(seq 100); do stty size | grep -q ' 91$' && break; sleep 0.05; done; stty size
EOF
        script -qec 'stty cols 91; kubectl exec -it -n $NS shell -- sh -c "$(cat inside)"' /dev/null </dev/null |
            tr -d '\\r' | sed 's/\\^@//'"""),
    Row("attach", """
        pod $NAME '"stdin":true,"command":["cat"]' | admin create -f -
        admin wait --for=condition=Ready pod/$NAME --timeout=10s
        attach() { (echo hello; soon grep -q . out err; sleep 0.2) | kubectl attach -q -i -n $NS $NAME; }
        start attach; soon seen hello out; finish; cat out; cat err >&2
        admin delete pod $NAME --wait=false; seen hello out"""),
    Row("cp there", "kubectl cp $DATA/50m $NS/shell:$NAME && admin exec shell -- cmp $NAME $DATA/50m && echo same"),
    Row("cp back", "kubectl cp $NS/shell:$DATA/50m down && cmp down $DATA/50m && echo same"),
    Row("port-forward", """
        start kubectl port-forward -n $NS shell :$PORT; soon seen Forwarding out
        at=$(sed -n 's/.*from \\(127[0-9.:]*\\) .*/\\1/p' out); status=1
        if [ "$at" ]; then
            for i in {1..4}; do curl -sSf "http://$at/10m" -o got$i & curls="$curls $!"; done
            wait $curls; status=0
            for i in {1..4}; do cmp got$i $DATA/10m && echo same || status=1; done
        fi
        finish; cat err >&2; exit $status"""),
    Row("port-forward closed port", """
        start kubectl port-forward -n $NS shell :1; soon seen Forwarding out
        at=$(sed -n 's/.*from \\(127[0-9.:]*\\) .*/\\1/p' out)
        [ ! "$at" ] || curl -s "http://$at/"
        soon seen refused err; finish; grep -o 'connection refused' err; grep orbidden err >&2; seen refused err"""),
]


@pytest.fixture(scope="module")
def data(cluster):
    """A folder with random files."""
    folder = cluster.path("data")
    os.makedirs(folder)
    for name, size in (("10m", 10 * MIB), ("50m", 50 * MIB)):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(os.urandom(size))
    return folder


@pytest.fixture(scope="module")
def web(data):
    """The port of a web server that serves data: what port-forward reaches in a Pod."""
    class Quiet(http.server.SimpleHTTPRequestHandler):
        """Serves files, logs nothing."""

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=data))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def executor(kind):
    """Environment that makes kubectl take this executor; SPDY is that of older clients and newer ones' second try."""
    value = {"WebSocket": "true", "SPDY": "false"}[kind]
    return {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS": value, "KUBECTL_PORT_FORWARD_WEBSOCKETS": value}


@pytest.mark.parametrize("user", ["admin", "viewer"])
@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
@pytest.mark.parametrize("kind", ["WebSocket", "SPDY"])
@pytest.mark.parametrize("order", ORDERS)
def test_stream(order, kind, row, user, sides, straight, data, web):
    env = {"NAME": object_name(kind, row.name, user), "DATA": data, "PORT": web, **executor(kind)}
    run_and_compare(order, row, user, user == "admin", sides, straight, **env)


@pytest.mark.parametrize("command", ["exec shell -- true", "attach echo", "port-forward shell :80"])
@pytest.mark.parametrize("order", ORDERS)
def test_get_is_not_enough(order, command, sides, straight):
    """A role with `get` on streams but not `create`: WebSocket's GET is refused, kubectl tries SPDY, says why."""
    row = Row("get only " + command, "kubectl -n $NS " + command)
    run_and_compare(order, row, "getter", False, sides, straight)


@pytest.mark.parametrize("name", ["direct", *ORDERS])
def test_followed_log_comes_at_once(name, sides):
    """A line is seen while the container waits for a file that this test makes only after seeing it."""
    side = sides[name]
    go = os.path.join(side.scratch, "go")
    command = '"command":["sh","-c","echo one; until [ -e %s ]; do sleep 0.05; done; echo two"]' % go
    side.run("pod follow '%s' | admin create -f -; soon admin logs follow" % command, "admin")
    p = side.popen("viewer", "logs", "-f", "follow")
    try:
        assert lines_until(p, "one") == ["one"]
        with open(go, "w", encoding="ascii"):
            pass
        out, err = p.communicate(timeout=20)
        assert (p.returncode, out, err) == (0, "two\n", "")
    finally:
        close(p)


@pytest.mark.parametrize("name", ["direct", *ORDERS])
def test_typing_into_exec(name, sides):
    """Each line typed comes back before the next is typed: nothing waits for more to come."""
    p = sides[name].popen("admin", "exec", "-i", "shell", "--", "cat", stdin=-1)
    try:
        for i in range(20):
            p.stdin.write("line %d\n" % i)
            p.stdin.flush()
            assert lines_until(p, "line") == ["line %d" % i]
        p.stdin.close()
        assert p.wait(20) == 0
    finally:
        p.kill()
        p.wait()
