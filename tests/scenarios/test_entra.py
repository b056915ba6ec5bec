"""Entra ID by its shorthand: whose tokens count, who they are, and what is told about the others."""
import json
import subprocess

import pytest

from client import new_id
from gateway import BINARY, RBAC, SLOW
from test_revocation import Stream, serve
from tokens import Issuer

TENANT = "00000000-1111-2222-3333-44444444abcd"
OTHER = "99999999-1111-2222-3333-44444444abcd"
V1 = "https://sts.windows.net/%s/" % TENANT
V2 = "https://login.microsoftonline.com/%s/v2.0" % TENANT
AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
OID = "aaaaaaaa-0000-0000-0000-000000000001"
GROUP = "bbbbbbbb-0000-0000-0000-000000000002"
PODS = "/api/v1/namespaces/dev/pods"
ELSEWHERE = {"groups": None, "_claim_names": {"groups": "src1"},
             "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/t/users/o/getMemberObjects"}}}


@pytest.fixture(scope="module")
def signer(world):
    return Issuer(world.folder, V1, kid="entra")


@pytest.fixture
def entra(make_gateway, upstream, signer):
    """entra(settings, keys): a gateway whose cluster takes tokens of Entra ID; the group may see pods."""
    def make(settings=None, keys=None, urls=(V1, V2), **authentication):
        gw = make_gateway(upstream)
        document = signer.jwks() if keys is None else {"keys": keys}
        gw.write_json("entra.json", document)
        gw.write_json("rbac.json", {"apiVersion": "v1", "kind": "List", "items": [
            {"apiVersion": RBAC + "/v1", "kind": "ClusterRole", "metadata": {"name": "pods"}, "rules": [
                {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]},
            {"apiVersion": RBAC + "/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "pods"},
             "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": "pods"},
             "subjects": [{"kind": "Group", "name": GROUP, "apiGroup": RBAC}]}]})
        gw.cluster["authentication"] = {"entra": settings or {"tenantID": TENANT},
                                        "jwksFiles": {u: "entra.json" for u in urls}, **authentication}
        return gw
    return make


def token(signer, head=None, key=None, **claims):
    """A v1.0 token of a member of the tenant, changed; None leaves a claim out."""
    made = {"aud": AKS, "tid": TENANT, "ver": "1.0", "oid": OID, "upn": "ann@example.com", "groups": [GROUP],
            "sub": "pairwise", **claims}
    return signer.token("x", head=head, key=key, **made)


def ask(gw, text, audit_id=None):
    with gw.connect() as c:
        return c.ask("GET", PODS, token=text, audit_id=audit_id)


def reason(gw, a):
    return gw.event(a.audit_id)["annotations"]["kube-access-gateway/authentication"]


@pytest.mark.parametrize("claims,name", [
    ({}, "ann@example.com"), ({"upn": "Ann@Example.com"}, "Ann@Example.com"), ({"upn": None}, OID),
    ({"upn": None, "preferred_username": "guest@elsewhere.com", "idp": "https://sts.windows.net/x/"}, OID),
    ({"upn": None, "idtyp": "app", "appid": "c"}, OID), ({"iss": V2, "ver": "2.0", "upn": None}, OID),
    ({"aud": ["x", AKS]}, "ann@example.com")])
def test_who_it_is(entra, signer, upstream, claims, name):
    """Entra name: upn, else oid; groups as they are; the object id as extra; the token itself goes on."""
    gw = entra().start()
    audit_id = new_id()
    good = token(signer, **claims)
    assert ask(gw, good, audit_id).code == 200
    user = gw.event(audit_id)["user"]
    assert user == {"username": name, "groups": [GROUP, "system:authenticated"], "extra": {"oid": [OID]}}
    assert upstream.only().all("Authorization") == ["Bearer " + good]


@pytest.mark.parametrize("claims,head,why", [
    ({"iss": V1[:-1]}, None, "issuer"), ({"iss": V2 + "/"}, None, "issuer"),
    ({"iss": V1.replace(TENANT, OTHER), "tid": OTHER}, None, "issuer"), ({"tid": OTHER}, None, "issuer"),
    ({"tid": None}, None, "issuer"), ({"tid": [TENANT]}, None, "issuer"), ({"tid": TENANT.upper()}, None, "issuer"),
    ({"aud": "spn:" + AKS}, None, "audience"), ({"aud": AKS.upper()}, None, "audience"),
    ({"aud": "80faf920-1908-4b52-b5ef-a8e7bedfc67a"}, None, "audience"),
    ({"exp": 1}, None, "expired"), ({"nbf": 1 << 50}, None, "not_yet_valid"),
    ({"upn": None, "oid": None}, None, "username_claim"), ({"upn": 7}, None, "username_claim"),
    ({"upn": ""}, None, "username_claim"), ({"upn": "system:admin"}, None, "username_claim"),
    ({"groups": "g"}, None, "groups_claim"), ({"groups": [7]}, None, "groups_claim"),
    ({"groups": None, "_claim_names": {"groups": ""}}, None, "claim_source"),
    ({"groups": None, "_claim_names": {"groups": "a"}, "_claim_sources": {}}, None, "claim_source"),
    ({"cnf": {"kid": "x"}}, None, "pop_binding"), ({}, {"kid": None}, "unknown_key"),
    ({}, {"kid": "two"}, "unknown_key"), ({}, {"alg": "RS512"}, "algorithm"), ({}, {"alg": "PS256"}, "algorithm")])
