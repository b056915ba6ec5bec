package main

import (
	"fmt"
	"math/rand"
	"sort"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// bench measures the API server's authorizer on the policies and questions of bench/bench_rbac.c: nine in ten bindings
// are RoleBindings, fifty a namespace, and half of the questions are denied. Its lists cost nothing here, while the
// API server's listers make them anew for each question.
func bench(bindings int) {
	const questions, runs = 1 << 10, 5
	p := manyBindings(bindings)
	users := make([]*person, questions)
	asks := make([]*asked, questions)
	random := rand.New(rand.NewSource(1))
	for n := range users {
		users[n], asks[n] = aboutBinding(random, random.Intn(bindings), bindings, n%2 == 0)
	}
	var times []float64
	allowed := 0
	for range runs {
		begin := time.Now()
		allowed = 0
		for n := range users {
			if decision, _, _ := p.decide(users[n], asks[n]); decision == "allow" {
				allowed++
			}
		}
		times = append(times, float64(time.Since(begin).Nanoseconds())/questions)
	}
	sort.Float64s(times)
	fmt.Printf("%9d bindings  %10.0f ns a decision of the API server's authorizer, %d %% allowed\n", bindings,
		times[runs/2], allowed*100/questions)
}

func manyBindings(bindings int) *policy {
	p := &policy{roles: map[string]*rbacv1.Role{}, clusterRoles: map[string]*rbacv1.ClusterRole{},
		bindings: map[string][]*rbacv1.RoleBinding{}}
	for i := 0; i <= bindings/100; i++ {
		name := fmt.Sprintf("role-%d", i)
		p.clusterRoles[name] = &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name}, Rules: []rbacv1.PolicyRule{
			{Verbs: []string{"get", "list", "watch"}, APIGroups: []string{""},
				Resources: []string{"pods", "pods/log", "services", fmt.Sprintf("things-%d", i)}},
			{Verbs: []string{"create", "update", "patch"}, APIGroups: []string{"apps"},
				Resources: []string{"deployments", "deployments/scale"}}}}
	}
	for i := 0; i < bindings; i++ {
		kind, name := subjectOf(i)
		subjects := []rbacv1.Subject{{Kind: kind, Name: name}}
		ref := rbacv1.RoleRef{Kind: "ClusterRole", Name: fmt.Sprintf("role-%d", i%(bindings/100+1))}
		meta := metav1.ObjectMeta{Name: fmt.Sprintf("binding-%d", i), Namespace: namespaceOf(i, bindings)}
		if i%10 == 0 {
			meta.Namespace = ""
			p.cluster = append(p.cluster, &rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects})
		} else {
			p.bindings[meta.Namespace] = append(p.bindings[meta.Namespace],
				&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects})
		}
	}
	p.prepare()
	return p
}

func subjectOf(i int) (kind, name string) {
	kinds := []string{"User", "User", "ServiceAccount", "Group"}
	prefixes := []string{"user@example.com", "user@example.com", "robot", "group"}
	return kinds[i%4], fmt.Sprintf("%s-%d", prefixes[i%4], i)
}

func namespaceOf(i, bindings int) string { return fmt.Sprintf("team-%d", i%(bindings/50+1)) }

// aboutBinding asks for what binding i's role grants, or for what it does not, as its subject and in its namespace.
func aboutBinding(random *rand.Rand, i, bindings int, allowed bool) (*person, *asked) {
	kind, name := subjectOf(i)
	u := &person{Name: fmt.Sprintf("user@example.com-%d", i), Groups: []string{
		fmt.Sprintf("group-%d", random.Intn(bindings)/4*4+3), fmt.Sprintf("group-%d", random.Intn(bindings)/4*4+3),
		"system:authenticated"}}
	switch kind {
	case "Group":
		u.Groups[0] = name
	case "ServiceAccount":
		u.Name = "system:serviceaccount:" + namespaceOf(i, bindings) + ":" + name
	}
	a := &asked{IsResource: true, Verb: "list", Resource: "pods", APIVersion: "v1", Namespace: namespaceOf(i, bindings)}
	if !allowed {
		a.Verb = "delete"
	}
	return u, a
}
