-- Catalogue files that people bring: each can be taken back for a day.

create table imports (
    exchange_id integer primary key references exchanges (id) on delete cascade,
    tabular integer not null check (tabular in (0, 1)), -- a record is a row of a table
    undone_at_ms integer,
    undone_by integer references persons (id) on delete set null, -- null: the operator at the command line
    restored integer not null default 0,                -- products that are as they were before
    removed integer not null default 0                  -- products that it had made, no longer sold
) strict;

-- What an import has changed: kept until it can no longer be taken back.
create table import_changes (
    exchange_id integer not null references imports (exchange_id) on delete cascade,
    kind text not null check (kind in ('product', 'category', 'price_type', 'warehouse')),
    item integer not null,                              -- its id
    change text not null,                               -- JSON: see services/exchange/undo.rs
    primary key (exchange_id, kind, item)
) strict, without rowid;

-- What was not taken back and why: the first thousand.
create table import_leftovers (
    exchange_id integer not null references imports (exchange_id) on delete cascade,
    position integer not null,                          -- from 0
    name text not null,                                 -- what it is called
    reason text not null,                               -- in Russian
    primary key (exchange_id, position)
) strict, without rowid;
