package sip

import (
	"bytes"
	"context"
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// sipp runs the SIPp test tool with a built-in scenario and returns its exit.
func sipp(t *testing.T, arg ...string) <-chan error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "sipp", append(arg, "-i", "127.0.0.1", "-nostdin", "-max_socket", "200", "-timeout", "20s", "-timeout_error")...)
	cmd.Dir = t.TempDir()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (Debian package sip-tester)", err)
	}
	done := make(chan error, 1)
	go func() {
		err := cmd.Wait()
		if err != nil {
			t.Logf("sipp: %v\n%s", err, out.Bytes())
		}
		done <- err
	}()
	return done
}

// freePort is a port that nothing listens on for datagrams and connections.
func freePort(t *testing.T) int {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	return c.LocalAddr().(*net.UDPAddr).Port
}

func TestSipp_Calls(t *testing.T) {
	for network, mode := range map[string]string{"udp": "u1", "tcp": "tn"} {
		t.Run(network, func(t *testing.T) {
			const calls = 20
			ended := make(chan Termination, calls)
			s := start(t, func(o *Options) {
				o.T1, o.T2 = 500*time.Millisecond, 4*time.Second
				o.Handler.(*side).onInvite = func(l *Leg) {
					ow := &caller{owner: owner{silent: true}, got: ended}
					l.Bind(ow, ow)
					ow.Post(func() {
						l.Ring(180, nil)
						if err := l.Answer([]byte(testSDP)); err != nil {
							t.Error(err)
						}
					})
				}
			})
			exit := sipp(t, "-sn", "uac", "-t", mode, "-m", strconv.Itoa(calls), "-r", "100", "-d", "100",
				"-p", strconv.Itoa(freePort(t)), "-s", "100", s.addr(network).String())
			for range calls {
				select {
				case e := <-ended:
					if e.Class != ClassHangup || e.ByUs {
						t.Errorf("%+v", e)
					}
				case <-time.After(20 * time.Second):
					t.Fatal("not all calls came or ended")
				}
			}
			if err := <-exit; err != nil {
				t.Errorf("sipp is not content: %v", err)
			}
			s.idle(t)
		})
	}
}

func TestSipp_Answers(t *testing.T) {
	for network, mode := range map[string]string{"udp": "u1", "tcp": "t1"} {
		t.Run(network, func(t *testing.T) {
			const calls = 20
			s := start(t, func(o *Options) { o.T1, o.T2 = 500*time.Millisecond, 4*time.Second })
			port := freePort(t)
			// An ACK of a 200 that sipp repeated may be there after the BYE, which sipp would call a failure.
			exit := sipp(t, "-sn", "uas", "-default_behaviors", "all,-abortunexp", "-t", mode, "-m", strconv.Itoa(calls), "-p", strconv.Itoa(port))
			uri := sprintf("sip:phone@127.0.0.1:%d;transport=%s", port, network)
			if network == "tcp" { // datagrams are repeated until sipp listens, connections are not
				eventually(t, "sipp to listen", func() bool {
					c, err := net.Dial("tcp", sprintf("127.0.0.1:%d", port))
					if err == nil {
						_ = c.Close()
					}
					return err == nil
				})
			}
			to, err := s.ContactURI(uri)
			if err != nil {
				t.Fatal(err)
			}
			ended := make(chan Termination, calls)
			for range calls {
				c := &caller{owner: owner{silent: true}, got: ended}
				c.Post(func() { s.Dial(c, c, Dial{To: to, From: Party{User: "1"}, SDP: []byte(testSDP)}) })
			}
			for range calls {
				if e := <-ended; e.Class != ClassHangup || !e.ByUs {
					t.Errorf("%+v", e)
				}
			}
			if err := <-exit; err != nil {
				t.Errorf("sipp is not content: %v", err)
			}
			s.idle(t)
		})
	}
}