def test_tokens_that_do_not_count(entra, signer, upstream, claims, head, why):
    """Entra reject reasons (RFC 7800 3.1 among them): in audit and metrics; the client hears 401 and nothing else."""
    gw = entra(signingAlgorithms=["RS256", "RS512", "PS256", "ES256"]).start()
    a = ask(gw, token(signer, head=head, **claims))
    assert a.code == 401 and a.status()["message"] == "Unauthorized"
    assert reason(gw, a) == why
    assert gw.metric('authentication_rejected_total{reason="%s"}' % why) == 1
    assert upstream.requests == []


@pytest.mark.parametrize("claims,why,words", [
    (ELSEWHERE, "group_lookup", "its user is in too many"),
    ({**ELSEWHERE, "idtyp": "App", "upn": None}, "app_overage", "its application is in too many")])
def test_too_many_groups(entra, signer, claims, why, words):
    """Entra groups: fails closed, and says so, since signing in again would not help."""
    gw = entra().start()
    a = ask(gw, token(signer, **claims))
    assert a.code == 401 and words in a.status()["message"]
    assert reason(gw, a) == why
    bad = token(signer, **claims)
    bad = bad[:-8] + ("A" * 8 if bad[-8:] != "A" * 8 else "B" * 8)
    a = ask(gw, bad)
    assert a.code == 401 and a.status()["message"] == "Unauthorized"


def test_groups_of_the_cluster_are_dropped(entra, signer):
    """T-55."""
    gw = entra().start()
    audit_id = new_id()
    assert ask(gw, token(signer, groups=["system:masters", GROUP, "system:nodes"]), audit_id).code == 200
    assert gw.event(audit_id)["user"]["groups"] == [GROUP, "system:authenticated"]


def test_several_tenants(entra, signer):
    """An allow list: each with its own two issuers, and tid must be that one."""
    urls = [u.replace(TENANT, t) for u in (V1, V2) for t in (TENANT, OTHER)]
    gw = entra({"tenantIDs": [TENANT, OTHER]}, urls=urls).start()
    assert ask(gw, token(signer)).code == 200
    assert ask(gw, token(signer, iss=V1.replace(TENANT, OTHER), tid=OTHER)).code == 200
    assert ask(gw, token(signer, iss=V1.replace(TENANT, OTHER))).code == 401
    third = TENANT.replace("0", "5")
    assert ask(gw, token(signer, iss=V1.replace(TENANT, third), tid=third)).code == 401


def test_audiences(entra, signer):
    """What is configured replaces AKS's own; spn: is an audience of its own."""
    gw = entra({"tenantID": TENANT, "audiences": ["spn:" + AKS, "api://cluster"]}).start()
    for aud, code in (("spn:" + AKS, 200), ("api://cluster", 200), ("api://cluster/", 401), (AKS, 401)):
        assert ask(gw, token(signer, aud=aud)).code == code, aud


@pytest.mark.parametrize("cloud,authority,sts", [
    ("public", "login.microsoftonline.com", "sts.windows.net"),
    ("usGovernment", "login.microsoftonline.us", "sts.windows.net"),
    ("china", "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn")])
def test_clouds(entra, signer, cloud, authority, sts):
    """Entra clouds: v1.0 and v2.0 issuers of each, and kubelogin is told which."""
    v1, v2 = "https://%s/%s/" % (sts, TENANT), "https://%s/%s/v2.0" % (authority, TENANT)
    gw = entra({"tenantID": TENANT, "cloud": cloud}, urls=(v1, v2)).start()
    assert ask(gw, token(signer, iss=v1)).code == 200
    assert ask(gw, token(signer, iss=v2)).code == 200
    text = subprocess.run([BINARY, "kubeconfig", "--config", gw.path("gateway.yaml"), "--server", "https://gw"],
                          capture_output=True, text=True, timeout=30 * SLOW, check=True).stdout
    environment = {"public": "AzurePublicCloud", "usGovernment": "AzureUSGovernmentCloud",
                   "china": "AzureChinaCloud"}[cloud]
    for word in ("      - %s\n" % environment, "      - %s\n" % AKS, "      - %s\n" % TENANT):
        assert word in text


@pytest.mark.parametrize("member,v1,v2", [
    ({}, 200, 200), ({"issuer": V2}, 401, 200), ({"issuer": V2.replace(TENANT, "{tenantid}")}, 401, 200),
    ({"issuer": V2.replace(TENANT, OTHER)}, 401, 401), ({"cloud_instance_name": "microsoftonline.com"}, 200, 200),
    ({"cloud_instance_name": "microsoftonline.us"}, 401, 401)])
