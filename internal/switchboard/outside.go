package switchboard

import (
	"errors"

	"centrala/acd"
	"centrala/queuegroups"
	"centrala/sip"
)

var errLoop = errors.New("the call goes round in circles")

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
	if err := c.present(cmd, &d); err != nil {
		return err
	}
	if err := c.dial(o, d); err != nil {
		return err
	}
	c.log.Info().Str("trunk", string(cmd.Trunk)).Str("number", cmd.Number).Str("from", d.From.User).Msg("calling outside")
	return nil
}

// written is a number as the trunk's carrier wants it.
func (b *Board) written(number string, trunk queuegroups.TrunkID) string {
	conf := b.config.Load()
	if t := conf.Trunk(trunk); t != nil {
		return queuegroups.Format(number, t.NumberFormat, conf.Region)
	}
	return number
}
