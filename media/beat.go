package media

// beat is how many ticks of the clock lie between two looks into the socket of a waiting caller. That makes
// 100 ms, a fifth of what the kernel has room for (receiveBuffer).
const beat = 5

// maxBacklog bounds how many packets are taken at one look, whoever sends them how fast.
const maxBacklog = 4 * beat

// Whoever hears a programme and is heard by nobody need not be heard at once: their packets are
// for the figures, for keys and for the time-out. Such an endpoint's RTP socket is taken out of epoll(7),
// for which the kernel would wake somebody for each packet sent, too, and is read on every fifth tick.
// The kernel notes when each packet came, so that jitter and round trips stay true. What is new begins
// as soon as there is a listener: attend.

// onBeat is called by the clock at every fifth tick of a programme.
func (ep *Endpoint) onBeat(b *backlog) {
	if ep.leave() {
		ep.catchUp(b)
	}
}

// leave ends that the socket is read at once, where nobody depends on it. It is read at once by those who
// are not sure yet who their peer is.
func (ep *Endpoint) leave() (left bool) {
	if ep.web != nil { // whose port is shared with those who talk
		return false
	}
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	if ep.in.closed || ep.listener.Load() != nil || ep.onAudio != nil || !ep.in.source.locked.IsValid() {
		ep.watch()
		return false
	}
	if !ep.in.late {
		ep.in.late = ep.poller.unwatch(ep)
	}
	return ep.in.late
}

// attend makes sure that the socket is read at once from now on. Nobody is made to hear what came before.
func (ep *Endpoint) attend() {
	ep.in.mu.Lock()
	late := ep.in.late
	ep.in.mu.Unlock()
	if !late {
		return
	}
	ep.catchUp(new(backlog))
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	ep.watch()
}

// watch has the poller read the socket. Accessed with in.mu held.
func (ep *Endpoint) watch() {
	if ep.in.late && !ep.in.closed {
		ep.in.late = !ep.poller.watch(ep)
	}
}

// catchUp takes what has come since the last time, and passes no audio on.
func (ep *Endpoint) catchUp(b *backlog) {
	for range maxBacklog {
		v, digit, more := ep.takeLate(b)
		ep.tell(v, digit, b.from.addrPort())
		if !more {
			return
		}
	}
}

// takeLate takes one packet; more is false when there was none.
func (ep *Endpoint) takeLate(b *backlog) (v verdict, digit byte, more bool) {
	ep.in.mu.Lock()
	defer ep.in.mu.Unlock()
	if ep.in.closed {
		return stranger, 0, false
	}
	n, age, errno := ep.rtp.receiveLate(b)
	if errno != 0 { // nothing there, or the fate of an earlier packet (ICMP)
		return stranger, 0, false
	}
	_, v, digit, _ = ep.judge(b.packet[:], n, b.from.addrPort(), int64(ep.engine.clock()-age))
	return v, digit, true
}
