package main

import (
	"context"
	"encoding/json"
	"os"
	"sort"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac"
)

// policy holds stored objects and hands them to the authorizer as its listers would, bindings by name: upstream leaves
// their order open.
type policy struct {
	roles        map[string]*rbacv1.Role
	clusterRoles map[string]*rbacv1.ClusterRole
	bindings     map[string][]*rbacv1.RoleBinding
	cluster      []*rbacv1.ClusterRoleBinding
	masters      authorizer.Authorizer
	rbac         authorizer.Authorizer
}

func (p *policy) GetRole(_ context.Context, ns, name string) (*rbacv1.Role, error) {
	if r, ok := p.roles[ns+"/"+name]; ok {
		return r, nil
	}
	return nil, errors.NewNotFound(rbacv1.Resource("role"), name)
}

func (p *policy) GetClusterRole(_ context.Context, name string) (*rbacv1.ClusterRole, error) {
	if r, ok := p.clusterRoles[name]; ok {
		return r, nil
	}
	return nil, errors.NewNotFound(rbacv1.Resource("clusterrole"), name)
}

func (p *policy) ListRoleBindings(_ context.Context, ns string) ([]*rbacv1.RoleBinding, error) {
	return p.bindings[ns], nil
}

func (p *policy) ListClusterRoleBindings(context.Context) ([]*rbacv1.ClusterRoleBinding, error) {
	return p.cluster, nil
}

// load reads a v1 List of manifests; a namespaced object without a namespace is in default.
func load(path string) *policy {
	data, err := os.ReadFile(path)
	must(err)
	var list struct{ Items []json.RawMessage }
	must(json.Unmarshal(data, &list))
	p := &policy{roles: map[string]*rbacv1.Role{}, clusterRoles: map[string]*rbacv1.ClusterRole{},
		bindings: map[string][]*rbacv1.RoleBinding{}}
	bindings := map[string]*rbacv1.RoleBinding{}
	cluster := map[string]*rbacv1.ClusterRoleBinding{}
	for _, item := range list.Items {
		var k struct{ Kind string }
		must(json.Unmarshal(item, &k))
		switch k.Kind {
		case "Role":
			o := &rbacv1.Role{}
			must(json.Unmarshal(item, o))
			p.roles[namespace(&o.ObjectMeta)+"/"+o.Name] = o
		case "ClusterRole":
			o := &rbacv1.ClusterRole{}
			must(json.Unmarshal(item, o))
			p.clusterRoles[o.Name] = o
		case "RoleBinding":
			o := &rbacv1.RoleBinding{}
			must(json.Unmarshal(item, o))
			bindings[namespace(&o.ObjectMeta)+"/"+o.Name] = o
		case "ClusterRoleBinding":
			o := &rbacv1.ClusterRoleBinding{}
			must(json.Unmarshal(item, o))
			cluster[o.Name] = o
		}
	}
	for _, b := range bindings {
		p.bindings[b.Namespace] = append(p.bindings[b.Namespace], b)
	}
	for _, l := range p.bindings {
		sort.Slice(l, func(i, j int) bool { return l[i].Name < l[j].Name })
	}
	for _, b := range cluster {
		p.cluster = append(p.cluster, b)
	}
	sort.Slice(p.cluster, func(i, j int) bool { return p.cluster[i].Name < p.cluster[j].Name })
	p.aggregate()
	p.prepare()
	return p
}

func (p *policy) prepare() {
	p.masters = authorizerfactory.NewPrivilegedGroups(user.SystemPrivilegedGroup)
	p.rbac = rbac.New(p, p, p, p)
}

func namespace(m *metav1.ObjectMeta) string {
	if m.Namespace == "" {
		m.Namespace = metav1.NamespaceDefault
	}
	return m.Namespace
}

// aggregate does what the clusterrole-aggregation controller does, in as many rounds as there are aggregated roles.
func (p *policy) aggregate() {
	var names, aggregated []string
	for name, r := range p.clusterRoles {
		names = append(names, name)
		if r.AggregationRule != nil {
			aggregated = append(aggregated, name)
		}
	}
	sort.Strings(names)
	sort.Strings(aggregated)
	for range aggregated {
		for _, name := range aggregated {
			if rules, ok := p.aggregated(name, names); ok {
				p.clusterRoles[name].Rules = rules
			}
		}
	}
}

func (p *policy) aggregated(name string, names []string) ([]rbacv1.PolicyRule, bool) {
	rules := []rbacv1.PolicyRule{}
	for i := range p.clusterRoles[name].AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&p.clusterRoles[name].AggregationRule.ClusterRoleSelectors[i])
		if err != nil {
			return nil, false
		}
		for _, other := range names {
			if other == name || !selector.Matches(labels.Set(p.clusterRoles[other].Labels)) {
				continue
			}
			for _, rule := range p.clusterRoles[other].Rules {
				if !contains(rules, rule) {
					rules = append(rules, rule)
				}
			}
		}
	}
	return rules, true
}

func contains(rules []rbacv1.PolicyRule, rule rbacv1.PolicyRule) bool {
	for _, r := range rules {
		if equality.Semantic.DeepEqual(r, rule) {
			return true
		}
	}
	return false
}

// decide asks as the API server's chain does: masters first.
func (p *policy) decide(u *person, a *asked) (decision, by, reason string) {
	attributes := authorizer.AttributesRecord{
		User: &user.DefaultInfo{Name: u.Name, UID: u.UID, Groups: u.Groups, Extra: u.Extra},
		Verb: a.Verb, APIGroup: a.APIGroup, APIVersion: a.APIVersion, Resource: a.Resource, Subresource: a.Subresource,
		Namespace: a.Namespace, Name: a.Name, ResourceRequest: a.IsResource, Path: a.Path,
	}
	d, reason, err := p.masters.Authorize(context.Background(), attributes)
	must(err)
	if d == authorizer.DecisionAllow {
		return "allow", "masters", reason
	}
	d, reason, err = p.rbac.Authorize(context.Background(), attributes)
	must(err)
	if d == authorizer.DecisionAllow {
		return "allow", "rbac", reason
	}
	return "no_opinion", "", reason
}
