"""whoami: who a token is or why it is refused, offline; claims by the rules of Entra in batches."""
import json
import time
from functools import partial

import pytest

import command
from conftest import ISSUER
from tokens import AUDIENCE, Issuer, authentication

TENANT = "11111111-2222-3333-4444-55555555aaaa"
STS = "https://sts.windows.net/%s/"
NOW = 1_800_000_000
CONFIG = {"issuers": [STS % TENANT], "audiences": ["api"], "now": NOW, "group_resolution": "overage_only"}
CLAIMS = {"iss": STS % TENANT, "aud": "api", "tid": TENANT, "exp": NOW + 60, "upn": "ann@example.com", "oid": "o-1"}
ELSEWHERE = {"_claim_names": {"groups": "s"}, "_claim_sources": {"s": {"endpoint": "https://graph.windows.net/x"}}}

run = partial(command.run, "whoami")
batch = partial(command.batch, "whoami")


def claims(id_, config=None, **changes):
    """A question; None leaves a claim out."""
    all_claims = {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}
    return {"id": id_, "config": {**CONFIG, **(config or {})}, "claims": all_claims}


def accept(id_, username, groups=(), extra=None, lookup=False):
    return {"id": id_, "result": "accept", "username": username, "uid": "", "groups": list(groups),
            "extra": {} if extra is None else extra, "needs_group_lookup": lookup}


def reject(id_, reason):
    return {"id": id_, "result": "reject", "reason": reason}


@pytest.fixture(scope="module")
def issuer(world):
    """Another than the world's, with rules of its own."""
    return Issuer(world.folder, "https://second.example.com", kid="second")


@pytest.fixture
def config(world, issuer, tmp_path):
    """The least that whoami needs: no listeners, no upstream."""
    entries = authentication((ISSUER, None), (issuer.url, None), ("https://keyless.example.com", None))
    entries["jwt"][1]["claimMappings"] = {"username": {"claim": "email", "prefix": "oidc:"},
                                          "groups": {"claim": "roles", "prefix": "role:"}}
    entries["jwt"][1]["claimValidationRules"] = [{"claim": "hd", "requiredValue": "example.com"}]
    (tmp_path / "authentication.yaml").write_text(json.dumps(entries, indent=1))
    world.issuer.write_keys(str(tmp_path / "keys.json"))
    issuer.write_keys(str(tmp_path / "second.json"))
    write(tmp_path, [cluster("prod")])
    return tmp_path


def cluster(name, **more):
    return {"name": name, "authentication": {"configFile": "authentication.yaml", "jwksFiles": {
        ISSUER: "keys.json", "https://second.example.com": "second.json"}, **more}}


def write(folder, clusters):
    (folder / "gateway.yaml").write_text(json.dumps({"apiVersion": "kube-access-gateway/v1alpha1", "kind": "Gateway",
                                                     "clusters": clusters}, indent=1))


def args(config, *more):
    return ("--config", str(config / "gateway.yaml"), *more)


# --- claims ---

def test_claims_in_batches():
    """Entra name, Entra groups: every field of an acceptance is there, a refusal has its word."""
    oid = {"oid": ["o-1"]}
    assert batch((), claims("a"), claims("b", upn=None, groups=["g2", "g1"]), claims("c", oid=None),
                 claims("d", **ELSEWHERE), claims("e", idtyp="app", **ELSEWHERE), claims("f", aud="x"),
                 claims("g", exp=NOW), claims("h", nbf=NOW + 61), claims("i", iss="x"), claims("j", upn=7),
                 claims("k", groups="g"), claims("l", _claim_names={"groups": "s"}), claims("m", upn="system:admin"),
                 claims("n", groups=["system:masters", "g"])) == [
        accept("a", "ann@example.com", extra=oid), accept("b", "o-1", ["g2", "g1"], oid),
        accept("c", "ann@example.com"), accept("d", "ann@example.com", extra=oid, lookup=True),
        reject("e", "app_overage"), reject("f", "audience"), reject("g", "expired"), reject("h", "not_yet_valid"),
        reject("i", "issuer"), reject("j", "username_claim"), reject("k", "groups_claim"), reject("l", "claim_source"),
        reject("m", "username_claim"), accept("n", "ann@example.com", ["g"], oid)]


