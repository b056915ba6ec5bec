"""Every kubectl feature that is no stream: straight against the API server and through the gateway, with equal output.

Each row is a script that makes what it needs (`admin` runs kubectl past the gateways) and runs for a user who may and
for one who lacks the right. $NAME is a fresh object name. Rows that every authenticated user may run say so:
refused=False; rows that end in an error for everybody: fails=True.
"""
import collections

import pytest

from compare import check_same
from gateway import ORDERS

Row = collections.namedtuple("Row", "name script refused fails", defaults=(True, False))

ROWS = [
    # ---- discovery and non-resource paths ----
    Row("version", "kubectl version", refused=False),
    Row("api-resources", "kubectl api-resources && kubectl api-versions", refused=False),
    Row("explain", "kubectl explain pod.spec.nodeName", refused=False),
    Row("cluster-info", "kubectl cluster-info"),
    Row("raw healthz", "kubectl get --raw /healthz", refused=False),
    Row("raw openapi", "kubectl get --raw /openapi/v2 | sha256sum", refused=False),
    Row("raw metrics", "kubectl get --raw /metrics | grep -c '^# TYPE apiserver_request_total'"),
    Row("raw list", "kubectl get --raw \"/api/v1/namespaces/$NS/pods?fieldSelector=metadata.name%3Dshell&limit=1\""),
    Row("raw not found", "kubectl get --raw /no/such/path", fails=True),
    # ---- get, list, watch ----
    Row("get table", "kubectl get pods -n $NS"),
    Row("get wide", "kubectl get pods -n $NS -o wide --show-labels"),
    Row("get yaml", "kubectl get pod shell -n $NS -o yaml"),
    Row("get json", "kubectl get pod shell -n $NS -o json"),
    Row("get selector", """
        kubectl get pods -n $NS -l app=shell -o name && kubectl get pods -n $NS -l 'app in (echo,count)' -o name"""),
    Row("get field selector", "kubectl get pods -n $NS --field-selector metadata.name=echo -o name"),
    Row("get pages", "kubectl get pods -n $NS --chunk-size=1 -o name"),
    Row("get all namespaces", "kubectl get pods -A --field-selector metadata.namespace=$NS -o name"),
    Row("get several kinds", "kubectl get pods,roles,rolebindings -n $NS -o name"),
    Row("get cluster scope", """
        kubectl get nodes -o name && kubectl get namespace $NS && kubectl get clusterrole view -o name"""),
    Row("get not found", "kubectl get pod no-such-pod -n $NS", fails=True),
    Row("get unknown kind", "kubectl get unicorns -n $NS", fails=True),
    Row("describe", "kubectl describe pod shell -n $NS"),
    Row("events", "kubectl get events -n $NS"),
    Row("get watch", """
        start kubectl get configmaps -n $NS -w -o name --field-selector metadata.name=$NAME
        try() { admin create configmap $NAME; admin delete configmap $NAME; seen $NAME out; }
        soon try; finish; sort -u out; cat err >&2; seen $NAME out"""),
    Row("wait", "kubectl wait -n $NS --for=condition=Ready pod/shell --timeout=20s"),
    # ---- create, change, delete ----
    Row("create", """
        kubectl create configmap $NAME -n $NS --from-literal=a=b &&
        kubectl get configmap $NAME -n $NS -o jsonpath={.data}"""),
    Row("create from stdin", "pod $NAME | kubectl create -n $NS -f -"),
    Row("create exists", "admin create configmap $NAME; kubectl create configmap $NAME -n $NS", fails=True),
    Row("create invalid", "kubectl create configmap Bad_Name -n $NS", fails=True),
    Row("create server dry run", "kubectl create configmap $NAME -n $NS --dry-run=server -o yaml"),
    Row("create namespace", "kubectl create namespace $NS-$NAME"),
    Row("create big object", """
        head -c 900000 /dev/zero | tr '\\0' x >big; kubectl create configmap $NAME -n $NS --from-file=big &&
        kubectl get configmap $NAME -n $NS -o jsonpath={.data.big} | sha256sum"""),
    Row("create token", "admin create serviceaccount $NAME; kubectl create token $NAME -n $NS | tr -cd . "),
    Row("apply", """
        kubectl create configmap $NAME -n $NS --from-literal=x=old --dry-run=client -o yaml >m
        kubectl apply -n $NS -f m && kubectl apply -n $NS -f m && sed -i s/old/new/ m && kubectl apply -n $NS -f m"""),
    Row("apply server side", """
        kubectl create configmap $NAME -n $NS --from-literal=x=old --dry-run=client -o yaml >m
        kubectl apply --server-side -n $NS -f m && kubectl apply --server-side -n $NS -f m && sed -i s/old/new/ m
        kubectl apply --server-side --field-manager=other -n $NS -f m""", fails=True),
    Row("patch", """
        admin create configmap $NAME --from-literal=x=old
        kubectl patch configmap $NAME -n $NS --type merge -p '{"data":{"x":"2"}}' &&
        kubectl patch configmap $NAME -n $NS --type json -p '[{"op":"add","path":"/data/y","value":"3"}]' &&
        kubectl patch configmap $NAME -n $NS -p '{"data":{"z":"4"}}' -o jsonpath={.data}"""),
    Row("label, annotate", """
        admin create configmap $NAME
        kubectl label configmap $NAME -n $NS l=1 && kubectl annotate configmap $NAME -n $NS a=b"""),
    Row("replace", """
        admin create configmap $NAME --from-literal=x=old
        kubectl create configmap $NAME -n $NS --from-literal=x=new --dry-run=client -o yaml >m
        kubectl replace -n $NS -f m"""),
    Row("edit", """
        admin create configmap $NAME --from-literal=x=old
        EDITOR='sed -i s/x:/y:/' kubectl edit configmap $NAME -n $NS"""),
    Row("scale", """
        admin create deployment $NAME --image=none
        kubectl scale deployment $NAME -n $NS --replicas=3 &&
        kubectl get deployment $NAME -n $NS -o jsonpath={.spec.replicas}"""),
    Row("set image", "admin create deployment $NAME --image=one; kubectl set image deployment $NAME -n $NS one=two"),
    Row("delete", "admin create configmap $NAME; kubectl delete configmap $NAME -n $NS"),
    Row("delete not found", "kubectl delete configmap no-such -n $NS", fails=True),
    Row("delete by label", """
        for i in 1 2; do admin create configmap $NAME-$i; admin label configmap $NAME-$i set=$NAME; done
        kubectl delete configmaps -n $NS -l set=$NAME"""),
    Row("delete collection", """
        admin create configmap $NAME; admin label configmap $NAME set=$NAME
        kubectl delete --raw "/api/v1/namespaces/$NS/configmaps?labelSelector=set%3D$NAME" """),
    Row("delete pod", "pod $NAME | admin create -f -; soon admin wait --for=condition=Ready pod/$NAME --timeout=10s; "
        "kubectl delete pod $NAME -n $NS --timeout=20s"),
    # ---- logs without streams ----
    Row("logs", "kubectl logs count -n $NS && kubectl logs count -n $NS --tail=2"),
    Row("logs not found", "kubectl logs no-such-pod -n $NS; kubectl logs shell -c no-such -n $NS", fails=True),
    # ---- authorization ----
    Row("can-i list", "kubectl auth can-i --list -n $NS | sort", refused=False),
    Row("can-i", "kubectl auth can-i delete pods -n $NS && kubectl auth can-i create pods/exec -n $NS"),
    Row("can-i path", "kubectl auth can-i get /metrics"),
    Row("whoami", "kubectl auth whoami", refused=False),
    Row("top", "kubectl top pods -n $NS", fails=True),
    Row("proxy", """
        start kubectl proxy --port=0; soon seen 127.0.0.1: out; at=$(sed -n 's/.*\\(127.*\\)/\\1/p' out)
        curl -sS "http://$at/api/v1/namespaces/$NS/pods/shell" |
            python3 -c 'import json, sys; o = json.load(sys.stdin); print(o.get("message") or o["metadata"]["name"])'
        curl -sSf -o /dev/null "http://$at/api/v1/namespaces/$NS/pods"
        status=$?; finish; exit $status"""),
]

