package switchboard

import (
	"errors"
	"fmt"
	"strings"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

var errLoop = errors.New("the call has been through too many hops")

// dialOut calls a number outside by a trunk (R95, R96).
func (c *call) dialOut(cmd *acd.Dial) {
	if c.offers[cmd.Offer] != nil {
		return // the same command again
	}
	o := &offer{id: cmd.Offer, number: cmd.Number, srtp: c.board.trunkSRTP(cmd.Trunk), worst: acd.FailUnreachable}
	c.offers[o.id] = o
	c.board.counts.offers.Add(1)
	if !c.ending {
		if err := c.callOutside(o, cmd); err != nil {
			c.log.Warn().Err(err).Str("trunk", string(cmd.Trunk)).Str("number", cmd.Number).Msg("number outside not called")
		}
	}
	c.settle(o)
}

func (c *call) callOutside(o *offer, cmd *acd.Dial) error {
	to, err := c.board.stack.TrunkContact(string(cmd.Trunk), c.board.written(cmd.Number, cmd.Trunk))
	if err != nil {
		return err
	}
	d := sip.Dial{To: to, MaxForwards: c.caller.sip.MaxForwards() - 1}
	if d.MaxForwards < 1 {
		return errLoop
	}
	d.From, d.Header = c.board.callerID(cmd, c.caller.sip.To())
	d.From.User = c.board.written(d.From.User, cmd.Trunk)
	if err := c.dial(o, d); err != nil {
		return err
	}
	c.log.Info().Str("trunk", string(cmd.Trunk)).Str("number", cmd.Number).Str("from", d.From.User).Msg("calling outside")
	return nil
}

// callerID is whom a call outside is shown to come from: the trunk's caller_id;
// else the caller, with the number that they called in a Diversion header (RFC
// 5806), which lets the carrier see whose call it is. One who is not outside
// themself, or withholds their number, is shown as the first number that leads
// to us by the trunk.
func (b *Board) callerID(cmd *acd.Dial, called string) (sip.Party, []sip.Header) {
	conf := b.config.Load()
	if t := conf.Trunk(cmd.Trunk); t != nil && t.CallerID != "" {
		return sip.Party{User: t.CallerID}, nil
	}
	if !strings.HasPrefix(cmd.From.Number, "+") {
		return sip.Party{User: firstNumber(conf, cmd.Trunk)}, nil
	}
	from := sip.Party{User: cmd.From.Number, Name: cmd.From.Name}
	if called = b.number(called); !strings.HasPrefix(called, "+") {
		return from, nil
	}
	diversion := fmt.Sprintf("<sip:%s@%s>;reason=unknown;counter=1", b.written(called, cmd.Trunk), b.stack.Domain())
	return from, []sip.Header{{Name: "Diversion", Value: diversion}}
}

// written is a number as the trunk's carrier wants it.
func (b *Board) written(number string, trunk queuegroups.TrunkID) string {
	conf := b.config.Load()
	if t := conf.Trunk(trunk); t != nil {
		return queuegroups.Format(number, t.NumberFormat, conf.Region)
	}
	return number
}

// firstNumber is the first number declared for a trunk; empty: there is none.
func firstNumber(conf *queuegroups.Config, trunk queuegroups.TrunkID) string {
	for i := range conf.Numbers {
		if conf.Numbers[i].Trunk == trunk {
			return conf.Numbers[i].Number
		}
	}
	return ""
}