def test_open_issuers():
    """Entra issuer: one that holds {tenantid} is open to every tenant, and to nothing that is none."""
    config = {"issuers": ["https://login.microsoftonline.com/{tenantid}/v2.0", STS % "{tenantid}"]}
    other = "00000000-0000-0000-0000-000000000009"
    assert [a["result"] for a in batch(
        (), claims("a", config), claims("b", config, tid=other), claims("c", config, tid=None),
        claims("d", config, iss=STS % other, tid=other), claims("e", config, iss=STS % "common", tid="common"),
        claims("f", config, iss=STS % "{tenantid}"),
        claims("g", config, iss="https://login.microsoftonline.com/%s/v2.0" % TENANT))] == [
        "accept", "reject", "reject", "accept", "reject", "reject", "accept"]


def test_now():
    """Absent it is this machine's; a fraction does not count."""
    now = int(time.time())
    question = claims("a", exp=now + 600)
    del question["config"]["now"]
    late = claims("b")
    late["config"] = {"issuers": CONFIG["issuers"], "audiences": CONFIG["audiences"]}
    late["claims"]["exp"] = now - 600
    answers = batch((), question, late, claims("c", {"now": NOW + 59.9}), claims("d", {"now": NOW + 60.0}))
    assert [a.get("reason", "accept") for a in answers] == ["accept", "expired", "accept", "expired"]


def without(id_, field):
    question = claims(id_)
    del question["config"][field]
    return question


def test_lines_that_are_not_understood():
    """Each has its error and the batch goes on; the exit status tells."""
    answers = batch(
        (), "", "{", "[]", {"id": 1, "token": "a"}, {"id": "a"}, {"id": "b", "token": 7}, {"id": "c", "config": CONFIG},
        {"id": "d", "claims": CLAIMS}, {"id": "e", "config": [], "claims": CLAIMS},
        {"id": "f", "config": CONFIG, "claims": []}, {"id": "g", "config": CONFIG, "claims": None},
        {"id": "h", "config": CONFIG, "claims": CLAIMS, "token": "x"}, claims("i", {"issuers": STS % TENANT}),
        claims("j", {"issuers": [7]}), claims("k", {"audiences": "api"}), claims("l", {"audiences": ["api", None]}),
        claims("m", {"now": str(NOW)}), claims("n", {"now": 1e17}), claims("o", {"now": -1}),
        claims("p", {"now": True}), claims("q", {"group_resolution": "always"}), claims("r", {"group_resolution": None}),
        without("s", "issuers"), without("t", "audiences"), '{"id":"u","id":"v"}', b'{"id":"\xff"}',
        {"id": "w", "token": "a.b.c"}, claims("x"), {**claims("y", {"more": 1}), "more": 2}, code=1)
    assert [a["id"] for a in answers] == [None] * 4 + list("abcdefghijklmnopqrst") + [None] * 2 + list("wxy")
    assert all(set(a) == {"id", "error"} for a in answers[:-2])
    assert answers[-3]["error"] == "a token or certificate needs --config on the command line"
    assert [a["result"] for a in answers[-2:]] == ["accept", "accept"]


def test_unknown_fields_and_order():
    """Unknown fields do not count, and many lines keep their order."""
    answers = batch((), *[claims(str(i), upn="u%d" % i, unknown=[{}]) for i in range(3000)])
    assert [(a["id"], a["username"]) for a in answers] == [(str(i), "u%d" % i) for i in range(3000)]


def test_long_lines():
    """1 MiB is read, an octet more is an error, and the next line is whole."""
    def line(n):
        text = json.dumps(claims("x", pad=""))
        return text.replace('"pad": ""', '"pad": "%s"' % ("x" * (n - len(text))))
    answers = batch((), line(1 << 20), line((1 << 20) + 1), claims("after"), code=1)
    assert [a["id"] for a in answers] == ["x", None, "after"]
    assert answers[1]["error"] == "the line is longer than 1 MiB"


def test_answers_come_as_questions_do():
    command.check_answers_come_as_questions_do("whoami", *(claims(str(i)) for i in range(3)))


# --- tokens ---

def second(issuer, **changes):
    return issuer.token("ann", **{"email": "ann@example.com", "email_verified": True, "hd": "example.com", **changes})


