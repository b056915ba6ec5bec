"""The Python client through a kubeconfig: pyclient.py KUBECONFIG NAMESPACE POD. Lists, watches and runs a command."""
import sys

from kubernetes import client, config, watch
from kubernetes.stream import stream


def main():
    kubeconfig, namespace, pod = sys.argv[1:]
    config.load_kube_config(kubeconfig)
    core = client.CoreV1Api()
    pods = core.list_namespaced_pod(namespace)
    print("list:", " ".join(sorted(p.metadata.name for p in pods.items)))
    core.patch_namespaced_pod(pod, namespace, {"metadata": {"labels": {"pyclient": "seen"}}})
    events = watch.Watch().stream(core.list_namespaced_pod, namespace, resource_version=pods.metadata.resource_version,
                                  timeout_seconds=20)
    for event in events:
        if event["object"].metadata.labels.get("pyclient") == "seen":
            print("watch:", event["type"], event["object"].metadata.name)
            break
    else:
        sys.exit("the watch ended without the label")
    out = stream(core.connect_get_namespaced_pod_exec, pod, namespace, command=["echo", "out"], stdout=True,
                 stderr=True, stdin=False, tty=False)
    print("exec:", repr(out))


main()
