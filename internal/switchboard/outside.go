package switchboard

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

var errLoop = errors.New("the call goes round in circles")

// exit is how a call leaves for a number outside.
type exit struct {
	ways    []*acd.Dial // by trunks that were not tried yet
	open    bool        // a telephone is called, or its trunk is looked up
	ringing bool
	srtp    queuegroups.SRTP
	confirm *queuegroups.Group // whose call has to be accepted by a key; nil: by answering
	why     string             // the reason of its Diversion (RFC 5806); empty: not known
}

// dialOut calls a number outside by a trunk (R95, R96).
func (c *call) dialOut(cmd *acd.Dial) {
	if c.offers[cmd.Offer] != nil {
		return // the same command again
	}
	o := &offer{id: cmd.Offer, number: cmd.Number, by: cmd.By, worst: acd.FailUnreachable}
	c.offers[o.id] = o
	c.board.counts.offers.Add(1)
	c.nextWay(o, c.exitTo(cmd, ""))
}

// exitTo finds out how a call for a number outside leaves.
func (c *call) exitTo(cmd *acd.Dial, why string) *exit {
	x := &exit{why: why}
	if g := c.board.config.Load().Group(cmd.Group); g != nil && g.ForwardConfirm && cmd.By == "" {
		x.confirm = g
	}
	for _, trunk := range c.board.ways(cmd.Trunk, cmd.Number) {
		by := *cmd
		by.Trunk = trunk
		x.ways = append(x.ways, &by)
	}
	if len(x.ways) == 0 {
		c.log.Warn().Str("number", cmd.Number).Msg("number outside not called: no trunk leads out")
	}
	return x
}

// nextWay calls by the next trunk by which the call may leave; x is nil for an agent's
// phone, for which there is none.
func (c *call) nextWay(o *offer, x *exit) {
	for x != nil && len(x.ways) > 0 && !x.open && !c.ending && !o.cancelled && !o.answered {
		cmd := x.ways[0]
		x.ways = x.ways[1:]
		err := c.callOutside(o, x, cmd)
		if err == nil {
			continue // on its way, or else the next is tried at once
		}
		c.log.Warn().Err(err).Str("trunk", string(cmd.Trunk)).Str("number", cmd.Number).Msg("number outside not called")
		if errors.Is(err, errLoop) {
			x.ways = nil
		}
	}
	c.settle(o)
}

func (c *call) callOutside(o *offer, x *exit, cmd *acd.Dial) error {
	to, err := c.board.stack.TrunkContact(string(cmd.Trunk), c.board.written(cmd.Number, cmd.Trunk))
	if err != nil {
		return err
	}
	d := sip.Dial{To: to, MaxForwards: c.caller.sip.MaxForwards() - 1, Urgent: c.board.urgent(cmd)}
	if d.MaxForwards < 1 {
		return errLoop
	}
	if err := c.present(cmd, x.why, &d); err != nil {
		return err
	}
	c.log.Info().Str("trunk", string(cmd.Trunk)).Str("number", cmd.Number).Str("from", d.From.User).Msg("calling outside")
	x.srtp = c.board.trunkSRTP(cmd.Trunk)
	c.dial(o, x, d)
	return nil
}

// another: a trunk did not take the call on, and another one may.
func (x *exit) another(t sip.Termination) bool {
	return len(x.ways) > 0 && !x.ringing && (t.Code == 0 || t.Code == 408 || t.Code/100 == 5)
}

// ways are the trunks by which a call may leave, in the order in which to try them:
// the one that is named, if calls leave by it; else all by which they do. Those that
// are known to be down come last. A number that is no E.164 one goes to those that take
// it.
func (b *Board) ways(named queuegroups.TrunkID, number string) []queuegroups.TrunkID {
	conf, e164 := b.config.Load(), strings.HasPrefix(number, "+")
	if t := conf.Trunk(named); e164 && (t == nil && named != "" || t != nil && t.Host != "") {
		return []queuegroups.TrunkID{named}
	}
	down := map[queuegroups.TrunkID]bool{}
	for _, t := range b.stack.Trunks() {
		down[queuegroups.TrunkID(t.ID)] = t.Checked && !t.Up || t.Registers && !t.Registered
	}
	var list []way
	for i := range conf.Trunks {
		t := &conf.Trunks[i]
		if takes, _ := t.TakesShort(number); t.Host != "" && (e164 || takes) {
			list = append(list, way{t.ID, t.Priority, t.Weight, down[t.ID]})
		}
	}
	return inTurn(list, rand.IntN)
}

// urgent: the call is to an emergency service.
func (b *Board) urgent(cmd *acd.Dial) bool {
	t := b.config.Load().Trunk(cmd.Trunk)
	if t == nil {
		return false
	}
	_, emergency := t.TakesShort(cmd.Number)
	return emergency
}

// way is a trunk by which a call may leave.
type way struct {
	trunk            queuegroups.TrunkID
	priority, weight int
	down             bool
}

// inTurn orders trunks: those that are up first, then by priority, and of equal ones
// by weight, as RFC 2782 has it; those without one follow as they are written. draw
// gives a number of 0 to n-1.
func inTurn(list []way, draw func(n int) int) []queuegroups.TrunkID {
	rank := func(w way) int {
		if w.down {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b way) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.priority, b.priority))
	})
	var turn []queuegroups.TrunkID
	for len(list) > 0 {
		n, sum := 0, 0
		for n < len(list) && list[n].down == list[0].down && list[n].priority == list[0].priority {
			sum += list[n].weight
			n++
		}
		chosen := 0
		if sum > 0 {
			for at := draw(sum); at >= list[chosen].weight; chosen++ {
				at -= list[chosen].weight
			}
		}
		turn = append(turn, list[chosen].trunk)
		list = slices.Delete(list, chosen, chosen+1)
	}
	return turn
}

// written is a number as the trunk's carrier wants it.
func (b *Board) written(number string, trunk queuegroups.TrunkID) string {
	conf := b.config.Load()
	if t := conf.Trunk(trunk); t != nil {
		return queuegroups.Format(number, t.NumberFormat, conf.Region)
	}
	return number
}
