package assembly

import (
	"testing"

	"github.com/spf13/cobra"

	"fanfare/internal/daemon"
)

// Whoever names a campaign without the flag is told the flag.
func TestUnexpectedArgumentsAreExplained(t *testing.T) {
	command := &cobra.Command{Use: "dispatcher"}
	command.Flags().String("campaign", "", "")
	if err := refuseArguments(command, nil); err != nil {
		t.Error(err)
	}
	const plain = `unexpected argument "42"`
	for want, args := range map[string][]string{
		plain + "; for one campaign: dispatcher --campaign 42; see dispatcher --help": {"42"},
		plain + "; see dispatcher --help":                                             {"42", "43"},
	} {
		if err := refuseArguments(command, args); err == nil || err.Error() != want || daemon.ExitCode(err) != daemon.ExitUsage {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
	}
}
