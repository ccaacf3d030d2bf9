package fcm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	firebase "firebase.google.com/go/v4"
	"firebase.google.com/go/v4/messaging"
	"google.golang.org/api/option"
)

// sdkClient sends through Google's Firebase Admin SDK. The SDK knows fewer fields than FCM, and
// changes some values. A message that it would change is not sent.
type sdkClient struct{ client *messaging.Client }

// newSDKClient creates the SDK's client on top of our transport.
func newSDKClient(ctx context.Context, o Options, project string, c *singleSendTransport) (*sdkClient, error) {
	opts := []option.ClientOption{option.WithHTTPClient(&http.Client{Transport: c})}
	if o.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(o.baseURL()))
	}
	app, err := firebase.NewApp(ctx, &firebase.Config{ProjectID: project}, opts...)
	if err != nil {
		return nil, fmt.Errorf("make Firebase app: %w", err)
	}
	client, err := app.Messaging(ctx)
	if err != nil {
		return nil, fmt.Errorf("make messaging client: %w", err)
	}
	return &sdkClient{client}, nil
}

func (c *sdkClient) send(ctx context.Context, x *exchange, body []byte) error {
	request, err := readSDKRequest(body)
	if err != nil {
		return err
	}
	ctx = withExchange(ctx, x)
	if request.ValidateOnly {
		_, err = c.client.SendDryRun(ctx, request.Message)
	} else {
		_, err = c.client.Send(ctx, request.Message)
	}
	if x.started {
		return nil // the exchange has the answer
	}
	return fmt.Errorf("the Firebase SDK refuses the message: %w", err)
}

// sdkRequest is a request as the SDK makes it.
type sdkRequest struct {
	ValidateOnly bool               `json:"validate_only"`
	Message      *messaging.Message `json:"message"`
}

// readSDKRequest reads a body into the SDK's type. It refuses a message that the SDK would send
// otherwise.
func readSDKRequest(body []byte) (sdkRequest, error) {
	var r sdkRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return r, fmt.Errorf("the Firebase SDK cannot read the message: %w", err)
	}
	if r.Message == nil {
		return r, errors.New("the Firebase SDK cannot read the message: it is missing")
	}
	if err := checkLightColor(r.Message); err != nil {
		return r, err
	}
	sent, err := json.Marshal(r.Message)
	if err != nil {
		return r, fmt.Errorf("the Firebase SDK cannot write the message: %w", err)
	}
	var own struct {
		Message json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(body, &own); err != nil {
		return r, fmt.Errorf("read message: %w", err)
	}
	if field := findDifference(own.Message, sent); field != "" {
		return r, fmt.Errorf("the Firebase SDK cannot send %s as it is written; our client can (fcm.client: own)", field)
	}
	return r, nil
}

var lightColor = regexp.MustCompile("^#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?$")

// checkLightColor refuses a color that the SDK read without its zeros: writing it panics.
func checkLightColor(m *messaging.Message) error {
	if m.Android == nil || m.Android.Notification == nil || m.Android.Notification.LightSettings == nil ||
		lightColor.MatchString(m.Android.Notification.LightSettings.Color) {
		return nil
	}
	return errors.New("the Firebase SDK cannot send message.android.notification.light_settings.color as it is written; our client can (fcm.client: own)")
}
