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

// account is a service account's JSON, or that of another kind of Google's credentials, in a form that Google's library reads.
type account struct {
	kind google.CredentialsType
	text []byte
}

// parseAccount reads credentials as JSON, as JSON in a JSON string, or as the base64 of either; a private key may have its line
// breaks escaped once more. An error says what is wrong, and holds nothing of the credentials.
func parseAccount(text []byte) (account, error) {
	text, err := unwrapJSON(bytes.TrimSpace(text))
	if err != nil {
		return account{}, err
	}
	var members map[string]any
	if err := json.Unmarshal(text, &members); err != nil {
		return account{}, errors.New("they are not valid JSON: cut off, or not quoted as the shell or the file asks for")
	}
	kind, _ := members["type"].(string)
	switch {
	case members["project_info"] != nil:
		return account{}, errors.New("they are an app's google-services.json; generate a private key in the Firebase console under service accounts")
	case kind == "":
		return account{}, errors.New(`they have no member "type"; generate a private key in the Firebase console under service accounts`)
	case kind == string(google.ServiceAccount):
		if err := normalizeServiceAccount(members); err != nil {
			return account{}, err
		}
		if text, err = json.Marshal(members); err != nil {
			return account{}, errors.New("they cannot be written as JSON")
		}
	}
	return account{google.CredentialsType(kind), text}, nil
}

// plainJSON undoes the wrappings in which environments carry JSON: quotes around it, base64, and line breaks inside its texts.
func unwrapJSON(text []byte) ([]byte, error) {
	const layers = 3
	for range layers {
		text = bytes.TrimSpace(bytes.Trim(text, "'"))
		switch {
		case len(text) == 0:
			return nil, errors.New("they are empty")
		case text[0] == '{':
			return escapeLineBreaks(text), nil
		case bytes.HasPrefix(text, []byte("-----BEGIN")):
			return nil, errors.New("they are a PEM block alone; the whole JSON of the service account is needed")
		case text[0] == '"':
			var inner string
			if json.Unmarshal(escapeLineBreaks(text), &inner) != nil {
				inner = strings.Trim(string(text), `"`)
			}
			text = []byte(inner)
		default:
			decoded, ok := decodeBase64(text)
			if !ok {
				return nil, errors.New("they are neither JSON nor base64; a file's path belongs into fcm.credentials_file (GOOGLE_APPLICATION_CREDENTIALS)")
			}
			text = decoded
		}
	}
	return nil, errors.New("they are neither JSON nor base64")
}

func decodeBase64(text []byte) ([]byte, bool) {
	plain := strings.NewReplacer("-", "+", "_", "/", "=", "", `\n`, "", "\n", "", "\r", "", " ", "").Replace(string(text))
	decoded, err := base64.RawStdEncoding.DecodeString(plain)
	return decoded, err == nil && len(decoded) > 0
}

// escapeBreaks escapes the line breaks within JSON's strings, where an environment file has unescaped them.
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

// checkServiceAccount wants what signing in needs, and gives the private key its line breaks back.
func normalizeServiceAccount(members map[string]any) error {
	for _, name := range []string{"client_email", "private_key"} {
		if value, _ := members[name].(string); value == "" {
			return fmt.Errorf("they have no member %q", name)
		}
	}
	key := strings.NewReplacer(`\r`, "", `\n`, "\n", "\r", "").Replace(members["private_key"].(string))
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return errors.New("private key is not PEM")
	}
	pkcs8, _ := x509.ParsePKCS8PrivateKey(block.Bytes)
	_, isRSA := pkcs8.(*rsa.PrivateKey)
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err != nil && !isRSA {
		return errors.New("private key is PEM, but holds no RSA key: it is damaged, or of another kind")
	}
	members["private_key"] = key
	return nil
}

// addresses are where access tokens come from, by the name of their member.
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

// checkPlaintext refuses credentials that sign in over http:// beyond this machine: the answer is an access token.
func (a account) checkPlaintext() error {
	for name, value := range a.tokenURLs() {
		if isCleartext(value) {
			return fmt.Errorf("their %s is http://, where anyone on the way can read access tokens; use https://, or set fcm.allow_plaintext", name)
		}
	}
	return nil
}
