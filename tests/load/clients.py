"""The clients of the load test, one kind a process; each prints what it saw as one JSON object.

usage: clients.py KIND PORT CA TOKEN COUNT CONNECTIONS

idle       COUNT connections ask once, are held until a line comes on standard input, ask again, and end
requests   COUNT requests over CONNECTIONS keep-alive connections, and on until a line comes, if one is awaited
watches    COUNT watches; a line N makes each expect N events, a second line ends them
hostile    CONNECTIONS bad clients until a line comes: bad tokens, cut requests, slow heads, garbage
"""
import asyncio
import collections
import itertools
import json
import resource
import ssl
import sys
import threading


class Count(collections.Counter):
    def show(self, **more):
        print(json.dumps({**self, **more}), flush=True)


def context(ca):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.load_verify_locations(ca)
    ctx.check_hostname = False
    return ctx


def request(target, token, method="GET"):
    return ("%s %s HTTP/1.1\r\nHost: gw\r\nAuthorization: Bearer %s\r\n\r\n" % (method, target, token)).encode()


class Line:
    """A line of standard input, awaited on the loop."""

    def __init__(self):
        self.event, self.text = asyncio.Event(), ""
        loop = asyncio.get_running_loop()

        def read():
            self.text = sys.stdin.readline()
            loop.call_soon_threadsafe(self.event.set)
        threading.Thread(target=read, daemon=True).start()

    async def wait(self):
        await self.event.wait()
        return self.text


