package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
	"fanfare/internal/terminal"
)

// every is a set of campaigns, tokens and letters in which each command has something to show. All
// names contain one text.
type every struct {
	ts                        *testscript.TestScript
	text                      string
	audience, message, letter string
	id, draft, created, fresh string
}

// newEvery creates the set. The text may be anything that an application can write.
func newEvery(ctx context.Context, ts *testscript.TestScript, text string) *every {
	e := &every{ts: ts, text: text, id: text, draft: "draft" + text, created: "created" + text, fresh: "fresh" + text}
	options, err := redis.ParseURL(ts.Getenv("REDIS_URL"))
	ts.Check(err)
	rdb := redis.NewClient(options)
	defer rdb.Close()
	element := campaign.EncodeRecipient(nil, notification.Recipient{UserID: text, Target: notification.ParseToken("t")})
	for id, message := range map[string]string{
		e.id: `{"notification":{"title":"Hello {{` + "name" + `}}"}}`, "broken" + text: string(must(json.Marshal(map[string]any{"data": map[string]any{text: 1, "b" + text: 2}}))),
	} {
		ts.Check(rdb.RPush(ctx, "campaign:"+id, element, text).Err())
		ts.Check(rdb.HSet(ctx, "{campaign:"+id+"}:spec", "message", message, "state", "draft", "name", text, "reason", text).Err())
	}
	ts.Check(rdb.HSet(ctx, "{campaign:odd"+text+"}:spec", "message", `{}`, "state", text, "on_ambiguous", text).Err())
	ts.Check(rdb.HSet(ctx, "{campaign:"+e.id+"}:counts", "claimed", 3, "failed", 3, "failed:"+text, 3).Err())
	beat := must(json.Marshal(fleet.Process{Role: fleet.Dispatcher, Host: text, Version: text, Project: text, Campaign: text}))
	ts.Check(rdb.HSet(ctx, keys.Default().Dispatchers(), text, "1 9000000000000 "+string(beat)).Err())
	ts.Check(rdb.HSet(ctx, "{fanfare:demo}:halt", text, `{"since":1,"by":"x"}`).Err())
	letter := responses.FailedLetter(notification.Result{
		CampaignID: text, UserID: text, Status: notification.StatusFailed, ErrorCode: text, Error: text, ResultID: text, At: time.Now(),
	}, time.Now())
	ts.Check(rdb.RPush(ctx, keys.Default().ResponsesList().Key(keys.SuffixDead), responses.AppendDeadLetter(nil, &letter)).Err())
	e.letter = letter.ID
	ts.Check(rdb.Set(ctx, "user:"+text+":token", text, 0).Err())
	removed := string(must(json.Marshal(map[string]any{"token": "gone", "campaign": text, "at": 1_900_000_000_000, "ttl": 0})))
	ts.Check(rdb.Set(ctx, keys.Default().RemovedToken("lost"+text), removed, 0).Err())
	e.audience = e.file("audience"+text+".csv", "userId,FCM Token"+",\""+strings.ReplaceAll(text, `"`, `""`)+"\"\nu1,t1,x\n,t2,x\n")
	e.message = e.file("message"+text+".json", `{"notification":{"title":"Hello"}}`)
	return e
}

// query loads a query of a database of its own.
func (e *every) query(text, key string) []string {
	return []string{"load", e.fresh, "--append", "--query", text, "--key", key, "--store.database_url", "sqlite:" + e.ts.MkAbs("app.db")}
}

// quoted is the text as the name of a column, and literal as a part of a literal.
func (e *every) quoted() string { return `"` + strings.ReplaceAll(e.text, `"`, `""`) + `"` }

func (e *every) literal() string { return strings.ReplaceAll(e.text, "'", "''") }

func must[T any](value T, err error) T {
	if err != nil {
		panic(err) // it marshals always
	}
	return value
}

func (e *every) file(name, content string) string {
	path := e.ts.MkAbs(name)
	e.ts.Check(os.WriteFile(path, []byte(content), 0o600))
	return path
}

