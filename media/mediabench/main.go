// Command mediabench measures what waiting callers and bridged calls cost. The work is done in a child
// process, so that its processor time is its own; the load comes from this one, over loopback, and
// reads when each packet came from the kernel, so that how busy it is itself does not count.
// Each row of the engine stands beside its floor: a bare loop in the same run that does nothing
// but the system calls and the cipher. The milliseconds are how far a waiting caller's packets are from
// 20 ms apart, or how long a bridged one took. With -repeat the figures are medians. A row where much
// less was heard than was due says nothing about cost: the machine could not carry the load and the work.
//
// Cores per 1000 are those of 1000 callers, or of 1000 calls of two legs.
//
//	go run ./media/mediabench -legs 100,1000,5000 -seconds 4 -repeat 3
package main

import (
	"bytes"
	"encoding/json"
	"errors"
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
	Ports []uint16  // of the legs' far ends; bridged: each two after the other are a call
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
	At        []address // by leg
	Keys      [][]byte  // of what it sends, by leg; empty: plain
	CPU       float64
	Memory    uint64 // heap and stacks
	Endpoints int
}

// address is where a leg listens.
type address struct {
	IP   [4]byte
	Port uint16
}

// legAddress is the address of loopback that a leg is bound to: one has ports for so many only.
func legAddress(leg int) [4]byte {
	const legsOfAddress = 8000
	return [4]byte{127, 0, 0, byte(1 + leg/legsOfAddress)}
}

// roomFor raises the limit of open files, if it is lower, to that of two sockets a leg.
func roomFor(legs int) error {
	need := uint64(2*legs + 100)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || limit.Cur >= need {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: need, Max: max(need, limit.Max)}); err != nil {
		return fmt.Errorf("%d legs need %d open files: %w", legs, need, err)
	}
	return nil
}

func main() {
	legs := flag.String("legs", "100,1000,5000", "numbers of legs: waiting callers, or twice the bridged calls")
	seconds := flag.Int("seconds", 4, "how long to measure each row")
	work := flag.String("work", "waiting,talking,bridged,srtp1,srtp2", "what to measure; talking: waiting callers who send audio too; srtp1, srtp2: calls with one or both sides encrypted")
	suite := flag.String("suite", string(sdp.CM128), "how they are encrypted; "+string(sdp.GCM128)+" is another way")
	repeat := flag.Int("repeat", 1, "how often to measure each row, floor and engine in turns; medians are printed")
	role := flag.String("role", "", "for the child process")
	profile := flag.String("profile", "", "write the engine's CPU profile to this file")
	flag.Parse()
	b := bench{suite: sdp.Suite(*suite), profile: *profile, time: time.Duration(*seconds) * time.Second, repeat: max(*repeat, 1)}
	if err := b.run(*role, *legs, *work); err != nil {
		fmt.Fprintln(os.Stderr, "mediabench:", err)
		os.Exit(1)
	}
}

// bench is what all rows have in common.
type bench struct {
	suite   sdp.Suite
	profile string
	time    time.Duration // of each measurement
	repeat  int           // of each row
}

func (b *bench) run(role, legs, work string) error {
	if role != "" {
		return child(role, b.profile)
	}
	if b.suite.KeyLen() == 0 {
		return fmt.Errorf("unknown suite %q", b.suite)
	}
	fmt.Println("work     who      legs  cores  cores/1000  × floor           ms off: p50     p95     p99   worst   heard   lost  memory/leg")
	for _, w := range strings.Split(work, ",") {
		for _, field := range strings.Split(legs, ",") {
			n, err := strconv.Atoi(field)
			if err != nil || n < 1 || bridges(w) && n%2 != 0 {
				return fmt.Errorf("number of legs %q", field)
			}
			err = b.row(w, n)
			if errors.Is(err, errNotCarried) { // other rows may be
				fmt.Println(err)
				continue
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// row measures floor and engine in turns, so that what else the machine does hits both, and prints
// the median of each figure.
func (b *bench) row(work string, n int) error {
	var floors, engines []result
	var ratios []float64
	for range b.repeat {
		floor, err := b.measure("floor", work, n)
		if err != nil {
			return fmt.Errorf("%s, floor, %d: %w", work, n, err)
		}
		engine, err := b.measure("engine", work, n)
		if err != nil {
			return fmt.Errorf("%s, engine, %d: %w", work, n, err)
		}
		floors, engines = append(floors, floor), append(engines, engine)
		ratios = append(ratios, engine.cores/floor.cores)
	}
	slices.Sort(ratios)
	printRow("floor", work, n, floors, "")
	printRow("engine", work, n, engines, fmt.Sprintf("%.2f (%.2f-%.2f)", ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1]))
	return nil
}

func printRow(who, work string, n int, runs []result, ratio string) {
	median := func(f func(r result) float64) float64 {
		var list []float64
		for _, r := range runs {
			list = append(list, f(r))
		}
		slices.Sort(list)
		return list[len(list)/2]
	}
	cores, heard := median(func(r result) float64 { return r.cores }), median(func(r result) float64 { return r.heard })
	thousands := float64(n) / 1000
	if bridges(work) {
		thousands /= 2
	}
	note := ""
	if heard < carried {
		note = "  not carried: no measure of cost"
	}
	fmt.Printf("%-8s %-7s %5d  %5.3f       %5.3f  %-16s     %7.2f %7.2f %7.2f %7.2f  %5.1f%%  %5.0f  %6.1f kB%s\n",
		work, who, n, cores, cores/thousands, ratio,
		median(func(r result) float64 { return ms(r.p50) }), median(func(r result) float64 { return ms(r.p95) }),
		median(func(r result) float64 { return ms(r.p99) }), median(func(r result) float64 { return ms(r.worst) }),
		heard*100, median(func(r result) float64 { return float64(r.lost) }), median(func(r result) float64 { return r.memory / 1000 }), note)
}

// carried is the share of packets that must be heard for a row to say what they cost.
const carried = 0.99

func ms(ns int64) float64 { return float64(ns) / 1e6 }

// result is one row.
type result struct {
	cores                float64
	p50, p95, p99, worst int64   // ns
	heard                float64 // packets that came, of those that were due
	lost                 int
	memory               float64 // bytes a leg
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

	l, err := newLoad(n, work)
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
	l.connect(first.At)
	if err := l.secure(b.suite, key, first.Keys); err != nil {
		return result{}, err
	}
	if err := l.warmUp(); err != nil {
		return result{}, err
	}
	before, err := ask()
	if err != nil {
		return result{}, err
	}
	l.begin()
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
	r.heard = float64(l.got) / (float64(n) * due / frame.Seconds())
	slices.Sort(l.samples)
	if k := len(l.samples); k > 0 {
		r.p50, r.p95, r.p99, r.worst = l.samples[k/2], l.samples[k*95/100], l.samples[k*99/100], l.samples[k-1]
	}
	if after.Endpoints > 0 {
		r.memory = (float64(after.Memory) - float64(first.Memory)) / float64(after.Endpoints)
	}
	return r, nil
}

// cpu is the processor time of this process so far, in seconds.
func cpu() float64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
