-- Lists of orders that managers keep under a name: a tab beside the built-in ones.

create table saved_views (
    id integer primary key,
    owner_id integer not null references persons (id) on delete cascade,
    name text not null,
    name_key text not null,                             -- the name as names are compared
    query text not null,                                -- of the list's address: filters, sorting, columns; no page
    shared integer not null default 0 check (shared in (0, 1)), -- seen by every manager; else by its owner alone
    created_at_ms integer not null,
    updated_at_ms integer not null,
    unique (owner_id, name_key)
) strict;
create index saved_views_shared on saved_views (shared) where shared = 1;