class Asker(asyncio.Protocol):
    """One connection that asks for the targets in turn; a right answer is 200 with the target as body."""

    def __init__(self, token, targets, count, done):
        self.token, self.targets, self.count, self.done = token, targets, count, done
        self.buffer, self.target = b"", None

    def connection_made(self, transport):
        self.transport = transport
        self.next()

    def next(self):
        self.target = next(self.targets, None)
        if self.target is None:
            self.finish()
        else:
            self.count["asked"] += 1
            self.transport.write(request(self.target, self.token))

    def finish(self):
        if not self.done.done():
            self.done.set_result(None)
        self.transport.close()

    def data_received(self, data):
        self.buffer += data
        head, mark, body = self.buffer.partition(b"\r\n\r\n")
        if not mark:
            return
        at = head.lower().find(b"\r\ncontent-length:")
        length = int(head[at + 17:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        good = head.startswith(b"HTTP/1.1 200 ") and body == self.target.encode()
        self.count["good" if good else "wrong"] += 1
        if not good:
            print(head[:200], body[:200], file=sys.stderr)
        self.buffer, self.target = b"", None
        self.next()

    def connection_lost(self, why):
        if self.target is not None:
            self.count["lost"] += 1
            print("lost: %r" % why, file=sys.stderr)
        if not self.done.done():
            self.done.set_result(None)


async def requests(port, ctx, token, total, connections):
    count, numbers = Count(asked=0, good=0, wrong=0, lost=0), itertools.count()
    line = Line() if "until-told" in sys.argv else None

    def targets():
        for n in numbers:
            if n >= total and (line is None or line.event.is_set()):
                return
            yield "/api/load/%d" % n
    loop, waits = asyncio.get_running_loop(), []
    for _ in range(connections):
        done = loop.create_future()
        waits.append(done)
        # A server name is not needed: there is one cluster.
        await loop.create_connection(lambda d=done: Asker(token, targets(), count, d), "127.0.0.1", port, ssl=ctx,
                                     server_hostname="")
    await asyncio.gather(*waits)
    count.show()


class Watcher(asyncio.Protocol):
    """One watch; counts whole events and sees that they come in order."""

    def __init__(self, token, count):
        self.token, self.count, self.buffer = token, count, b""
        self.head, self.seen = False, 0

    def connection_made(self, transport):
        self.transport = transport
        transport.write(request("/api/v1/pods?watch=1", self.token))

    def data_received(self, data):
        self.buffer += data
        if not self.head:
            head, mark, rest = self.buffer.partition(b"\r\n\r\n")
            if not mark:
                return
            self.count["open" if head.startswith(b"HTTP/1.1 200 ") else "wrong"] += 1
            self.head, self.buffer = True, rest
        self.read_chunks()

    def read_chunks(self):
        while True:
            size, mark, rest = self.buffer.partition(b"\r\n")
            n = int(size, 16) if mark else 0
            if not mark or len(rest) < n + 2:
                return
            for line in rest[:n].splitlines():
                self.count["events" if line == b'{"n":%d}' % self.seen else "wrong"] += 1
                self.seen += 1
            self.buffer = rest[n + 2:]

    def connection_lost(self, why):
        self.count["ended"] += 1


async def watches(port, ctx, token, total, _):
    count, loop, held = Count(open=0, events=0, wrong=0, ended=0), asyncio.get_running_loop(), []
    for _ in range(total):
        held.append((await loop.create_connection(lambda: Watcher(token, count), "127.0.0.1", port, ssl=ctx,
                                                  server_hostname=""))[1])
    while count["open"] + count["wrong"] + count["ended"] < total:
        await asyncio.sleep(0.05)
    count.show()
    each = int(await Line().wait())
    for _ in range(600):
        if count["events"] + count["wrong"] >= each * total or count["ended"]:
            break
        await asyncio.sleep(0.05)
    count.show(least=min(w.seen for w in held))
    await Line().wait()
    for w in held:
        w.transport.close()
    await asyncio.sleep(0.2)


async def hostile_one(n, turn, port, ctx, token, count):
    """Returns what came back, if an answer was due."""
    kind = ("bad token", "cut request", "slow head", "garbage", "smuggling", "no token")[(n + turn) % 6]
    count[kind] += 1
    if kind == "garbage":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(range(256)) * 8)
        try:
            await reader.read(100)
        finally:
            writer.transport.abort()
        return
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ctx, server_hostname="")
    expect = None
    if kind == "bad token":
        writer.write(request("/api", token[:-10] + "AAAAAAAAAA"))
        expect = b"HTTP/1.1 401 "
    elif kind == "no token":
        writer.write(b"GET /api HTTP/1.1\r\nHost: gw\r\n\r\n")
        expect = b"HTTP/1.1 401 "
    elif kind == "smuggling":
        writer.write(request("/api", token)[:-2] + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        expect = b"HTTP/1.1 400 "
    elif kind == "cut request":
        writer.write(request("/api", token, "POST")[:-2] + b"Content-Length: 1000\r\n\r\nabc")
    else:
        for octet in request("/api", token)[:12]:
            writer.write(bytes([octet]))
            await asyncio.sleep(0.02)
    if expect:
        answer = await reader.read(200)
        count["answers"] += 1
        count["wrong"] += not answer.startswith(expect)
        if not answer.startswith(expect):
            print(kind, answer, file=sys.stderr)
    await asyncio.sleep(0.01)
    writer.transport.abort()


async def hostile(port, ctx, token, _, connections):
    count, line = Count(wrong=0, answers=0), Line()

    async def one(n):
        for turn in itertools.count():
            if line.event.is_set():
                return
            try:
                await hostile_one(n, turn, port, ctx, token, count)
            except (OSError, asyncio.IncompleteReadError):
                count["broken"] += 1
    await asyncio.gather(*[one(n) for n in range(connections)])
    count.show()


def idle(port, ctx, token, total, threads):
    """Threads and plain sockets: they take less memory here than asyncio's."""
    import socket
    count, lock, held = Count(open=0, good=0, wrong=0, lost=0), threading.Lock(), []
    numbers = iter(range(total))

    def ask(s, n):
        target = "/api/idle/%d" % n
        s.sendall(request(target, token))
        data = b""
        while not data.endswith(target.encode()):
            more = s.recv(4096)
            if not more:
                return "lost"
            data += more
        return "good" if data.startswith(b"HTTP/1.1 200 ") else "wrong"

    def work(step):
        while True:
            with lock:
                item = next(todo, None)
            if item is None:
                return
            try:
                what = step(item)
            except OSError as e:
                print("lost: %r" % e, file=sys.stderr)
                what = "lost"
            with lock:
                count[what] += 1

    def open_one(n):
        s = ctx.wrap_socket(socket.create_connection(("127.0.0.1", port), 30))
        with lock:
            held.append((s, n))
            count["open"] += 1
        return ask(s, n)

    def run(step):
        all_threads = [threading.Thread(target=work, args=(step,)) for _ in range(threads)]
        for t in all_threads:
            t.start()
        for t in all_threads:
            t.join()
        count.show()
    todo = numbers
    run(open_one)
    sys.stdin.readline()
    todo = iter(held[:])
    run(lambda item: ask(*item))
    sys.stdin.readline()
    for s, _ in held:
        s.close()


def main():
    kind, port, ca, token = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
    total, connections = int(sys.argv[5]), int(sys.argv[6])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if kind == "idle":
        idle(port, context(ca), token, total, connections)
    else:
        asyncio.run(globals()[kind](port, context(ca), token, total, connections))


if __name__ == "__main__":
    main()
