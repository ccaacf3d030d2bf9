package console

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// testDialog asks where a test goes.
func (c *Console) testDialog(v operator.View, user string) dialog {
	return dialog{
		Action: "test", Title: "Send " + cmp.Or(v.Spec.Name, v.Spec.ID) + " once?", Keep: "Not now", Do: "Send one test",
		Text: "This message goes out once now, to each device, whatever the campaign’s state. Give a user, whose stored devices and profile are used; or a token, and a user for the placeholders. " +
			"It counts against the quota. It is in no figure of the campaign, and no token is removed.",
		Fields: []field{
			{Name: "user", Label: "User", Value: user, Placeholder: "u17"},
			{Name: "token", Label: "Token", Placeholder: "those that are stored"},
		},
		Effects: []effect{{"Pushes", 1}},
	}
}

// sendTest sends one push outside the campaign's books, and answers what FCM said.
func (c *Console) sendTest(r *http.Request) (done, error) {
	if c.deps.SendTest == nil {
		return done{}, &inputError{"This console has no credentials for FCM, so it cannot send."}
	}
	test := operator.TestSend{
		Campaign: r.PathValue("id"), User: strings.TrimSpace(r.PostFormValue("user")), Address: notification.ParseToken(r.PostFormValue("token")),
	}
	if test.User == "" && test.Address.IsZero() {
		return done{}, &inputError{"Give a user or a token."}
	}
	results, err := c.deps.SendTest(asActor(r, viewerOf(r)), test)
	if err != nil {
		return done{}, err
	}
	var sent, refused []string
	for _, result := range results {
		if result.IsAccepted() {
			sent = append(sent, fmt.Sprintf("Sent to %s. %s", result.Address, result.Describe()))
		} else {
			refused = append(refused, fmt.Sprintf("%s. It was sent to %s.", result.Describe(), result.Address))
		}
	}
	if len(refused) > 0 {
		return done{}, &inputError{strings.Join(append(refused, sent...), " ")}
	}
	return done{Message: strings.Join(sent, " ")}, nil
}
