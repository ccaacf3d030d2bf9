package fcmsim

import "fmt"

// CertificateFault is what a client has to find wrong with the server's certificate.
type CertificateFault string

// The faults. Connections that stand are left alone.
const (
	CertificateGood      CertificateFault = ""
	CertificateExpired   CertificateFault = "EXPIRED"
	CertificateWrongHost CertificateFault = "WRONG_HOST" // made out to fcm.invalid
	CertificateUntrusted CertificateFault = "UNTRUSTED"  // signed by another authority
)

// CertificateFaults lists the text forms of all faults.
func CertificateFaults() []string {
	return []string{string(CertificateExpired), string(CertificateWrongHost), string(CertificateUntrusted)}
}

func (f CertificateFault) check() error {
	switch f {
	case CertificateGood, CertificateExpired, CertificateWrongHost, CertificateUntrusted:
		return nil
	default:
		return fmt.Errorf("no such fault: %q", string(f))
	}
}
