// Oracle answers what the gateway's decision library answers, with the API server's own code: RequestInfoFactory and
// the RBAC authorizer. It speaks `kube-access-gateway explain --batch`.
//
//	oracle generate SEED COUNT POLICY QUESTIONS   a random policy, and questions about it
//	oracle check POLICY QUESTIONS ANSWERS         are these the answers? differences go to standard output
//	oracle bench BINDINGS...                      what a decision costs the API server
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"

	"k8s.io/klog/v2"
)

func main() {
	// What cannot be parsed is logged by the factory; here it is the rule.
	quiet := flag.NewFlagSet("", flag.PanicOnError)
	klog.InitFlags(quiet)
	must(quiet.Parse([]string{"-logtostderr=false", "-stderrthreshold=FATAL"}))
	klog.SetOutput(io.Discard)
	if len(os.Args) == 6 && os.Args[1] == "generate" {
		seed, count := number(os.Args[2]), number(os.Args[3])
		generate(seed, count, os.Args[4], os.Args[5])
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "bench" {
		for _, bindings := range os.Args[2:] {
			bench(number(bindings))
		}
		return
	}
	if len(os.Args) == 5 && os.Args[1] == "check" {
		if !check(os.Args[2], os.Args[3], os.Args[4]) {
			os.Exit(1)
		}
		return
	}
	fmt.Fprintln(os.Stderr, "usage: oracle generate SEED COUNT POLICY QUESTIONS | check POLICY QUESTIONS ANSWERS |\n  bench BINDINGS...")
	os.Exit(2)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	must(err)
	return n
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(2)
	}
}
