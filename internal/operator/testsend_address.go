package operator

import (
	"errors"
	"fmt"

	"fanfare/internal/notification"
)

// TestAddress says where a test goes, as a person typed it. A token or a FID is the one address. A
// user alone stands for all devices that are stored.
type TestAddress struct{ User, Token, FID string }

// AddressError says why a test cannot go where a person wants it to.
type AddressError struct {
	Field   string // "token" or "fid"; "" if the fields do not fit each other
	Problem string
}

func (e *AddressError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

// ErrNoTestTarget is a test without a user, a token and a FID.
var ErrNoTestTarget = errors.New("no one to send to: give a user, a token or a FID")

// Parse returns the address; it is zero for a user's devices. Its error is ErrNoTestTarget or an
// *AddressError.
func (a TestAddress) Parse() (notification.Target, error) {
	var none notification.Target
	switch {
	case a.Token != "" && a.FID != "":
		return none, &AddressError{Problem: "a token and a FID are two addresses; give one, or a user for all of their devices"}
	case a.Token != "":
		return a.parseToken()
	case a.FID != "":
		return a.parseFID()
	case a.User == "":
		return none, ErrNoTestTarget
	}
	return none, nil
}

func (a TestAddress) parseToken() (notification.Target, error) {
	target := notification.ParseToken(a.Token)
	if target.IsSendable() && notification.IsInstallationID(target.Value) {
		return target, &AddressError{"token", "this is a Firebase Installation ID, not a registration token; use fid"}
	}
	return checkAddress("token", "registration token", target)
}

func (a TestAddress) parseFID() (notification.Target, error) {
	if token := notification.ParseToken(a.FID); token.FID() != "" {
		return token, &AddressError{"fid", "this is a registration token, not a Firebase Installation ID; use token"}
	}
	return checkAddress("fid", "Firebase Installation ID", notification.ParseFID(a.FID))
}

// checkAddress refuses an address that cannot be sent to, and names the field.
func checkAddress(field, kind string, target notification.Target) (notification.Target, error) {
	switch {
	case target.IsZero():
		return target, &AddressError{field, "it is empty; give a " + kind}
	case !target.IsSendable():
		return target, &AddressError{field, fmt.Sprintf("this is no %s: %s; nothing was sent", kind, target.Problem())}
	}
	return target, nil
}
