// The programs of a Kubernetes node in one executable: they share their libraries, so that one of them costs as much
// disk, memory and building as all of them. The name that it is called by, or its first argument, says which one runs.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

// programs maps a name to what runs under it; each finds its own arguments in os.Args.
var programs = map[string]func(){
	"coredns":                 coreDNS,
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"kube-apiserver":          apiServer,
	"kube-controller-manager": controllerManager,
	"kube-proxy":              proxy,
	"kube-scheduler":          scheduler,
	"kubelet":                 kubelet,
	"network-policies":        networkPolicies,
	"volume-provisioner":      volumeProvisioner,
}

func main() {
	if program, known := programs[filepath.Base(os.Args[0])]; known {
		program()
		return
	}
	if len(os.Args) > 1 {
		if program, known := programs[os.Args[1]]; known {
			os.Args = os.Args[1:]
			program()
			return
		}
	}
	names := make([]string, 0, len(programs))
	for name := range programs {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "usage: %s PROGRAM [ARGUMENT…]\nprograms: %s\n", os.Args[0], strings.Join(names, " "))
	os.Exit(2)
}

// fail ends the program with a message: its supervisor starts it again.
func fail(doing string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", doing, err)
	os.Exit(1)
}
