"""`check`: every mistake in one run, each with file, line and field; `serve` refuses the same; `kubeconfig`."""
import base64
import json
import os
import re
import subprocess

import pytest

from clock import build_shim
from gateway import BINARY, SLOW

GOOD = """apiVersion: kube-access-gateway/v1alpha1
kind: Gateway
stateDir: .
networks:
  vpn: [10.8.0.0/16]
listeners:
  - name: main
    address: "127.0.0.1:{port}"
    tls:
      certificates: [{{certFile: {cert}, keyFile: {key}}}]
clusters:
  - name: prod
    authorizedRanges: {{cidrs: [vpn, 127.0.0.1/32]}}
    upstream:
      servers: ["https://127.0.0.1:1"]
      caFile: {ca}
    authentication:
      configFile: authentication.json
      jwksFiles: {{"https://issuer.example.com": keys.json}}
    authorization:
      order: [rbac]
      rbac: {{files: [rbac.json]}}
audit: {{file: audit.log}}
"""

# what to replace, by what, what the report must say (file and line included)
MISTAKES = [
    ("kind: Gateway", "kind: Gate", "gateway.yaml:2: kind: must be Gateway"),
    ("v1alpha1", "v2", "gateway.yaml:1: apiVersion: must be"),
    ("stateDir: .", "stateDirectory: .", "gateway.yaml:3: stateDirectory: unknown field"),
    ("stateDir: .", "stateDir: [a]", "gateway.yaml:3: stateDir: must be a string"),
    ("10.8.0.0/16", "10.8.0.1/16", "gateway.yaml:5: authorizedRanges.cidrs: \"10.8.0.1/16\""),
    ("10.8.0.0/16", "010.8.0.0/16", "gateway.yaml:5: "),
    ("[vpn, ", "[vpm, ", "gateway.yaml:13: authorizedRanges.cidrs: \"vpm\" is neither"),
    ("127.0.0.1/32", "127.0.0.1/33", "gateway.yaml:13: "),
    ("127.0.0.1/32", "127.0.0.1/255.255.255.255", "gateway.yaml:13: "),
    ("authorizedRanges: {cidrs: [vpn, 127.0.0.1/32]}", "serverNames: [a]", "gateway.yaml:12: clusters[0]"
     ".authorizedRanges: is required"),
    ("address: \"", "adress: \"", "gateway.yaml:8: listeners[0].adress: unknown field"),
    ("    tls:", "    minVersion: \"1.1\"\n    tls:", "gateway.yaml:9: listeners[0].minVersion: unknown field"),
    ("certFile: ", "certFile: /nowhere/", "/nowhere/"),
    ("[\"https://127.0.0.1:1\"]", "[\"http://127.0.0.1:1\"]",
     "gateway.yaml:15: clusters[0].upstream.servers[0]: must be https://HOST"),
    ("[\"https://127.0.0.1:1\"]", "[]", "gateway.yaml:15: clusters[0].upstream.servers: must not be empty"),
    ("caFile: ", "caFile: /nowhere/", "/nowhere/"),
    ("order: [rbac]", "order: [rbac, webhook]", "gateway.yaml:21: clusters[0].authorization.order[1]: \"webhook\" is "
     "not one of"),
    ("order: [rbac]", "order: [upstream, rbac]", "order[0]: upstream can only be the last"),
    ("order: [rbac]", "order: [upstream]", "has no effect, since order does not name rbac"),
    ("order: [rbac]", "order: [rbac, azure]", "azure is part of the schema, but not supported"),
    ("rbac.json", "nothing.json", "nothing.json"), ("keys.json", "nothing.json", "nothing.json"),
    ("https://issuer.example.com", "https://other.example.com", "jwksFiles: no issuer \"https://other.example.com\""),
    ("audit: {", "audit: {failClosed: maybe, ", "gateway.yaml:23: audit.failClosed: must be true or false"),
    ("audit: {", "audit: {policyFile: nothing.yaml, ", "nothing.yaml"),
    ("audit: {", "drainTimeout: 5\naudit: {", "gateway.yaml:23: drainTimeout: must be a duration"),
    ("audit: {", "drainTimeout: 2h\naudit: {", "gateway.yaml:23: drainTimeout: must be from"),
    ("audit: {", "workers: 65\naudit: {", "gateway.yaml:23: workers: must be auto or a number"),
    ("audit: {", "limits: {connections: 0}\naudit: {", "gateway.yaml:23: limits.connections: must be a number"),
    ("audit: {", "admin: {address: \"0.0.0.0:9443\"}\naudit: {", "gateway.yaml:23: admin.address: must be a loopback"),
    ("audit: {", "log: {level: loud}\naudit: {", "gateway.yaml:23: log.level: \"loud\" is not one of"),
    ("audit: {", "kind: Gateway\naudit: {", "the key \"kind\" stands here twice, first in line 2"),
    ("audit: {", "x: &a 1\naudit: {", "gateway.yaml:23: "), ("audit: {", "\taudit: {", "gateway.yaml:23: "),
]