// commandLines are one or more of each command, in an order in which each finds something to do.
func (e *every) commandLines() [][]string {
	return [][]string{
		{"campaign", "list"}, {"campaign", "show", e.id}, {"campaign", "show", "broken" + e.text}, {"campaign", "show", "odd" + e.text}, {"campaign", "show", "no" + e.text},
		{"campaign", "create", e.created, "--message", e.message, "--name", "x"}, {"campaign", "create", e.created, "--message", e.message}, {"campaign", "create", "x", "--message", "no" + e.message},
		{"load", e.created, e.audience}, {"load", e.created, e.audience}, {"load", e.created, e.audience, "--append", "--skip", "9"}, {"load", e.fresh, e.audience}, {"load", e.fresh, "no" + e.text},
		{"load", e.created, e.message, "--append"}, {"load", e.created, e.message, "--append", "--format", "csv"},
		{"campaign", "set", e.created, "--priority", "3"}, {"campaign", "set", e.created, "--message", e.message}, {"campaign", "check", e.created}, {"campaign", "check", "broken" + e.text}, {"campaign", "preview", "42", "--user", "u1"}, {"campaign", "test", e.created, "--user", e.text},
		{"campaign", "test", e.created, "--user", e.text, "--validate-only"}, {"campaign", "test", e.created, "--fid", e.text}, {"campaign", "test", e.created, "--token", "t", "--client", e.text}, {"campaign", "test", e.created, "--token", "t", "--client", "sdk"},
		{"campaign", "start", e.created}, {"campaign", "pause", e.created, "--reason", "x"}, {"campaign", "pause", e.created, "--platform", "ios"}, {"campaign", "resume", e.created},
		{"campaign", "delete", e.created}, {"campaign", "cancel", e.created}, {"campaign", "start", e.created}, {"watch", e.created}, {"watch"}, {"campaign", "delete", e.created},
		{"project", "halt", "--reason", "x"}, {"quota", "show"}, {"quota", "close"}, {"quota", "open"}, {"project", "resume"}, {"project", "history"}, {"project", "list"}, {"ps"}, {"project", "forget", "x"}, {"quota", "set", "--per-minute", "600"}, {"quota", "reset"},
		{"dead", "list"}, {"dead", "show", e.letter}, {"dead", "replay", "--all"}, {"dead", "replay", "--dry-run"}, {"dead", "list", "--kind", e.text}, {"dead", "purge", "--all"}, {"dead", "show", e.letter},
		{"tokens", "get", e.text}, {"tokens", "get", "no" + e.text}, {"tokens", "set", e.text, "t"}, {"tokens", "set", e.text, e.text}, {"tokens", "remove", e.text}, {"tokens", "import", e.audience},
		{"suppress", "add", e.text}, {"suppress", "import", e.audience}, {"suppress", "list"}, {"suppress", "remove", e.text},
		{"user", "show", e.text}, {"user", "show", e.text, "--reveal"}, {"campaign", "export", e.id}, {"campaign", "history", e.created}, {"campaign", "report", e.created}, {"load", e.fresh, "--from", e.id, "--status", "failed"},
		e.query("SELECT 1 AS user_id, 2 AS "+e.quoted(), "no"+e.text), e.query("SELECT 1 AS user_id, NULL AS "+e.quoted(), e.text), e.query("SELECT 1 AS "+e.quoted(), e.text),
		e.query("SELECT '' AS user_id, '"+e.literal()+"' AS "+e.quoted(), e.text), e.query("SELECT 1 AS user_id, '"+e.literal()+"' AS "+e.quoted()+" UNION ALL SELECT 2, '"+e.literal()+"'", e.text),
		e.query("SELECT "+e.quoted()+" FROM nowhere", e.text), e.query("SELECT 1 AS user_id, 2 AS "+e.quoted(), "user_id"),
		{"import", "pinpoint", e.audience}, {"import", "onesignal", e.audience}, {"import", "onesignal", "no" + e.text}, {"tokens", "removed"}, {"tokens", "removed", "lost" + e.text}, {"tokens", "restore", "lost" + e.text}, {"tokens", "import", "no" + e.text},
		{"console", "--path-prefix", e.text}, {"check"}, {"config"}, {"config", "sample"}, {"completion", "bash"}, {"completion", "zsh"}, {"completion", "fish"}, {"completion", "powershell"},
		{"help"}, {"help", "load"}, {"--version"}, {"load", "--help"}, {"campaign"}, {"__complete", "campaign", "show", ""}, {e.text}, {"load", e.text}, {"campaign", e.text}, {"help", e.text},
		{"demo", "--audience", e.audience, "--message", e.message},
	}
}

// leaves are the names of the commands that do something.
func leaves(command *cobra.Command, above ...string) (all []string) {
	for _, below := range command.Commands() {
		words := append(slices.Clone(above), below.Name())
		if below.HasSubCommands() && below.Name() != "config" {
			all = append(all, leaves(below, words...)...)
			continue
		}
		all = append(all, strings.Join(words, " "))
		all = append(all, leaves(below, words...)...)
	}
	return all
}

// checkAll fails the test unless each command has a line.
func (e *every) checkAll() {
	var typed []string
	for _, line := range e.commandLines() {
		typed = append(typed, strings.Join(line, " ")+" ")
	}
	for _, name := range leaves(newRoot(io.Discard, io.Discard)) {
		if !slices.ContainsFunc(typed, func(line string) bool { return strings.HasPrefix(line, name+" ") }) {
			e.ts.Fatalf("no line runs the command %q: add one", name)
		}
	}
}

