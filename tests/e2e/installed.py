"""What npm brings, by the lock file in clients/, into build/e2e/node."""
import filecmp
import os
import shutil
import subprocess

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(HERE + "/../../build/e2e")
CLIENTS = os.path.join(HERE, "clients")
MUST = os.environ.get("CI") == "true"


def install(what, wish, got, argv, **kw):
    """Runs an installer unless it has already done so for this file of pinned versions."""
    if os.path.exists(got) and filecmp.cmp(wish, got, shallow=False):
        return
    p = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False, **kw)
    if p.returncode == 0:
        shutil.copy(wish, got)
    elif MUST:
        pytest.fail("%s: %s" % (what, p.stderr[-2000:]))
    else:
        pytest.skip("%s could not be installed: %s" % (what, p.stderr.strip().split("\n")[-1]))


def node(program):
    """argv of a program in clients/ that uses packages of npm."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node or npm is missing")
    folder = os.path.join(BUILD, "node")
    os.makedirs(folder, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(CLIENTS, name), folder)
    install("packages of npm", os.path.join(CLIENTS, "package-lock.json"), os.path.join(folder, "installed.json"),
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder)
    return ["env", "NODE_MODULES=" + os.path.join(folder, "node_modules"), "node", os.path.join(CLIENTS, program)]
