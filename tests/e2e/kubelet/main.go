// A stand-in kubelet for end-to-end tests: no containers, no CRI, no scheduler needed.
//
// It registers one Node at 127.0.0.1, runs the containers of every Pod whose spec.nodeName is that Node as plain local
// processes (process.go), and serves exec, attach, portForward and containerLogs with the streaming code of the real
// kubelet (k8s.io/cri-streaming), so the API server and kubectl see the genuine protocols.
//
// On purpose: images, volumes, probes and restartPolicy are ignored; containers share this machine's files, network and
// user; attach sends stderr as stdout; the only log options are follow and tailLines.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	rc "k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const idle, create = 4 * time.Hour, 30 * time.Second // limits of a stream, as in the real kubelet

type container struct {
	out    *output
	stdin  io.Writer // nil unless the Pod asks for stdin
	resize chan rc.TerminalSize
	kill   func()
	status v1.ContainerStatus
}

type kubelet struct {
	node, api, work string
	client          *http.Client
	mu              sync.Mutex
	pods            map[string]map[string]*container // Pod uid -> container name -> container
	uids            map[string]string                // "namespace/name" -> uid
}

// target is what one request is about; it has the methods that the streaming code calls.
type target struct {
	*container
	dir string
}

func (s target) ExecInContainer(_ context.Context, _, _, _ string, argv []string, in io.Reader,
	out, errw io.WriteCloser, tty bool, resize <-chan rc.TerminalSize, _ time.Duration) error {
	_, wait, err := start(s.dir, argv, nil, in, out, errw, tty, resize)
	if err != nil {
		return err
	}
	if code := wait(); code != 0 {
		return utilexec.CodeExitError{Err: fmt.Errorf("exit status %d", code), Code: code}
	}
	return nil
}

func (s target) AttachContainer(ctx context.Context, _, _, _ string, in io.Reader, out, _ io.WriteCloser, _ bool,
	resize <-chan rc.TerminalSize) error {
	go func() {
		for size := range resize {
			select {
			case s.resize <- size:
			case <-time.After(time.Second): // no terminal there
			}
		}
	}()
	if in != nil && s.stdin != nil {
		go io.Copy(s.stdin, in)
	}
	past, _, _ := s.out.state()
	return s.out.follow(ctx, len(past), func(b []byte) error { _, err := out.Write(b); return err })
}

func (s target) PortForward(_ context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	go func() { io.Copy(conn, stream); conn.(*net.TCPConn).CloseWrite() }()
	_, err = io.Copy(stream, conn)
	return err
}

func (s target) logs(w http.ResponseWriter, r *http.Request) {
	past, _, _ := s.out.state()
	from := 0
	if n, err := strconv.Atoi(r.FormValue("tailLines")); err == nil {
		for from = len(bytes.TrimSuffix(past, []byte("\n"))); n > 0 && from >= 0; n-- {
			from = bytes.LastIndexByte(past[:from], '\n')
		}
		from++
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Write(past[from:])
	if f := http.NewResponseController(w); r.FormValue("follow") == "true" {
		f.Flush()
		s.out.follow(r.Context(), len(past), func(b []byte) error { w.Write(b); return f.Flush() })
	}
}

func (k *kubelet) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(path string, h func(s target, w http.ResponseWriter, r *http.Request, o *rc.Options)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			k.mu.Lock()
			uid := k.uids[r.PathValue("ns")+"/"+r.PathValue("pod")]
			s := target{k.pods[uid][r.PathValue("ctr")], filepath.Join(k.work, uid)}
			k.mu.Unlock()
			if uid == "" || (s.container == nil && r.PathValue("ctr") != "") {
				http.Error(w, "no such pod or container", http.StatusNotFound)
				return
			}
			o, _ := rc.NewOptions(r) // nil for logs and portForward, where there are none
			h(s, w, r, o)
		})
	}
	handle("/exec/{ns}/{pod}/{ctr}", func(s target, w http.ResponseWriter, r *http.Request, o *rc.Options) {
		rc.ServeExec(w, r, s, "", "", "", r.URL.Query()["command"], o, idle, create, rc.SupportedStreamingProtocols)
	})
	handle("/attach/{ns}/{pod}/{ctr}", func(s target, w http.ResponseWriter, r *http.Request, o *rc.Options) {
		rc.ServeAttach(w, r, s, "", "", "", o, idle, create, rc.SupportedStreamingProtocols)
	})
	handle("/portForward/{ns}/{pod}", func(s target, w http.ResponseWriter, r *http.Request, _ *rc.Options) {
		o, _ := portforward.NewV4Options(r)
		portforward.ServePortForward(w, r, s, "", "", o, idle, create, portforward.SupportedProtocols)
	})
	handle("/containerLogs/{ns}/{pod}/{ctr}", func(s target, w http.ResponseWriter, r *http.Request, _ *rc.Options) {
		s.logs(w, r)
	})
	return mux
}