// run runs one command in this process, with the script's settings as flags, and returns what it
// said on standard error and its exit code. A process for each of hundreds of commands would cost
// more than all else in this package.
func (e *every) run(ctx context.Context, stdout io.Writer, args ...string) (errs string, code int) {
	var complained bytes.Buffer
	settings := []string{
		"--redis.url", e.ts.Getenv("REDIS_URL"),
		"--fcm.endpoint", e.ts.Getenv("FCM_ENDPOINT"), "--fcm.project_id", e.ts.Getenv("FCM_PROJECT_ID"),
	}
	at := len(args)
	if args[0] == "__complete" { // its last argument is what to complete
		at--
	}
	code = execute(ctx, slices.Insert(slices.Clone(args), at, settings...), terminal.New(stdout), terminal.New(&complained))
	return complained.String(), code
}

// start runs a program, and returns what it said on standard error and its exit code.
func (e *every) start(ctx context.Context, stdout io.Writer, program string, args ...string) (errs string, code int) {
	var complained bytes.Buffer
	command := exec.CommandContext(ctx, program, args...)
	command.Dir, command.Env, command.Stdout, command.Stderr = e.ts.MkAbs("."), environment(e.ts), stdout, &complained
	err := command.Run()
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		e.ts.Check(err)
	}
	return complained.String(), command.ProcessState.ExitCode()
}

// hostile makes "hostile", which runs every command with names that attack the terminal.
func hostile(ctx context.Context) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		const marker = "injected"
		e := newEvery(ctx, ts, "ev\x1b[31mil\r\n\u202e"+marker+"\t'\"$(x)\u0085\x7f")
		e.checkAll()
		shown := 0
		for _, line := range e.commandLines() {
			for _, args := range [][]string{line, append(slices.Clone(line), "--json")} {
				var out bytes.Buffer
				errs, _ := e.run(ctx, &out, args...)
				for _, text := range []string{out.String(), errs} {
					shown += strings.Count(text, marker)
					if at := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); at >= 0 {
						ts.Fatalf("fanfare %q prints %q", args, text[max(0, at-60):min(len(text), at+20)])
					}
					for printed := range strings.Lines(text) {
						if begins := strings.TrimLeft(printed, ` \u20e`); strings.HasPrefix(begins, marker) {
							ts.Fatalf("fanfare %q lets a stranger begin a line: %q", args, printed)
						}
					}
				}
			}
		}
		if shown < 50 {
			ts.Fatalf("names were shown %d times: the commands found nothing to show", shown)
		}
	}
}

// unwritable makes "unwritable", which runs every command with an output that fails.
func unwritable(ctx context.Context) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) {
		e := newEvery(ctx, ts, "plain")
		e.checkAll()
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		ts.Check(err)
		defer full.Close()
		closed, err := os.Open(os.DevNull)
		ts.Check(err)
		ts.Check(closed.Close())
		failed := 0
		for _, line := range e.commandLines() {
			for _, args := range [][]string{line, append(slices.Clone(line), "--json")} {
				errs, code := e.run(ctx, full, args...)
				failed += e.checkUnwritten(args, errs, code)
			}
			if errs, code := e.run(ctx, closed, line...); code == 0 {
				ts.Fatalf("fanfare %q into a closed output: exit code %d, saying %q", line, code, errs)
			}
		}
		if failed < 50 {
			ts.Fatalf("%d commands failed by their output alone: the others found nothing to print", failed)
		}
		e.startUnwritable(ctx, full)
	}
}

// checkUnwritten checks a command whose output is full. It returns 1 if the output alone made it
// fail.
func (e *every) checkUnwritten(args []string, errs string, code int) int {
	if code == 0 || code == 1 && !strings.Contains(errs, "fanfare: ") {
		e.ts.Fatalf("fanfare %q into a full device: exit code %d, saying %q", args, code, errs)
	}
	if strings.Contains(errs, "print output") && strings.Contains(errs, "no space left on device") {
		return 1
	}
	return 0
}

// startUnwritable runs some commands as programs: one that prints a list, and others that need no
// Redis.
func (e *every) startUnwritable(ctx context.Context, full *os.File) {
	script := filepath.Join(e.ts.MkAbs("."), "closed.sh") // not the last command, which some shells exec
	e.ts.Check(os.WriteFile(script, []byte("\"$@\" >&-\nexit $?\n"), 0o600))
	for _, line := range [][]string{{"campaign", "list"}, {"help"}, {"config", "sample"}, {"__complete", "campaign", "show", ""}} {
		errs, code := e.start(ctx, full, "fanfare", line...)
		if e.checkUnwritten(line, errs, code) == 0 {
			e.ts.Fatalf("fanfare %q into a full device says %q", line, errs)
		}
		errs, code = e.start(ctx, nil, "sh", append([]string{script, "fanfare"}, line...)...)
		if code == 0 {
			e.ts.Fatalf("fanfare %q into a closed output: exit code %d, saying %q", line, code, errs)
		}
	}
}
