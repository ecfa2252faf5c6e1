package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserverapp "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllersapp "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxyapp "k8s.io/kubernetes/cmd/kube-proxy/app"
	schedulerapp "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"
)

// run hands over to one of Kubernetes' own commands, as its own main function does.
func run(command *cobra.Command) { os.Exit(cli.Run(command)) }

func apiServer()         { run(apiserverapp.NewAPIServerCommand()) }
func controllerManager() { run(controllersapp.NewControllerManagerCommand()) }
func scheduler()         { run(schedulerapp.NewSchedulerCommand()) }
func proxy()             { run(proxyapp.NewProxyCommand()) }
func kubelet()           { run(kubeletapp.NewKubeletCommand(context.Background())) }
