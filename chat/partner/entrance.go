package partner

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/rs/zerolog"

	"centrala/chat"
)

// Entrance is where third parties bring events: POST to a path that ends with the
// name of the channel.
type Entrance struct {
	// Connector is that of a channel at present; nil: no third party has it.
	Connector func(channel string) *Connector
	// Receive keeps an event; it has been kept when it returns nil.
	Receive func(ctx context.Context, channel, event string, body []byte) error
	// Wrong tells whether an error of Receive is the event's fault, not the server's.
	Wrong func(error) bool
	// Outage tells of the database that is away; nil: each event does.
	Outage *chat.Outage
	Log    zerolog.Logger
}

// ServeHTTP answers 200 once the event is kept, and as RFC 9457 says otherwise. The
// path value channel names the channel.
func (e *Entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	channel := r.PathValue("channel")
	c := e.Connector(channel)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, BodyMax))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		refuse(w, http.StatusRequestEntityTooLarge, "the body is larger than 256 KiB")
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, "the body did not come whole")
		return
	case c == nil: // nobody who cannot sign learns which channels there are
		refuse(w, http.StatusUnauthorized, ErrSigned.Error())
		return
	}
	id, err := c.Verify(r.Header, body)
	if err != nil {
		e.Log.Warn().Str("channel", channel).Str("from", r.RemoteAddr).Msg("an event of a third party is not signed as it should be")
		refuse(w, http.StatusUnauthorized, err.Error())
		return
	}
	switch err := e.Receive(r.Context(), channel, id, body); {
	case err == nil:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"id": id}) // the client is gone
	case !e.Wrong(err):
		if !e.Outage.Is(err) {
			e.Log.Error().Err(err).Str("channel", channel).Msg("an event of a third party could not be kept")
		}
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "it could not be kept: send it again")
	default:
		refuse(w, http.StatusUnprocessableEntity, err.Error())
	}
}

func refuse(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail}) // the client is gone
}
