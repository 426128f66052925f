package auth

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// maxField bounds each field of the credentials, in bytes; longer ones make them malformed.
const maxField = 512

// credentials are the fields of an Authorization header that matter here.
type credentials struct {
	username, realm, nonce, uri, response, algorithm, cnonce, qop, ncText string

	nc uint32
}

// cutScheme removes "Digest" and the white space after it.
func cutScheme(text string) (params string, ok bool) {
	const scheme = "Digest"
	if len(text) <= len(scheme) || !strings.EqualFold(text[:len(scheme)], scheme) ||
		text[len(scheme)] != ' ' && text[len(scheme)] != '\t' {
		return "", false
	}
	return text[len(scheme)+1:], true
}

// pairs reads name=value pairs between commas (RFC 7616 3.3, 3.4). It reports false for text that is
// no such list, and when take does.
func pairs(s string, take func(name, value string) bool) bool {
	for {
		s = strings.TrimLeft(s, " \t,")
		if s == "" {
			return true
		}
		eq := strings.IndexByte(s, '=')
		if eq <= 0 {
			return false
		}
		name := strings.TrimRight(s[:eq], " \t")
		s = strings.TrimLeft(s[eq+1:], " \t")
		var value string
		if s != "" && s[0] == '"' {
			var ok bool
			if value, s, ok = cutQuoted(s); !ok {
				return false
			}
		} else {
			end := strings.IndexByte(s, ',')
			if end < 0 {
				end = len(s)
			}
			value, s = strings.TrimRight(s[:end], " \t"), s[end:]
		}
		if s = strings.TrimLeft(s, " \t"); s != "" && s[0] != ',' || len(value) > maxField {
			return false
		}
		if !take(name, value) {
			return false
		}
	}
}

// parse reads the fields. It reports false for text that is no list of them, a repeated field, or one
// that is required and missing.
func (c *credentials) parse(s string) bool {
	fine := pairs(s, func(name, value string) bool {
		field := c.field(name)
		if field == nil {
			return true
		}
		if *field != "" {
			return false
		}
		*field = value
		return true
	})
	if !fine {
		return false
	}
	if c.ncText != "" { // RFC 7616 3.4: exactly eight hex digits; here at most
		n, err := strconv.ParseUint(c.ncText, 16, 32)
		if err != nil || len(c.ncText) > 8 || n == 0 {
			return false
		}
		c.nc = uint32(n)
	}
	return c.username != "" && c.realm != "" && c.nonce != "" && c.uri != "" && c.response != "" &&
		(c.qop == "" || c.nc != 0 && c.cnonce != "")
}

func (c *credentials) field(name string) *string {
	for _, f := range [...]struct {
		name string
		text *string
	}{
		{"username", &c.username}, {"realm", &c.realm}, {"nonce", &c.nonce}, {"uri", &c.uri},
		{"response", &c.response}, {"algorithm", &c.algorithm}, {"cnonce", &c.cnonce},
		{"qop", &c.qop}, {"nc", &c.ncText},
	} {
		if strings.EqualFold(f.name, name) {
			return f.text
		}
	}
	return nil
}

// cutQuoted takes the quoted string at the start of s, escapes resolved.
func cutQuoted(s string) (value, rest string, ok bool) {
	escaped := false
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			escaped = true
			i++
		case '"':
			value = s[1:i]
			if escaped {
				value = unescape(value)
			}
			return value, s[i+1:], true
		}
	}
	return "", "", false
}

func unescape(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}

// offered tells whether the credentials follow one of our challenges: SHA-256 or MD5, which also
// stands for no algorithm; qop=auth, or none as RFC 2069 clients do (RFC 3261 22.4).
func (c *credentials) offered() bool {
	return (c.algorithm == "" || strings.EqualFold(c.algorithm, "MD5") || c.isSHA256()) &&
		(c.qop == "" || strings.EqualFold(c.qop, "auth"))
}

func (c *credentials) isSHA256() bool { return strings.EqualFold(c.algorithm, "SHA-256") }

// matches computes the response (RFC 7616 3.4.1) and compares. Without Password and a fitting HA1
// the work is done all the same and the answer is false.
func (c *credentials) matches(secret *Secret, method, realm string) bool {
	strong, ha1 := c.isSHA256(), secret.HA1.MD5
	if strong {
		ha1 = secret.HA1.SHA256
	}
	usable := secret.Password != "" || ha1 != ""
	var text [1024]byte
	var hash1, hash2, want, got [2 * sha256.Size]byte

	b := append(text[:0], c.username...)
	b = append(b, ':')
	b = append(b, realm...)
	b = append(b, ':')
	b = append(b, secret.Password...)
	n := hexSum(strong, &hash1, b)
	if secret.Password == "" && len(ha1) == n {
		copy(hash1[:n], ha1)
	}
	b = append(text[:0], method...)
	b = append(b, ':')
	b = append(b, c.uri...)
	hexSum(strong, &hash2, b)

	b = append(text[:0], hash1[:n]...)
	b = append(b, ':')
	b = append(b, c.nonce...)
	b = append(b, ':')
	if c.qop != "" {
		b = append(b, c.ncText...)
		b = append(b, ':')
		b = append(b, c.cnonce...)
		b = append(b, ':')
		b = append(b, c.qop...)
		b = append(b, ':')
	}
	b = append(b, hash2[:n]...)
	hexSum(strong, &want, b)
	if len(c.response) != n {
		return false
	}
	for i := range n { // some phones write the digits in capitals
		got[i] = c.response[i]
		if got[i] >= 'A' && got[i] <= 'F' {
			got[i] += 'a' - 'A'
		}
	}
	return equal(want[:n], got[:n]) && usable
}

// hexSum writes the hash in hex digits and returns how many. (A function value in its place would
// move every buffer to the heap.)
func hexSum(strong bool, dst *[2 * sha256.Size]byte, b []byte) int {
	if strong {
		h := sha256.Sum256(b)
		return hex.Encode(dst[:], h[:])
	}
	h := md5.Sum(b)
	return hex.Encode(dst[:], h[:])
}
