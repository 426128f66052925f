package eventlog

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrNotFound is returned for a key that is not in the bucket.
var ErrNotFound = errors.New("not in the bucket")

// Bucket keeps values by key beside the log, on disk and for all nodes: what
// changes too often to be logged, such as registrations. Its methods wait for the
// servers, 5 s at most (All: 30 s). Safe for concurrent use.
type Bucket struct {
	kv jetstream.KeyValue
}

// Bucket opens the bucket of the name (letters, digits, dashes, underscores), made
// if there is none. "lease" is taken.
func (l *Log) Bucket(name string) (*Bucket, error) {
	if name == "lease" {
		return nil, errors.New("bucket lease is the log's own")
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	kv, err := l.engine.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket:   l.opts.Name + "_" + name,
		Storage:  jetstream.FileStorage,
		Replicas: l.opts.Replicas,
	})
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	return &Bucket{kv: kv}, nil
}

// Put stores a value. Any key that is not empty will do.
func (b *Bucket) Put(key string, value []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	_, err := b.kv.Put(ctx, encodeKey(key), value)
	return keyError("put", key, err)
}

// Get returns the value of a key, or ErrNotFound.
func (b *Bucket) Get(key string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	e, err := b.kv.Get(ctx, encodeKey(key))
	if err != nil {
		return nil, keyError("get", key, err)
	}
	return e.Value(), nil
}

// Delete removes a key; one that is not there is removed already.
func (b *Bucket) Delete(key string) error {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	return keyError("delete", key, b.kv.Purge(ctx, encodeKey(key)))
}

// All returns every key with its value.
func (b *Bucket) All() (map[string][]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	w, err := b.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("read bucket: %w", err)
	}
	all := map[string][]byte{}
	for {
		select {
		case e, open := <-w.Updates():
			if !open {
				return nil, errors.Join(errors.New("read bucket: connection lost"), ctx.Err())
			}
			if e == nil { // all has been read
				return all, w.Stop()
			}
			if key, ok := decodeKey(e.Key()); ok {
				all[key] = e.Value()
			}
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("read bucket: %w", ctx.Err()), w.Stop())
		}
	}
}

func keyError(what, key string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return fmt.Errorf("%s %q: %w", what, key, ErrNotFound)
	}
	return fmt.Errorf("%s %q: %w", what, key, err)
}

// encodeKey writes a key in the letters that a bucket takes: all but letters,
// digits and dashes as =XX.
func encodeKey(key string) string {
	var b strings.Builder
	for i := range len(key) {
		c := key[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02X", c)
		}
	}
	return b.String()
}

// decodeKey is the inverse of encodeKey.
func decodeKey(s string) (string, bool) {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(s, "=")
		b.WriteString(plain)
		if !found {
			return b.String(), true
		}
		if len(rest) < 2 {
			return "", false
		}
		c, err := hex.DecodeString(rest[:2])
		if err != nil {
			return "", false
		}
		b.Write(c)
		s = rest[2:]
	}
}
