package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"fanfare/internal/operator"
)

// testDialog asks where a test goes.
func (c *Console) testDialog(ctx context.Context, v operator.View, user string) dialog {
	d := dialog{
		Action: "test", URL: c.campaignURL(v.Spec.ID) + "/test", Title: "Send " + cmp.Or(v.Spec.Name, v.Spec.ID) + " once?", Keep: "Not now", Do: "Send the test",
		Text: "This message goes out once now, to each device, whatever the campaign’s state. Give a user, whose stored devices and profile are used; or one address, and a user for the placeholders. " +
			"It counts against the quota. It is in no figure of the campaign, and no address is removed.",
		Fields: []field{
			{Name: "user", Label: "User", Value: user, Placeholder: "u17"},
			{Name: "token", Label: "Token", Placeholder: "those that are stored"},
			{Name: "fid", Label: "FID", Placeholder: "those that are stored"},
		},
		Check:   &check{Name: "validate_only", Label: "Only let FCM check it: nothing is delivered"},
		Changes: []change{{"Pushes to a user", "", "one to each device"}, {"Pushes to a token or a FID", "", "1"}},
	}
	if user == "" {
		return d
	}
	var known operator.User
	err := c.askShared(ctx, func(ctx context.Context) (err error) {
		known, err = c.deps.System.User(ctx, user, 1)
		return err
	})
	if known.TokenErr == nil && (err == nil || len(known.Devices) > 0) {
		d.Changes[0] = change{"Pushes to " + user + ", one to each device", "", operator.Thousands(len(known.Devices))}
	}
	return d
}

// sendTest sends one push outside the campaign's books, and answers what FCM said.
func (c *Console) sendTest(r *http.Request) (done, error) {
	if c.deps.SendTest == nil {
		return done{}, &inputError{"This console has no credentials for FCM, so it cannot send."}
	}
	typed := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	address, err := operator.TestAddress{User: typed("user"), Token: typed("token"), FID: typed("fid")}.Parse()
	if err != nil {
		return done{}, &inputError{describeAddressError(err)}
	}
	test := operator.TestSend{Campaign: r.PathValue("id"), User: typed("user"), Address: address, ValidateOnly: typed("validate_only") != ""}
	results, err := c.deps.SendTest(asActor(r, viewerOf(r)), test)
	if err != nil {
		return done{}, err
	}
	verb := "Sent to"
	if test.ValidateOnly {
		verb = "Checked for"
	}
	var sent, refused []string
	for _, result := range results {
		if result.Answer.Accepted {
			sent = append(sent, fmt.Sprintf("%s %s. %s", verb, result.Address, result.Describe()))
		} else {
			refused = append(refused, fmt.Sprintf("%s. %s %s.", result.Describe(), verb, result.Address))
		}
	}
	if len(refused) > 0 {
		return done{}, &inputError{strings.Join(append(refused, sent...), " ")}
	}
	return done{Message: strings.Join(sent, " ")}, nil
}

// describeAddressError says with the dialog's labels why a test cannot be sent.
func describeAddressError(err error) string {
	problem, isAddress := errors.AsType[*operator.AddressError](err)
	if !isAddress {
		return "Give a user, a token or a FID."
	}
	return map[string]string{"token": "Token: ", "fid": "FID: "}[problem.Field] + problem.Problem
}
