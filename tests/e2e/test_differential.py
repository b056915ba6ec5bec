"""The decision library against the API server's own code: random policies and questions, no cluster."""
import os
import subprocess

from gateway import BINARY

HERE = os.path.dirname(os.path.abspath(__file__))
QUESTIONS = "100000"


def test_decisions_are_the_api_servers():
    env = dict(os.environ, GATEWAY=BINARY, ORACLE=os.path.join(HERE, "../../build/e2e/bin/oracle"))
    run = subprocess.run([os.path.join(HERE, "../differential/run"), QUESTIONS], env=env, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, text=True, check=False)
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-6000:]
