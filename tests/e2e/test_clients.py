"""Client libraries through the gateway, with the kubeconfig that `kube-access-gateway kubeconfig` prints: client-go,
Python, JavaScript, and Debian's much older kubectl. Each program prints the same straight against the API server.
"""
import os
import shutil
import subprocess
import sys

import pytest

from conftest import BUILD
from gateway import ORDERS
from installed import CLIENTS, install, node
from world import OTHER_NAMESPACE


@pytest.fixture(scope="module")
def python_client():
    """argv of a Python that has the client."""
    venv = os.path.join(BUILD, "venv")
    python = os.path.join(venv, "bin", "python")
    if not os.path.exists(python):
        make = [sys.executable, "-m", "venv", "--clear", venv]
        if subprocess.run(make, capture_output=True, timeout=120, check=False).returncode:
            pytest.skip("python3 -m venv does not work: install python3-venv")
    wish = os.path.join(CLIENTS, "requirements.txt")
    pip = [python, "-m", "pip", "install", "-q", "-r", wish]
    install("the Python client", wish, os.path.join(venv, "installed.txt"), pip)
    return [python, os.path.join(CLIENTS, "pyclient.py")]


@pytest.fixture(scope="module")
def javascript_client():
    """argv of a program that uses the client."""
    return node("jsclient.mjs")


@pytest.fixture(scope="module")
def printed(gateways, cluster):
    """{order: path of the kubeconfig that the gateway prints, with the administrator's token put in}"""
    files = {}
    for order, g in gateways.items():
        files[order] = g.write("printed.kubeconfig", g.command("kubeconfig"))
        user = view(cluster, files[order], "{.contexts[0].context.user}")
        cluster.kubectl("config", "set-credentials", user, "--token", cluster.tokens["admin"], kubeconfig=files[order])
    return files


def view(cluster, kubeconfig, path):
    """A field of what is current in a kubeconfig."""
    return cluster.kubectl("config", "view", "--minify", "-o", "jsonpath=" + path, kubeconfig=kubeconfig).stdout


def compare(argv, printed, sides, cluster):
    """Runs a client program on every side, on the same Pod; they must print the same."""
    def run(kubeconfig):
        labels = ["clientgo-", "pyclient-", "jsclient-"]  # the programs set them
        cluster.kubectl("label", "pod", "shell", "-n", OTHER_NAMESPACE, *labels)
        p = subprocess.run([*argv, kubeconfig, OTHER_NAMESPACE, "shell"], env=cluster.client_env(kubeconfig),
                           capture_output=True, text=True, timeout=60, check=False)
        assert p.returncode == 0, p.stdout + p.stderr
        return p.stdout

    direct = run(sides["direct"].kubeconfig("admin"))
    assert "watch: " in direct and "exec: " in direct
    for order in ORDERS:
        assert run(printed[order]) == direct


def test_client_go(printed, sides, cluster):
    compare([os.path.join(cluster.bin, "clientgo")], printed, sides, cluster)


def test_python(python_client, printed, sides, cluster):
    compare(python_client, printed, sides, cluster)


def test_javascript(javascript_client, printed, sides, cluster):
    compare(javascript_client, printed, sides, cluster)


@pytest.mark.parametrize("order", ORDERS)
def test_installed_kubectl(order, printed, sides, cluster):
    """The distribution's kubectl is years older: no WebSocket, other discovery."""
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("no kubectl is installed (package kubernetes-client)")
    env = {**cluster.client_env(printed[order]), "KUBECACHEDIR": cluster.path("old-kubecache")}
    run = [kubectl, "--cache-dir", cluster.path("old-kubecache"), "-n", sides[order].namespace]
    for args, wanted in ((["get", "pod", "shell", "-o", "name"], "pod/shell"),
                         (["exec", "shell", "--", "echo", "out"], "out"),
                         (["logs", "count", "--tail=1"], "tick5")):
        p = subprocess.run(run + args, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert (p.returncode, p.stdout.strip()) == (0, wanted), p.stderr


def test_printed_kubeconfig(printed, gateways, cluster):
    """It names the listener, and its CA is enough to trust the gateway."""
    for order, g in gateways.items():
        assert view(cluster, printed[order], "{.clusters[0].cluster.server}") == g.url
        assert cluster.kubectl("get", "--raw", "/healthz", kubeconfig=printed[order]).stdout == "ok"
