package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// testTimeout limits a test with its wait for the quota.
const testTimeout = 30 * time.Second

// testFlags are the flags of a test.
type testFlags struct {
	user, token, fid string
	client           string
	validateOnly     bool
}

func (c *cli) campaignTest() *cobra.Command {
	var flags testFlags
	command := &cobra.Command{
		Use:   "test CAMPAIGN --user USER|--token TOKEN|--fid FID",
		Short: "Send a campaign's message once, to one user or address, outside its books",
		Long: `Send a campaign's message once, to one user or address, outside its books.

The message is filled in from the user's profile and the defaults, in the user's variant and each device's language. It goes to all devices
that are stored for the user, or to one address. Each push counts against the quota, and in no figure of the campaign. No result is
written and no token removed, however FCM answers. It exits with 1 if FCM did not accept one of them. Nothing goes to a suppressed user,
unless --token or --fid names an address.

--validate-only lets FCM check the message, and delivers nothing. --client sdk sends through Google's Firebase Admin SDK instead of our client,
as a second opinion. A message that the SDK would change is not sent; the field is named.`,
		Example: "  fanfare campaign test 42 --user u17\n  fanfare campaign test 42 --user u17 --validate-only\n" +
			"  fanfare campaign test 42 --user u17 --client sdk",
		Args:              wantArgs,
		ValidArgsFunction: c.completeCampaign,
		RunE: func(command *cobra.Command, args []string) error {
			address, err := flags.address()
			if err != nil {
				return wrongUsage(command, err)
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				client := rooms.Settings.FCM.Client
				if flags.client != "" {
					client = flags.client
				}
				test := operator.TestSend{Campaign: args[0], User: flags.user, Address: address, ValidateOnly: flags.validateOnly}
				results, err := sendTest(ctx, rooms, op, test, client)
				if len(results) == 0 {
					return explainCampaign(args[0], err)
				}
				return errors.Join(showTest(c.output(command), args[0], client, results), explainCampaign(args[0], err), refusalOf(results))
			})
		},
	}
	f := command.Flags()
	f.StringVar(&flags.user, "user", "", "the `user` whose devices and profile are used")
	f.StringVar(&flags.token, "token", "", "a registration `token` to send to, instead of the user's devices")
	f.StringVar(&flags.fid, "fid", "", "a Firebase Installation `ID` to send to, instead of the user's devices")
	f.BoolVar(&flags.validateOnly, "validate-only", false, "let FCM check the message, and deliver nothing")
	f.StringVar(&flags.client, "client", "", "the `client` that sends, own or sdk (default: the setting fcm.client)")
	return command
}

// address checks the flags, and returns the address that they name. It is zero for a user's
// devices.
func (f testFlags) address() (notification.Target, error) {
	if f.client != "" && f.client != fcm.ClientOwn && f.client != fcm.ClientSDK {
		return notification.Target{}, fmt.Errorf("--client: there is no client %q; use %s or %s", f.client, fcm.ClientOwn, fcm.ClientSDK)
	}
	address, err := operator.TestAddress{User: f.user, Token: f.token, FID: f.fid}.Parse()
	switch problem, isAddress := errors.AsType[*operator.AddressError](err); {
	case isAddress && problem.Field != "":
		return address, fmt.Errorf("--%w", problem)
	case errors.Is(err, operator.ErrNoTestTarget):
		return address, errors.New("no one to send to: give --user, --token or --fid")
	}
	return address, err
}

// sendTest sends a test with the settings' credentials and the project's quota. client is one of
// fcm.Options.
func sendTest(ctx context.Context, rooms *sending.Rooms, op *operator.Operator, test operator.TestSend, client string) ([]operator.TestResult, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, testTimeout, fmt.Errorf("the quota gave no permit within %s", testTimeout))
	defer cancel()
	rooms, err := rooms.ForCampaign(ctx, test.Campaign)
	if err != nil {
		return nil, err
	}
	sender, err := rooms.NewSenderWith(ctx, client)
	if err != nil {
		return nil, err
	}
	defer sender.Close()
	test.Sender = sending.TestSender{Sender: sender}
	if !rooms.Settings.Pacing.Enabled {
		return op.SendTest(ctx, test)
	}
	governor, err := rooms.NewGovernor(sender.Project(), "a test of campaign "+test.Campaign, nil)
	if err != nil {
		return nil, err
	}
	if state, err := governor.State(ctx); err == nil && len(state.Halts) > 0 {
		return nil, fmt.Errorf("project %s is halted: %s; nothing was sent; resume it with: fanfare project resume",
			printable(sender.Project()), printable(state.Halts[0].Reason))
	}
	paceCtx, stop := context.WithCancel(ctx)
	var pace sync.WaitGroup
	pace.Go(func() { governor.Run(paceCtx) })
	defer pace.Wait()
	defer stop()
	test.Pacer = governor
	return op.SendTest(ctx, test)
}
