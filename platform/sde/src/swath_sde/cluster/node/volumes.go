package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionerName is what the storage class names.
const provisionerName = "swath/local"

// localVolumes makes folders of one node into persistent volumes.
type localVolumes struct {
	root string // folder that holds a folder for each volume
	node string // the node that has them
}

// Provision makes the folder of a volume. The folder is open to all users: whose it becomes is for the kubelet
// (fsGroup) and for the pod to say, and nobody else can reach it, as the folder above is closed.
func (l localVolumes) Provision(
	_ context.Context, options controller.ProvisionOptions,
) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	claim := options.PVC
	if options.SelectedNodeName != "" && options.SelectedNodeName != l.node {
		return nil, controller.ProvisioningFinished,
			fmt.Errorf("volumes are on node %s, not on %s", l.node, options.SelectedNodeName)
	}
	if claim.Spec.Selector != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("claim %s: a selector is not supported", claim.Name)
	}
	for _, mode := range claim.Spec.AccessModes {
		if mode == v1.ReadWriteMany || mode == v1.ReadOnlyMany {
			klog.Infof("claim %s/%s: %s holds within this one node", claim.Namespace, claim.Name, mode)
		}
	}
	path := filepath.Join(l.root, options.PVName)
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	if err := os.Chmod(path, 0o777); err != nil { // whatever the umask is
		return nil, controller.ProvisioningFinished, err
	}
	mode := v1.PersistentVolumeFilesystem
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    &mode,
			Capacity:                      v1.ResourceList{v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage]},
			PersistentVolumeSource:        v1.PersistentVolumeSource{Local: &v1.LocalVolumeSource{Path: path}},
			NodeAffinity: &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{{
				MatchExpressions: []v1.NodeSelectorRequirement{{
					Key: v1.LabelHostname, Operator: v1.NodeSelectorOpIn, Values: []string{l.node},
				}},
			}}}},
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes a volume's folder, and only that: what the object says of its path is compared with where the
// folder of a volume of this name must be.
func (l localVolumes) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	path := filepath.Join(l.root, filepath.Base(volume.Name))
	if volume.Spec.Local == nil || volume.Spec.Local.Path != path {
		return &controller.IgnoredError{Reason: fmt.Sprintf("volume %s is not at %s", volume.Name, path)}
	}
	return os.RemoveAll(path)
}

// volumeProvisioner makes and removes the volumes of the storage classes that name it.
func volumeProvisioner() {
	flags := flag.NewFlagSet(filepath.Base(os.Args[0]), flag.ExitOnError)
	root := flags.String("root", "", "folder that holds the volumes")
	given := connect(flags)
	ctx := untilStopped()
	controller.NewProvisionController(
		ctx, given.client, provisionerName,
		localVolumes{root: *root, node: given.node},
		controller.LeaderElection(false), // there is one
		controller.FailedProvisionThreshold(0),
		controller.FailedDeleteThreshold(0),
	).Run(ctx)
}
