"""Time that passes when a test says so; see shims/clock.c."""
import os
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))


def build_shim(folder, name):
    """The shared object made of shims/NAME.c."""
    shim = os.path.join(str(folder), name + ".so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, "%s/shims/%s.c" % (HERE, name)], check=True)
    return shim


class Clock:
    def __init__(self, folder):
        self.path = os.path.join(str(folder), "clock")
        with open(self.path, "wb") as f:
            f.write(bytes(4096))
        self.ahead = self.wall = 0
        self.env = {**os.environ, "LD_PRELOAD": build_shim(folder, "clock"), "CLOCK": self.path}

    def jump(self, gw, seconds):
        """So many seconds later; the gateway, which has one loop, is told by a connection."""
        self.ahead += int(seconds * 1000)
        self.write()
        gw.connect().close()

    def set_wall(self, seconds):
        """Somebody sets the wall clock so much ahead; no timer is told."""
        self.wall = int(seconds * 1000)
        self.write()

    def write(self):
        with open(self.path, "r+b") as f:
            f.write(struct.pack("=qq", self.ahead, self.wall))
