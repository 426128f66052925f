package accounts

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// cost is what a hash costs. A hash says by which cost it was made, so that the cost can be
// raised: passwords are hashed anew when their users sign in.
type cost struct {
	memory uint32 // KiB
	time   uint32 // passes
	lanes  uint8
}

// params are those of the OWASP recommendation for Argon2id (19 MiB, 2 passes, 1 lane):
// about 25 ms and 19 MiB for each attempt on a machine of 2026.
var params = cost{memory: 19 << 10, time: 2, lanes: 1}

// The bounds on what hashing may take: so many at once, and so many who wait for it. Beyond that,
// sign-ins are refused at once, so that nobody takes the server's memory by signing in.
const (
	waitersMax  = 32
	saltBytes   = 16
	hashBytes   = 32
	passwordMin = 10  // characters
	passwordMax = 200 // characters
)

// hasher makes and checks hashes of passwords.
type hasher struct {
	cost  cost
	dummy string        // the hash of nobody's password
	slots chan struct{} // hashing now
	queue chan struct{} // hashing or waiting
}

func newHasher(c cost) *hasher {
	slots := max(1, runtime.GOMAXPROCS(0)/2)
	h := &hasher{cost: c, slots: make(chan struct{}, slots), queue: make(chan struct{}, slots+waitersMax)}
	h.dummy = h.encode(make([]byte, saltBytes), make([]byte, hashBytes)) // no password has it
	return h
}

// enter waits for its turn. The error is ErrBusy or the context's.
func (h *hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails
	return h.encode(salt, argon2.IDKey([]byte(password), salt, h.cost.time, h.cost.memory, h.cost.lanes, hashBytes)), nil
}

// encode writes a hash in the PHC string format.
func (h *hasher) encode(salt, hash []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.memory, h.cost.time, h.cost.lanes,
		b64.EncodeToString(salt), b64.EncodeToString(hash))
}

// verify tells whether the password is the one of the hash, and whether that hash is of
// another cost than those of today. An empty hash is nobody's, and takes as long.
func (h *hasher) verify(ctx context.Context, encoded, password string) (ok, stale bool, err error) {
	if encoded == "" {
		encoded = h.dummy
	}
	c, salt, want, err := decode(encoded)
	if err != nil {
		return false, false, err
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return false, false, err
	}
	defer leave()
	got := argon2.IDKey([]byte(password), salt, c.time, c.memory, c.lanes, uint32(len(want)))
	ok = subtle.ConstantTimeCompare(got, want) == 1 && encoded != h.dummy
	return ok, ok && c != h.cost, nil
}

func decode(encoded string) (c cost, salt, hash []byte, err error) {
	fail := func(err error) (cost, []byte, []byte, error) {
		return cost{}, nil, nil, fmt.Errorf("a password's hash in the database is not readable: %w", err)
	}
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return fail(fmt.Errorf("not argon2id"))
	}
	var version int
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return fail(fmt.Errorf("version %q", parts[2]))
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.lanes); err != nil {
		return fail(err)
	}
	if c.memory < 8 || c.memory > 1<<20 || c.time < 1 || c.time > 100 || c.lanes < 1 {
		return fail(fmt.Errorf("cost %q", parts[3]))
	}
	if salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return fail(err)
	}
	if hash, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(hash) != hashBytes {
		return fail(fmt.Errorf("%d bytes", len(hash)))
	}
	return c, salt, hash, nil
}

// goodPassword tells whether a password may be chosen.
func goodPassword(name, password string) bool {
	n := utf8.RuneCountInString(password)
	return n >= passwordMin && n <= passwordMax && utf8.ValidString(password) && !strings.EqualFold(name, password)
}
