package webhooks

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

// postTimeout bounds one request.
const postTimeout = 10 * time.Second

// SignatureHeader has the time of a request and its signature: t=<Unix seconds>,v1=<hex>. The
// signature is the HMAC-SHA256 of "<t>.<body>". A receiver refuses a time that is minutes old.
const SignatureHeader = "Fanfare-Signature"

// post sends a body. Every status but 2xx is an error.
func (d *Deliverer) post(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.opts.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make webhook: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "fanfare")
	r.Header.Set(SignatureHeader, sign(d.opts.Secret.Reveal(), d.now(), body))
	reply, err := d.client.Do(r)
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err // the outer error quotes the address, whose path may be a secret
	}
	if err != nil {
		return fmt.Errorf("send webhook: %w", err)
	}
	defer func() { _ = reply.Body.Close() }()
	_, _ = io.CopyN(io.Discard, reply.Body, 1<<16) // so that the connection can be used again
	if reply.StatusCode/100 != 2 {
		return fmt.Errorf("send webhook: the receiver answered %s", reply.Status)
	}
	return nil
}

func sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(t + "."))
	_, _ = mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// newClient returns a client that follows no redirect and uses no proxy. Unless internal addresses
// are allowed, it checks each address after its name was resolved.
func newClient(allowInternal bool) *http.Client {
	dialer := &net.Dialer{Timeout: postTimeout}
	if !allowInternal {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkPublic(address) }
	}
	return &http.Client{
		Timeout:       postTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DialContext: dialer.DialContext, MaxIdleConns: 2, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: postTimeout},
	}
}

var errInternal = errors.New("the address is not public; set webhooks.allow_internal for a receiver in your own network")

// reserved are networks that are not public, beside those that netip knows.
// Source: https://www.iana.org/assignments/iana-ipv4-special-registry/
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// checkPublic refuses an address, with its port, that is not on the public internet.
func checkPublic(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	ip := at.Addr().Unmap().WithZone("")
	public := ip.IsGlobalUnicast() && !ip.IsPrivate()
	for _, network := range reserved {
		public = public && !network.Contains(ip)
	}
	if !public {
		return fmt.Errorf("dial %s: %w", ip, errInternal)
	}
	return nil
}