def test_a_key_serves_its_own_issuer(entra, signer, member, v1, v2):
    """spec: Entra keys: a key that names its issuer or cloud serves no other."""
    gw = entra(keys=[{**signer.jwks()["keys"][0], **member}]).start()
    assert ask(gw, token(signer)).code == v1
    assert ask(gw, token(signer, iss=V2)).code == v2


def whoami(gw, text):
    r = subprocess.run([BINARY, "whoami", "--config", gw.write()], input=text, capture_output=True, text=True,
                       timeout=30 * SLOW, check=False)
    return r.returncode, r.stdout


@pytest.mark.parametrize("claims,code,words", [
    ({}, 0, ['user         ann@example.com\n             by claim "upn" without a prefix\n', "uid          none\n",
             'groups       %s\n             by claim "groups"' % GROUP, 'oid: %s\n             by claim "oid"' % OID,
             "issuer       " + V1]),
    ({"upn": None}, 0, ['user         %s\n             by claim "oid" without a prefix, as there is no upn' % OID]),
    ({"upn": 7}, 1, ['claim "upn" without a prefix gives the name; it is a number']),
    ({"upn": "system:x"}, 1, ['"system:x" would be the cluster\'s own']),
    ({"tid": OTHER}, 1, ["tid must be the tenant in iss; it is \"%s\"" % OTHER]),
    ({"tid": None}, 1, ["tid must be the tenant in iss; it is missing"]),
    (ELSEWHERE, 1, ["group_lookup", "in more than 200 groups", "signature    good"]),
    ({**ELSEWHERE, "idtyp": "app"}, 1, ["app_overage", "no lookup"]),
    ({"cnf": {"kid": "x"}}, 1, ["pop_binding", "without --pop-enabled"])])
def test_whoami(entra, signer, claims, code, words):
    """What a tired operator reads."""
    rc, text = whoami(entra(), token(signer, **claims))
    assert rc == code, text
    for word in words:
        assert word in text, text


@pytest.mark.parametrize("settings,more,words", [
    ({}, {}, "entra: needs tenantID, or tenantIDs where there are several"),
    ({"tenantID": TENANT, "tenantIDs": [OTHER]}, {}, "entra: needs tenantID, or tenantIDs"),
    ({"tenantID": "contoso.com"}, {}, 'entra.tenantID: "contoso.com" must be a GUID in lower case'),
    ({"tenantID": TENANT.replace("0", "A")}, {}, "must be a GUID in lower case"),
    ({"tenantIDs": []}, {}, "entra.tenantIDs: must not be empty"),
    ({"tenantIDs": [TENANT, TENANT]}, {}, '"%s" is there twice' % TENANT),
    ({"tenantIDs": ["%08d%s" % (i, TENANT[8:]) for i in range(33)]}, {}, "33 tenants, at most 32"),
    ({"tenantID": TENANT, "cloud": "german"}, {}, 'entra.cloud: "german" is not one of'),
    ({"tenantID": TENANT, "audiences": []}, {}, "entra.audiences: must not be empty"),
    ({"tenantID": TENANT, "tenant": "x"}, {}, "entra.tenant: unknown field"),
    ({"tenantID": TENANT}, {"configFile": "authentication.json"}, "entra: stands beside configFile"),
    ({"tenantID": TENANT}, {"reserved": {"users": ["system:x"]}}, "reserved: has no effect beside entra"),
    ({"tenantID": TENANT}, {"jwksFiles": {V1.replace(TENANT, OTHER): "entra.json"}}, "jwksFiles: no issuer")])
def test_mistakes(entra, settings, more, words):
    """Each with its field and what would be right."""
    gw = entra({"tenantID": TENANT}, **more)
    gw.cluster["authentication"]["entra"] = settings
    r = subprocess.run([BINARY, "check", "--config", gw.write()], capture_output=True, text=True, timeout=30 * SLOW,
                       check=False)
    assert r.returncode == 1 and words in r.stderr, r.stderr


def test_a_tenant_that_leaves_ends_its_streams(entra, signer, upstream):
    """T-130: the tenant is what a token rests on."""
    upstream.script = serve
    gw = entra({"tenantIDs": [TENANT, OTHER]}, urls=(V1, V2, V1.replace(TENANT, OTHER), V2.replace(TENANT, OTHER)))
    document = json.loads(gw.read("rbac.json"))
    document["items"][0]["rules"][0]["verbs"].append("watch")
    gw.write_json("rbac.json", document)
    gw.start()
    stay = Stream(gw, "watch", token(signer))
    leave = Stream(gw, "watch", token(signer, iss=V1.replace(TENANT, OTHER), tid=OTHER))
    gw.cluster["authentication"]["entra"] = {"tenantID": TENANT}
    gw.cluster["authentication"]["jwksFiles"] = {V1: "entra.json", V2: "entra.json"}
    gw.write()
    gw.reload()
    leave.ends("keys", "not trusted any more")
    stay.goes_on()
