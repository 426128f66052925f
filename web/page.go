package web

import (
	"encoding/base64"
	"net/http"
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"The cursor of the next page; left out: this is the last."`
}

// PageIn is what one asks for a part of a list with.
type PageIn struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100" doc:"At most so many items."`
	Cursor string `query:"cursor" maxLength:"400" doc:"What the page before gave as next."`
}

// PageOut is a part of a list as an answer.
type PageOut[T any] struct{ Body Page[T] }

// position is the key of the last item of the page before; empty: this is the first page.
func (in *PageIn) position() (string, *Problem) {
	key, err := base64.RawURLEncoding.DecodeString(in.Cursor)
	if err != nil {
		return "", problem(http.StatusBadRequest, codeBadCursor, "that is no cursor of ours")
	}
	return string(key), nil
}

func cursor(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// cut takes the page out of a list that is at hand as a whole. Keys are unique; what
// follows the position is told by after, which is called in order of the list.
func cut[T any](list []T, in *PageIn, key func(T) string, after func(T) bool) Page[T] {
	p := Page[T]{Items: []T{}}
	for _, x := range list {
		if in.Cursor != "" && !after(x) {
			continue
		}
		if len(p.Items) == in.Limit {
			p.Next = cursor(key(p.Items[len(p.Items)-1]))
			break
		}
		p.Items = append(p.Items, x)
	}
	return p
}

// pageOf takes the page out of a list that is at hand as a whole and in no order of its keys. One
// whose last item before is gone is empty.
func pageOf[T any](list []T, in *PageIn, key func(T) string) (*PageOut[T], error) {
	position, bad := in.position()
	if bad != nil {
		return nil, bad
	}
	seen := false
	return &PageOut[T]{cut(list, in, key, func(x T) bool {
		after := seen
		seen = seen || key(x) == position
		return after
	})}, nil
}
