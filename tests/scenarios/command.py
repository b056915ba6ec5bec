"""The commands that answer and end: run once, or asked in batches."""
import json
import subprocess

from gateway import BINARY, SLOW


def run(command, *args, stdin=b"", code=None):
    r = subprocess.run([BINARY, command, *args], input=stdin, capture_output=True, timeout=60 * SLOW, check=False)
    if code is not None:
        assert r.returncode == code, (r.returncode, r.stderr.decode(), r.stdout.decode()[:2000])
    return r


def batch(command, args, *questions, code=0):
    """The answers to questions, of which one that is no object is the line itself."""
    lines = [q if isinstance(q, (str, bytes)) else json.dumps(q) for q in questions]
    stdin = b"\n".join(x.encode() if isinstance(x, str) else x for x in lines) + b"\n"
    out = run(command, "--batch", *args, stdin=stdin, code=code).stdout
    answers = [json.loads(x) for x in out.decode().splitlines()]
    assert len(answers) == len(questions)
    return answers


def check_answers_come_as_questions_do(command, *questions):
    """A pipe works both ways: nothing waits for the end of input."""
    with subprocess.Popen([BINARY, command, "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as p:
        for q in questions:
            p.stdin.write(json.dumps(q).encode() + b"\n")
            p.stdin.flush()
            assert json.loads(p.stdout.readline())["id"] == q["id"]
        p.stdin.close()
        assert p.wait(10) == 0
