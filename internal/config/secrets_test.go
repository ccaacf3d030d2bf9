package config_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"fanfare/internal/config"
)

// secretKey has the form of a private key, but is made up.
var secretKey = "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("MIIEhunter2hunter2hunter2hunter2hunter2hunter2hunter2hunter2hunt\n", 20) + "-----END PRIVATE KEY-----\n"

// secrets are typical texts that people paste into the wrong setting.
func secrets() map[string]string {
	account := fmt.Sprintf(`{"type":"service_account","private_key_id":"hunter2","private_key":%q}`, secretKey)
	return map[string]string{
		"PEM": secretKey, "PEM in one line": strings.ReplaceAll(secretKey, "\n", `\n`), "JSON": account,
		"JSON in quotes": "'" + account + "'", "JSON that is cut off": account[:len(account)/2],
		"base64": base64.StdEncoding.EncodeToString([]byte(account)), "DSN": "host=h password='hunter2 x' dbname=d",
		"URL": "redis://u:hunter2@h:6379/0", "URL that does not parse": "redis://u:hunter2#x%zz@h", "URL with parameters": "postgres://h/d?password=hunter2",
	}
}

// Each secret goes into each setting, from each source.
func TestNoSettingShowsASecret(t *testing.T) {
	leaks := func(text string) bool {
		return strings.Contains(text, "hunter2") || strings.Contains(text, "MIIE") || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(`{"type":"service`))[:16])
	}
	for kind, secret := range secrets() {
		for _, key := range config.Describe() {
			quoted := strings.NewReplacer("'", "''").Replace(secret)
			path := strings.Split(key.Name, ".")
			yaml := strings.Join(path, ": {") + ": '" + quoted + "'" + strings.Repeat("}", len(path)-1)
			for how, load := range map[string]func() (config.Settings, error){
				"environment": func() (config.Settings, error) { return load(t, "", nil, []string{key.Env[0] + "=" + secret}) },
				"file":        func() (config.Settings, error) { return load(t, yaml, nil, nil) },
			} {
				settings, err := load()
				if err != nil {
					if leaks(err.Error()) {
						t.Errorf("%s in %s by %s: the error shows it: %v", kind, key.Name, how, err)
					}
					continue
				}
				for _, value := range settings.Values() {
					if leaks(value.Text) || leaks(value.Origin) {
						t.Errorf("%s in %s by %s: %s is listed as %s (%s)", kind, key.Name, how, value.Key.Name, value.Text, value.Origin)
					}
				}
				if dump := fmt.Sprintf("%v %+v", settings.Redis.URL, settings.FCM.Credentials); leaks(dump) {
					t.Errorf("%s in %s: printed as %s", kind, key.Name, dump)
				}
			}
		}
	}
}

// The secrets are where YAML, or the file's name, has no place for them.
func TestNoFileShowsASecret(t *testing.T) {
	for kind, secret := range secrets() {
		indented := strings.ReplaceAll(secret, "\n", "\n    ")
		for where, yaml := range map[string]string{
			"alone": secret, "as a value": "redis:\n  password: " + secret, "as a value, indented": "redis:\n  password: " + indented,
			"as a section": "redis: " + secret, "as a mapping": "redis:\n  host:\n    " + indented, "as a list": "redis:\n  host: [" + indented + "]",
			"as a key": secret + ": x", "as an anchor": "redis:\n  password: *" + secret, "as a tag": "redis:\n  password: !" + secret,
			"as an unfinished text": "redis:\n  password: \"" + secret, "as a block": "redis:\n  host: |\n    " + indented,
		} {
			settings, err := load(t, yaml, nil, nil)
			shown := fmt.Sprint(err)
			for _, value := range settings.Values() {
				shown += value.Text
			}
			if strings.Contains(shown, "hunter2") || strings.Contains(shown, "MIIE") {
				t.Errorf("%s %s is shown: %s", kind, where, shown)
			}
		}
		if _, err := config.Load(secret, nil, nil); strings.Contains(err.Error(), "hunter2") && kind != "DSN" && !strings.HasPrefix(kind, "URL") {
			t.Errorf("%s as the file's name is shown: %v", kind, err)
		}
	}
}

// The error names the setting for the content.
func TestContentInPlaceOfAPathIsExplained(t *testing.T) {
	for kind, want := range map[string]string{
		"JSON": "holds JSON, not the path of a file; use fcm.credentials (FCM_CREDENTIALS)", "JSON in quotes": "holds JSON",
		"PEM": "holds PEM", "PEM in one line": "holds PEM", "base64": "holds base64", "JSON that is cut off": "holds JSON",
	} {
		_, err := load(t, "", nil, []string{"GOOGLE_APPLICATION_CREDENTIALS=" + secrets()[kind]})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "GOOGLE_APPLICATION_CREDENTIALS") {
			t.Errorf("%s: got %v, want %s", kind, err, want)
		}
	}
	for _, path := range []string{"/etc/firebase/firebase.json", "keys/my project {1}.json", "AuthKey_ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghij"} {
		if got := mustLoad(t, "", nil, []string{"GOOGLE_APPLICATION_CREDENTIALS=" + path}).FCM.CredentialsFile; got != path {
			t.Errorf("%s is read as %s", path, got)
		}
	}
}