// call sends one request to the API server and logs a refusal. The caller closes the body.
func (k *kubelet) call(method, path, ctype string, in any) io.ReadCloser {
	body, _ := json.Marshal(in)
	req, _ := http.NewRequest(method, k.api+path, bytes.NewReader(body))
	req.Header.Set("Content-Type", ctype)
	res, err := k.client.Do(req)
	if err != nil {
		log.Print(err)
		return io.NopCloser(&bytes.Buffer{})
	}
	if res.StatusCode >= 400 {
		log.Print(method, " ", path, " ", res.Status)
	}
	return res.Body
}

func podPath(p *v1.Pod) string { return "/api/v1/namespaces/" + p.Namespace + "/pods/" + p.Name }

func (k *kubelet) run(p *v1.Pod) {
	uid, dir, pod := string(p.UID), filepath.Join(k.work, string(p.UID)), map[string]*container{}
	os.MkdirAll(dir, 0o755)
	for _, spec := range p.Spec.Containers {
		c := &container{out: &output{more: make(chan struct{})}, resize: make(chan rc.TerminalSize), kill: func() {},
			status: v1.ContainerStatus{Name: spec.Name, Image: spec.Image}}
		pod[spec.Name] = c
		argv, env, in := append(spec.Command, spec.Args...), []string{}, io.Reader(nil)
		if len(argv) == 0 {
			argv = []string{"sleep", "infinity"}
		}
		for _, e := range spec.Env {
			env = append(env, e.Name+"="+e.Value)
		}
		if spec.Stdin {
			in, c.stdin = io.Pipe()
		}
		cmd, wait, err := start(dir, argv, env, in, c.out, c.out, spec.TTY, c.resize)
		if err != nil {
			c.out.change([]byte(err.Error()+"\n"), true)
			c.status.State.Terminated = &v1.ContainerStateTerminated{ExitCode: 128, Reason: "StartError", Message: err.Error()}
			continue
		}
		c.kill = func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
		c.status.State.Running = &v1.ContainerStateRunning{StartedAt: metav1.Now()}
		go func() {
			code := wait()
			c.out.change(nil, true)
			k.mu.Lock()
			end := &v1.ContainerStateTerminated{ExitCode: int32(code), FinishedAt: metav1.Now()}
			c.status.State = v1.ContainerState{Terminated: end}
			k.mu.Unlock()
			k.report(p, pod)
		}()
	}
	k.mu.Lock()
	k.pods[uid], k.uids[p.Namespace+"/"+p.Name] = pod, uid
	k.mu.Unlock()
	k.report(p, pod)
}

