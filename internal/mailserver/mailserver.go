// Package mailserver is a server of e-mail for tests, as far as a sender of letters meets one:
// greetings, extensions, encryption, signing in, and a transaction follow RFC 5321, RFC 3207,
// RFC 4954 and RFC 8314.
// It knows nothing of ours.
package mailserver

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http/httptest"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Letter is one that was taken.
type Letter struct {
	From, To, Subject, Text string
	Header                  mail.Header
	Encrypted               bool // it came over TLS
}

// Fault is what happens at a command, or at the end of the text, which is "."; without an
// answer the connection breaks, after what it is about was done.
type Fault struct{ At, Answer string }

// Options say how a server is.
type Options struct {
	Encrypted      bool   // from the start
	StartTLS       bool   // when asked to (RFC 3207), and it does nothing before that
	User, Password string // empty: nobody needs to sign in
}

// Server is one.
type Server struct {
	Options
	t        *testing.T
	listener net.Listener
	tls      *tls.Config
	roots    *x509.CertPool

	mu     sync.Mutex
	taken  []Letter
	faults []Fault
	heard  []string
}

// New starts one that ends with the test.
func New(t *testing.T, o Options) *Server {
	t.Helper()
	s := &Server{Options: o, t: t, roots: x509.NewCertPool()}
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if o.Encrypted || o.StartTLS {
		web := httptest.NewTLSServer(nil) // for its certificate, which is that of 127.0.0.1 and example.com
		web.Close()
		s.roots.AddCert(web.Certificate())
		s.tls = &tls.Config{Certificates: web.TLS.Certificates}
	}
	if o.Encrypted {
		s.listener = tls.NewListener(s.listener, s.tls)
	}
	var busy sync.WaitGroup
	busy.Go(func() {
		for {
			c, err := s.listener.Accept()
			if err != nil {
				return
			}
			busy.Go(func() {
				defer c.Close()
				_, _ = io.WriteString(c, "220 mail.example ESMTP\r\n") // whoever is gone does not read
				s.serve(c, o.Encrypted)
			})
		}
	})
	t.Cleanup(func() {
		_ = s.listener.Close() // it is closed once
		busy.Wait()
	})
	return s
}

// URL is where it is.
func (s *Server) URL() string {
	if s.Encrypted {
		return "smtps://" + s.listener.Addr().String()
	}
	return "smtp://" + s.listener.Addr().String()
}

// Trust is what a program needs that is to believe it.
func (s *Server) Trust() *tls.Config { return &tls.Config{RootCAs: s.roots} }

// Dial connects to it, whatever its address was said to be.
func (s *Server) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, s.listener.Addr().String())
}

// Heard are the commands that came, without what follows them.
func (s *Server) Heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.heard, " ")
}

// Fail has the next ones meet faults, one after another.
func (s *Server) Fail(list ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, list...)
}

// Taken are the letters that were.
func (s *Server) Taken() []Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Letter(nil), s.taken...)
}

// fault notes what came, and takes the fault that is next, if it is about this.
func (s *Server) fault(at string) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at != "." {
		s.heard = append(s.heard, at)
	}
	if len(s.faults) == 0 || s.faults[0].At != at {
		return nil
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return &f
}

// serve answers commands. What came before a connection was encrypted counts no more (RFC 3207 section 4.2).
func (s *Server) serve(c net.Conn, encrypted bool) {
	r, signed, greeted := textproto.NewReader(bufio.NewReader(c)), s.User == "", false
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") } // whoever is gone does not read
	var l Letter
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		if f := s.fault(verb); f != nil {
			if f.Answer == "" {
				return
			}
			say(f.Answer)
			continue
		}
		switch {
		case verb == "EHLO":
			greeted = true
			say("250-mail.example\r\n250-8BITMIME\r\n250 " + s.offers(encrypted))
		case verb == "QUIT":
			say("221 2.0.0 good-bye")
			return
		case verb == "STARTTLS" && s.StartTLS && !encrypted:
			say("220 2.0.0 go ahead")
			over := tls.Server(c, s.tls)
			s.serve(over, true)
			_ = over.Close() // the client may have gone already
			return
		case s.StartTLS && !encrypted:
			say("530 5.7.0 must issue a STARTTLS command first")
		case !greeted:
			say("503 5.5.1 say EHLO first")
		case verb == "AUTH":
			if signed = s.knows(rest); signed {
				say("235 2.7.0 welcome")
			} else {
				say("535 5.7.8 no")
			}
		case verb == "MAIL" && !signed:
			say("530 5.7.0 sign in first")
		case verb == "MAIL":
			l = Letter{From: address(rest), Encrypted: encrypted}
			say("250 2.1.0 yes")
		case verb == "RCPT":
			l.To = address(rest)
			say("250 2.1.5 yes")
		case verb == "DATA":
			say("354 go on")
			text, err := io.ReadAll(r.DotReader())
			if err != nil || !s.take(l, string(text), say) {
				return
			}
		default:
			say("502 5.5.1 what")
		}
	}
}

// offers is the last of the extensions that are announced.
func (s *Server) offers(encrypted bool) string {
	if s.StartTLS && !encrypted {
		return "STARTTLS"
	}
	return "AUTH PLAIN"
}

// knows tells whether AUTH's argument is of somebody who may send letters.
func (s *Server) knows(argument string) bool {
	_, word, _ := strings.Cut(argument, " ")
	text, err := base64.StdEncoding.DecodeString(word)
	return err == nil && string(text) == "\x00"+s.User+"\x00"+s.Password
}

// take takes a letter; false: the connection is to break.
func (s *Server) take(l Letter, text string, say func(string)) bool {
	f := s.fault(".")
	if f != nil && f.Answer != "" {
		say(f.Answer)
		return true
	}
	m, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		s.t.Errorf("that is no letter: %v", err)
		return false
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, m.Body))
	if err != nil {
		s.t.Errorf("the text is not what the header says: %v", err)
	}
	l.Header, l.Text = m.Header, string(body)
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		s.t.Error(err)
	}
	s.mu.Lock()
	s.taken = append(s.taken, l)
	s.mu.Unlock()
	if f != nil {
		return false
	}
	say(fmt.Sprintf("250 2.0.0 taken as %d", len(text)))
	return true
}

// address is that in FROM:<…> or TO:<…>.
func address(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
