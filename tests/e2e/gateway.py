"""Starts kube-access-gateway in front of a cluster.py cluster, with a configuration file as operators write it."""
import os
import subprocess
import urllib.error
import urllib.request

from processes import Folder, free_ports, until

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.path.abspath(os.environ.get("GATEWAY") or HERE + "/../../build/release/kube-access-gateway")

CONFIG = """\
# Written by tests/e2e/gateway.py.
apiVersion: kube-access-gateway/v1alpha1
kind: Gateway
workers: 2
stateDir: state
networks:
  here: [127.0.0.1/32]
  elsewhere: [192.0.2.0/24]
listeners:
  - name: main
    address: "127.0.0.1:%(port)d"
    tls:
      certificates: [{certFile: gateway.crt, keyFile: gateway.key}]
clusters:
  - name: e2e
    serverNames: ["127.0.0.1"]
    authorizedRanges:
      cidrs: [here]
      files: [ranges.txt]
    upstream:
      servers: ["%(upstream)s"]
      caFile: upstream-ca.crt
%(verify)s
%(credentials)s
    identity: %(identity)s
    authentication:
      configFile: authentication.json
%(keys)s
%(sources)s
    authorization:
%(authorization)s
%(more)s
audit: {file: audit.log}
log: {format: text, level: info}
admin: {address: "127.0.0.1:%(admin)d"}
drainTimeout: %(drain)s
"""

# The two orders also differ in where keys come from and in how the API server's certificate is verified.
ORDERS = {
    "upstream": {
        "verify": "      # by the address in servers",
        "keys": "      # keys by discovery from the issuer",
        "authorization": "      order: [upstream]",
    },
    "rbac": {
        "verify": "      tlsServerName: kubernetes.default.svc",
        "keys": '      jwksFiles: {"%(issuer)s": keys.json}',
        "authorization": "      order: [rbac]\n      rbac:\n        files: [rbac.yaml]",
    },
}


# Others than these are for single tests.
SETTINGS = {
    **ORDERS,
    "live": {
        "verify": "      # by the address in servers",
        "keys": '      jwksFiles: {"%(issuer)s": keys.json}',
        "authorization": "      order: [rbac]\n      rbac:\n        live: {kubeconfig: reader.kubeconfig, maxStaleness: 1h}",
    },
}


class Gateway(Folder):
    """url, ca: what clients need. order: upstream or rbac, the only authorizer. more: fields of the cluster."""

    def __init__(self, cluster, name, order, drain="5s", more="", identity="passthrough"):
        super().__init__(cluster.path("gateway-" + name))
        self.cluster, self.order, self.drain, self.more = cluster, order, drain, more
        self.identity, self.credentials, self.sources = identity, "", ""
        self.port, self.admin = free_ports(2)
        self.url = "https://127.0.0.1:%d" % self.port
        self.ca = cluster.path("gateway-ca.crt")
        self.process = None

    def configuration(self):
        values = {"port": self.port, "admin": self.admin, "drain": self.drain, "upstream": self.cluster.url,
                  "issuer": self.cluster.issuer.url, "more": self.more, "identity": self.identity,
                  "credentials": self.credentials, "sources": self.sources}
        return CONFIG % {**values, **{k: v % values for k, v in SETTINGS[self.order].items()}}

    def write_files(self):
        c = self.cluster
        os.makedirs(self.path("state"))
        if not os.path.exists(self.ca):  # not the cluster's CA: whoever trusts only the gateway cannot go around it
            c.ca("gateway-ca")
            c.cert("gateway", "/CN=gateway", "gateway-ca")
        self.write("gateway.crt", c.read("gateway.crt") + c.read("gateway-ca.crt"))
        self.write("gateway.key", c.read("gateway.key"))
        os.chmod(self.path("gateway.key"), 0o600)
        self.write("upstream-ca.crt", c.read("ca.crt"))
        self.write("authentication.json", c.authentication())
        self.write("keys.json", c.issuer.jwks)
        self.write("ranges.txt", "# more networks\n192.0.2.0/24, 198.51.100.0/24\n")
        if self.order == "rbac":
            self.write_rbac()
        if self.order == "live":
            self.write_reader()
        self.write("gateway.yaml", self.configuration())

    def write_rbac(self):
        """The cluster's own roles and bindings, as an operator would export them."""
        kinds = "clusterroles,clusterrolebindings,roles,rolebindings"
        self.write("rbac.yaml", self.cluster.kubectl("get", kinds, "-A", "-o", "yaml").stdout)

    def write_reader(self):
        """The credential for live roles, as the documents say: a ServiceAccount that may read policy and nothing else."""
        c = self.cluster
        c.kubectl("apply", "-f", HERE + "/../../packaging/policy-reader.yaml")
        token = c.kubectl("create", "token", "kube-access-gateway", "-n", "kube-access-gateway").stdout.strip()
        text = c.read(os.path.basename(c.write_kubeconfig("reader-made.kubeconfig", token=token)))
        self.write("reader.kubeconfig", text)
        os.chmod(self.path("reader.kubeconfig"), 0o600)

    def run(self):
        self.write_files()
        self.process = self.spawn("gateway", [BINARY, "serve", "--config", self.path("gateway.yaml")])

    def start(self):
        self.run()
        until("ready gateway", lambda: self.get("/readyz")[0] == 200, 20, self.alive)
        return self

    def get(self, path):
        """GET from the admin address: (status, text)."""
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d%s" % (self.admin, path), timeout=5) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def command(self, name, *args):
        """Another command of the program, on the same configuration: its output."""
        argv = [BINARY, name, "--config", self.path("gateway.yaml"), *args]
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout

    def signal(self, number):
        self.process.send_signal(number)

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))
