package deploy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

// manifest is what these tests look at in an object of Kubernetes.
type manifest struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string
	Strings  map[string]string `yaml:"stringData"`
	Spec     struct {
		Template struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     podSpec
		}
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		}
		FailurePolicy struct{ Rules []failureRule } `yaml:"podFailurePolicy"`
	}
}

func (m *manifest) pod() podSpec { return m.Spec.Template.Spec }

type podSpec struct {
	RestartPolicy    string `yaml:"restartPolicy"`
	GraceSeconds     int    `yaml:"terminationGracePeriodSeconds"`
	ServiceLinks     *bool  `yaml:"enableServiceLinks"`
	MountsItsAccount *bool  `yaml:"automountServiceAccountToken"`
	SecurityContext  struct {
		NonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	Containers []container
}

type container struct {
	Name          string
	Command, Args []string
	Env           []struct{ Name, Value string }
	Ports         []struct {
		Name string
		Port int `yaml:"containerPort"`
	}
	Resources struct {
		Limits struct{ Memory string }
	}
	Liveness        probe `yaml:"livenessProbe"`
	Readiness       probe `yaml:"readinessProbe"`
	SecurityContext struct {
		Escalation   *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRoot bool  `yaml:"readOnlyRootFilesystem"`
	} `yaml:"securityContext"`
}

type probe struct {
	HTTP struct{ Path, Port string } `yaml:"httpGet"`
}

type failureRule struct {
	Action      string
	OnExitCodes struct {
		Container string `yaml:"containerName"`
		Operator  string
		Values    []int
	} `yaml:"onExitCodes"`
}

// manifests reads every object of a file; YAML that stands twice or does not parse is an error.
func manifests(t *testing.T, name string) map[string]manifest {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(top, "deploy/kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	objects := make(map[string]manifest)
	for decoder := yaml.NewDecoder(bytes.NewReader(content)); ; {
		var m manifest
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return objects
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		}
		objects[m.Kind] = m
	}
}

func TestPods(t *testing.T) {
	settings := acceptFile(t, manifests(t, "base/settings.yaml")["ConfigMap"].Data["config.yaml"])
	var secrets []string
	for name, value := range manifests(t, "secret.example.yaml")["Secret"].Strings {
		secrets = append(secrets, name+"="+value)
	}
	for name, c := range map[string]struct {
		file, kind, program string
		stop                time.Duration // it takes at most
		listen              config.Address
		ready               string
	}{
		"dispatcher": {"base/dispatcher.yaml", "Deployment", "dispatcher", dispatcherStop(settings), settings.HTTP.Dispatcher, "/readyz"},
		"responder":  {"base/responder.yaml", "Deployment", "responder", responderStop(settings), settings.HTTP.Responder, "/readyz"},
		"console":    {"components/console/console.yaml", "Deployment", "fanfare", 0, flagOf(t, "components/console/console.yaml", "--metrics"), "/livez"},
		"job":        {"job/job.yaml", "Job", "dispatcher", dispatcherStop(settings), settings.HTTP.Dispatcher, ""},
	} {
		t.Run(name, func(t *testing.T) {
			object := manifests(t, c.file)[c.kind]
			pod := object.pod()
			if grace := time.Duration(pod.GraceSeconds) * time.Second; c.stop > 0 && grace <= c.stop {
				t.Errorf("is killed after %s, while a stop takes %s", grace, c.stop)
			}
			if pod.ServiceLinks == nil || *pod.ServiceLinks || pod.MountsItsAccount == nil || *pod.MountsItsAccount {
				t.Error("the pod gets variables of services, or an account that it does not need")
			}
			run := pod.Containers[0]
			if !pod.SecurityContext.NonRoot || !run.SecurityContext.ReadOnlyRoot || run.SecurityContext.Escalation == nil || *run.SecurityContext.Escalation {
				t.Error("the pod has privileges that it does not need")
			}
			if !slices.Equal(run.Command, []string{c.program}) {
				t.Errorf("starts %q", run.Command)
			}
			_, port, err := net.SplitHostPort(string(c.listen))
			if err != nil || len(run.Ports) == 0 || strconv.Itoa(run.Ports[0].Port) != port {
				t.Errorf("probes %v, while the program listens on %q (%v)", run.Ports, c.listen, err)
			}
			if run.Liveness.HTTP.Path != "/livez" || run.Liveness.HTTP.Port != run.Ports[0].Name || run.Readiness.HTTP.Path != c.ready {
				t.Errorf("probes %+v and %+v", run.Liveness, run.Readiness)
			}
			if notes := object.Spec.Template.Metadata.Annotations; notes["prometheus.io/scrape"] != "true" || notes["prometheus.io/port"] != port {
				t.Errorf("Prometheus is told %v, while the metrics are on port %s", notes, port)
			}
			environ := slices.Clone(secrets)
			for _, variable := range run.Env {
				environ = append(environ, variable.Name+"="+variable.Value)
			}
			checkMemory(t, environ, run.Resources.Limits.Memory+"B")
			acceptVariables(t, environ, run.Args)
		})
	}
}

// flagOf is the value of a flag in the arguments of a Deployment.
func flagOf(t *testing.T, file, flag string) config.Address {
	t.Helper()
	object := manifests(t, file)["Deployment"]
	args := object.pod().Containers[0].Args
	at := slices.Index(args, flag)
	if at < 0 || at+1 == len(args) {
		t.Fatalf("%s: no %s in %q", file, flag, args)
	}
	return config.Address(args[at+1])
}

// TestJobKnowsTheExitCodes holds the Job against the daemon: what a restart cures is restarted,
// what it does not is not.
func TestJobKnowsTheExitCodes(t *testing.T) {
	job := manifests(t, "job/job.yaml")["Job"]
	if got := job.pod().RestartPolicy; got != "Never" {
		t.Errorf("restartPolicy %q forbids a podFailurePolicy", got)
	}
	actions := make(map[int]string)
	for _, rule := range job.Spec.FailurePolicy.Rules {
		on := rule.OnExitCodes
		if len(on.Values) > 0 && (on.Operator != "In" || on.Container != job.pod().Containers[0].Name) {
			t.Errorf("rule %+v is about something else", rule)
		}
		for _, code := range on.Values {
			actions[code] = rule.Action
		}
	}
	want := map[int]string{
		daemon.ExitUsage: "FailJob", daemon.ExitCredentials: "FailJob", daemon.ExitStopped: "FailJob", daemon.ExitNoCampaign: "FailJob",
		daemon.ExitLeftover: "Ignore",
	}
	for code, action := range want {
		if actions[code] != action {
			t.Errorf("exit code %d: %q, want %q", code, actions[code], action)
		}
	}
	if action, found := actions[daemon.ExitFault]; found || len(actions) != len(want) {
		t.Errorf("exit code %d: %q; all actions: %v", daemon.ExitFault, action, actions)
	}
}

// TestBudgetsAreForTheirDeployments keeps a selector from protecting nothing.
func TestBudgetsAreForTheirDeployments(t *testing.T) {
	for _, file := range []string{"base/dispatcher.yaml", "base/responder.yaml"} {
		objects := manifests(t, file)
		labels := objects["Deployment"].Spec.Template.Metadata.Labels
		for _, kind := range []string{"PodDisruptionBudget", "Deployment"} {
			selector := objects[kind].Spec.Selector.MatchLabels
			if len(selector) == 0 {
				t.Errorf("%s: the %s selects nothing", file, kind)
			}
			for key, value := range selector {
				if labels[key] != value {
					t.Errorf("%s: the %s selects %s=%s, the pods are %v", file, kind, key, value, labels)
				}
			}
		}
	}
}
