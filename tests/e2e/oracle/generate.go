package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strings"
)

// Small alphabets, so that questions often meet the policy, full of what has a meaning somewhere.
var (
	verbs      = []string{"get", "get", "get", "list", "list", "watch", "create", "delete", "deletecollection", "impersonate", "proxy", "*", "*", "*", "", "GET", "update", "patch"}
	groups     = []string{"", "", "", "*", "*", "apps", "apps", "core", "rbac.authorization.k8s.io"}
	resources  = []string{"*", "pods", "pods", "pods", "pods/log", "pods/*", "*/scale", "*/log", "*/*", "deployments", "deployments/scale", "", "/", "*/", "nodes", "nodes/proxy/x", "*/proxy/x", "*/a/b", "Pods", "namespaces", "pods/exec"}
	names      = []string{"web", "db", "", "*", "dev"}
	urls       = []string{"*", "/healthz", "/healthz*", "/healthz/*", "/api**", "/*", "", "**", "healthz", "/metrics*x", "/api/*/x", "/version"}
	namespaces = []string{"dev", "dev", "ops", "default", ""}
	users      = []string{"alice", "bob", "system:serviceaccount:dev:bot", "system:serviceaccount:ops:bot", "system:serviceaccount:dev:a:b", "*", "", "system:masters", "system:serviceaccount::bot", "o'<&>\"\u00e9\u2028"}
	userGroups = []string{"readers", "writers", "system:authenticated", "*", "", "system:serviceaccounts:dev", "alice"}
	roleNames  = []string{"r0", "r1", "r2", "r3", "r4", "r5", "r6", "missing", "also-missing", ""}
	labelKeys  = []string{"a", "b", "k8s.io/c", "bad key"}
	labelText  = []string{"x", "y", "", "z", "-bad"}

	methods  = []string{"GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "Watch", "PROXY"}
	segments = []string{"api", "apis", "v1", "apps", "namespaces", "namespaces", "pods", "pods", "nodes", "dev", "web", "status", "finalize", "watch", "proxy", "exec", "log", "", "", ".", "..", "*", "API", "batch", "v1beta1", "a%25b", "%ff", "%00", "x%20y", "metrics", "scale", "token", "a%2Fb", "%2e%2e", "a+b", "a;b", "\u00e9", "healthz", "version", "%", "%zz", "web%3Fx"}
	heads    = []string{"/api/v1/", "/apis/apps/v1/", "/api/v1/namespaces/dev/", "/apis/apps/v1/namespaces/dev/", "/", "", "//", "/api/v1/watch/", "/api/v1/proxy/", "/apis/g/v/watch/", "/api//", "/apis//v1/", "/healthz", "/api/v1/namespaces//", "https://x/api/v1/", "http://u@x:1/", "http://[::1]/", "x:", "x:/api/v1/", ":", "*"}
	options  = []string{"watch", "watch", "fieldSelector", "fieldSelector", "labelSelector", "limit", "timeoutSeconds", "resourceVersion", "allowWatchBookmarks", "pretty", "WATCH"}
	values   = []string{"", "0", "1", "true", "false", "False", "no", "fal%C5%BFe", "%30", "500", "-1", "+1", "9223372036854775808", "metadata.name=web", "metadata.name%3Dweb", "metadata.name==db,metadata.name=web", "metadata.name!=web", "metadata.name=a%2Fb", "metadata.name=..", "metadata.name=a\\,b", "metadata.namespace=dev", "a in (x,y)", "a,", "!a", "a%20notin%20()", "a=b=c", "%zz", "x;y", "a%3D%3Db"}
)

type dice struct{ *rand.Rand }

func (d dice) one(list []string) string { return list[d.Intn(len(list))] }

func (d dice) some(most int, list []string) []string {
	out := []string{}
	for n := d.Intn(most+1) + d.Intn(2); n > 0; n-- {
		out = append(out, d.one(list))
	}
	return out
}

type object map[string]any

const group = "rbac.authorization.k8s.io"

func head(kind, name, namespace string) object {
	meta := object{"name": name}
	if namespace != "" {
		meta["namespace"] = namespace
	}
	return object{"apiVersion": group + "/v1", "kind": kind, "metadata": meta}
}

func (d dice) rules() []object {
	list := []object{}
	for n := d.Intn(5); n > 0; n-- {
		rule := object{"verbs": d.some(3, verbs)}
		if d.Intn(4) != 0 {
			rule["apiGroups"], rule["resources"] = d.some(2, groups), d.some(3, resources)
			if d.Intn(3) == 0 {
				rule["resourceNames"] = d.some(2, names)
			}
		}
		if d.Intn(3) == 0 {
			rule["nonResourceURLs"] = d.some(2, urls)
		}
		list = append(list, rule)
	}
	return list
}

func (d dice) labels() object {
	set := object{}
	for _, key := range labelKeys[:3] {
		if d.Intn(2) == 0 {
			set[key] = d.one(labelText[:4])
		}
	}
	return set
}

func (d dice) selector() object {
	s := object{}
	if d.Intn(2) == 0 {
		s["matchLabels"] = object{labelKeys[d.Intn(3+d.Intn(2))]: d.one(labelText)}
	}
	if d.Intn(2) == 0 {
		terms := []object{}
		for n := d.Intn(3); n > 0; n-- {
			op := d.one([]string{"In", "NotIn", "Exists", "DoesNotExist", "In", "NotIn", "in"})
			term := object{"key": d.one(labelKeys[:3]), "operator": op}
			if op == "In" || op == "NotIn" || d.Intn(12) == 0 {
				term["values"] = d.some(2, labelText[:4])
			}
			terms = append(terms, term)
		}
		s["matchExpressions"] = terms
	}
	return s
}

func (d dice) subjects() []object {
	list := []object{}
	for n := 1 + d.Intn(5); n > 0; n-- {
		switch d.Intn(5) {
		case 0, 1:
			list = append(list, object{"kind": "User", "name": d.one(users)})
		case 2:
			list = append(list, object{"kind": "Group", "name": d.one(userGroups), "namespace": "dev"})
		case 3:
			list = append(list, object{"kind": "ServiceAccount", "name": d.one([]string{"bot", "a:b", ""}),
				"namespace": d.one([]string{"dev", "ops", "", "dev:a"})})
		case 4:
			list = append(list, object{"kind": d.one([]string{"user", "", "*", "User", "Group"}), "name": "alice"})
		}
	}
	return list
}

func (d dice) objects() []object {
	list := []object{}
	for i := 0; i < 7; i++ {
		role := head("ClusterRole", fmt.Sprintf("r%d", i), "")
		role["rules"] = d.rules()
		role["metadata"].(object)["labels"] = d.labels()
		if d.Intn(4) == 0 {
			selectors := []object{}
			for n := d.Intn(3); n > 0; n-- {
				selectors = append(selectors, d.selector())
			}
			role["aggregationRule"] = object{"clusterRoleSelectors": selectors}
		}
		list = append(list, role)
	}
	for i := 0; i < 7; i++ {
		role := head("Role", d.one(roleNames), d.one(namespaces))
		role["rules"] = d.rules()
		list = append(list, role)
	}
	for n := d.Intn(80); n > 0; n-- {
		binding := head("ClusterRoleBinding", fmt.Sprintf("b%d", d.Intn(40)), "")
		if d.Intn(2) == 0 {
			binding = head("RoleBinding", fmt.Sprintf("b%d", d.Intn(40)), d.one(namespaces))
		}
		kind := d.one([]string{"ClusterRole", "ClusterRole", "ClusterRole", "ClusterRole", "Role", "Role", "role", ""})
		binding["roleRef"] = object{"apiGroup": group, "kind": kind, "name": d.one(roleNames)}
		binding["subjects"] = d.subjects()
		list = append(list, binding)
	}
	return list
}

func (d dice) target() string {
	var b strings.Builder
	b.WriteString(d.one(heads))
	for n := d.Intn(7); n > 0; n-- {
		b.WriteString(d.one(segments))
		if d.Intn(8) != 0 {
			b.WriteString("/")
		}
	}
	if d.Intn(2) == 0 {
		b.WriteString("?")
		for n := d.Intn(4); n > 0; n-- {
			b.WriteString(d.one(options))
			if d.Intn(12) != 0 {
				b.WriteString("=" + d.one(values))
			}
			if n > 1 || d.Intn(8) == 0 {
				b.WriteString("&")
			}
		}
	}
	return strings.ReplaceAll(b.String(), " ", "%20") // a space would end the target
}

// usual is a target as clients send it.
func (d dice) usual() string {
	path := d.one([]string{"/api/v1/namespaces/dev/", "/api/v1/", "/apis/apps/v1/namespaces/dev/", "/apis/apps/v1/"})
	path += d.one([]string{"pods", "deployments", "nodes", "namespaces"})
	if d.Intn(2) == 0 {
		path += "/" + d.one([]string{"web", "db", "dev"})
		if d.Intn(2) == 0 {
			path += "/" + d.one([]string{"log", "exec", "scale", "status", "proxy/x"})
		}
	} else if d.Intn(2) == 0 {
		path += "?" + d.one([]string{"watch=1", "limit=500", "fieldSelector=metadata.name%3Dweb"})
	}
	return path
}

func (d dice) question(id int) question {
	q := question{ID: fmt.Sprint(id), User: &person{Name: d.one(users), Groups: d.some(3, userGroups)}}
	if q.User.Name == "" && len(q.User.Groups) == 0 {
		q.User.Name = "alice" // nobody at all is no question: see docs/CONFORMANCE.md
	}
	if d.Intn(40) == 0 {
		q.User.Groups = append(q.User.Groups, "system:masters")
	}
	switch d.Intn(4) {
	case 0:
		t := d.target()
		q.Method, q.Target = d.one(methods), &t
		if q.Method == "OPTIONS" && t == "*" { // answered before any of this
			q.Method = "GET"
		}
	case 1:
		t := d.usual()
		q.Method, q.Target = d.one(methods[:10]), &t
	case 2:
		q.Attributes = &asked{Verb: d.one(verbs), Path: d.one([]string{"/healthz", "/healthzfoo", "/healthz/", "/healthz/x", "/api/v1/x", "/api", "/", "/metrics", "*", "healthz", "/a<&>b\"\u0001", "/version"})}
	default:
		q.Attributes = &asked{IsResource: true, Verb: d.one(verbs), APIGroup: d.one(groups), Resource: d.one(resources),
			Subresource: d.one([]string{"", "", "", "log", "scale", "*", "proxy/x", "a/b"}), Namespace: d.one(namespaces),
			Name: d.one(names)}
	}
	return q
}

func generate(seed, count int, policyPath, questionsPath string) {
	d := dice{rand.New(rand.NewSource(int64(seed)))}
	data, err := json.Marshal(object{"apiVersion": "v1", "kind": "List", "items": d.objects()})
	must(err)
	must(os.WriteFile(policyPath, data, 0o600))
	f, err := os.Create(questionsPath)
	must(err)
	w := bufio.NewWriter(f)
	for i := 0; i < count; i++ {
		line, err := json.Marshal(d.question(i))
		must(err)
		w.Write(line)
		w.WriteByte('\n')
	}
	must(w.Flush())
	must(f.Close())
}
