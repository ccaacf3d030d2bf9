package deploy

import (
	"bytes"
	"net"
	"strconv"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestStrangersAreKeptOut holds the network policy against the pods that it protects: health and
// metrics have no password.
func TestStrangersAreKeptOut(t *testing.T) {
	type selector struct {
		Labels map[string]string `yaml:"matchLabels"`
	}
	var policy struct {
		Kind string
		Spec struct {
			Pods    selector `yaml:"podSelector"`
			Types   []string `yaml:"policyTypes"`
			Ingress []struct {
				From []struct {
					Namespaces *selector `yaml:"namespaceSelector"`
				}
				Ports []struct{ Port int }
			}
		}
	}
	if err := yaml.NewDecoder(bytes.NewReader([]byte(read(t, "deploy/kubernetes/base/networkpolicy.yaml")))).Decode(&policy); err != nil {
		t.Fatal(err)
	}
	spec := policy.Spec
	if policy.Kind != "NetworkPolicy" || len(spec.Types) != 1 || spec.Types[0] != "Ingress" || len(spec.Ingress) != 1 || len(spec.Ingress[0].From) != 1 {
		t.Fatalf("the policy is %+v", policy)
	}
	if from := spec.Ingress[0].From[0].Namespaces; from == nil || from.Labels["kubernetes.io/metadata.name"] == "" {
		t.Errorf("any namespace may ask: %+v", from)
	}
	open := map[string]bool{}
	for _, port := range spec.Ingress[0].Ports {
		open[strconv.Itoa(port.Port)] = true
	}
	settings := acceptFile(t, manifests(t, "base/settings.yaml")["ConfigMap"].Data["config.yaml"])
	for _, listen := range []string{string(settings.HTTP.Dispatcher), string(settings.HTTP.Responder)} {
		if _, port, err := net.SplitHostPort(listen); err != nil || !open[port] {
			t.Errorf("the metrics at %q are shut off (%v)", listen, err)
		}
	}
	if len(open) != 2 {
		t.Errorf("open are %v", open)
	}
	for file, kind := range map[string]string{"base/dispatcher.yaml": "Deployment", "base/responder.yaml": "Deployment", "job/job.yaml": "Job"} {
		labels := manifests(t, file)[kind].Spec.Template.Metadata.Labels
		for key, value := range spec.Pods.Labels {
			if labels[key] != value {
				t.Errorf("%s: the policy is for %s=%s, the pods are %v", file, key, value, labels)
			}
		}
	}
	if len(spec.Pods.Labels) == 0 {
		t.Error("the policy is for every pod in the namespace")
	}
}
