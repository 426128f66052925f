package testcall

import (
	"fmt"
	"math"
	"os"
	"sync"

	"centrala/media"
	"centrala/media/wav"
)

// maxRecorded bounds a recording to an hour.
const maxRecorded = 3600 * media.SampleRate

// silenceBelow is the level, in decibels of full scale, under which we call it silence.
const silenceBelow = -50

// recorder puts what was heard in its place on the sender's clock; gaps become silence.
type recorder struct {
	mu      sync.Mutex
	started bool
	first   uint32 // timestamp of the first packet
	samples []int16
	told    int // samples that describe has spoken of
}

func (r *recorder) add(c media.Codec, timestamp uint32, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.started {
		r.started, r.first = true, timestamp
	}
	at := int(int32(timestamp - r.first)) // timestamps wrap: the difference is signed
	end := at + len(payload)
	if at < 0 || end > maxRecorded {
		return
	}
	for len(r.samples) < end {
		r.samples = append(r.samples, 0)
	}
	c.AppendDecoded(r.samples[at:at:end], payload)
}

func (r *recorder) pcm() []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.samples
}

// describe says in a word what arrived since it was last asked.
func (r *recorder) describe() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := r.samples[r.told:]
	r.told = len(r.samples)
	if len(fresh) == 0 {
		return "nothing: no audio arrives"
	}
	var power float64
	for _, s := range fresh {
		power += float64(s) * float64(s)
	}
	level := 10 * math.Log10(power/float64(len(fresh))/(math.MaxInt16*math.MaxInt16)+1e-12)
	if level < silenceBelow {
		return "silence"
	}
	return "sound"
}

func writeWAV(name string, pcm []int16) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := wav.Write(f, media.SampleRate, pcm); err != nil {
		_ = f.Close()
		return fmt.Errorf("write %s: %w", name, err)
	}
	return f.Close()
}

// writable tells whether a file can be written, and leaves it as it is; an empty name can.
func writable(name string) error {
	if name == "" {
		return nil
	}
	_, missing := os.Stat(name)
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	if missing != nil {
		_ = os.Remove(name) // it is empty, and written once there is something to write
	}
	return f.Close()
}