def test_tokens_in_batches(config, world, issuer):
    """T-55, T-74..T-78: by the cluster's configuration, at this machine's time, beside claims that bring their own."""
    answers = batch(
        args(config), {"id": "a", "token": world.issuer.token("ann", "g1", "system:masters", "g2", jti="t-1")},
        {"id": "b", "token": second(issuer, roles="r")}, claims("c"), {"id": "d", "token": "a.b.c"},
        {"id": "e", "token": world.issuer.token("ann", exp=1)}, {"id": "f", "token": world.issuer.token("ann", aud="x")},
        {"id": "g", "token": world.issuer.token("ann", iss="https://x")},
        {"id": "h", "token": world.issuer.token("ann", head={"kid": "x"})},
        {"id": "i", "token": world.issuer.token("ann", head={"alg": "HS256"})},
        {"id": "j", "token": world.issuer.token("ann")[:-6] + "AAAAAA"}, {"id": "k", "token": second(issuer, hd="x")},
        {"id": "l", "token": world.issuer.token("system:admin")}, {"id": "m", "token": ""})
    assert answers == [
        accept("a", "ann", ["g1", "g2"], {"authentication.kubernetes.io/credential-id": ["JTI=t-1"]}),
        accept("b", "oidc:ann@example.com", ["role:r"]), accept("c", "ann@example.com", extra={"oid": ["o-1"]}),
        reject("d", "malformed"), reject("e", "expired"), reject("f", "audience"), reject("g", "issuer"),
        reject("h", "unknown_key"), reject("i", "algorithm"), reject("j", "signature"), reject("k", "claim_rule"),
        reject("l", "username_claim"), reject("m", "malformed")]


def test_keys_that_are_not_here(config, world):
    """That is no word on the token: nothing is fetched."""
    token = world.issuer.token("ann", iss="https://keyless.example.com")
    answer, = batch(args(config), {"id": "a", "token": token}, code=1)
    assert answer["id"] == "a" and "jwksFiles" in answer["error"]
    assert "jwksFiles" in run(*args(config), stdin=token.encode(), code=1).stdout.decode()


def test_as_the_server(config, world):
    """The cluster's leeway, algorithms and reserved names count."""
    now = int(time.time())
    write(config, [cluster("prod", clockSkew={"exp": "60s", "nbf": "0s"}, signingAlgorithms=["ES256"],
                           reserved={"users": ["system:robot"]}), cluster("more", clockSkew={"exp": "60s"},
                                                                          reserved={"users": ["system:robot"]})])
    ended, robot = world.issuer.token("ann", exp=now - 20), world.issuer.token("system:robot")
    assert [a.get("reason") for a in batch(args(config, "--cluster", "prod"), {"token": ended}, {"token": robot})] == [
        "algorithm", "algorithm"]
    answers = batch(args(config, "--cluster", "more"), {"token": ended}, {"token": robot})
    assert [a["username"] for a in answers] == ["ann", "system:robot"]


# --- one token, for people ---

@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_an_accepted_token(config, world, issuer, end):
    """Name, groups and extra with what mapped them, issuer with its line, the end; never the token."""
    token = world.issuer.token("ann", "g1", "g2", jti="t-1")
    text = run(*args(config), stdin=token.encode() + end, code=0).stdout.decode()
    for words in ("accepted by cluster prod", "user         ann", 'claim "sub" without a prefix', "g1, g2",
                  'claim "groups"', "credential-id: JTI=t-1", ISSUER + " (", "authentication.yaml:5", 'RS256, key "one"',
                  "in 60 min"):
        assert words in text, text
    check_secrecy(text, token)
    token = second(issuer)
    text = run(*args(config), stdin=token.encode() + end, code=0).stdout.decode()
    assert "oidc:ann@example.com" in text and 'claim "email" behind the prefix "oidc:"' in text
    assert 'claim "roles" behind the prefix "role:", which the token does not have' in text


def check_secrecy(text, token):
    assert all(part not in text for part in token.split(".") if len(part) > 8), text


