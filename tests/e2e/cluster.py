#!/usr/bin/env python3
"""etcd, kube-apiserver, an OIDC issuer and a stand-in kubelet, all on loopback, for one test run.

    cluster.py WORK                 start, print the kubeconfig, wait for SIGINT or SIGTERM, stop

WORK is emptied first (it must be new or have been made by this script). BIN, by default build/e2e/bin, has the
programs. In tests: `with Cluster(work, bin_dir) as c: c.kubectl("get", "pods")`.

What is absent: no scheduler (give Pods `spec.nodeName: node1`), no controllers (Namespaces stay Terminating, there is
no `default` ServiceAccount, and ClusterRoles view, edit and admin have no rules, as a controller aggregates them).
"""
import base64
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request

from oidc import Issuer
from processes import Folder, free_ports, until

ADMIN_GROUP = "system:masters"
NODE = "node1"
MARK = "e2e-cluster"  # a folder with this file in it is ours to empty


class Cluster(Folder):
    """port, url: the API server's. issuer: makes tokens. kubeconfig: of an administrator with a client certificate."""

    def __init__(self, work, bin_dir):
        super().__init__(work)
        self.bin = os.path.abspath(bin_dir)
        self.issuer = None
        self.port, self.etcd_port, self.peer_port = free_ports(3)
        self.url = "https://127.0.0.1:%d" % self.port
        self.kubeconfig = self.path("admin.kubeconfig")

    # ---- keys and certificates: one openssl process each, EC keys, no CSR files ----

    def cert(self, name, subject, ca=None, ext=(), san="IP:127.0.0.1,DNS:localhost"):
        """Writes NAME.crt and NAME.key. Subject: /O=group/O=group/CN=user. All are good for client and server."""
        # req insists on a configuration file with a section for the name; an empty one will do when -subj is given
        cmd = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "30", "-config", self.write("req.cnf", "[req]\ndistinguished_name=dn\n[dn]\n"),
               "-subj", subject, "-keyout", self.path(name + ".key"), "-out", self.path(name + ".crt")]
        if ca:
            cmd += ["-CA", self.path(ca + ".crt"), "-CAkey", self.path(ca + ".key")]
            ext = ["basicConstraints=critical,CA:FALSE", "extendedKeyUsage=clientAuth,serverAuth",
                   "subjectAltName=" + san, *ext]
        for e in ext:
            cmd += ["-addext", e]
        subprocess.run(cmd, check=True, capture_output=True)

    def ca(self, name):
        self.cert(name, "/CN=" + name, ext=["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"])

    def rsa_key(self, name):
        subprocess.run(["openssl", "genrsa", "-out", self.path(name), "2048"], check=True, capture_output=True)

    def make_pki(self):
        self.ca("ca")           # server, client and kubelet certificates
        self.ca("front-ca")     # only for identities asserted in headers; must not be the client CA
        self.cert("apiserver", "/CN=kube-apiserver", "ca",
                  san="IP:127.0.0.1,IP:10.0.0.1,DNS:localhost,DNS:kubernetes.default.svc")
        self.cert("admin", "/O=%s/CN=admin" % ADMIN_GROUP, "ca")
        self.cert("kubelet-client", "/O=%s/CN=apiserver-to-kubelet" % ADMIN_GROUP, "ca")
        self.cert("kubelet", "/O=system:nodes/CN=system:node:" + NODE, "ca")
        self.cert("oidc", "/CN=oidc", "ca")
        self.rsa_key("oidc-sign.key")
        self.cert("sa", "/CN=sa", "ca")  # the API server takes the public key out of the certificate

    # ---- start ----

    def request(self, method, path, body=None, token=None):
        """One request to the API server, for set-up and checks: (status, parsed or raw body)."""
        tls = ssl.create_default_context(cafile=self.path("ca.crt"))
        if not token:
            tls.load_cert_chain(self.path("admin.crt"), self.path("admin.key"))
        conn = http.client.HTTPSConnection("127.0.0.1", self.port, context=tls, timeout=10)
        try:
            headers = {"Content-Type": "application/json", **({"Authorization": "Bearer " + token} if token else {})}
            conn.request(method, path, None if body is None else json.dumps(body), headers)
            r = conn.getresponse()
            data = r.read()
            return r.status, json.loads(data) if "json" in r.getheader("Content-Type", "") else data.decode()
        finally:
            conn.close()

    def answers(self, path, token=None):
        return self.request("GET", path, token=token)[0] == 200

    def new_folder(self):
        if os.path.isdir(self.work) and os.listdir(self.work) and not os.path.exists(self.path(MARK)):
            raise RuntimeError(self.work + " is not empty and was not made by this program")
        shutil.rmtree(self.work, ignore_errors=True)
        os.makedirs(self.work, 0o700)
        self.write(MARK, "")

    def program(self, name, flags, **env):
        self.spawn(name, [os.path.join(self.bin, name), *("--%s=%s" % f for f in flags.items())], env)

    def start_etcd(self):
        peer = "http://127.0.0.1:%d" % self.peer_port
        self.program("etcd", {
            "data-dir": self.path("etcd"), "name": "e", "log-level": "error", "initial-cluster": "e=" + peer,
            "listen-client-urls": self.etcd_url(), "advertise-client-urls": self.etcd_url(),
            "listen-peer-urls": peer, "initial-advertise-peer-urls": peer,
            "unsafe-no-fsync": "true",                              # a test may lose its data
            "heartbeat-interval": "20", "election-timeout": "200",  # elects itself 1 s sooner
        })

    def etcd_url(self):
        return "http://127.0.0.1:%d" % self.etcd_port

    def authentication(self):
        """AuthenticationConfiguration: the API server's, and just as it is the gateway's."""
        return {
            "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration",
            "jwt": [{
                "issuer": {"url": self.issuer.url, "audiences": ["kubernetes"],
                           "certificateAuthority": self.read("ca.crt")},
                "claimMappings": {"username": {"claim": "sub", "prefix": "oidc:"},
                                  "groups": {"claim": "groups", "prefix": "oidc:"}},
            }],
        }

    def start_apiserver(self):
        policy = {
            "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
            "rules": [{"level": "None", "users": ["system:apiserver"]}, {"level": "Metadata"}],  # None: its own chatter
        }
        self.program("kube-apiserver", {
            "etcd-servers": self.etcd_url(), "bind-address": "127.0.0.1", "secure-port": self.port,
            "advertise-address": "127.0.0.1", "endpoint-reconciler-type": "none",    # no default route needed
            "service-cluster-ip-range": "10.0.0.0/24", "shutdown-delay-duration": "0s", "profiling": "false",
            "tls-cert-file": self.path("apiserver.crt"), "tls-private-key-file": self.path("apiserver.key"),
            "client-ca-file": self.path("ca.crt"), "authorization-mode": "Node,RBAC",
            "authentication-config": self.write("authentication.json", self.authentication()),
            "service-account-issuer": "https://kubernetes.default.svc", "service-account-key-file": self.path("sa.crt"),
            "service-account-signing-key-file": self.path("sa.key"),
            "requestheader-client-ca-file": self.path("front-ca.crt"), "requestheader-allowed-names": "front-proxy",
            "requestheader-username-headers": "X-Remote-User", "requestheader-group-headers": "X-Remote-Group",
            "requestheader-uid-headers": "X-Remote-Uid", "requestheader-extra-headers-prefix": "X-Remote-Extra-",
            "kubelet-client-certificate": self.path("kubelet-client.crt"),
            "kubelet-client-key": self.path("kubelet-client.key"),
            "kubelet-certificate-authority": self.path("ca.crt"), "kubelet-preferred-address-types": "InternalIP",
            "audit-log-path": self.path("audit.log"), "audit-policy-file": self.write("audit-policy.json", policy),
            # ServiceAccount admission waits for objects that a controller makes. The other needs what is not here.
            "disable-admission-plugins": "ServiceAccount,TaintNodesByCondition",
        }, GOGC="50")

    def start_kubelet(self):
        self.program("kubelet", {"server": self.url, "node": NODE, "ca": self.path("ca.crt"), "work": self.path("pods"),
                                 "cert": self.path("kubelet.crt"), "key": self.path("kubelet.key")})

    def wait(self, what, probe):
        until(what, probe, check=self.alive)

    def start(self):
        self.new_folder()
        self.start_etcd()  # elects itself meanwhile; an API server that finds it absent waits a second to try again
        self.make_pki()
        self.wait("etcd", lambda: urllib.request.urlopen(self.etcd_url() + "/health").status == 200)
        # Before the API server: it fetches the keys in the background, and would come again only after ten seconds.
        self.issuer = Issuer(self.path("oidc-sign.key"), self.path("oidc.crt"), self.path("oidc.key"))
        self.start_apiserver()
        self.wait("kube-apiserver", lambda: self.answers("/readyz"))
        self.start_kubelet()
        self.wait("node", lambda: self.answers("/api/v1/nodes/" + NODE))
        self.wait("OIDC", lambda: self.answers("/version", token=self.issuer.token("probe")))
        self.write_kubeconfig("admin.kubeconfig", client_certificate="admin")
        return self

    def stop(self):
        super().stop()
        if self.issuer:
            self.issuer.close()
            self.issuer = None

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *exc):
        self.stop()

    # ---- for tests ----

    def base64(self, name):
        return base64.b64encode(self.read(name).encode()).decode()

    def write_kubeconfig(self, name, server=None, ca="ca.crt", token=None, client_certificate=None):
        """server and ca point clients at a gateway instead; without token and certificate it holds no credentials."""
        user = {"token": token} if token else {}
        if client_certificate:
            user["client-certificate-data"] = self.base64(client_certificate + ".crt")
            user["client-key-data"] = self.base64(client_certificate + ".key")
        cluster = {"server": server or self.url, "certificate-authority-data": self.base64(ca)}
        return self.write(name, {
            "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
            "clusters": [{"name": "e2e", "cluster": cluster}],
            "users": [{"name": "e2e", "user": user}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e"}}],
        })

    def client_env(self, kubeconfig=None):
        """Environment of a kubectl run: the programs of this folder first, caches in the work folder."""
        return {**os.environ, "PATH": self.bin + ":" + os.environ["PATH"], "KUBECONFIG": kubeconfig or self.kubeconfig,
                "KUBECACHEDIR": self.path("kubecache"), "HOME": self.work, "LC_ALL": "C.UTF-8", "TZ": "UTC"}

    def kubectl(self, *args, kubeconfig=None, stdin=None, check=True, timeout=60):
        """Runs kubectl as the administrator, or as whom kubeconfig says; returns the CompletedProcess, texts as str."""
        p = subprocess.run([os.path.join(self.bin, "kubectl"), *args], env=self.client_env(kubeconfig), input=stdin,
                           capture_output=True, text=True, timeout=timeout, check=False)
        if check and p.returncode:
            raise AssertionError("kubectl %s: %s" % (" ".join(args), p.stderr))
        return p


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    here = os.path.dirname(os.path.abspath(__file__))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # run the finally parts
    with Cluster(sys.argv[1], os.environ.get("BIN") or here + "/../../build/e2e/bin") as c:
        print(c.kubeconfig, flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
