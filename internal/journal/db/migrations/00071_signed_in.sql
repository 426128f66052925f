-- +goose Up

-- Visitors of a channel who signed in, and whose chats are the customer's since: the history has them by the name of before,
-- so that whoever is erased by one of the two is erased by both.
create table chat_signed_in (
	channel text not null,
	visitor text not null,
	customer text not null,
	primary key (channel, visitor)
);
create index chat_signed_in_customer on chat_signed_in (customer);
create index chat_signed_in_visitor on chat_signed_in (visitor);

-- Of those of before who became the customer, the history tells by whom a chat of theirs was begun.
insert into chat_signed_in (channel, visitor, customer)
	select distinct n.channel, n.caller, i.external from interactions n join chat_sessions s on s.id = n.leg join chat_conversations c on c.id = s.conversation
		join chat_identities i on i.id = c.identity
		where n.kind = 'chat' and n.caller like 'visitor:%' and i.external like 'customer:%' and n.channel = i.channel
	on conflict do nothing;
-- The others have the customer's contact.
insert into chat_signed_in (channel, visitor, customer)
	select v.channel, v.external, i.external from chat_identities v join chat_identities i on i.contact = v.contact and i.channel = v.channel
		where v.external like 'visitor:%' and v.verified = 0 and i.external like 'customer:%' and i.verified = 1
	on conflict do nothing;

-- +goose Down
drop table chat_signed_in;
