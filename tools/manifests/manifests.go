// Package manifests renders the kustomizations in deploy/kubernetes and decodes each object
// strictly, so that a misspelled field cannot be applied and ignored.
package manifests

import (
	"errors"
	"fmt"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// scaledObject is what we use of KEDA's object. Its own types come with all of KEDA.
// Source: https://keda.sh/docs/latest/reference/scaledobject-spec/
type scaledObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name   string            `json:"name"`
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		ScaleTargetRef struct {
			Name string `json:"name"`
		} `json:"scaleTargetRef"`
		MinReplicaCount int `json:"minReplicaCount"`
		MaxReplicaCount int `json:"maxReplicaCount"`
		PollingInterval int `json:"pollingInterval"`
		CooldownPeriod  int `json:"cooldownPeriod"`
		Triggers        []struct {
			Type     string            `json:"type"`
			Metadata map[string]string `json:"metadata"`
		} `json:"triggers"`
	} `json:"spec"`
}

// kinds makes an empty object of each kind that we deploy, by API version and kind.
var kinds = map[string]func() any{
	"v1 ConfigMap":                            func() any { return new(core.ConfigMap) },
	"v1 Secret":                               func() any { return new(core.Secret) },
	"v1 Service":                              func() any { return new(core.Service) },
	"apps/v1 Deployment":                      func() any { return new(apps.Deployment) },
	"batch/v1 Job":                            func() any { return new(batch.Job) },
	"policy/v1 PodDisruptionBudget":           func() any { return new(policy.PodDisruptionBudget) },
	"networking.k8s.io/v1 NetworkPolicy":      func() any { return new(networking.NetworkPolicy) },
	"monitoring.coreos.com/v1 PodMonitor":     func() any { return new(monitoring.PodMonitor) },
	"monitoring.coreos.com/v1 PrometheusRule": func() any { return new(monitoring.PrometheusRule) },
	"keda.sh/v1alpha1 ScaledObject":           func() any { return new(scaledObject) },
}

// Render builds a kustomization and returns its objects, decoded, by "kind name".
func Render(dir string) (map[string]any, error) {
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", dir, err)
	}
	objects := make(map[string]any)
	var faults []error
	for _, each := range rendered.Resources() {
		text, err := each.AsYAML()
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", dir, err)
		}
		object, err := Decode(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %s %s: %w", dir, each.GetKind(), each.GetName(), err))
		}
		objects[each.GetKind()+" "+each.GetName()] = object
	}
	return objects, errors.Join(faults...)
}

// Decode reads one object. A field that its kind does not have is an error.
func Decode(text []byte) (any, error) {
	var is struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := yaml.Unmarshal(text, &is); err != nil {
		return nil, fmt.Errorf("decode object: %w", err)
	}
	create, known := kinds[is.APIVersion+" "+is.Kind]
	if !known {
		return nil, fmt.Errorf("%s %s: unknown kind", is.APIVersion, is.Kind)
	}
	object := create()
	if err := yaml.UnmarshalStrict(text, object); err != nil {
		return nil, fmt.Errorf("decode %s: %w", is.Kind, err)
	}
	return object, nil
}