LATER = [
    ("    authentication:\n", "    limits: {perUser: {burst: 1}}\n    authentication:\n", "clusters[0].limits.perUser"),
    ("    tls:\n", "    proxyProtocol: {trustedNetworks: []}\n    tls:\n", "listeners[0].proxyProtocol"),
    ("order: [rbac]\n", "order: [rbac]\n      azure: {}\n", "clusters[0].authorization.azure"),
]


@pytest.fixture
def place(make_gateway, world):
    """A folder with a good configuration; text is what to write instead."""
    gw = make_gateway()

    def write(*changes):
        text = GOOD.format(port=gw.port, cert=world.gateway_pair[0], key=world.gateway_pair[1], ca=world.ca.cert)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return gw.write_text("gateway.yaml", text)
    return write


def run(command, path, *args, env=None):
    r = subprocess.run([BINARY, command, "--config", path, *args], capture_output=True, text=True, timeout=30,
                       check=False, env=env)
    assert not re.search("Sanitizer|runtime error", r.stderr), r.stderr
    return r


@pytest.mark.skipif(SLOW != 1, reason="a preloaded fopen and a sanitizer do not go together")
@pytest.mark.parametrize("keys,good", [("jwksFiles: {\"https://issuer.example.com\": keys.json}", True),
                                       ("keyHosts: [a.example.com]", False)])
def test_an_issuer_without_ca_needs_the_systems(place, tmp_path, keys, good):
    """T-84: said at load, with file and line, and not when its keys are fetched; a file with its keys needs none."""
    path = place(("jwksFiles: {\"https://issuer.example.com\": keys.json}", keys))
    r = run("check", path, env={**os.environ, "LD_PRELOAD": build_shim(tmp_path, "no_system_cas")})
    assert r.returncode == (0 if good else 1), r.stderr
    if not good:
        assert re.search(r"authentication\.json:\d+: jwt\[0\]\.issuer: has no certificateAuthority", r.stderr), r.stderr
        assert "ca-certificates.crt: cannot load the CA certificates" in r.stderr


def test_a_good_configuration(place):
    """Exit status 0, and what was found."""
    r = run("check", place())
    assert r.returncode == 0, r.stderr
    assert "good, 0 warnings" in r.stdout


@pytest.mark.parametrize("old,new,words", MISTAKES, ids=[m[1][:30] for m in MISTAKES])
def test_mistakes(place, old, new, words):
    """T-90, T-129: file, line, field, and what to write; exit status 1; serve refuses it too."""
    path = place((old, new))
    r = run("check", path)
    assert r.returncode == 1 and words in r.stderr, r.stderr
    s = run("serve", path)
    assert s.returncode == 1 and words in s.stderr and "not started" in s.stderr


def test_a_bad_prefix_of_a_network_is_told_once(place):
    """However many rules require the network."""
    rules = ", ".join("{name: %s, require: {networks: [office]}}" % name for name in ("a", "b"))
    r = run("check", place(("  vpn:", "  office: [10.9.0.1/16]\n  vpn:"),
                           ("    authentication:\n", "    accessRules: [%s]\n    authentication:\n" % rules)))
    told = [x for x in r.stderr.splitlines() if "10.9.0.1/16" in x]
    assert r.returncode == 1 and len(told) == 1 and "gateway.yaml:5: networks.office: " in told[0], r.stderr


def test_a_bad_prefix_is_told_beside_other_mistakes(place):
    r = run("check", place(("10.8.0.0/16", "10.8.0.1/16"), ("kind: Gateway", "kind: Gate")))
    assert "networks.vpn: \"10.8.0.1/16\"" in r.stderr and "kind: must be Gateway" in r.stderr, r.stderr


@pytest.mark.parametrize("old,new,field", LATER, ids=[m[2] for m in LATER])
def test_fields_of_later_versions_are_errors(place, old, new, field):
    """A field that is not implemented is never ignored."""
    r = run("check", place((old, new)))
    assert r.returncode == 1
    line = next((x for x in r.stderr.splitlines() if field in x), "")
    assert re.search(r"gateway\.yaml:\d+: ", line) and "not supported by this version" in r.stderr or \
        "only passthrough is supported" in r.stderr, r.stderr