// Credentials may be a text, or JSON pasted into YAML.
func TestCredentialsAsContent(t *testing.T) {
	const inYAML = "fcm:\n  credentials: {\"type\": \"service_account\", \"private_key\": \"k\\nk\"}\n"
	if got := mustLoad(t, inYAML, nil, nil).FCM.Credentials.Reveal(); got != `{"private_key":"k\nk","type":"service_account"}` {
		t.Errorf("got %s", got)
	}
	if got := mustLoad(t, "", nil, []string{"FCM_CREDENTIALS={}"}).FCM.Credentials.Reveal(); got != "{}" {
		t.Errorf("got %s", got)
	}
	both := []string{"FCM_CREDENTIALS={}", "GOOGLE_APPLICATION_CREDENTIALS=f.json"}
	if _, err := load(t, "", nil, both); err == nil || !strings.Contains(err.Error(), "cannot be used together with fcm.credentials_file") {
		t.Errorf("both: got %v", err)
	}
	if s := mustLoad(t, "fcm: {credentials_file: f.json}", nil, both[:1]); s.FCM.CredentialsFile != "" || s.FCM.Credentials == "" {
		t.Errorf("the weaker source wins: %q", s.FCM.CredentialsFile)
	}
	if s := mustLoad(t, "", []string{"--fcm.credentials_file=f.json"}, both[:1]); s.FCM.CredentialsFile != "f.json" || s.FCM.Credentials != "" {
		t.Errorf("the weaker source wins over a flag: %q", s.FCM.CredentialsFile)
	}
}

// The error names the invalid character and its escaped form.
func TestPasswordsThatBreakAURL(t *testing.T) {
	for password, want := range map[string]string{
		"hunter2#x": "%23", "12#34": "%23", "hunter2/x": "%2F", "12/34": "%2F", "hunter2?x": "%3F", "12?34": "%3F", "hunter2%x": "%25", "hunter2%": "%25",
		"hunter2 x": "%20", "hunter2[x": "%5B", `hunter2"x`: "%22", "hunter2^x": "%5E", "hunter2é": "%C3%A9",
	} {
		_, err := load(t, "", nil, []string{"REDIS_URL=redis://u:" + password + "@h:6379/0"})
		if err == nil || !strings.Contains(err.Error(), "use "+want+" in its place, or leave the password out and set REDIS_PASSWORD") {
			t.Errorf("%s: got %v, want %s", password, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "12") || strings.Contains(err.Error(), "34")) {
			t.Errorf("%s: the error shows it: %v", password, err)
		}
	}
	for _, password := range []string{"a@b", "a:b", "p%40ss", "a+b=c&d;e,f", "a!b$c'd(e)*~"} {
		if _, err := load(t, "", nil, []string{"REDIS_URL=redis://u:" + password + "@h:6379/0"}); err != nil {
			t.Errorf("%s: %v", password, err)
		}
	}
}

// Every flag that can contain a password causes a warning.
func TestPasswordInAFlagCausesAWarning(t *testing.T) {
	for _, flag := range []string{
		"--redis.url=redis://:hunter2@h", "--store.database_url=postgres://u:hunter2@h/d", "--store.database_url=postgres://h/d?password=hunter2",
		"--fcm.endpoint=https://u:hunter2@h/v1",
	} {
		warnings := mustLoad(t, "", []string{flag}, nil).Warnings()
		name, _, _ := strings.Cut(flag, "=")
		if len(warnings) != 1 || !strings.Contains(warnings[0], name+"; set ") || strings.Contains(warnings[0], "hunter2") {
			t.Errorf("%s: warned %q", flag, warnings)
		}
	}
	environ := []string{"REDIS_URL=redis://:hunter2@h"}
	if warnings := mustLoad(t, "", []string{"--redis.db=3", "--store.database_url=postgres://u@h/d"}, environ).Warnings(); len(warnings) > 0 {
		t.Errorf("warned %q", warnings)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	config.AddFlags(flags)
	for _, key := range config.Describe() {
		if (config.SecretFlag(key.Name) == "") != (flags.Lookup(key.Name) != nil) {
			t.Errorf("%s: a flag or a reason for none is missing", key.Name)
		}
	}
}
