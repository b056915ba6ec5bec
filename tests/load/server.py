"""The API server of the load test: one asyncio process that answers at once and never decides anything.

usage: server.py PORT CERT KEY

GET  PATH                200, the path as body, so that a mixed-up answer shows
GET  PATH?watch=1        a watch; it gets the events that /load/emit asks for
POST /load/emit?N        N numbered events to every watch open now; answers how many watches there are
POST /load/close         closes every other connection
"""
import asyncio
import resource
import ssl
import sys

WATCH_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
CONNS, WATCHES = set(), set()


class Conn(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""
        CONNS.add(self)

    def connection_lost(self, why):
        CONNS.discard(self)
        WATCHES.discard(self)

    def data_received(self, data):
        self.buffer += data
        while True:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            length = 0
            at = head.lower().find(b"\r\ncontent-length:")
            if at >= 0:
                length = int(head[at + 17:].split(b"\r\n", 1)[0])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            self.answer(head.split(b" ", 2)[1])

    def answer(self, target):
        if b"watch=1" in target:
            WATCHES.add(self)
            self.transport.write(WATCH_HEAD)
            return
        body = target
        if target.startswith(b"/load/emit?"):
            body = b"%d" % len(WATCHES)
            self.emit(int(target.partition(b"?")[2]))
        elif target == b"/load/close":
            for c in CONNS - {self}:
                c.transport.close()
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    @staticmethod
    def emit(count):
        for n in range(count):
            event = b'{"n":%d}\n' % n
            for w in WATCHES:
                w.transport.write(b"%x\r\n%s\r\n" % (len(event), event))


async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(sys.argv[2], sys.argv[3])
    server = await asyncio.get_running_loop().create_server(Conn, "127.0.0.1", int(sys.argv[1]), ssl=ctx, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