def test_all_mistakes_in_one_run(place):
    """One run, every mistake, in files named by it too."""
    path = place(("kind: Gateway", "kind: G"), ("10.8.0.0/16", "10.8.0.0/99"), ("order: [rbac]", "order: [rbac, x]"),
                 ("audit: {", "drainTimeout: x\naudit: {"), ("caFile: ", "caFile: /nowhere/"))
    r = run("check", path)
    assert r.returncode == 1
    for words in (":2: kind", ":5: ", ":21: ", ":23: drainTimeout", "/nowhere/"):
        assert words in r.stderr, r.stderr
    assert re.search("[5-9] errors", r.stderr)


def test_mistakes_in_named_files(make_gateway, world, place):
    """With their own file and line."""
    path = place()
    folder = path.rpartition("/")[0]
    with open(folder + "/rbac.json", "w", encoding="ascii") as f:
        f.write('apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: a}\nrules: 7\n')
    with open(folder + "/authentication.json", "w", encoding="ascii") as f:
        f.write("apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt:\n- issuer:\n"
                "    url: http://issuer.example.com\n    audiences: [a]\n  claimMappings:\n    username:\n"
                "      expression: claims.sub\n")
    r = run("check", path)
    assert r.returncode == 1
    assert "rbac.json:4: " in r.stderr and "authentication.json:5: " in r.stderr
    assert "authentication.json:9: " in r.stderr and "CEL" in r.stderr


@pytest.mark.parametrize("level", ["Request", "RequestResponse"])
def test_audit_levels_with_bodies_are_errors(place, level):
    """Bodies are never read."""
    path = place(("audit: {", "audit: {policyFile: policy.yaml, "))
    with open(path.rpartition("/")[0] + "/policy.yaml", "w", encoding="ascii") as f:
        json.dump({"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "rules": [{"level": level}]}, f)
    r = run("check", path)
    assert r.returncode == 1 and "never reads bodies" in r.stderr


def test_a_missing_file_and_usage(tmp_path):
    """Exit status 1 for a wrong input, 2 for usage."""
    r = run("check", str(tmp_path / "nothing.yaml"))
    assert r.returncode == 1 and "nothing.yaml" in r.stderr
    for args in ([], ["check"], ["nonsense"], ["check", "--nonsense"], ["serve", "--config"]):
        assert subprocess.run([BINARY, *args], capture_output=True, timeout=20, check=False).returncode == 2
    for args in (["--help"], ["check", "--help"], ["version"], ["kubeconfig", "--help"]):
        r = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=20, check=False)
        assert r.returncode == 0 and r.stdout


def test_kubeconfig(place, world):
    """Defaults: the first server name, the listener's port, the last certificate of the chain."""
    path = place(("    upstream:\n", "    serverNames: [gw.example.com]\n    upstream:\n"))
    r = run("kubeconfig", path)
    assert r.returncode == 0 and re.search(r'server: "https://gw\.example\.com:\d+"', r.stdout)
    data = re.search(r"certificate-authority-data: (\S+)", r.stdout).group(1)
    assert "BEGIN CERTIFICATE" in base64.b64decode(data).decode()
    r = run("kubeconfig", path, "--server", "https://else:1", "--ca-file", world.ca.cert)
    data = re.search(r"certificate-authority-data: (\S+)", r.stdout).group(1)
    assert base64.b64decode(data).decode() == world.ca.text() and 'server: "https://else:1"' in r.stdout


def test_kubeconfig_for_entra(place):
    """kubelogin's arguments, from the issuer."""
    path = place(('      jwksFiles: {"https://issuer.example.com": keys.json}\n', ""))
    tenant = "00000000-0000-0000-0000-000000000001"
    with open(path.rpartition("/")[0] + "/authentication.json", "w", encoding="ascii") as f:
        json.dump({"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AuthenticationConfiguration", "jwt": [
            {"issuer": {"url": "https://sts.windows.net/%s/" % tenant, "audiences": ["the-server"]},
             "claimMappings": {"username": {"claim": "upn", "prefix": ""}}}]}, f)
    r = run("kubeconfig", path)
    assert r.returncode == 0, r.stderr
    for words in ("command: kubelogin", "- get-token", "- the-server", "- " + tenant, "- AzurePublicCloud"):
        assert words in r.stdout
