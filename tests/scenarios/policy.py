"""The scripted API server's roles: lists in pages, watches with events and bookmarks, and what goes wrong."""
import hashlib
import json
import queue
import threading
import time
from urllib.parse import parse_qs, urlsplit

from gateway import RBAC, RULES, rbac
from upstream import OK, WATCH_HEAD, answer, chunk
from wire import Cut, wait_for

PATHS = {"/apis/%s/v1/%s" % (RBAC, r): r for r in ("roles", "clusterroles", "rolebindings", "clusterrolebindings")}
PATHS["/api/v1/namespaces"] = "namespaces"
RESOURCES = {"Role": "roles", "ClusterRole": "clusterroles", "RoleBinding": "rolebindings",
             "ClusterRoleBinding": "clusterrolebindings", "Namespace": "namespaces"}
ROLES = [r for r in RESOURCES.values() if r != "namespaces"]


def status(code, reason, message="no"):
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}
    return answer(json.dumps(body).encode(), "%d %s" % (code, reason))


class Watcher:
    def __init__(self, ex, resource):
        self.ex, self.resource = ex, resource
        self.queue = queue.Queue()


class Policy:
    """What an upstream answers about roles and namespaces; install() makes it the upstream's script."""

    def __init__(self, upstream, items=None):
        self.upstream = upstream
        self.lock = threading.RLock()
        self.version = 100
        self.oldest = 0  # watches from before are too old
        self.objects = {r: {} for r in RESOURCES.values()}
        self.history = []  # (version, resource, event)
        self.watchers = []
        self.seen = []  # (resource, "list" or "watch", query, fields)
        # resource, or (resource, "list" or "watch") -> octets, or script(ex, query), instead of an answer; a script
        # that returns True has not answered
        self.answers = {}
        self.answered = []  # the exchanges that were
        self.tokens = None  # those that are good; None: any
        self.held = threading.Event()
        self.held.set()
        self.pages_left = {}  # continue token -> the rest of a list
        self.expire_pages = 0  # so many continue tokens are refused
        self.other = None  # script for other requests
        for item in items if items is not None else rbac()["items"]:
            self.put(item)
        self.install()

    def install(self):
        self.upstream.script = self.serve

    # --- objects ---
    @staticmethod
    def key(item):
        m = item["metadata"]
        return (m.get("namespace", ""), m["name"])

    def _event(self, kind, resource, item):
        self.version += 1
        item = dict(item, metadata=dict(item["metadata"], resourceVersion=str(self.version)))
        event = {"type": kind, "object": item}
        self.history.append((self.version, resource, event))
        for w in self.watchers:
            if w.resource == resource:
                w.queue.put(event)
        return item

    def put(self, item):
        with self.lock:
            resource = RESOURCES[item["kind"]]
            there = self.objects[resource]
            kind = "MODIFIED" if self.key(item) in there else "ADDED"
            there[self.key(item)] = self._event(kind, resource, item)

    def delete(self, kind, name, namespace=""):
        with self.lock:
            item = self.objects[RESOURCES[kind]].pop((namespace, name))
            self._event("DELETED", RESOURCES[kind], item)

    def bind(self, name, role, user=None, group=None, namespace=None):
        who = {"kind": "User", "name": user} if user else {"kind": "Group", "name": group}
        self.put({"apiVersion": RBAC + "/v1", "kind": "RoleBinding" if namespace else "ClusterRoleBinding",
                  "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
                  "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
                  "subjects": [dict(who, apiGroup=RBAC)]})

    def namespace(self, name, **labels):
        self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})

    # --- trouble ---
    def forget_history(self):
        """Every resourceVersion so far is too old from now on, and open watches end."""
        with self.lock:
            self.version += 1
            self.oldest = self.version

    def end_watches(self, how="end"):
        with self.lock:
            watchers, self.watchers = self.watchers, []
        for w in watchers:
            w.queue.put(how)

    def send_all(self, event):
        with self.lock:
            for w in self.watchers:
                w.queue.put(event)

    def bookmark(self):
        with self.lock:
            for w in self.watchers:
                w.queue.put({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(self.version)}}})

    def count(self, resource, what):
        return sum(1 for s in self.seen if s[0] == resource and s[1] == what)

    def wait_watched(self, resources=tuple(ROLES), seconds=10):
        wait_for(lambda: set(resources) <= {w.resource for w in self.watchers}, seconds,
                 why=lambda: "watched: %r" % [w.resource for w in self.watchers])

    # --- answers ---
    def serve(self, ex):
        url = urlsplit(ex.target)
        resource = PATHS.get(url.path)
        if resource is None or not ex.get("User-Agent", "").startswith("kube-access-gateway/"):
            if self.other is not None:
                self.other(ex)
            else:
                ex.read()
                ex.send(OK)
            return
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        what = "watch" if query.get("watch") else "list"
        with self.lock:
            self.seen.append((resource, what, query, ex))
        self.held.wait(60)
        ex.read()
        scripted = self.answers.get(resource) or self.answers.get((resource, what))
        if self.tokens is not None and ex.get("Authorization") not in ["Bearer " + t for t in self.tokens]:
            ex.send(status(401, "Unauthorized"))
        elif callable(scripted) and not scripted(ex, query):
            pass
        elif scripted and not callable(scripted):
            ex.send(scripted)
            self.answered.append(ex)
        elif what == "list":
            self._list(ex, resource, query)
        else:
            self._watch(ex, resource, query)

    def _list(self, ex, resource, query):
        kind = next(k for k, r in RESOURCES.items() if r == resource)
        with self.lock:
            token = query.get("continue")
            if token is None:
                items, version = list(self.objects[resource].values()), self.version
            elif self.expire_pages > 0 or token not in self.pages_left:
                self.expire_pages -= 1
                ex.send(status(410, "Expired"))
                return
            else:
                items, version = self.pages_left.pop(token)
            limit = int(query.get("limit", 0)) or len(items)
            meta = {"resourceVersion": str(version)}
            if len(items) > limit:
                meta["continue"] = "page/+%d" % (len(self.seen))
                self.pages_left[meta["continue"]] = (items[limit:], version)
        # As the API server does it: the items of a list do not say what they are.
        items = [{k: v for k, v in i.items() if k not in ("kind", "apiVersion")} for i in items[:limit]]
        ex.send(answer(json.dumps({"kind": kind + "List", "apiVersion": RBAC + "/v1", "metadata": meta,
                                   "items": items}).encode()))

    def _watch(self, ex, resource, query):
        w = Watcher(ex, resource)
        try:
            ex.send(WATCH_HEAD)  # before it counts as watched
            with self.lock:
                since = int(query["resourceVersion"])
                if since < self.oldest:
                    w.queue.put({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})
                    w.queue.put("end")
                for version, r, event in self.history:
                    if r == resource and version > since:
                        w.queue.put(event)
                self.watchers.append(w)
            ends = time.monotonic() + float(query.get("timeoutSeconds", 600))
            while True:
                try:
                    event = w.queue.get(timeout=max(0, ends - time.monotonic()))
                except queue.Empty:
                    event = "end"
                if event == "end":
                    ex.send(b"0\r\n\r\n")
                    return
                if event == "cut":
                    ex.close()
                    return
                ex.send(event if isinstance(event, bytes) else chunk(json.dumps(event).encode() + b"\n"))
        except (OSError, ValueError, Cut):
            pass
        finally:
            with self.lock:
                if w in self.watchers:
                    self.watchers.remove(w)


def sign(copy):
    """The copy of a gateway with the digest that fits what it holds now."""
    begin, mark, rest = copy.partition('sha256":"')
    return begin + mark + hashlib.sha256(rest[64:].encode()).hexdigest() + rest[64:]


def kubeconfig(url, ca, user=None, **changes):
    cluster = {"server": url, "certificate-authority": ca}
    cluster.update(changes)
    return {"apiVersion": "v1", "kind": "Config", "current-context": "reader",
            "contexts": [{"name": "reader", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": user or {"token": "a-token"}}]}


def go_live(gw, server, user=None, files=(), **live):
    """Let gw take the roles of its cluster from server (an upstream)."""
    gw.write_json("reader.kubeconfig", kubeconfig(server.url, gw.world.ca.cert, user))
    gw.cluster["authorization"]["rbac"] = {"live": dict({"kubeconfig": "reader.kubeconfig"}, **live)}
    if files:
        gw.cluster["authorization"]["rbac"]["files"] = list(files)
    return gw