def refusals(world, issuer):
    """How a token is bad, and what the answer must say."""
    t = world.issuer.token
    now = int(time.time())
    return [
        (t("ann", aud="other"), "audience", ['aud is "other"', "issuer.audiences", '"%s"' % AUDIENCE]),
        (t("ann", aud=["a", 7]), "audience", ['aud is ["a",7]']),
        (t("ann", aud=None), "audience", ["aud is missing"]),
        (t("ann", exp=now - 7200), "expired", ["exp is 20", "2 h ago", "clockSkew.exp: 0 s", "clock says"]),
        (t("ann", exp=None), "expired", ["exp is missing"]), (t("ann", exp="9"), "expired", ['exp is "9"', "seconds"]),
        (t("ann", nbf=now + 300), "not_yet_valid", ["5 min", "clockSkew.nbf: 60 s"]),
        (t("ann", nbf=1 << 53), "not_yet_valid", ["after the year 9999"]),
        (t("ann", iss="https://other.example.com/"), "issuer", ['iss is "https://other.example.com/"', '"%s"' % ISSUER]),
        (t("ann", iss=None), "issuer", ["iss is missing"]),
        (t("ann", head={"kid": "old"}), "unknown_key", ['kid is "old"', "none of the 1 keys"]),
        (t("ann", head={"alg": "HS256"}), "algorithm", ['alg is "HS256"', "RS256"]),
        (t("ann", head={"alg": "ES256"}), "algorithm", ['alg is "ES256"', 'key "one" is for another algorithm']),
        (t("ann")[:-8] + "AAAAAAAA", "signature", ['key "one"', "signature    wrong"]),
        (t("ann", sub=None), "username_claim", ['claim "sub"', 'has only "iss"']),
        (t("ann", sub=7), "username_claim", ["it is a number"]), (t("ann", sub=""), "username_claim", ["it is empty"]),
        (t("ann", sub="a" * 1025), "username_claim", ["longer than 1024"]),
        (t("ann", sub="a\x1b[2Jb"), "username_claim", [r'"a\x1b[2Jb"', "control characters"]),
        (t("ann", groups=7), "groups_claim", ['claim "groups"', "and is 7"]),
        (t("ann", groups=["g"] * 1001), "groups_claim", ["more than 1000"]),
        (t("ann", groups=None, **ELSEWHERE), "groups_claim", ["_claim_names"]),
        (t("system:admin"), "reserved", ["system:admin", "authentication.reserved.users"]),
        (second(issuer, hd="other"), "claim_rule", ['claim "hd"', '"example.com"', 'it is "other"']),
        (second(issuer, hd=None), "claim_rule", ["it is missing"]),
        (second(issuer, email_verified=False), "username_claim", ["email_verified"]),
        ("", "malformed", ["no token"]), ("Bearer " + t("ann"), "malformed", ['without "Bearer"']),
        ('{"kind":"ExecCredential"}', "malformed", ["ExecCredential"]), ("opaque", "malformed", ["this has 1"]),
        (t("ann").replace(".", "\n.", 1), "malformed", ["line ends"]), ("a.b.c", "malformed", ["RFC 7515"]),
        ("a" * 40000, "malformed", ["longer than 32768"]), ("a" * 400000, "malformed", ["longer than 32768"]),
    ]


def test_refused_tokens(config, world, issuer):
    """What is wrong and what would be right, by name; never the token."""
    for token, reason, words in refusals(world, issuer):
        text = run(*args(config), stdin=token.encode() + b"\n", code=1).stdout.decode()
        assert "REFUSED by cluster prod: " + reason + "\n" in text, (token, text)
        assert all(w in text for w in words), (words, text)
        assert all(c == "\n" or c.isprintable() for c in text), text
        good = reason in ("audience", "expired", "not_yet_valid", "username_claim", "groups_claim", "claim_rule",
                          "reserved")
        assert good == ("signature    good" in text), text
        check_secrecy(text, token)


def test_one_token_as_json(config, world):
    """As in a batch, without an id."""
    ask = args(config, "--output", "json")
    assert json.loads(run(*ask, stdin=world.admin.encode() + b"\n", code=0).stdout) == accept(None, "ann", ["admins"])
    assert json.loads(run(*ask, stdin=b"x", code=1).stdout) == reject(None, "malformed")


# --- the command line ---

def test_tokens_do_not_leave_by_errors(config, world):
    """A token in the wrong place is not echoed."""
    for line in (world.admin, '{"token":%s}' % world.admin, '{"id":"a","token":["%s"]}' % world.admin):
        r = run("--batch", *args(config), stdin=line.encode() + b"\n", code=1)
        assert world.admin[:8].encode() not in r.stdout + r.stderr


@pytest.mark.parametrize("bad", [(), ("--cluster", "prod", "--batch"), ("--config", "x", "--output", "yaml"),
                                 ("--config", "x", "--batch", "--output", "json"), ("--token", "x"), ("x",)])
def test_usage(bad):
    assert run(*bad, code=2).stdout == b""


def test_files_that_cannot_be_used(config):
    """Before the first answer: file, line and reason."""
    r = run("--batch", *args(config, "--cluster", "other"), stdin=b"{}\n", code=1)
    assert r.stdout == b"" and b'no cluster is named "other"' in r.stderr
    write(config, [cluster("a"), cluster("b")])
    assert b"name one by --cluster" in run(*args(config), code=1).stderr
    (config / "keys.json").write_text("{}")
    r = run("--batch", *args(config, "--cluster", "a"), stdin=b"{}\n", code=1)
    assert r.stdout == b"" and b"keys.json" in r.stderr
    (config / "gateway.yaml").write_text("kind: Gateway\napiVersion: kube-access-gateway/v1alpha1\nclusters: 7\n")
    assert b"gateway.yaml:3" in run(*args(config), code=1).stderr
    assert b"nowhere" in run("--config", "/nowhere", code=1).stderr
