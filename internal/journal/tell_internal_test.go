package journal

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"centrala/acd"
	"centrala/internal/events"
)

// Recorded days, told as events: every type is of the closed list, data are what the list says and
// small, ids go up, and every interaction begins with arrived and ends with ended, once.
func TestBook_Tells(t *testing.T) {
	kinds := map[string]events.Kind{}
	for _, k := range events.Kinds() {
		kinds[string(k.Type)] = k
	}
	seen := map[string]int{}
	for _, day := range recordedDays(t) {
		s, b := acd.NewState(), newBook()
		last := int64(0)
		begun, over := map[acd.InteractionID]bool{}, map[acd.InteractionID]bool{}
		inside := map[acd.InteractionID]string{} // the group that it is in, as told
		for _, e := range day.entries {
			b.apply(s, e)
			for _, x := range b.take().Events {
				seen[x.Type]++
				k, ok := kinds[x.Type]
				if !ok || x.ID <= last || len(x.Data) > 16_000 || x.At == 0 {
					t.Fatalf("%s: %+v behind %d", day.name, x, last)
				}
				last = x.ID
				data := reflect.New(reflect.TypeOf(k.Data))
				strict := json.NewDecoder(strings.NewReader(string(x.Data)))
				strict.DisallowUnknownFields()
				if err := strict.Decode(data.Interface()); err != nil {
					t.Fatalf("%s: %s %s: %v", day.name, x.Type, x.Data, err)
				}
				if x.Interaction == 0 {
					continue
				}
				thing, name, _ := strings.Cut(x.Type, ".")
				if thing == "offer" {
					name = ""
				}
				switch {
				case name == "arrived" && begun[x.Interaction], name != "arrived" && !begun[x.Interaction], over[x.Interaction] && x.Type != string(events.GroupLeft) && x.Type != string(events.TalkDisposed):
					t.Errorf("%s: %s of %d comes at the wrong time", day.name, x.Type, x.Interaction)
				case name == "arrived":
					begun[x.Interaction] = true
				case name == "ended":
					over[x.Interaction] = true
					if of := data.Elem().FieldByName("Interaction").Interface().(events.Interaction); of.Ended == nil || of.End == "" {
						t.Errorf("%s: %s", day.name, x.Data)
					}
				}
				switch v := data.Interface().(type) {
				case *events.Visit:
					if is := inside[x.Interaction]; x.Type == string(events.GroupEntered) && is != "" || x.Type == string(events.GroupLeft) && is != v.Group {
						t.Errorf("%s: %s %s while in %q", day.name, x.Type, x.Data, is)
					}
					inside[x.Interaction] = v.Group
					if x.Type == string(events.GroupLeft) {
						delete(inside, x.Interaction)
					}
				}
			}
		}
		if len(begun) != len(over)+len(b.Pages) || len(inside) > len(b.Pages) {
			t.Errorf("%s: %d began, %d ended, %d go on, %d in groups", day.name, len(begun), len(over), len(b.Pages), len(inside))
		}
	}
	for _, want := range []events.Type{
		"call.arrived", "call.queued", "call.answered", "call.ended", "chat.ended", "call.transferred", events.OfferMade, events.OfferEnded, events.GroupLeft,
		events.AgentStateChanged, events.ConfigReloaded,
	} {
		if seen[string(want)] == 0 {
			t.Errorf("the days have no %s: %v", want, seen)
		}
	}
}
