package mail_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"centrala/chat/mail"
	"centrala/internal/mailserver"
)

func sender(t *testing.T, s *mailserver.Server, o mail.Options) *mail.Sender {
	t.Helper()
	o.Server, o.From = cmp.Or(o.Server, s.URL()), "Żółty Sklep <chat@shop.example>"
	x, err := mail.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

var letter = mail.Letter{
	ID: "abc@shop.example", To: "jan@example.com", Subject: "Ask us – Zapis\r\nBcc: all@example.com", At: time.Unix(1800000000, 0),
	Text: "hello\n.\n" + strings.Repeat("żółć ", 100),
}

// What a server takes is the letter as it was written, with the Message-ID that was noted before.
func TestSend(t *testing.T) {
	for name, o := range map[string]mailserver.Options{"plain": {}, "TLS": {Encrypted: true}, "STARTTLS": {StartTLS: true}} {
		t.Run(name, func(t *testing.T) {
			o.User, o.Password = "chat", "secret"
			s := mailserver.New(t, o)
			x := sender(t, s, mail.Options{User: "chat", Password: "secret", TLS: s.Trust()})
			if err := x.Send(t.Context(), letter); err != nil {
				t.Fatal(err)
			}
			got := s.Taken()
			if len(got) != 1 || got[0].From != "chat@shop.example" || got[0].To != "jan@example.com" || got[0].Text != strings.ReplaceAll(letter.Text, "\n", "\r\n") {
				t.Fatalf("%+v", got)
			}
			if got[0].Encrypted != (o.Encrypted || o.StartTLS) {
				t.Errorf("encrypted: %t", got[0].Encrypted)
			}
			h := got[0].Header
			if h.Get("Message-ID") != "<abc@shop.example>" || h.Get("Auto-Submitted") != "auto-generated" || h.Get("Bcc") != "" || got[0].Subject != "Ask us – Zapis  Bcc: all@example.com" {
				t.Errorf("%v %q", h, got[0].Subject)
			}
			if id := x.ID("u1"); id != "u1@shop.example" {
				t.Errorf("%q", id)
			}
		})
	}
}

// Between machines no letter and no password goes in the open, nor to a server that is not the one
// meant: such a letter waits for whoever puts that right.
func TestSend_Encryption(t *testing.T) {
	const starts, asks = "smtps://example.com:465", "smtp://example.com:587"
	both := []mailserver.Options{{Encrypted: true}, {StartTLS: true}}
	for name, x := range map[string]struct {
		server mailserver.Options
		url    string
		doubts bool   // the server's certificate is nobody's whom we trust
		fault  string // the server's answer to STARTTLS
		want   string // in the error; empty: the letter is taken
	}{
		"TLS":                       {server: both[0], url: starts},
		"STARTTLS":                  {server: both[1], url: asks},
		"TLS, doubtful":             {server: both[0], url: starts, doubts: true, want: "certificate signed by unknown authority"},
		"STARTTLS, doubtful":        {server: both[1], url: asks, doubts: true, want: "certificate signed by unknown authority"},
		"TLS, another's":            {server: both[0], url: "smtps://mail.shop.example:465", want: "not mail.shop.example"},
		"STARTTLS, another's":       {server: both[1], url: "smtp://mail.shop.example:587", want: "not mail.shop.example"},
		"STARTTLS is not offered":   {url: asks, want: "does not encrypt"},
		"STARTTLS is not available": {server: both[1], url: asks, fault: "454 4.7.0 not now", want: "not now"},
	} {
		t.Run(name, func(t *testing.T) {
			x.server.User, x.server.Password = "chat", "secret"
			s := mailserver.New(t, x.server)
			if x.fault != "" {
				s.Fail(mailserver.Fault{At: "STARTTLS", Answer: x.fault})
			}
			o := mail.Options{Server: x.url, User: "chat", Password: "secret", Dial: s.Dial}
			if !x.doubts {
				o.TLS = s.Trust()
			}
			err := sender(t, s, o).Send(t.Context(), letter)
			got := s.Taken()
			if x.want == "" {
				if err != nil || len(got) != 1 || !got[0].Encrypted {
					t.Errorf("%v, %+v", err, got)
				}
				return
			}
			var no *mail.Error
			if !errors.As(err, &no) || no.Permanent || no.Unknown || !strings.Contains(no.Reason, x.want) || len(got) != 0 {
				t.Errorf("%+v, want %q; taken: %+v", err, x.want, got)
			}
			if heard := s.Heard(); strings.Contains(heard, "AUTH") || strings.Contains(heard, "MAIL") {
				t.Errorf("it was told %s", heard)
			}
		})
	}
}

// What failed is told apart: for good, for now, and where nobody knows. Passwords are in no error.
func TestSend_Verdicts(t *testing.T) {
	for name, x := range map[string]struct {
		fault mailserver.Fault
		want  mail.Error
	}{
		"no such customer":     {mailserver.Fault{At: "RCPT", Answer: "550 5.1.1 no such user"}, mail.Error{Permanent: true}},
		"greylisted":           {mailserver.Fault{At: "RCPT", Answer: "451 4.7.1 try again"}, mail.Error{}},
		"cut before the text":  {mailserver.Fault{At: "DATA"}, mail.Error{}},
		"refused at the end":   {mailserver.Fault{At: ".", Answer: "554 5.7.1 spam"}, mail.Error{Permanent: true}},
		"full":                 {mailserver.Fault{At: ".", Answer: "452 4.2.2 full"}, mail.Error{}},
		"cut after it was all": {mailserver.Fault{At: "."}, mail.Error{Unknown: true}},
		"cannot sign in":       {mailserver.Fault{At: "AUTH", Answer: "535 5.7.8 AHNlY3JldA== is wrong"}, mail.Error{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := mailserver.New(t, mailserver.Options{User: "chat", Password: "secret"})
			s.Fail(x.fault)
			err := sender(t, s, mail.Options{User: "chat", Password: "secret"}).Send(t.Context(), letter)
			var got *mail.Error
			if !errors.As(err, &got) || got.Permanent != x.want.Permanent || got.Unknown != x.want.Unknown || strings.Contains(err.Error(), "AHNlY3JldA") {
				t.Errorf("%+v", got)
			}
		})
	}
	s := mailserver.New(t, mailserver.Options{})
	x := sender(t, s, mail.Options{})
	wrong := letter
	wrong.To = "nobody"
	var got *mail.Error
	if err := x.Send(t.Context(), wrong); !errors.As(err, &got) || !got.Permanent {
		t.Errorf("%+v", got)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Send(over, letter); !errors.As(err, &got) || got.Permanent || got.Unknown {
		t.Errorf("%+v", got)
	}
	for _, bad := range []mail.Options{{}, {Server: "http://x:1", From: "a@b"}, {Server: "smtp://x", From: "a@b"}, {Server: "smtp://x:25", From: "nobody"}} {
		if _, err := mail.New(bad); !errors.Is(err, mail.ErrOptions) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
