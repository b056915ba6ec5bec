#!/usr/bin/env python3
"""A stand-in for an API server: just enough for kubectl to discover, list, get, watch and create ConfigMaps and Pods.

usage: apiserver.py PORT CERT KEY

It believes every token, as a demonstration needs nobody else to decide: what is refused was refused by the gateway.
Only for the demonstration; nothing is kept and nothing is checked.
"""
import http.server
import json
import ssl
import sys
import time
import urllib.parse

RESOURCES = {"pods": "Pod", "configmaps": "ConfigMap", "secrets": "Secret", "namespaces": "Namespace"}
STORE = {}  # (resource, namespace, name) -> object


def add(resource, namespace, name, **fields):
    meta = {"name": name, "uid": "%s-%s" % (resource, name), "resourceVersion": str(len(STORE) + 1),
            "creationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    if namespace:
        meta["namespace"] = namespace
    obj = {"kind": RESOURCES[resource], "apiVersion": "v1", "metadata": meta, **fields}
    STORE[resource, namespace, name] = obj
    return obj


def pod(name):
    add("pods", "dev", name, spec={"containers": [{"name": "app", "image": "registry.example.com/app:1"}]},
        status={"phase": "Running", "containerStatuses": [
            {"name": "app", "ready": True, "restartCount": 0, "image": "app", "imageID": "", "state": {"running": {}}}]})


def fill():
    for name in ("default", "dev", "prod"):
        add("namespaces", "", name, status={"phase": "Active"})
    pod("web-0")
    pod("web-1")
    add("configmaps", "dev", "settings", data={"colour": "blue"})
    add("secrets", "prod", "database", type="Opaque", data={"password": "aHVudGVyMg=="})


def table(kind, objects):
    """What kubectl asks for when it prints: rows instead of objects."""
    rows = [{"cells": [o["metadata"]["name"], o.get("status", {}).get("phase", ""), "1m"],
             "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": o["metadata"]}}
            for o in objects]
    columns = [{"name": n, "type": "string", "format": "name" if n == "Name" else "", "description": "", "priority": 0}
               for n in ("Name", "Status", "Age")]
    return {"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "1"},
            "columnDefinitions": columns, "rows": rows}


def status(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
            "reason": reason, "code": code}


def discovery(path):
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.0-demo", "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": []}
    if path == "/api/v1":
        return {"kind": "APIResourceList", "groupVersion": "v1", "resources": [
            {"name": r, "singularName": "", "namespaced": r != "namespaces", "kind": k,
             "verbs": ["create", "get", "list", "watch", "delete"],
             "shortNames": {"pods": ["po"], "configmaps": ["cm"], "namespaces": ["ns"]}.get(r, [])}
            for r, k in RESOURCES.items()]}
    return None


def locate(path):
    """(resource, namespace, name) of a path under /api/v1, or None."""
    parts = path.removeprefix("/api/v1/").split("/")
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    if parts[0] not in RESOURCES or len(parts) > 2:
        return None
    return parts[0], namespace, parts[1] if len(parts) == 2 else ""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, code, document):
        body = json.dumps(document).encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path in ("/readyz", "/livez", "/healthz"):
            return self.answer(200, "ok")
        found = discovery(url.path)
        if found:
            return self.answer(200, found)
        where = locate(url.path) if url.path.startswith("/api/v1/") else None
        if where is None:
            return self.answer(404, status(404, "NotFound", "the server could not find the requested resource"))
        resource, namespace, name = where
        objects = [o for (r, ns, n), o in STORE.items()
                   if r == resource and namespace in ("", ns) and name in ("", n)]
        if query.get("watch"):
            return self.watch(objects)
        if name and not objects:
            return self.answer(404, status(404, "NotFound", '%s "%s" not found' % (resource, name)))
        if "as=Table" in self.headers.get("Accept", ""):
            return self.answer(200, table(RESOURCES[resource], objects))
        if name:
            return self.answer(200, objects[0])
        return self.answer(200, {"kind": RESOURCES[resource] + "List", "apiVersion": "v1",
                                 "metadata": {"resourceVersion": "1"}, "items": objects})

    do_HEAD = do_GET

    def watch(self, objects):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for o in objects:
            self.event({"type": "ADDED", "object": o})
        while True:
            time.sleep(2)
            self.event({"type": "MODIFIED", "object": objects[0] if objects else {}})

    def event(self, document):
        line = json.dumps(document).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def do_POST(self):
        size = int(self.headers.get("Content-Length") or 0)
        data, path = self.rfile.read(size), urllib.parse.urlsplit(self.path).path
        if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":  # it lets everybody do everything
            return self.answer(201, {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1",
                                     "status": {"allowed": True}})
        body, where = json.loads(data or b"{}"), locate(path)
        if where is None:
            return self.answer(404, status(404, "NotFound", "the server could not find the requested resource"))
        resource, namespace, _ = where
        fields = {k: v for k, v in body.items() if k not in ("kind", "apiVersion", "metadata")}
        return self.answer(201, add(resource, namespace, body["metadata"]["name"], **fields))


def main():
    port, cert, key = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    fill()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    # The handshake happens in the connection's own thread: a client that never speaks must not block accept.
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main()
