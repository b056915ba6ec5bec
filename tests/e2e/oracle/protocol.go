package main

// The lines of `explain --batch`.

type person struct {
	Name   string              `json:"name"`
	UID    string              `json:"uid,omitempty"`
	Groups []string            `json:"groups,omitempty"`
	Extra  map[string][]string `json:"extra,omitempty"`
}

type asked struct {
	IsResource  bool   `json:"isResource,omitempty"`
	Verb        string `json:"verb,omitempty"`
	APIGroup    string `json:"apiGroup,omitempty"`
	APIVersion  string `json:"apiVersion,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	Name        string `json:"name,omitempty"`
	Path        string `json:"path,omitempty"`
}

type question struct {
	ID         string  `json:"id"`
	Method     string  `json:"method,omitempty"`
	Target     *string `json:"target,omitempty"`
	Attributes *asked  `json:"attributes,omitempty"`
	User       *person `json:"user,omitempty"`
}

type reading struct {
	Error         string   `json:"error,omitempty"`
	IsResource    bool     `json:"isResource"`
	Path          string   `json:"path"`
	Verb          string   `json:"verb"`
	APIPrefix     string   `json:"apiPrefix"`
	APIGroup      string   `json:"apiGroup"`
	APIVersion    string   `json:"apiVersion"`
	Namespace     string   `json:"namespace"`
	Resource      string   `json:"resource"`
	Subresource   string   `json:"subresource"`
	Name          string   `json:"name"`
	Parts         []string `json:"parts"`
	FieldSelector string   `json:"fieldSelector"`
	LabelSelector string   `json:"labelSelector"`
}

type answer struct {
	ID         string   `json:"id"`
	Error      string   `json:"error,omitempty"`
	Attributes *reading `json:"attributes,omitempty"`
	Decision   string   `json:"decision,omitempty"`
	Authorizer string   `json:"authorizer,omitempty"`
	Reason     string   `json:"reason,omitempty"`
}
