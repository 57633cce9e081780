-- What an organization orders again and again, under a name of its own.

create table templates (
    id integer primary key,
    organization_id integer not null references organizations (id) on delete cascade,
    name text not null,
    name_key text not null,                             -- the name as names are compared
    revision integer not null default 1,                -- grows with every change; buttons carry it
    event_key text not null,                            -- the event that last wrote the lines: repeated, it changes nothing
    created_at_ms integer not null,
    updated_at_ms integer not null,
    unique (organization_id, name_key)
) strict;

create table template_lines (
    template_id integer not null references templates (id) on delete cascade,
    position integer not null,                          -- from 1
    product_id integer references products (id) on delete set null,
    title text not null,                                -- the product's, as it was when ordered
    quantity_thousandths integer,                       -- in `unit`
    unit text not null default '',
    price_amount_kopecks integer,                       -- as it was when ordered
    price_per integer,
    primary key (template_id, position)
) strict, without rowid;
create index template_lines_product on template_lines (product_id) where product_id is not null;
