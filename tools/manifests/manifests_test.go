package manifests

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const top = "../../deploy"

// render renders one of our kustomizations.
func render(t *testing.T, name string) map[string]any {
	t.Helper()
	objects, err := Render(filepath.Join(top, "kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

func TestEveryKustomizationDecodes(t *testing.T) {
	for name, want := range map[string][]string{
		"base":           {"ConfigMap fanfare", "Deployment dispatcher", "Deployment responder", "NetworkPolicy fanfare", "PodDisruptionBudget dispatcher"},
		"job":            {"Job campaign-42"},
		"overlays/small": {"Deployment console", "Service console", "NetworkPolicy console"},
		"overlays/production": {
			"Deployment console", "PodMonitor fanfare", "PrometheusRule fanfare", "ScaledObject dispatcher", "PodDisruptionBudget responder",
		},
	} {
		objects := render(t, name)
		for _, each := range want {
			if objects[each] == nil {
				t.Errorf("%s: no %s among %d objects", name, each, len(objects))
			}
		}
	}
	secret, err := os.ReadFile(filepath.Join(top, "kubernetes/secret.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if object, err := Decode(secret); err != nil || object.(*core.Secret).Name != "fanfare" {
		t.Errorf("the example of a secret: %v", err)
	}
}

// Images of overlays are pinned, and the one who scales sets the number of replicas.
func TestOverlays(t *testing.T) {
	for _, name := range []string{"overlays/small", "overlays/production"} {
		objects := render(t, name)
		for _, each := range []string{"dispatcher", "responder", "console"} {
			d := objects["Deployment "+each].(*apps.Deployment)
			if image := d.Spec.Template.Spec.Containers[0].Image; strings.HasSuffix(image, ":latest") {
				t.Errorf("%s: %s runs %s", name, each, image)
			}
		}
	}
	scaled := render(t, "overlays/production")
	object := scaled["ScaledObject dispatcher"].(*scaledObject)
	d := scaled["Deployment "+object.Spec.ScaleTargetRef.Name].(*apps.Deployment)
	if d.Spec.Replicas != nil {
		t.Errorf("KEDA and the Deployment both set the replicas (%d)", *d.Spec.Replicas)
	}
}

// The Prometheus operator gets the rules that are tested.
func TestRulesAreThoseOfPrometheus(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(top, "prometheus/alerts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var want monitoring.PrometheusRuleSpec
	if err := yaml.UnmarshalStrict(text, &want); err != nil {
		t.Fatal(err)
	}
	got := render(t, "overlays/production")["PrometheusRule fanfare"].(*monitoring.PrometheusRule).Spec
	if !reflect.DeepEqual(got, want) {
		t.Error("prometheusrule.yaml is not alerts.yaml")
	}
}

func TestMisspelledFieldsAreFound(t *testing.T) {
	for name, text := range map[string]string{
		"a field of a pod": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {template: {spec: {teminationGracePeriodSeconds: 1}}}\n",
		"a field of KEDA":  "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nspec: {maxReplicas: 3}\n",
		"a type":           "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: two}\n",
		"a kind":           "apiVersion: v1\nkind: Deployment\n",
	} {
		if object, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s passed: %v", name, object)
		}
	}
}

// The compose file is one that Docker Compose takes, and every file that it mounts is there.
func TestComposeFile(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(top, "compose.yaml")}, cli.WithoutEnvironmentResolution)
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"redis", "postgres", "fcmsim", "dispatcher", "responder", "console", "prometheus", "grafana"} {
		service, err := project.GetService(name)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, volume := range service.Volumes {
			if volume.Type != "bind" {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is open to other machines at %s", name, port.Published)
			}
		}
	}
}
