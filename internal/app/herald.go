package app

import (
	"errors"
	"time"

	"github.com/rs/zerolog"

	"centrala/chat"
	"centrala/chat/partner"
)

// How often third parties are told again where this server is, who could not be told.
const (
	heraldMin = 5 * time.Second
	heraldMax = 15 * time.Minute
)

// herald tells third parties where this server is to be reached when that has changed (R6).
type herald struct{ news chan struct{} }

// look has the channels looked at.
func (h *herald) look() {
	select {
	case h.news <- struct{}{}:
	default: // it is to look already
	}
}

// announce tells the connectors of third parties by which address they bring events, each
// once for every address, until the server stops.
func (c *chats) announce(log zerolog.Logger) {
	for pause := heraldMin; ; {
		again := time.After(pause)
		if c.announceAll(log, pause) {
			pause, again = heraldMin, nil
		} else {
			pause = min(2*pause, heraldMax)
		}
		select {
		case <-c.life.Done():
			return
		case <-c.herald.news:
		case <-again:
		}
	}
}

// announceAll tells false where somebody could not be told.
func (c *chats) announceAll(log zerolog.Logger, pause time.Duration) bool {
	if c.settings.Public == "" {
		return true
	}
	all := true
	for id, x := range *c.channels.Load() {
		if x.partner == nil || c.life.Err() != nil {
			continue
		}
		if err := c.announceTo(log, id, x.partner); err != nil && c.life.Err() == nil {
			log.Warn().Err(err).Str("channel", id).Dur("again_in_ms", pause).Msg("a connector was not told where this server is")
			all = false
		}
	}
	return all
}

func (c *chats) announceTo(log zerolog.Logger, id string, to *partner.Connector) error {
	address := c.settings.Public + "/connectors/" + id + "/events"
	told, err := c.Announced(c.life, id)
	if err != nil || told == address {
		return err
	}
	// Whoever was told, and it could not be noted, is told again.
	if err := c.SetAnnounced(c.life, id, ""); err != nil {
		return err
	}
	var no *chat.SendError
	switch err := to.Announce(c.life, id, address); {
	case errors.As(err, &no) && no.Permanent: // it does not want to know
		log.Warn().Err(err).Str("channel", id).Msg("a connector refuses to hear where this server is")
	case err != nil:
		return err
	}
	return c.SetAnnounced(c.life, id, address)
}
