// Package access asks Redis, before anything is sent, whether its user may use every key and
// command that Fanfare needs.
package access

import (
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// Error says which keys and commands Redis denies, and the command that grants them.
type Error struct {
	Patterns []string // keys that are denied altogether
	Commands []string // commands that are denied on the keys of On
	On       []string
	Keyless  []string // commands without a key that are denied
	Channel  string   // denied
	User     string
	Err      error
}

func (e *Error) Error() string {
	var missing, rules []string
	if len(e.Patterns) > 0 {
		missing = append(missing, "no access to the keys "+strings.Join(e.Patterns, " "))
		rules = append(rules, "~"+strings.Join(e.Patterns, " ~"))
	}
	if len(e.Commands) > 0 {
		missing = append(missing, "no permission for "+strings.Join(e.Commands, " ")+" on the keys "+strings.Join(e.On, " "))
		rules = append(rules, "+"+strings.Join(e.Commands, " +"))
	}
	if len(e.Keyless) > 0 {
		missing = append(missing, "no permission for "+strings.Join(e.Keyless, " "))
		rules = append(rules, "+"+strings.Join(e.Keyless, " +"))
	}
	if e.Channel != "" {
		missing = append(missing, "no access to the channel "+e.Channel)
		rules = append(rules, "&"+e.Channel)
	}
	text := strings.Join(missing, "; ")
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return fmt.Sprintf("%s; grant it in Redis with: ACL SETUSER %s %s", text, e.User, strings.Join(rules, " "))
}

func (e *Error) Unwrap() error { return e.Err }

// accessScript returns which commands the user may not run on a key. See access.lua.
//
//go:embed access.lua
var accessScript string

// Check asks Redis for everything that is needed, as our scripts would use it. An *Error lists what
// is denied.
func Check(ctx context.Context, rdb redis.UniversalClient, needed ...Keys) error {
	var denied Error
	for _, a := range needed {
		commands, err := a.deniedCommands(ctx, rdb)
		switch {
		case err == nil && len(commands) > 0:
			denied.deny(a.Pattern, commands)
		case err == nil:
		case !redisx.IsDenied(err):
			return fmt.Errorf("ask Redis for access to %s: %w", a.Pattern, err)
		case commandOf(err) != "":
			denied.deny("", []string{commandOf(err)})
			denied.Err = err
		case !slices.Contains(denied.Patterns, a.Pattern):
			denied.Patterns, denied.Err = append(denied.Patterns, a.Pattern), err
		}
	}
	if len(denied.Patterns)+len(denied.Commands)+len(denied.Keyless) == 0 {
		return nil
	}
	if denied.Err == nil {
		denied.Err = errDeniedCommand
	}
	denied.User = currentUser(ctx, rdb)
	return &denied
}

// errDeniedCommand stands for the reply that a script would get.
const errDeniedCommand = deniedError("The user executing the script can't run these commands")

type deniedError string

func (e deniedError) Error() string { return string(e) }
func (deniedError) RedisError()     {}

// deniedCommands returns the commands that are denied on the keys. A denial of the keys or of
// scripts is an error.
func (a Keys) deniedCommands(ctx context.Context, rdb redis.UniversalClient) ([]string, error) {
	if a.Pattern == "" {
		return a.deniedServerCommands(ctx, rdb)
	}
	if a.Reads {
		return nil, rdb.Exists(ctx, a.key).Err()
	}
	args := make([]any, len(a.commands))
	for i, command := range a.commands {
		args[i] = command
	}
	return rdb.Eval(ctx, accessScript, []string{a.key}, args...).StringSlice()
}

func (e *Error) deny(pattern string, commands []string) {
	into := &e.Commands
	if pattern == "" {
		into = &e.Keyless
	}
	for _, command := range commands {
		if command = strings.ToLower(command); !slices.Contains(*into, command) {
			*into = append(*into, command)
		}
	}
	if pattern != "" && !slices.Contains(e.On, pattern) {
		e.On = append(e.On, pattern)
	}
}

// commandOf returns the command that an error denies, or "" if the error is about keys or
// credentials.
func commandOf(err error) string {
	_, after, found := strings.Cut(err.Error(), "permissions to run the '")
	if !found {
		return ""
	}
	command, _, _ := strings.Cut(after, "'")
	return command
}
