package main

import (
	"bufio"
	"net/http"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
)

var factory = &request.RequestInfoFactory{
	APIPrefixes:          sets.NewString("api", "apis"),
	GrouplessAPIPrefixes: sets.NewString("api"),
}

// read is how the API server reads a request line.
func read(method, target string) *reading {
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")))
	if err != nil {
		return &reading{Error: "invalid-target"}
	}
	info, err := factory.NewRequestInfo(req)
	if err != nil {
		return &reading{Error: "request-info"}
	}
	r := &reading{
		IsResource: info.IsResourceRequest, Path: info.Path, Verb: info.Verb, APIPrefix: info.APIPrefix,
		APIGroup: info.APIGroup, APIVersion: info.APIVersion, Namespace: info.Namespace, Resource: info.Resource,
		Subresource: info.Subresource, Name: info.Name, Parts: info.Parts, FieldSelector: info.FieldSelector,
		LabelSelector: info.LabelSelector,
	}
	if r.Parts == nil {
		r.Parts = []string{}
	}
	return r
}
