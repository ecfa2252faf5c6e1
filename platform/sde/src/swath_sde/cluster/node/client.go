package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// settings are what the programs of our own take from their command lines.
type settings struct {
	client *kubernetes.Clientset
	node   string
}

// connect reads the command line, to which a program may have added flags of its own, and returns the client.
//
// The flags are in a set of their own: the libraries in this executable put theirs into the global one.
func connect(flags *flag.FlagSet) settings {
	kubeconfig := flags.String("kubeconfig", "", "path of the kubeconfig")
	node := flags.String("node", "", "name of the node")
	_ = flags.Parse(os.Args[1:]) // the set exits by itself on a mistake
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fail("kubeconfig", err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		fail("client", err)
	}
	return settings{client: client, node: *node}
}

// untilStopped returns a context that ends when this process is asked to.
func untilStopped() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	return ctx
}
