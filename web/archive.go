package web

import (
	"context"
	"net/http"
	"slices"

	"centrala/acd"
	"centrala/chat"
	"centrala/queuegroups"
)

// ChatArchive is what is kept of channels, declared or not (R9).
type ChatArchive interface {
	Archived(ctx context.Context) ([]chat.Dialogs, error)
	// DeleteChannel deletes all dialogs of a channel for good, and tells what it deleted.
	DeleteChannel(ctx context.Context, channel string) (chat.Dialogs, error)
}

// Codes of problems with channels.
const (
	codeDeclared    = "declared" // it is in the configuration
	codeUnconfirmed = "not_confirmed"
	codeGoingOn     = "going_on"
)

func (s *Server) archiveRoutes() {
	Operation(s, Needs(queuegroups.RightHistoryRead), Route{
		ID: "list-channels", Method: http.MethodGet, Path: "/channels", Tag: "chats", Summary: "Channels, and what is kept of them",
		Description: "Those in the caller's reach. One that is not in the configuration any more is archived: its dialogs stay, and can be looked up as before.",
	}, s.listChannels)
	Operation(s, Needs(queuegroups.RightHistoryErase), Route{
		ID: "delete-channel", Method: http.MethodDelete, Path: "/channels/{channel}", Tag: "chats", Status: http.StatusOK,
		Summary: "Delete all dialogs of an archived channel for good",
		Description: "Without confirm nothing is deleted, and the answer says how much would be. Times, agents and ends stay in history and reports. " +
			"A single chat cannot be deleted; POST /erasures erases a person.",
	}, s.deleteChannel)
}

// Channel is a channel, and what is kept of it.
type Channel struct {
	ID            string `json:"id"`
	Name          string `json:"name" doc:"Of one that is archived, the id."`
	Archived      bool   `json:"archived" doc:"It is not in the configuration any more."`
	Conversations int64  `json:"conversations"`
	Messages      int64  `json:"messages"`
	Open          int64  `json:"open" doc:"Chats that go on."`
	Fault         string `json:"fault,omitempty" doc:"What keeps its connector from working."`
}

type channelsOut struct{ Body Page[Channel] }

// channels are those that are declared, in order, and then those that are archived.
func (s *Server) channels(ctx context.Context) (list []Channel, err error) {
	kept, err := s.chats.Archived(ctx)
	if err != nil {
		return nil, err
	}
	faults := s.faults()
	s.core.View(func(st *acd.State) {
		for _, d := range st.Config().Channels {
			list = append(list, Channel{ID: string(d.ID), Name: d.Name, Fault: faults[d.ID]})
		}
	})
	for _, d := range kept {
		k := slices.IndexFunc(list, func(x Channel) bool { return x.ID == d.Channel })
		if k < 0 {
			k, list = len(list), append(list, Channel{ID: d.Channel, Name: d.Channel, Archived: true})
		}
		list[k].Conversations, list[k].Messages, list[k].Open = d.Conversations, d.Messages, d.Open
	}
	return list, nil
}

func (s *Server) faults() map[queuegroups.ChannelID]string {
	if s.chats == nil {
		return nil
	}
	return s.chats.Faults()
}

func (s *Server) listChannels(ctx context.Context, c *Caller, _ *struct{}) (*channelsOut, error) {
	list, err := s.channels(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	out := &channelsOut{}
	out.Body.Items = []Channel{}
	for _, x := range list {
		if c.inReach(acd.ChannelGroup(queuegroups.ChannelID(x.ID))) {
			out.Body.Items = append(out.Body.Items, x)
		}
	}
	return out, nil
}

type deleteChannelIn struct {
	Channel string `path:"channel"`
	Confirm string `query:"confirm" doc:"The channel's id once more."`
}

type deleteChannelOut struct{ Body Channel }

func (s *Server) deleteChannel(ctx context.Context, c *Caller, in *deleteChannelIn) (*deleteChannelOut, error) {
	list, err := s.channels(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	k := slices.IndexFunc(list, func(x Channel) bool { return x.ID == in.Channel })
	switch {
	case k < 0 || !c.inReach(acd.ChannelGroup(queuegroups.ChannelID(in.Channel))):
		return nil, notFound("channel", in.Channel)
	case !list[k].Archived:
		return nil, conflict(codeDeclared, "the channel is in the configuration: remove it there first")
	case list[k].Open > 0:
		return nil, conflict(codeGoingOn, "%d of its chats have not ended yet", list[k].Open)
	case in.Confirm != in.Channel:
		return nil, conflict(codeUnconfirmed, "this deletes %d conversations with %d messages for good: confirm it by ?confirm= and the channel's id",
			list[k].Conversations, list[k].Messages)
	}
	d, err := s.chats.DeleteChannel(ctx, in.Channel)
	if d.Conversations > 0 {
		changed(ctx, "channels/"+in.Channel, list[k], nil)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	list[k].Conversations, list[k].Messages = d.Conversations, d.Messages
	return &deleteChannelOut{list[k]}, nil
}
