"""A scripted HTTP proxy that knows CONNECT, and nothing else."""
import socket
import struct
import threading

from wire import Cut, Stream

OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"


def pump(one, other):
    try:
        while True:
            data = one.recv(65536)
            if not data:
                other.shutdown(socket.SHUT_WR)
                return
            other.sendall(data)
    except OSError:
        pass


class Proxy:
    """hosts: names that only the proxy knows, and where they are. asked: the heads it was sent. replies: pieces sent instead of OPEN."""

    def __init__(self):
        self.hosts, self.asked, self.pieces = {}, [], [OPEN]
        self.opens, self.socks = True, []
        self.breaks = False  # by a reset, once it was asked
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def replies(self, *pieces, opens=True):
        self.pieces, self.opens = pieces, opens

    def targets(self):
        return [head.split(" ")[1] for head in self.asked]

    def stop(self):
        self.listener.close()
        for s in self.socks:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.socks.append(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        try:
            head = Stream(sock).until(b"\r\n\r\n").decode()
        except (Cut, OSError):
            return
        self.asked.append(head)
        if self.breaks:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            return
        for piece in self.pieces:
            sock.sendall(piece)
        if not self.opens:
            sock.close()
            return
        host, _, port = head.split(" ")[1].rpartition(":")
        sock.settimeout(None)
        try:
            other = socket.create_connection(self.hosts.get(host, (host, int(port))))
        except OSError:
            sock.close()
            return
        self.socks.append(other)
        threading.Thread(target=pump, args=(other, sock), daemon=True).start()
        pump(sock, other)
