package main

import (
	"context"
	"fmt"

	"centrala/internal/app"
)

type eraseCmd struct {
	configFlag
	Number string `arg:"" help:"The number as the history shows it, +48600100200; or a customer's name in a channel of chats."`
}

// Run erases the person and tells what was found.
func (e *eraseCmd) Run() error {
	return e.with("erase-person", "erasures", func(ctx context.Context, p *app.People) error {
		x, err := p.Erase(ctx, e.Number)
		if err == nil {
			fmt.Printf("%s stands in their place now: %d calls and chats, %d events, %d conversations; %d notes are deleted.\n",
				x.Pseudonym, x.Interactions, x.Events, x.Conversations, x.Notes)
			if x.GoingOn > 0 {
				fmt.Printf("%d go on and were left as they are: do it again when they have ended.\n", x.GoingOn)
			}
		}
		return err
	})
}
