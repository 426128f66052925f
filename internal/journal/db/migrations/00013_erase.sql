-- +goose Up

-- By which a person is found who is to be erased. Most rows have no number outside, and are in none of these.
create index interactions_by_number on interactions (by_number) where by_number <> '';
create index offers_number on offers (number) where number <> '';
create index talks_number on talks (number) where number <> '';
create index legs_number on legs (number) where number <> '';
create index transfers_target on transfers (target);
