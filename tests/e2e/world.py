"""What the tests work with: users, their roles, Pods, and the ways (sides) to reach the API server.

Every side has a namespace, a scratch folder and kubeconfigs of its own, alike in all but names, so that a script can
run on each and must print the same.
"""
import collections
import json
import os
import re
import shutil
import subprocess

from cluster import NODE
from processes import until

Result = collections.namedtuple("Result", "status stdout stderr")

NAMESPACES = {"direct": "ns-0", "upstream": "ns-1", "rbac": "ns-2"}  # equal lengths keep tables aligned
OTHER_NAMESPACE = "ns-3"  # of sides that are not compared
USERS = {  # name: arguments of Issuer.token
    "admin": {"sub": "ada", "groups": ["admins"]},
    "viewer": {"sub": "vera", "groups": ["viewers", "others"]},   # reads Pods, logs and ConfigMaps
    "getter": {"sub": "gus"},                                     # `get` on streams, which is not enough for them
    "nobody": {"sub": "nina"},                                    # what every authenticated user may
    "expired": {"sub": "ada", "groups": ["admins"], "ttl": -60},
    "wrong-audience": {"sub": "ada", "groups": ["admins"], "aud": "somebody-else"},
    "wrong-issuer": {"sub": "ada", "groups": ["admins"], "iss": "https://127.0.0.1:1"},
    "wrong-key": {"sub": "ada", "groups": ["admins"], "key": "other-sign.key"},
    "garbage": None,
    "anonymous": None,
}

PRELUDE = """
admin() { KUBECONFIG=$ADMIN command kubectl -n "$NS" "$@" >/dev/null; }     # set-up, past every gateway
seen() { grep -q -e "$1" "$2"; }                                             # PATTERN FILE
start() { "$@" >out 2>err & pid=$!; }                                        # something that goes on, until finish
finish() { kill $pid 2>/dev/null; wait $pid 2>/dev/null; pid=; }
soon() { # COMMAND...: polls until it succeeds, or until what was started has ended
    for _ in {1..200}; do
        "$@" >/dev/null 2>&1 && return
        [ ! "$pid" ] || kill -0 $pid 2>/dev/null || { "$@" >/dev/null 2>&1; return; }
        sleep 0.05
    done
    echo "never: $*" >&2; return 1
}
pod() { # NAME [CONTAINER-FIELDS]: a manifest; nodeName replaces a scheduler, image is required and ignored
    echo '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"'"$1"'","labels":{"app":"'"$1"'"}},
        "spec":{"nodeName":"node1","containers":[{"name":"c","image":"none"'"${2:+,$2}"'}]}}'
}
"""


