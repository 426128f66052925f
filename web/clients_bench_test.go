package web

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"centrala/acd"
	"centrala/internal/accounts"
	"centrala/internal/events"
	"centrala/internal/journal"
	"centrala/queuegroups"
)

// readersAt is the environment variable by which the test program becomes the readers of a benchmark: the
// server's address, a blank, and how many they are.
const readersAt = "CENTRALA_WEB_READERS"

func TestMain(m *testing.M) {
	if of := os.Getenv(readersAt); of != "" {
		if err := readStreams(of); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// readStreams opens so many streams, says so, and reads until it is killed.
func readStreams(of string) error {
	address, count, _ := strings.Cut(of, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	for k := range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		fmt.Fprintf(conn, "GET %s/events HTTP/1.1\r\nHost: x\r\nCookie: %s=reader%d\r\n\r\n", Prefix, cookieName(false), k)
		in := bufio.NewReader(conn)
		for line := ""; line != ": here\n"; { // the stream has begun
			if line, err = in.ReadString('\n'); err != nil {
				return fmt.Errorf("reader %d: %w", k, err)
			}
		}
		go func() { _, _ = io.Copy(io.Discard, conn) }() // until we are killed
	}
	fmt.Println("all read")
	select {}
}

// oneCall are the events of one call, of a usual size.
func oneCall(id int64, group queuegroups.GroupID, agent string) (list []journal.Event) {
	of := events.Interaction{
		ID: number(acd.InteractionID(id)), Kind: "call", Direction: "in", From: "+48600100200", FromName: "Jan Kowalski", To: "+48221234567", Trunk: "carrier",
		FirstGroup: string(group), Group: string(group), Agent: agent, Arrived: time.Now(), Agents: []string{agent},
	}
	for k, what := range []events.Type{
		"call.arrived", events.GroupEntered, "call.queued", events.OfferMade, events.AgentStateChanged, events.OfferRinging, events.OfferEnded, "call.answered",
		events.GroupLeft, events.AgentStateChanged, "call.ended", events.AgentStateChanged, events.AgentStateChanged,
	} {
		e := journal.Event{ID: id + int64(k), At: journal.MicrosOf(time.Now()), Type: string(what), Group: group, Interaction: acd.InteractionID(id)}
		var data any = events.Course{Interaction: of, Group: string(group), Agent: agent, Reason: "evenly: last answer 3m20s ago, round 1, 4 free"}
		if what == events.AgentStateChanged {
			e.Group, e.Interaction, e.Agent = "", 0, queuegroups.AgentID(agent)
			data = events.AgentState{Agent: agent, Status: "talking", Previous: "available", Reason: "answered"}
		}
		text, err := json.Marshal(data)
		if err != nil {
			panic(err)
		}
		e.Data = text
		list = append(list, e)
	}
	return list
}

// BenchmarkEvents_Sockets is what this process takes, in cores, with so many streams that a process of its own reads
// over TCP, while 50 calls a second begin and end, one each 20 ms: for readers who see everything, and for agents who
// are concerned by one call in ten. An iteration is a second.
func BenchmarkEvents_Sockets(b *testing.B) {
	for _, x := range []struct {
		name    string
		readers int
		agents  bool
	}{{"nobody", 0, false}, {"1000 who see all", 1000, false}, {"1000 agents", 1000, true}} {
		b.Run(x.name, func(b *testing.B) {
			r := newRig(b)
			for k := range x.readers {
				c := &accounts.Caller{Name: fmt.Sprint("reader", k), Session: fmt.Sprint("r", k), Role: builtin(b, queuegroups.RoleDirector)}
				if x.agents {
					c.Agent, c.Role = "anna", builtin(b, queuegroups.RoleManager)
				}
				r.accounts.sessions[c.Name] = c
			}
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			go func() { _ = r.s.server.Serve(listener) }()
			defer r.s.server.Close()
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), fmt.Sprintf("%s=%v %d", readersAt, listener.Addr(), x.readers))
			child.Stderr = os.Stderr
			out, err := child.StdoutPipe()
			if err != nil {
				b.Fatal(err)
			}
			if err := child.Start(); err != nil {
				b.Fatal(err)
			}
			defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
			if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "all read\n" {
				b.Fatalf("%q %v", line, err)
			}
			id := int64(1_000_000)
			beat := time.NewTicker(20 * time.Millisecond)
			defer beat.Stop()
			began, before := time.Now(), spent(b)
			for b.Loop() {
				for k := range 50 {
					<-beat.C
					group, agent := queuegroups.GroupID("support"), "celina"
					if k%10 == 0 {
						group, agent = "sales", "anna"
					}
					r.tells(oneCall(id, group, agent)...)
					id += callApart
				}
			}
			b.ReportMetric((spent(b)-before).Seconds()/time.Since(began).Seconds(), "cores")
			b.ReportMetric(float64(b.N)*650/time.Since(began).Seconds(), "events/s")
		})
	}
}

// callApart is by how much the ids of two calls are apart.
const callApart = 100_000

// spent is the processor's time that this process has had.
func spent(b *testing.B) time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
