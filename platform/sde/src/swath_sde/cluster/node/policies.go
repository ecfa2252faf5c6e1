package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/informers"
	"sigs.k8s.io/kube-network-policies/pkg/networkpolicy"
)

// queue is the number of the netfilter queue; the node has a network namespace, and so the number, to itself.
const queue = 100

// networkPolicies enforces NetworkPolicies on this node: the first packet of each connection from or to a pod goes
// through a netfilter queue to this process, and is dropped while it does not run.
func networkPolicies() {
	flags := flag.NewFlagSet(filepath.Base(os.Args[0]), flag.ExitOnError)
	pods := flags.String("pods", "", "network of the pods")
	given := connect(flags)
	ctx := untilStopped()
	if err := divert(*pods); err != nil {
		fail("network policies", err)
	}
	factory := informers.NewSharedInformerFactory(given.client, 0)
	// Pods' addresses come from the API server. The library could also ask the container runtime (NRI), which
	// containerd 1.6 does not speak; told not to, it fails on the first address that is no pod's, so it is left to
	// find out by itself.
	controller, err := networkpolicy.NewController(
		given.client,
		factory.Networking().V1().NetworkPolicies(),
		factory.Core().V1().Namespaces(),
		factory.Core().V1().Pods(),
		nil, nil, nil, nil,
		networkpolicy.Config{NodeName: given.node, QueueID: queue},
	)
	if err != nil {
		fail("network policies", err)
	}
	factory.Start(ctx.Done())
	if err := controller.Run(ctx); err != nil {
		fail("network policies", err)
	}
}

// divert sends new connections of pods to the queue, after their Service's address was replaced by a pod's and before
// their own is. The library has rules for this, but with nftables' queue expression, which a kernel may lack where it
// has the older NFQUEUE target; where it has both, a packet is judged twice, to the same end.
func divert(pods string) error {
	judged := []string{"-j", "NFQUEUE", "--queue-num", strconv.Itoa(queue)}
	known := []string{"-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "RETURN"}
	from, to := append([]string{"-s", pods}, judged...), append([]string{"-d", pods}, judged...)
	// The kubelet's probes and other processes of the node itself are no pods' business.
	own := []string{"-m", "owner", "--uid-owner", "0", "-j", "RETURN"}
	if err := chained("POSTROUTING", "SWATH-POLICIES", own, known, from, to); err != nil {
		return err
	}
	// What ends at the node passes no POSTROUTING: the API server, the kubelet, the name server.
	return chained("INPUT", "SWATH-POLICIES-NODE", known, from)
}

// chained sees to it that the packets of a hook pass a chain of these rules.
func chained(hook, chain string, rules ...[]string) error {
	const table = "mangle"
	if iptables("-t", table, "-n", "-L", chain) != nil {
		if err := iptables("-t", table, "-N", chain); err != nil {
			return err
		}
	}
	for _, rule := range rules {
		if iptables(append([]string{"-t", table, "-C", chain}, rule...)...) == nil {
			continue
		}
		if err := iptables(append([]string{"-t", table, "-A", chain}, rule...)...); err != nil {
			return err
		}
	}
	jump := []string{hook, "-j", chain}
	if iptables(append([]string{"-t", table, "-C"}, jump...)...) == nil {
		return nil
	}
	return iptables(append([]string{"-t", table, "-A"}, jump...)...)
}

func iptables(words ...string) error {
	said, err := exec.Command("iptables", append([]string{"-w"}, words...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("iptables %v: %w: %s", words, err, said)
	}
	return nil
}