// report sends the Pod's status as its containers' states make it.
func (k *kubelet) report(p *v1.Pod, pod map[string]*container) {
	k.mu.Lock()
	defer k.mu.Unlock() // also orders the reports
	st := v1.PodStatus{HostIP: "127.0.0.1", PodIP: "127.0.0.1", PodIPs: []v1.PodIP{{IP: "127.0.0.1"}}}
	running, failed := 0, 0
	for _, spec := range p.Spec.Containers {
		cs := pod[spec.Name].status
		cs.Ready = cs.State.Running != nil
		if cs.Ready {
			running++
		} else if cs.State.Terminated.ExitCode != 0 {
			failed++
		}
		st.ContainerStatuses = append(st.ContainerStatuses, cs)
	}
	ready := v1.ConditionFalse
	switch {
	case running == len(pod):
		st.Phase, ready = v1.PodRunning, v1.ConditionTrue
	case running > 0:
		st.Phase = v1.PodRunning
	case failed > 0:
		st.Phase = v1.PodFailed
	default:
		st.Phase = v1.PodSucceeded
	}
	st.Conditions = []v1.PodCondition{{Type: v1.PodReady, Status: ready}, {Type: v1.ContainersReady, Status: ready}}
	k.call("PATCH", podPath(p)+"/status", "application/merge-patch+json",
		map[string]any{"metadata": map[string]any{"uid": p.UID}, "status": st}).Close()
}

func (k *kubelet) stop(p *v1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	uid := string(p.UID)
	for _, c := range k.pods[uid] {
		c.kill()
	}
	delete(k.pods, uid)
	os.RemoveAll(filepath.Join(k.work, uid))
	if name := p.Namespace + "/" + p.Name; k.uids[name] == uid {
		delete(k.uids, name)
	}
}

// watch follows this node's Pods until the API server ends the watch, which it does once in a while.
func (k *kubelet) watch() {
	body := k.call("GET", "/api/v1/pods?watch=1&resourceVersion=0&fieldSelector=spec.nodeName%3D"+k.node, "", nil)
	defer body.Close()
	for dec := json.NewDecoder(body); ; {
		var ev struct {
			Type   string
			Object v1.Pod
		}
		if err := dec.Decode(&ev); err != nil || ev.Object.Kind != "Pod" {
			log.Print("watch ended: ", ev.Type, " ", err)
			return
		}
		p := &ev.Object
		switch {
		case ev.Type == "DELETED":
			k.stop(p)
		case p.DeletionTimestamp != nil: // the API server waits for the kubelet's final delete
			k.stop(p)
			k.call("DELETE", podPath(p), "application/json", map[string]any{"gracePeriodSeconds": 0,
				"preconditions": map[string]any{"uid": p.UID}}).Close()
		case k.pods[string(p.UID)] == nil && p.Status.Phase == v1.PodPending: // only this goroutine changes the map
			k.run(p)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func main() {
	k := &kubelet{pods: map[string]map[string]*container{}, uids: map[string]string{}}
	flag.StringVar(&k.api, "server", "https://127.0.0.1:6443", "API server")
	flag.StringVar(&k.node, "node", "node1", "node name")
	flag.StringVar(&k.work, "work", ".", "folder for the Pods' working directories")
	ca := flag.String("ca", "ca.crt", "CA of the API server and of its kubelet client certificate")
	cert := flag.String("cert", "kubelet.crt", "for both directions: CN system:node:NODE, O system:nodes, IP 127.0.0.1")
	key := flag.String("key", "kubelet.key", "its key")
	flag.Parse()

	pair, pool := must(tls.LoadX509KeyPair(*cert, *key)), x509.NewCertPool()
	pool.AppendCertsFromPEM(must(os.ReadFile(*ca)))
	certs := []tls.Certificate{pair}
	k.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certs}}}
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	srv := &http.Server{Handler: k.routes(), TLSConfig: &tls.Config{Certificates: certs, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert}}
	go func() { log.Fatal(srv.ServeTLS(l, "", "")) }()

	port := int32(l.Addr().(*net.TCPAddr).Port)
	k.call("POST", "/api/v1/nodes", "application/json", v1.Node{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Node"}, ObjectMeta: metav1.ObjectMeta{Name: k.node},
		Status: v1.NodeStatus{
			Addresses:       []v1.NodeAddress{{Type: v1.NodeInternalIP, Address: "127.0.0.1"}},
			DaemonEndpoints: v1.NodeDaemonEndpoints{KubeletEndpoint: v1.DaemonEndpoint{Port: port}},
			Conditions:      []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue, Reason: "StandIn"}}}}).Close()
	for ; ; time.Sleep(200 * time.Millisecond) {
		k.watch()
	}
}