# A viewer reads some things and is refused others, which gives refusals in the middle of a command.
PARTIAL = [
    Row("may get pods", "kubectl get pods -n $NS -o name", refused=False),
    Row("may read logs", "kubectl logs count -n $NS", refused=False),
    Row("not elsewhere", "kubectl get pods -n default"),
    Row("not in all namespaces", "kubectl get pods -A"),
    Row("may not create", "kubectl create configmap $NAME -n $NS"),
    Row("may not delete", "kubectl delete pod shell -n $NS"),
    Row("get and watch", "kubectl wait -n $NS --for=condition=Ready pod/shell --timeout=20s", refused=False),
    Row("apply fails at the patch", """
        admin create configmap $NAME --from-literal=x=old
        kubectl create configmap $NAME -n $NS --from-literal=x=new --dry-run=client -o yaml >m
        kubectl apply -n $NS -f m"""),
    Row("some kinds of several", "kubectl get pods,secrets,configmaps -n $NS -o name | grep -v -e ap -e viewer"),
]

BAD_TOKENS = ["expired", "wrong-audience", "wrong-issuer", "wrong-key", "garbage"]


def object_name(*words):
    return "".join(c if c.isalnum() else "-" for c in "-".join(words).lower())


def run_and_compare(order, row, user, may, sides, straight, **env):
    """may: whether user has the rights that the row needs. env: more variables for the script."""
    direct = straight((row.name, *env.values()), row.script, user, **env)
    assert (direct.status == 0) == (may and not row.fails), "the row itself: %r" % (direct,)
    check_same(direct, sides[order].run(row.script, user, **env), judged_here=order == "rbac")


@pytest.mark.parametrize("user", ["admin", "nobody"])
@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.name)
@pytest.mark.parametrize("order", ORDERS)
def test_command(order, row, user, sides, straight):
    may = user == "admin" or not row.refused
    run_and_compare(order, row, user, may, sides, straight, NAME=object_name(row.name, user))


@pytest.mark.parametrize("row", PARTIAL, ids=lambda r: r.name)
@pytest.mark.parametrize("order", ORDERS)
def test_partial_rights(order, row, sides, straight):
    run_and_compare(order, row, "viewer", not row.refused, sides, straight, NAME=object_name(row.name))


@pytest.mark.parametrize("user", BAD_TOKENS)
@pytest.mark.parametrize("order", ORDERS)
def test_bad_token(order, user, sides, straight):
    run_and_compare(order, Row("bad token", "kubectl get pods -n $NS"), user, False, sides, straight)
