package media_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"centrala/internal/webpeer"
	"centrala/media"
)

// browsersEnv is the environment variable by which the test program becomes the browsers of a benchmark: how many they are.
const browsersEnv = "CENTRALA_MEDIA_BROWSERS"

// beBrowsers is the other process of BenchmarkWeb_Browsers. Each browser writes its offer as a line, in base64, and reads the
// answer; when all are connected that is said, and they send 20 ms of audio each 20 ms until nobody listens any more.
func beBrowsers(count string) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(os.Stdin, 1<<16)
	peers := make([]*webpeer.Peer, n)
	for i := range peers {
		p, err := webpeer.New(webpeer.Options{})
		if err != nil {
			return err
		}
		offer, err := p.Offer(false)
		if err != nil {
			return err
		}
		fmt.Println(base64.StdEncoding.EncodeToString([]byte(offer)))
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		answer, err := base64.StdEncoding.DecodeString(line[:len(line)-1])
		if err != nil {
			return err
		}
		if err := p.Accept(string(answer)); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err = p.Await(ctx, webpeer.Connected)
		cancel()
		if err != nil {
			return err
		}
		peers[i] = p
	}
	fmt.Println("connected")
	over := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, in); close(over) }()
	frame := make([]byte, media.FrameSamples)
	began, beat := time.Now(), time.NewTicker(20*time.Millisecond)
	for sent := time.Duration(0); ; {
		for ; sent < time.Since(began); sent += 20 * time.Millisecond { // what was missed is made good
			for _, p := range peers {
				p.Send(0, false, media.FrameSamples, frame)
			}
		}
		select {
		case <-beat.C:
		case <-over:
			return nil
		}
	}
}

// spent is the processor's time that this process has had, user and system.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// What the legs of browsers cost that talk to each other in pairs, 50 packets a second each way, by themselves: the browsers, of
// an implementation that is not ours, are another process. An iteration is a second. Set-up is ICE and DTLS.
func BenchmarkWeb_Browsers(b *testing.B) {
	for _, legs := range []int{20, 100} {
		b.Run(fmt.Sprint(legs), func(b *testing.B) { benchBrowsers(b, legs) })
	}
}

func benchBrowsers(b *testing.B, legs int) {
	must := func(err error) {
		if err != nil {
			b.Helper()
			b.Fatal(err)
		}
	}
	e := webEngine(b)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%d", browsersEnv, legs))
	child.Stderr = os.Stderr
	in, err := child.StdinPipe()
	must(err)
	stdout, err := child.StdoutPipe()
	must(err)
	must(child.Start())
	defer func() { _ = in.Close(); _ = child.Wait() }()
	out := bufio.NewReaderSize(stdout, 1<<16)

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines, idle := runtime.NumGoroutine(), spent(b)
	eps := make([]*media.Endpoint, legs)
	for i := range eps {
		ep, err := e.NewEndpoint(media.EndpointOptions{WebRTC: true, Timeout: -1})
		must(err)
		defer ep.Close()
		line, err := out.ReadString('\n')
		must(err)
		offer, err := base64.StdEncoding.DecodeString(line[:len(line)-1])
		must(err)
		answer, err := ep.AcceptOffer(offer)
		must(err)
		_, err = fmt.Fprintln(in, base64.StdEncoding.EncodeToString(answer))
		must(err)
		if eps[i] = ep; i%2 == 1 {
			media.Bridge(eps[i-1], ep)
		}
	}
	if line, err := out.ReadString('\n'); err != nil || line != "connected\n" {
		b.Fatalf("%q %v", line, err)
	}
	setUp := spent(b) - idle
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := func(a, b uint64) float64 { return float64(int64(a)-int64(b)) / float64(legs) / 1024 }
	began, used, packets := time.Now(), spent(b), e.Stats().PacketsSent
	for b.Loop() {
		time.Sleep(time.Second)
	}
	took, cpu, sent := time.Since(began).Seconds(), spent(b)-used, e.Stats().PacketsSent-packets
	if sent == 0 {
		b.Fatal("nothing was relayed")
	}
	b.ReportMetric(cpu.Seconds()/took/float64(legs)*1000, "cores/1000legs")
	b.ReportMetric(float64(cpu.Microseconds())/float64(sent), "µs/packet")
	b.ReportMetric(float64(sent)/took/float64(legs), "packets/s/leg")
	b.ReportMetric(setUp.Seconds()*1000/float64(legs), "ms-CPU/set-up")
	b.ReportMetric(each(after.HeapAlloc, before.HeapAlloc), "KB-heap/leg")
	b.ReportMetric(each(after.StackInuse, before.StackInuse), "KB-stack/leg")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(legs), "goroutines/leg")
}
