// Command mediabench measures what waiting callers and bridged calls cost. The work is done in a child
// process, so that its processor time is its own; the load comes from this one, over loopback.
// Each row of the engine stands beside its floor: a bare loop in the same run that does nothing
// but the system calls and the cipher. The milliseconds are how far a waiting caller's packets are from 20 ms
// apart, or how long a bridged one took. A row where much less was heard than was due says nothing
// about cost: the machine could not carry the load and the work.
//
//	go run ./media/mediabench -legs 100,1000 -seconds 10
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"centrala/media/sdp"

	"github.com/pion/srtp/v3"
	"golang.org/x/sys/unix"
)

// order is what the parent tells the child over its standard input.
type order struct {
	Work  string    // waiting, talking, bridged, srtp1 or srtp2
	Ports []uint16  // of the load's sockets; bridged: each two after the other are a call
	Suite sdp.Suite // of those that are encrypted
	Key   []byte    // of what they send
}

// bridges tells whether the work is calls of two legs.
func bridges(work string) bool { return work == "bridged" || work == "srtp1" || work == "srtp2" }

// secured tells whether a leg is encrypted: with srtp1 one of each call.
func secured(work string, leg int) bool { return work == "srtp2" || work == "srtp1" && leg%2 == 0 }

// cipher is one direction of an encrypted leg.
func cipher(suite sdp.Suite, key []byte) (*srtp.Context, error) {
	profile := srtp.ProtectionProfileAes128CmHmacSha1_80
	switch suite {
	case sdp.GCM128:
		profile = srtp.ProtectionProfileAeadAes128Gcm
	case sdp.CM128s:
		profile = srtp.ProtectionProfileAes128CmHmacSha1_32
	case sdp.CM128:
	}
	return srtp.CreateContext(key[:16], key[16:], profile)
}

// usage is what the child tells when it is ready and after each newline from the parent: where it
// listens, its processor time so far in seconds, its memory in bytes (in the first one: before it
// made any endpoint).
type usage struct {
	Ports     []uint16
	Keys      [][]byte // of what it sends, by port; empty: plain
	CPU       float64
	Memory    uint64 // heap and stacks
	Endpoints int
}

func main() {
	legs := flag.String("legs", "100,1000", "numbers of waiting callers, and of bridged calls")
	seconds := flag.Int("seconds", 8, "how long to measure each row")
	work := flag.String("work", "waiting,talking,bridged,srtp1,srtp2", "what to measure; talking: waiting callers who send audio too; srtp1, srtp2: calls with one or both sides encrypted")
	suite := flag.String("suite", string(sdp.CM128), "how they are encrypted; "+string(sdp.GCM128)+" is another way")
	role := flag.String("role", "", "for the child process")
	profile := flag.String("profile", "", "write the engine's CPU profile to this file")
	flag.Parse()
	b := bench{suite: sdp.Suite(*suite), profile: *profile, time: time.Duration(*seconds) * time.Second}
	if err := b.run(*role, *legs, *work); err != nil {
		fmt.Fprintln(os.Stderr, "mediabench:", err)
		os.Exit(1)
	}
}

// bench is what all rows have in common.
type bench struct {
	suite   sdp.Suite
	profile string
	time    time.Duration // of each row
}

func (b *bench) run(role, legs, work string) error {
	if role != "" {
		return child(role, b.profile)
	}
	if b.suite.KeyLen() == 0 {
		return fmt.Errorf("unknown suite %q", b.suite)
	}
	fmt.Println("work     who      legs  cores  cores/1000   × floor  ms off: p50    p95     p99   worst   heard   lost  memory/leg")
	for _, w := range strings.Split(work, ",") {
		for _, field := range strings.Split(legs, ",") {
			n, err := strconv.Atoi(field)
			if err != nil || n < 1 {
				return fmt.Errorf("number of legs %q", field)
			}
			floor := 0.0
			for _, who := range []string{"floor", "engine"} {
				r, err := b.measure(who, w, n)
				if err != nil {
					return fmt.Errorf("%s, %s, %d legs: %w", w, who, n, err)
				}
				if who == "floor" {
					floor = r.cores
				}
				fmt.Printf("%-8s %-7s %5d  %5.3f       %5.3f     %5.2f        %6.2f %6.2f  %6.2f  %6.2f  %5.1f%%  %5d  %s\n",
					w, who, n, r.cores, r.cores*1000/float64(n), r.cores/floor, ms(r.p50), ms(r.p95), ms(r.p99), ms(r.worst), r.heard*100, r.lost, r.memory)
			}
		}
	}
	return nil
}

func ms(ns int64) float64 { return float64(ns) / 1e6 }

// result is one row.
type result struct {
	cores                float64
	p50, p95, p99, worst int64   // ns
	heard                float64 // packets that came, of those that were due
	lost                 int
	memory               string
}

func (b *bench) measure(who, work string, n int) (result, error) {
	exe, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	cmd := exec.Command(exe, "-role", who, "-profile", b.profile)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return result{}, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	defer func() { in.Close(); _ = cmd.Wait() }()

	sockets := n
	if bridges(work) {
		sockets = 2 * n
	}
	l, err := newLoad(sockets, work)
	if err != nil {
		return result{}, err
	}
	defer l.close()
	replies := json.NewDecoder(out)
	ask := func() (u usage, err error) {
		if _, err = fmt.Fprintln(in); err == nil {
			err = replies.Decode(&u)
		}
		return u, err
	}
	key := bytes.Repeat([]byte("k"), b.suite.KeyLen())
	if err := json.NewEncoder(in).Encode(order{work, l.ports(), b.suite, key}); err != nil {
		return result{}, err
	}
	var first usage
	if err := replies.Decode(&first); err != nil {
		return result{}, err
	}
	if err := l.connect(first.Ports); err != nil {
		return result{}, err
	}
	if err := l.secure(b.suite, key, first.Keys); err != nil {
		return result{}, err
	}
	l.run(time.Second) // until every source is known
	l.forget()
	before, err := ask()
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	l.run(b.time)
	took := time.Since(began).Seconds()
	after, err := ask()
	if err != nil {
		return result{}, err
	}
	r := result{cores: (after.CPU - before.CPU) / took, lost: l.lost()}
	due := took
	if bridges(work) { // what is under way at the end is waited for, and nothing more is sent
		due = b.time.Seconds()
	}
	r.heard = float64(l.got) / (float64(sockets) * due / frame.Seconds())
	slices.Sort(l.samples)
	if k := len(l.samples); k > 0 {
		r.p50, r.p95, r.p99, r.worst = l.samples[k/2], l.samples[k*95/100], l.samples[k*99/100], l.samples[k-1]
	}
	if after.Endpoints > 0 {
		r.memory = fmt.Sprintf("%.1f kB", float64(after.Memory-first.Memory)/float64(after.Endpoints)/1000)
	}
	return r, nil
}

// cpu is the processor time of this process so far, in seconds.
func cpu() float64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
