"""What cluster.py and gateway.py share: a folder of generated files, child processes that end with us, polling."""
import ctypes
import http.client
import json
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)
PAUSE = 0.05


def free_ports(n):
    """Ports that were free a moment ago; held open together so that they differ."""
    socks = [socket.socket() for _ in range(n)]
    try:
        for s in socks:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in socks]
    finally:
        for s in socks:
            s.close()


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def until(what, probe, seconds=60, check=lambda: None):
    """Polls until probe() is true and returns what it gave; check() may raise to give up early."""
    end = time.monotonic() + seconds
    while True:
        try:
            result = probe()
            if result:
                return result
        except (OSError, http.client.HTTPException):
            pass
        check()
        if time.monotonic() > end:
            raise AssertionError("no %s after %s s" % (what, seconds))
        time.sleep(PAUSE)


class Folder:
    """Files by name in one folder, and the processes that work there."""

    def __init__(self, work):
        self.work = os.path.abspath(work)
        self.procs = []  # (name, Popen), in start order

    def path(self, name):
        return os.path.join(self.work, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, data):
        """Writes text, or anything else as JSON, which is YAML."""
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(data if isinstance(data, str) else json.dumps(data, indent=1))
        return self.path(name)

    def audit(self):
        """The audit log as a list of events; a line being written at this moment is left out."""
        try:
            lines = self.read("audit.log").split("\n")[:-1]
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines]

    def spawn(self, name, argv, env=None):
        with open(self.path(name + ".log"), "ab") as log:
            p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.work,
                                 env={**os.environ, **(env or {})}, preexec_fn=die_with_parent)
        self.procs.append((name, p))
        return p

    def alive(self):
        for name, p in self.procs:
            if p.poll() is not None:
                raise AssertionError("%s ended with %s, see %s" % (name, p.returncode, self.path(name + ".log")))

    def stop(self):
        for _, p in reversed(self.procs):
            if p.poll() is None:
                p.terminate()
                try:
                    p.wait(15)
                except subprocess.TimeoutExpired:  # open watches can hold up the API server's graceful end
                    p.kill()
                    p.wait()
        self.procs.clear()
