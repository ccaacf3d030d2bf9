package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"fanfare/internal/content"
	"fanfare/internal/daemon"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// testView is the JSON of a test.
type testView struct {
	Campaign     string         `json:"campaignId"`
	Client       string         `json:"client"`
	ValidateOnly bool           `json:"validateOnly"`
	Devices      []testedDevice `json:"devices"`
}

// testedDevice is the JSON of the test of one device. Addresses are shortened.
type testedDevice struct {
	Address   string          `json:"address"`
	Kind      string          `json:"kind"` // token or fid
	Platform  string          `json:"platform,omitempty"`
	Variant   string          `json:"variant,omitempty"`
	Locale    string          `json:"locale,omitempty"`
	HeldOut   bool            `json:"heldOut"`
	LeftOut   bool            `json:"leftOut,omitempty"` // the campaign sends to the latest device alone
	Bytes     int             `json:"bytes"`
	Request   json.RawMessage `json:"request"`
	Accepted  bool            `json:"accepted"`
	MessageID string          `json:"messageId,omitempty"`
	Code      string          `json:"code,omitempty"`
	Detail    string          `json:"detail,omitempty"`
}

// showTest prints what was sent, and one line with FCM's answer for each device.
func showTest(out output, campaign, client string, results []operator.TestResult) error {
	view := testView{Campaign: campaign, Client: client, ValidateOnly: results[0].ValidateOnly}
	for _, r := range results {
		kind := "token"
		if r.Address.Kind == notification.TargetFID {
			kind = "fid"
		}
		view.Devices = append(view.Devices, testedDevice{
			Address: r.Address.String(), Kind: kind, Platform: r.Platform, Variant: r.Message.Variant, Locale: r.Message.Locale, HeldOut: r.Message.HeldOut, LeftOut: r.LeftOut,
			Bytes: r.Size, Request: r.Request, Accepted: r.Answer.Accepted, MessageID: r.Answer.MessageID, Code: r.Answer.Code, Detail: r.Answer.Detail,
		})
	}
	return out.show(view, func(w io.Writer) {
		for i, r := range results {
			if i == 0 || !bytes.Equal(r.Message.Message, results[i-1].Message.Message) {
				printTested(w, r)
			}
			fmt.Fprintln(w, describeTest(r))
		}
		if last := results[len(results)-1]; last.LeftOut {
			fmt.Fprintln(w, "devices: latest; the campaign would send to the first of these alone")
		}
	})
}

// printTested prints the request of a test, and how it was chosen.
func printTested(w io.Writer, r operator.TestResult) {
	fmt.Fprintln(w, describeChoice(r.Message, r.Size))
	var indented bytes.Buffer
	_ = json.Indent(&indented, r.Request, "", "  ") // it is our own JSON
	fmt.Fprintf(w, "%s\n", indented.Bytes())
}

// describeChoice says how large a message is, and why the person gets it.
func describeChoice(f operator.FilledMessage, size int) string {
	parts := []string{fmt.Sprintf("message of %s bytes; the limit is %s", operator.Thousands(size), operator.Thousands(content.MaxSize))}
	if f.Variant != "" {
		parts = append(parts, "variant "+printable(f.Variant))
	}
	if f.Locale != "" {
		parts = append(parts, "language "+printable(f.Locale))
	}
	if f.HeldOut {
		parts = append(parts, "the user is in the hold-out group, to which the campaign sends nothing")
	}
	return strings.Join(parts, "; ")
}

// describeTest says in a line what became of one device.
func describeTest(r operator.TestResult) string {
	did := "sent to "
	switch {
	case r.Answer.Unrequested:
		did = "not sent to "
	case r.ValidateOnly:
		did = "validated for "
	}
	device := r.Address.String()
	if r.Platform != "" {
		device += " (" + r.Platform + ")"
	}
	return did + printable(device) + "; " + printable(r.Describe())
}

// refusalOf returns an error that names the refused devices, or nil if FCM accepted all.
func refusalOf(results []operator.TestResult) error {
	var refused []string
	for _, r := range results {
		if !r.Answer.Accepted {
			refused = append(refused, r.Address.String()+": "+r.Describe())
		}
	}
	if len(refused) == 0 {
		return nil
	}
	return daemon.WithExitCode(daemon.ExitFault, errors.New(printable(strings.Join(refused, "; "))))
}
