package fcm

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2/google"
)

// account is a service account, or another kind of Google credentials, as JSON for Google's
// library.
type account struct {
	kind google.CredentialsType
	text []byte
}

// parseAccount reads credentials as JSON, as JSON in a JSON string, or as the base64 of either. The
// line breaks of a private key may be escaped twice. An error says what is wrong and contains
// nothing of the credentials.
func parseAccount(text []byte) (account, error) {
	text, err := unwrapJSON(bytes.TrimSpace(text))
	if err != nil {
		return account{}, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return account{}, errors.New("not valid JSON; the text is cut off, or the shell or the file changed its quotes")
	}
	kind, _ := members["type"].(string)
	switch {
	case members["project_info"] != nil:
		return account{}, errors.New("this is an app's google-services.json; generate a private key in the Firebase console under service accounts")
	case kind == "":
		return account{}, errors.New(`member "type" is missing; generate a private key in the Firebase console under service accounts`)
	case kind == string(google.ServiceAccount):
		if err := normalizeServiceAccount(members); err != nil {
			return account{}, err
		}
		if text, err = json.Marshal(members); err != nil {
			return account{}, errors.New("cannot be encoded as JSON")
		}
	}
	return account{google.CredentialsType(kind), text}, nil
}

// unwrapJSON removes what environments wrap around JSON: quotes, base64, and line breaks in its
// strings.
func unwrapJSON(text []byte) ([]byte, error) {
	const layers = 3
	for range layers {
		text = bytes.TrimSpace(bytes.Trim(text, "'"))
		switch {
		case len(text) == 0:
			return nil, errors.New("the text is empty")
		case text[0] == '{':
			return escapeLineBreaks(text), nil
		case bytes.HasPrefix(text, []byte("-----BEGIN")):
			return nil, errors.New("only a PEM block; give the whole JSON of the service account")
		case text[0] == '"':
			var inner string
			if json.Unmarshal(escapeLineBreaks(text), &inner) != nil {
				inner = strings.Trim(string(text), `"`)
			}
			text = []byte(inner)
		default:
			decoded, ok := decodeBase64(text)
			if !ok {
				return nil, errors.New("neither JSON nor base64; put a file's path into fcm.credentials_file (GOOGLE_APPLICATION_CREDENTIALS)")
			}
			text = decoded
		}
	}
	return nil, errors.New("neither JSON nor base64")
}

func decodeBase64(text []byte) ([]byte, bool) {
	plain := strings.NewReplacer("-", "+", "_", "/", "=", "", `\n`, "", "\n", "", "\r", "", " ", "").Replace(string(text))
	decoded, err := base64.RawStdEncoding.DecodeString(plain)
	return decoded, err == nil && len(decoded) > 0
}

// escapeLineBreaks escapes line breaks within JSON strings, which some environment files unescape.
func escapeLineBreaks(text []byte) []byte {
	var out bytes.Buffer
	inString, escaped := false, false
	for _, c := range text {
		switch {
		case inString && c == '\n':
			out.WriteString(`\n`)
			continue
		case inString && c == '\r':
			continue
		case inString && escaped:
			escaped = false
		case inString && c == '\\':
			escaped = true
		case c == '"':
			inString = !inString
		}
		out.WriteByte(c)
	}
	return out.Bytes()
}

// normalizeServiceAccount checks what signing in needs, and restores the line breaks of the private
// key.
func normalizeServiceAccount(members map[string]any) error {
	for _, name := range []string{"client_email", "private_key"} {
		if value, _ := members[name].(string); value == "" {
			return fmt.Errorf("member %q is missing; generate a new private key", name)
		}
	}
	key := strings.NewReplacer(`\r`, "", `\n`, "\n", "\r", "").Replace(members["private_key"].(string))
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return errors.New("private key is not PEM; generate a new one")
	}
	pkcs8, _ := x509.ParsePKCS8PrivateKey(block.Bytes)
	_, isRSA := pkcs8.(*rsa.PrivateKey)
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err != nil && !isRSA {
		return errors.New("private key is PEM, but holds no RSA key; generate a new one")
	}
	members["private_key"] = key
	return nil
}

// tokenURLs returns the URLs that access tokens come from, by the name of their member.
func (a account) tokenURLs() map[string]string {
	var members struct {
		TokenURI      string `json:"token_uri"`
		TokenURL      string `json:"token_url"`
		Impersonation string `json:"service_account_impersonation_url"`
	}
	if json.Unmarshal(a.text, &members) != nil {
		return nil
	}
	return map[string]string{
		"token_uri": members.TokenURI, "token_url": members.TokenURL, "service_account_impersonation_url": members.Impersonation,
	}
}

// checkPlaintext refuses credentials that sign in over http:// beyond this machine, because the
// answer contains an access token.
func (a account) checkPlaintext() error {
	for name, value := range a.tokenURLs() {
		if isCleartext(value) {
			return fmt.Errorf("%s is http://, where others on the network can read access tokens; use https://, or set fcm.allow_plaintext", name)
		}
	}
	return nil
}
