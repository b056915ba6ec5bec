package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
)

const mostShown = 20

func lines(path string) *bufio.Scanner {
	f, err := os.Open(path)
	must(err)
	s := bufio.NewScanner(f)
	s.Buffer(nil, 4<<20)
	return s
}

// expect is what the API server's code says to q.
func expect(p *policy, q *question) answer {
	want := answer{ID: q.ID}
	a := q.Attributes
	if q.Target != nil {
		want.Attributes = read(q.Method, *q.Target)
		if want.Attributes.Error != "" {
			return want
		}
		r := want.Attributes
		a = &asked{r.IsResource, r.Verb, r.APIGroup, r.APIVersion, r.Resource, r.Subresource, r.Namespace, r.Name, r.Path}
	}
	if a != nil && q.User != nil {
		want.Decision, want.Authorizer, want.Reason = p.decide(q.User, a)
	}
	return want
}

// plain is a value as it looks after a journey through JSON, where invalid UTF-8 becomes U+FFFD.
func plain(a answer) (out answer) {
	data, err := json.Marshal(a)
	must(err)
	must(json.Unmarshal(data, &out))
	return out
}

func check(policyPath, questions, answers string) bool {
	p := load(policyPath)
	qs, as := lines(questions), lines(answers)
	differences, count := 0, 0
	for qs.Scan() {
		var q question
		var got answer
		must(json.Unmarshal(qs.Bytes(), &q))
		if !as.Scan() {
			fmt.Printf("answers end before question %s\n", q.ID)
			return false
		}
		must(json.Unmarshal(as.Bytes(), &got))
		if want := plain(expect(p, &q)); !reflect.DeepEqual(got, want) {
			differences++
			if differences <= mostShown {
				w, _ := json.Marshal(want)
				fmt.Printf("question %s\n  API server %s\n  gateway    %s\n", qs.Text(), w, as.Text())
			}
		}
		count++
	}
	must(qs.Err())
	must(as.Err())
	if as.Scan() {
		fmt.Println("there are more answers than questions")
		return false
	}
	if differences != 0 {
		fmt.Printf("%d of %d answers differ\n", differences, count)
	}
	return differences == 0
}
