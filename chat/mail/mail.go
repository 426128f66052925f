// Package mail sends letters by SMTP (RFC 5321), and says of each whether it was taken, was
// not, or whether nobody knows. It keeps nothing: who calls it notes the letter's Message-ID
// before, and what became of it after.
package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// Options say by which server letters go. Server and From are required.
type Options struct {
	// Server is smtps://host:port, encrypted from the start, or smtp://host:port, which
	// becomes encrypted (RFC 3207); without that nothing is sent to another machine.
	Server         string
	User, Password string
	From           string // Name <address>
	TLS            *tls.Config
	// Dial connects to the server; nil: net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Sender sends letters. Its methods may be called from any goroutine.
type Sender struct {
	host, address  string
	encrypted      bool
	user, password string
	from           *mail.Address
	tls            *tls.Config
	connect        func(ctx context.Context, network, address string) (net.Conn, error)
}

// ErrOptions is in the error of New.
var ErrOptions = errors.New("mail")

// New makes a sender. The error is ErrOptions with what is wrong.
func New(o Options) (*Sender, error) {
	u, err := url.Parse(o.Server)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Port() == "" || u.User != nil || u.Path != "" {
		return nil, fmt.Errorf("%w: the server is smtps://host:465 or smtp://host:587, not %q", ErrOptions, o.Server)
	}
	from, err := mail.ParseAddress(o.From)
	if err != nil {
		return nil, fmt.Errorf("%w: from is Name <address>, not %q", ErrOptions, o.From)
	}
	s := &Sender{host: u.Hostname(), address: u.Host, encrypted: u.Scheme == "smtps", user: o.User, password: o.Password, from: from, tls: o.TLS.Clone(), connect: o.Dial}
	if s.connect == nil {
		s.connect = (&net.Dialer{}).DialContext
	}
	if s.tls == nil {
		s.tls = &tls.Config{}
	}
	s.tls.ServerName = s.host
	return s, nil
}

// Letter is what is sent.
type Letter struct {
	ID      string // of the message, without its angle brackets
	To      string // the address alone
	Subject string
	Text    string
	At      time.Time
}

// Error says that a letter was not sent, or that nobody knows.
type Error struct {
	Reason    string
	Permanent bool // it never will be
	Unknown   bool // it may have been taken: it is not to be sent again
}

// Error implements error.
func (e *Error) Error() string { return e.Reason }

// ID makes an id for a letter, of a text that is unique for ever.
func (s *Sender) ID(unique string) string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return unique + "@" + domain
}

// Send has the server take a letter. The error is an *Error.
func (s *Sender) Send(ctx context.Context, l Letter) error {
	to, err := mail.ParseAddress(l.To)
	if err != nil {
		return &Error{Reason: "that is no address", Permanent: true}
	}
	c, err := s.dial(ctx)
	if err != nil {
		return verdict(err)
	}
	defer c.Close()
	if err := c.Mail(s.from.Address); err != nil {
		return verdict(err)
	}
	if err := c.Rcpt(to.Address); err != nil {
		return verdict(err)
	}
	w, err := c.Data()
	if err != nil {
		return verdict(err)
	}
	if _, err := w.Write(s.message(to, l)); err != nil {
		return verdict(err) // without the end of the text nothing is taken (RFC 5321 section 4.1.1.4)
	}
	if err := w.Close(); err != nil {
		var no *textproto.Error
		if !errors.As(err, &no) {
			return &Error{Reason: "the connection broke at the end of the letter: nobody knows whether it was taken", Unknown: true}
		}
		return verdict(err)
	}
	_ = c.Quit() // the letter is taken, whatever comes after
	return nil
}

// dial connects, has the connection encrypted, and signs in.
func (s *Sender) dial(ctx context.Context) (*smtp.Client, error) {
	conn, err := s.connect(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	if until, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(until) // a connection that has none fails by itself
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	if s.encrypted {
		conn = tls.Client(conn, s.tls)
	}
	c, err := smtp.NewClient(conn, s.host)
	if err != nil {
		stop()
		return nil, errors.Join(err, conn.Close())
	}
	if err := s.open(c); err != nil {
		stop()
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (s *Sender) open(c *smtp.Client) error {
	if !s.encrypted {
		switch ok, _ := c.Extension("STARTTLS"); {
		case ok:
			if err := c.StartTLS(s.tls); err != nil {
				return err
			}
		case !loopback(s.host):
			return errors.New("the mail server does not encrypt")
		}
	}
	if s.user == "" {
		return nil
	}
	if err := c.Auth(smtp.PlainAuth("", s.user, s.password, s.host)); err != nil {
		return errors.New("the mail server does not let us sign in") // its answer may repeat what was sent
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// verdict says what becomes of a letter that was not taken: a refusal for good is one
// (RFC 5321 section 4.2.1), all else passes.
func verdict(err error) *Error {
	var no *textproto.Error
	return &Error{Reason: err.Error(), Permanent: errors.As(err, &no) && no.Code/100 == 5}
}

// message writes a letter as it travels (RFC 5322, RFC 2045).
func (s *Sender) message(to *mail.Address, l Letter) []byte {
	var b bytes.Buffer
	for _, h := range [][2]string{
		{"From", s.from.String()}, {"To", (&mail.Address{Address: to.Address}).String()}, {"Subject", mime.QEncoding.Encode("utf-8", oneLine(l.Subject))},
		{"Date", l.At.UTC().Format(time.RFC1123Z)}, {"Message-ID", "<" + l.ID + ">"}, {"MIME-Version", "1.0"},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: nobody's holiday is to answer it
		{"Content-Type", "text/plain; charset=utf-8"}, {"Content-Transfer-Encoding", "base64"},
	} {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	text := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(l.Text, "\n", "\r\n")))
	for len(text) > 0 {
		n := min(76, len(text)) // RFC 2045 section 6.8
		b.WriteString("\r\n" + text[:n])
		text = text[n:]
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// oneLine is a text without what would end a header's line.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
