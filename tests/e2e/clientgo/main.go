// A client-go program for end-to-end tests: what controllers and operators do, through whatever a kubeconfig names.
//
//	clientgo KUBECONFIG NAMESPACE POD
//
// It lists the Pods, follows them by an informer and by a bare watch until a label that it sets on POD arrives, and
// runs commands in POD by WebSocket and by SPDY. Each step prints one line; the first error ends it with status 1.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"sort"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/remotecommand"
	utilexec "k8s.io/client-go/util/exec"
)

const inputSize = 1 << 20

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func list(ctx context.Context, c kubernetes.Interface, namespace string) {
	names := []string{}
	for _, p := range must(c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{Limit: 1})).Items {
		names = append(names, p.Name) // one page, to see that limit and continue pass
	}
	all := must(c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{}))
	for _, p := range all.Items {
		names = append(names, p.Name)
	}
	sort.Strings(names)
	fmt.Println("list:", strings.Join(names, " "))
}

// setLabel changes the Pod so that both watches have something to see.
func setLabel(ctx context.Context, c kubernetes.Interface, namespace, pod, value string) {
	patch := fmt.Sprintf(`{"metadata":{"labels":{"clientgo":%q}}}`, value)
	must(c.CoreV1().Pods(namespace).Patch(ctx, pod, types.MergePatchType, []byte(patch), metav1.PatchOptions{}))
}

// inform runs an informer (a streaming list where the server has it) until it has seen the label.
func inform(ctx context.Context, c kubernetes.Interface, namespace, pod string) {
	seen := make(chan struct{}, 16)
	f := informers.NewSharedInformerFactoryWithOptions(c, 0, informers.WithNamespace(namespace))
	i := f.Core().V1().Pods().Informer()
	must(i.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(_, o any) {
		if p := o.(*v1.Pod); p.Name == pod && p.Labels["clientgo"] == "informer" {
			seen <- struct{}{}
		}
	}}))
	f.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), i.HasSynced) {
		log.Fatal("informer: no sync")
	}
	setLabel(ctx, c, namespace, pod, "informer")
	select {
	case <-seen:
		fmt.Println("informer: saw the label")
	case <-ctx.Done():
		log.Fatal("informer: ", ctx.Err())
	}
}

func watch(ctx context.Context, c kubernetes.Interface, namespace, pod string) {
	from := must(c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})).ResourceVersion
	w := must(c.CoreV1().Pods(namespace).Watch(ctx, metav1.ListOptions{ResourceVersion: from, AllowWatchBookmarks: true}))
	defer w.Stop()
	setLabel(ctx, c, namespace, pod, "watch")
	for ev := range w.ResultChan() {
		if p, ok := ev.Object.(*v1.Pod); ok && p.Name == pod && p.Labels["clientgo"] == "watch" {
			fmt.Println("watch:", ev.Type, p.Name)
			return
		}
	}
	log.Fatal("watch: ended early: ", ctx.Err())
}

func run(ctx context.Context, e remotecommand.Executor, in []byte) (out []byte, code int) {
	var stdout, stderr bytes.Buffer
	o := remotecommand.StreamOptions{Stdout: &stdout, Stderr: &stderr}
	if in != nil {
		o.Stdin = bytes.NewReader(in)
	}
	err := e.StreamWithContext(ctx, o)
	var exit utilexec.CodeExitError
	if errors.As(err, &exit) {
		code = exit.Code
	} else if err != nil {
		log.Fatal("exec: ", err)
	}
	return append(stdout.Bytes(), stderr.Bytes()...), code
}

func exec(ctx context.Context, c kubernetes.Interface, cfg *rest.Config, namespace, pod string) {
	executor := func(kind string, stdin bool, argv ...string) remotecommand.Executor {
		o := &v1.PodExecOptions{Command: argv, Stdin: stdin, Stdout: true, Stderr: true}
		u := c.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
			VersionedParams(o, scheme.ParameterCodec).URL()
		if kind == "WebSocket" {
			return must(remotecommand.NewWebSocketExecutor(cfg, "GET", u.String()))
		}
		return must(remotecommand.NewSPDYExecutor(cfg, "POST", u))
	}
	in := bytes.Repeat([]byte("0123456789abcdef"), inputSize/16)
	for _, kind := range []string{"WebSocket", "SPDY"} {
		out, code := run(ctx, executor(kind, false, "sh", "-c", "echo out; echo err >&2; exit 3"), nil)
		fmt.Printf("%s exec: %q, exit code %d\n", kind, out, code)
		out, code = run(ctx, executor(kind, true, "cat"), in)
		fmt.Printf("%s exec: %d octets back, equal: %t, exit code %d\n", kind, len(out), bytes.Equal(in, out), code)
	}
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: clientgo KUBECONFIG NAMESPACE POD")
	}
	namespace, pod := os.Args[2], os.Args[3]
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cfg := must(clientcmd.BuildConfigFromFlags("", os.Args[1]))
	c := must(kubernetes.NewForConfig(cfg))
	list(ctx, c, namespace)
	inform(ctx, c, namespace, pod)
	watch(ctx, c, namespace, pod)
	exec(ctx, c, cfg, namespace, pod)
}
