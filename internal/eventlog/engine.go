package eventlog

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rs/zerolog"
)

const (
	// syncInterval is how often the embedded server flushes files to disk: what a
	// loss of power may cost. What a killed process wrote is safe at once.
	syncInterval = 10 * time.Second
	// maxPayload is the largest event that the embedded server takes, in bytes;
	// the largest is a configuration.
	maxPayload = 8 << 20
	// Files are limited by what the disk holds and Options.Retain, memory streams
	// by what leases need.
	maxStore  = 1 << 40
	maxMemory = 16 << 20

	startTimeout   = 30 * time.Second // replaying a large store takes its time
	connectTimeout = 2 * time.Second
	requestTimeout = 5 * time.Second
	reconnectWait  = 100 * time.Millisecond
)

// engine is a connection to JetStream, with the server if it is the embedded one.
type engine struct {
	server *server.Server // nil: external
	nc     *nats.Conn
	js     jetstream.JetStream
}

// startEngine starts the embedded server, or connects to an external one.
func startEngine(o Options) (*engine, error) {
	e := &engine{}
	opts := []nats.Option{
		nats.Name("centrala " + string(o.Node)),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectBufSize(-1), // the window keeps what is to be sent
		nats.Timeout(connectTimeout),
		nats.SkipSubjectValidation(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Log.Warn().Err(err).Msg("event log connection")
		}),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() {
				o.Log.Warn().Err(err).Msg("event log disconnected")
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			o.Log.Info().Str("server", nc.ConnectedUrlRedacted()).Msg("event log connected again")
		}),
	}
	if o.URL == "" {
		srv, err := startServer(o)
		if err != nil {
			return nil, err
		}
		e.server = srv
		opts = append(opts, nats.InProcessServer(srv))
	}
	nc, err := nats.Connect(o.URL, opts...)
	if err != nil {
		e.stop()
		return nil, fmt.Errorf("event log: connect to %s: %w", engineName(o.URL), err)
	}
	e.nc = nc
	if e.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout)); err != nil {
		e.stop()
		return nil, fmt.Errorf("event log: %w", err)
	}
	return e, nil
}

func engineName(url string) string {
	if url == "" {
		return "the embedded server"
	}
	return "the servers given"
}

func startServer(o Options) (*server.Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName:         "centrala-" + string(o.Node),
		DontListen:         true,
		NoSigs:             true,
		JetStream:          true,
		StoreDir:           filepath.Join(o.Dir, "log"),
		SyncInterval:       syncInterval,
		JetStreamMaxStore:  maxStore,
		JetStreamMaxMemory: maxMemory,
		MaxPayload:         maxPayload,
	})
	if err != nil {
		return nil, fmt.Errorf("event log: embedded server: %w", err)
	}
	srv.SetLoggerV2(&serverLog{o.Log.With().Str("part", "nats").Logger()}, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(startTimeout) || !srv.JetStreamEnabled() {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, errors.New("event log: the embedded server does not start; its messages are in the log")
	}
	return srv, nil
}

// stop ends the connection and the embedded server.
func (e *engine) stop() {
	if e.nc != nil {
		e.nc.Close()
	}
	if e.server != nil {
		e.server.Shutdown()
		e.server.WaitForShutdown()
	}
}

// openStream returns the stream of the log, made if there is none. What an admin
// has changed about it (replicas, placement) stays.
func (e *engine) openStream(ctx context.Context, o Options) (jetstream.Stream, error) {
	s, err := e.js.Stream(ctx, streamName(o.Name))
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return s, err
	}
	return e.js.CreateStream(ctx, jetstream.StreamConfig{
		Name:        streamName(o.Name),
		Description: "event log of " + o.Name,
		Subjects:    []string{subjectName(o.Name)},
		Storage:     jetstream.FileStorage,
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Replicas:    o.Replicas,
		DenyDelete:  true,
		AllowDirect: true,
	})
}

func streamName(name string) string  { return name + "_log" }
func subjectName(name string) string { return name + ".log" }

// serverLog passes on what the embedded server has to say, quietly: what it takes
// for worth noting is of interest for debugging only.
type serverLog struct{ log zerolog.Logger }

func (l *serverLog) Noticef(f string, v ...any) { l.log.Debug().Msgf(f, v...) }
func (l *serverLog) Warnf(f string, v ...any)   { l.log.Warn().Msgf(f, v...) }
func (l *serverLog) Errorf(f string, v ...any)  { l.log.Error().Msgf(f, v...) }
func (l *serverLog) Fatalf(f string, v ...any)  { l.log.Error().Msgf(f, v...) }
func (l *serverLog) Debugf(string, ...any)      {}
func (l *serverLog) Tracef(string, ...any)      {}