def pod(name, **container):
    """A Pod for the stand-in kubelet: nodeName replaces a scheduler, image is required and ignored."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}},
            "spec": {"nodeName": NODE, "containers": [{"name": "c", "image": "none", **container}]}}


def rbac(kind, name, namespace=None, **fields):
    meta = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": meta, **fields}


def role(name, namespace, subject, *rules):
    """A Role and its RoleBinding. rules: (resources, verbs) of the core group."""
    return [rbac("Role", name, namespace, rules=[{"apiGroups": [""], "resources": r, "verbs": v} for r, v in rules]),
            rbac("RoleBinding", name, namespace, subjects=[subject],
                 roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name})]


def subject(kind, name):
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def objects():
    """Everything that exists before the first test."""
    read = ["get", "list", "watch"]
    items = [rbac("ClusterRoleBinding", "e2e-admins", subjects=[subject("Group", "oidc:admins")],
                  roleRef={"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"})]
    ticks = "echo one; echo two; for i in 1 2 3 4 5; do sleep 0.1; echo tick$i; done"
    for ns in (*NAMESPACES.values(), OTHER_NAMESPACE):
        items += [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}}]
        items += role("viewer", ns, subject("Group", "oidc:viewers"), (["pods", "pods/log", "configmaps"], read))
        items += role("getter", ns, subject("User", "oidc:gus"),
                      (["pods", "pods/exec", "pods/attach", "pods/portforward"], ["get"]))
        pods = [pod("shell"), pod("echo", stdin=True, command=["cat"]), pod("count", command=["sh", "-c", ticks])]
        for p in pods:
            p["metadata"]["namespace"] = ns
        items += pods
    return items


def populate(cluster):
    """Creates objects() and waits until the Pods run."""
    cluster.kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects()}))
    for ns in (*NAMESPACES.values(), OTHER_NAMESPACE):
        cluster.kubectl("wait", "-n", ns, "--for=condition=Ready", "pod/shell", "pod/echo", "--timeout=20s")
        cluster.kubectl("wait", "-n", ns, "--for=jsonpath={.status.phase}=Succeeded", "pod/count", "--timeout=20s")
    cluster.rsa_key("other-sign.key")


def tokens(cluster):
    """A token for each user; the good ones live as long as a test run may."""
    made = {"anonymous": None, "garbage": "not.a.token"}
    for name, args in USERS.items():
        if args:
            key = cluster.path(args["key"]) if "key" in args else None
            made[name] = cluster.issuer.token(**{**args, "key": key})
    return made


class Side:
    """One way to the API server: straight, or through a gateway."""

    def __init__(self, cluster, tokens_, name, url, ca):
        self.cluster, self.tokens, self.name, self.url, self.ca = cluster, tokens_, name, url, ca
        self.namespace = NAMESPACES.get(name, OTHER_NAMESPACE)
        self.scratch = cluster.path("scratch-" + name)
        self.port = int(url.rpartition(":")[2])
        os.makedirs(self.scratch)
        for user, token in tokens_.items():
            cluster.write_kubeconfig(os.path.join(self.scratch, user + ".kubeconfig"), server=url, ca=ca, token=token)

    def kubeconfig(self, user):
        return os.path.join(self.scratch, user + ".kubeconfig")

    def env(self, user, **more):
        return {**self.cluster.client_env(self.kubeconfig(user)), "KUBECACHEDIR": self.kubeconfig(user) + ".cache",
                "ADMIN": self.cluster.kubeconfig, "NS": self.namespace, "SERVER": self.url, "CA": self.ca,
                "TOKEN": self.tokens[user] or "", **{k: str(v) for k, v in more.items()}}

    def run(self, script, user, timeout=40, **env):
        """Runs a bash script in a folder of its own with kubectl set up for user; texts come normalised."""
        folder = os.path.join(self.scratch, "script")
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
        argv = ["timeout", "-k", "5", str(timeout), "bash", "-o", "pipefail", "-c", PRELUDE + script]
        p = subprocess.run(argv, cwd=folder, env=self.env(user, **env), stdin=subprocess.DEVNULL, capture_output=True,
                           timeout=timeout + 10, check=False)
        return Result(p.returncode, self.normal(p.stdout), self.normal(p.stderr))

    def kubectl(self, user, *args, timeout=60, **kw):
        return self.cluster.kubectl(*args, kubeconfig=self.kubeconfig(user), timeout=timeout, **kw)

    def popen(self, user, *args, **kw):
        """A kubectl that goes on; the caller ends it."""
        return subprocess.Popen(["kubectl", "-n", self.namespace, *args], env=self.env(user), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, **kw)

    def normal(self, text):
        """Replaces what may differ between two runs of a script: addresses, names of this side, times, versions."""
        text = text.decode("utf-8", "backslashreplace").replace(self.scratch, "SCRATCH").replace(self.url, "SERVER")
        text = text.replace("127.0.0.1:%d" % self.port, "ADDRESS")
        text = re.sub(r"\b%s\b" % self.namespace, "NAMESPACE", text)
        for pattern, replacement in VARYING:
            text = pattern.sub(replacement, text)
        return text


VARYING = [(re.compile(p), r) for p, r in [
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UID"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
    (r"(?m)^[EWI]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ", "LOG "),
    (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w+ \d{4} \d\d:\d\d:\d\d [+-]\d{4}", "TIME"),
    (r"(127\.0\.0\.1|\[::1\]):\d+", "ADDRESS"),
    (r"(resourceVersion\W+)\d+", r"\1VERSION"),
    (r"(?<![\w.=])\d+[dhms](\d+[ms])?(?!\w) *", "AGE "),  # a column's width follows its longest cell
    (r"\bAGE +", "AGE "),
    # They stand in the order of their seconds, which two of them may share or not.
    (r'"managedFields":\[\{.*?\}\](?=\},"spec")', '"managedFields":[]'),
]]


def close(process):
    """Ends what Side.popen began."""
    process.kill()
    process.communicate(timeout=10)


def lines_until(process, wanted, seconds=15):
    """Reads a process' stdout until a line contains wanted, and returns all lines read."""
    lines = []
    os.set_blocking(process.stdout.fileno(), False)
    pending = ""

    def more():
        nonlocal pending
        try:
            pending += os.read(process.stdout.fileno(), 65536).decode()
        except BlockingIOError:
            pass
        while "\n" in pending:
            line, _, pending = pending.partition("\n")
            lines.append(line)
        return any(wanted in line for line in lines)

    def alive():
        if process.poll() is not None and not more():
            raise AssertionError("ended with %s: %r %r" % (process.returncode, lines, process.stderr.read()))

    until("line with %r" % wanted, more, seconds, alive)
    return lines
