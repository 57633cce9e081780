-- Money is whole kopecks, a quantity is thousandths of a unit, a moment is milliseconds UTC.
-- Telegram ids are 64-bit and live inside a chat's key: tg:{chat_id}, web:{persona}.

-- People ---------------------------------------------------------------------------------------

create table persons (
    id integer primary key,
    name text not null,
    phone text unique,                                  -- E.164; proven by its owner, or told by 1C, an invitation or the operator
    claimed_phone text,                                 -- what a person says of themself, proven by nobody: shown, never looked up
    phone_verified integer not null default 0 check (phone_verified in (0, 1)),
    email text not null default '',
    password_hash text,                                 -- a PHC string; null: cannot log in by password
    granted_role text check (granted_role in ('manager', 'admin')), -- by the panel or the CLI; roles from settings are computed
    blocked integer not null default 0 check (blocked in (0, 1)),
    on_shift integer not null default 1 check (on_shift in (0, 1)),
    security_stamp integer not null default 0,          -- grows to end every session and link of the person
    current_organization_id integer references organizations (id) on delete set null,
    demo integer not null default 0 check (demo in (0, 1)), -- one of the people of the demo: counts as no administrator
    created_at_ms integer not null,
    seen_at_ms integer
) strict;

create table price_types (
    id integer primary key,
    external_id text unique,
    name text not null unique,                          -- '' is the one without a name
    currency text not null default 'RUB',
    currency_word text not null default '',             -- as 1C writes it: an order for 1C says it in the same word
    is_default integer not null default 0 check (is_default in (0, 1)) -- of clients without a type of their own
) strict;

create table organizations (
    id integer primary key,
    kind text not null check (kind in ('company', 'person')),
    name text not null,
    inn text,
    external_id text unique,                            -- 1C's id
    verified integer not null default 0 check (verified in (0, 1)), -- unverified: may order, sees no prices
    blocked integer not null default 0 check (blocked in (0, 1)),
    hours text not null default '',
    file_layout text,                                   -- JSON: where its tables hold goods and quantities
    price_type_id integer references price_types (id) on delete set null, -- null: the default one
    manager_id integer references persons (id) on delete set null,
    created_at_ms integer not null
) strict;
create index organizations_inn on organizations (inn) where inn is not null;

create table addresses (
    id integer primary key,
    organization_id integer not null references organizations (id) on delete cascade,
    address text not null,
    used_at_ms integer not null,
    unique (organization_id, address)
) strict;

create table members (
    organization_id integer not null references organizations (id) on delete cascade,
    person_id integer not null references persons (id) on delete cascade,
    role text not null check (role in ('viewer', 'buyer', 'owner')),
    state text not null check (state in ('pending', 'active', 'left')),
    created_at_ms integer not null,
    primary key (organization_id, person_id)
) strict, without rowid;
create index members_person on members (person_id);

-- A chat is a wire's address; a person may have several.
create table chats (
    key text primary key,                               -- tg:{chat_id} or web:{persona}
    person_id integer references persons (id) on delete set null,
    title text not null default '',                     -- the wire's name of the person, to tell accounts apart
    linked_at_ms integer,
    blocked_at_ms integer                               -- the person has blocked the bot
) strict, without rowid;
create index chats_person on chats (person_id) where person_id is not null;

create table sessions (
    token_sha256 blob primary key,
    person_id integer not null references persons (id) on delete cascade,
    security_stamp integer not null,                    -- the person's at sign-in
    created_at_ms integer not null,
    seen_at_ms integer not null,
    address text not null default '',
    user_agent text not null default ''
) strict, without rowid;

create table one_time_links (
    token_sha256 blob primary key,
    kind text not null,
    person_id integer references persons (id) on delete cascade,
    organization_id integer references organizations (id) on delete cascade,
    role text,
    created_by integer references persons (id) on delete cascade,
    expires_at_ms integer not null,
    used_at_ms integer
) strict, without rowid;

-- «Запросить доступ»: a guest asks, staff decide.
create table access_requests (
    id integer primary key,
    chat_key text not null,
    name text not null,
    organization text not null,
    phone text not null,                                -- as typed: proves nothing
    comment text not null default '',
    state text not null default 'pending' check (state in ('pending', 'granted', 'refused')),
    decided_by integer references persons (id) on delete set null,
    created_at_ms integer not null,
    decided_at_ms integer
) strict;
create index access_requests_pending on access_requests (created_at_ms) where state = 'pending';

create table login_failures (
    id integer primary key,
    subject text not null,                              -- phone:+7…, address:203.0.113.5 or chat:tg:17
    at_ms integer not null
) strict;
create index login_failures_subject on login_failures (subject, at_ms);

-- Catalogue ------------------------------------------------------------------------------------

create table categories (
    id integer primary key,
    external_id text unique,
    parent_id integer references categories (id) on delete restrict,
    title text not null,
    order_index integer not null default 0
) strict;
create unique index categories_path on categories (coalesce(parent_id, 0), title) where external_id is null;
create index categories_parent on categories (parent_id);

create table products (
    id integer primary key,
    external_id text,                                   -- 1C's id: guid or guid#guid
    sku text not null default '',                       -- the article
    title text not null,
    category_id integer references categories (id) on delete set null,
    unit text not null default 'шт',                    -- the base unit's short form
    description text not null default '',
    barcode text not null default '',
    multiple_thousandths integer check (multiple_thousandths > 0), -- sold by so many
    available_thousandths integer not null default 0,   -- free stock over all warehouses
    withdrawn integer not null default 0 check (withdrawn in (0, 1)), -- not sold
    withdrawn_why text not null default '' check (withdrawn_why in ('', 'deleted', 'absent', 'placeholder', 'variants', 'item')), -- at the source; from a full exchange; an offer came before its item; it is sold by its characteristics; its item is deleted
    hidden integer not null default 0 check (hidden in (0, 1)),       -- by the source's or our own wish
    search_words text not null default '',              -- our own field: what buyers call it
    updated_at_ms integer not null
) strict;
create unique index products_external_id on products (external_id) where external_id is not null;
create unique index products_sku_key on products (sku) where external_id is null and sku <> '';
create unique index products_title_key on products (title) where external_id is null and sku = '';
create index products_sku on products (sku) where sku <> '';
create index products_category on products (category_id, withdrawn, hidden);
create index products_title on products (title);
create index products_withdrawn on products (id) where withdrawn = 1;
create index products_out on products (title) where withdrawn = 0 and hidden = 0 and available_thousandths <= 0;

create table packs (
    product_id integer not null references products (id) on delete cascade,
    unit text not null,
    coefficient_thousandths integer not null check (coefficient_thousandths > 0), -- base units in one
    primary key (product_id, unit)
) strict, without rowid;

create table prices (
    product_id integer not null references products (id) on delete cascade,
    price_type_id integer not null references price_types (id) on delete cascade,
    amount_kopecks integer not null check (amount_kopecks >= 0),
    per integer not null check (per > 0),               -- base units that the amount is for
    primary key (product_id, price_type_id)
) strict, without rowid;

create table warehouses (
    id integer primary key,
    external_id text unique,
    name text not null unique
) strict;

create table stocks (
    product_id integer not null references products (id) on delete cascade,
    warehouse_id integer not null references warehouses (id) on delete cascade,
    quantity_thousandths integer not null,
    primary key (product_id, warehouse_id)
) strict, without rowid;

-- Grows with every change of what recognition sees; readers compare it to know that they are stale.
create table catalog_version (
    id integer primary key check (id = 1),
    version integer not null,
    changed_at_ms integer not null
) strict;
insert into catalog_version (id, version, changed_at_ms) values (1, 0, 0);

-- Exchange -------------------------------------------------------------------------------------

-- The journal: one row for each push, pull, file or import.
create table exchanges (
    id integer primary key,
    at_ms integer not null,
    duration_ms integer not null,
    way text not null check (way in ('json', 'pull', 'commerceml', 'import')),
    kind text not null check (kind in ('catalog', 'purchases', 'members', 'balances', 'orders', 'statuses')),
    request_id text not null default '',
    address text not null default '',
    sender text not null default '',                    -- the program that came, by its User-Agent
    session text not null default '',                   -- of the standard exchange: joins its requests
    received integer not null default 0,
    created integer not null default 0,
    changed integer not null default 0,
    unchanged integer not null default 0,
    skipped integer not null default 0,
    hidden integer not null default 0,                  -- products hidden for not being mentioned
    held integer not null default 0,                    -- products whose hiding waits for a person
    error text not null default ''                      -- in Russian; empty: it went through
) strict;
create index exchanges_at on exchanges (at_ms);
create index exchanges_way on exchanges (way);

-- What was left out and why: the first thousand of an exchange.
create table exchange_problems (
    exchange_id integer not null references exchanges (id) on delete cascade,
    position integer not null,                          -- from 0
    record integer,                                     -- which record of the source, from 0; null: the whole
    sku text not null default '',
    reason text not null,
    primary key (exchange_id, position)
) strict, without rowid;
create index exchange_problems_sku on exchange_problems (sku);

-- What happened in an exchange, in Russian, in order.
create table exchange_steps (
    exchange_id integer not null references exchanges (id) on delete cascade,
    position integer not null,                          -- from 0
    at_ms integer not null,
    step text not null,
    primary key (exchange_id, position)
) strict, without rowid;

-- The raw files of an exchange, kept for a week.
create table exchange_files (
    exchange_id integer not null references exchanges (id) on delete cascade,
    position integer not null,                          -- from 0
    name text not null,                                 -- as the sender called it
    stored text not null,                               -- the file's name in exchange/raw
    bytes integer not null,
    primary key (exchange_id, position)
) strict, without rowid;

-- Products that a full exchange would hide, when they are too many: a person decides.
create table held_hidings (
    id integer primary key,
    exchange_id integer references exchanges (id) on delete set null,
    at_ms integer not null,
    of_total integer not null,                          -- products on sale at that moment
    state text not null default 'waiting' check (state in ('waiting', 'done', 'dropped'))
) strict;
create table held_hiding_products (
    hiding_id integer not null references held_hidings (id) on delete cascade,
    product_id integer not null references products (id) on delete cascade,
    primary key (hiding_id, product_id)
) strict, without rowid;

-- Products that full CommerceML exchanges in a row have not mentioned; a mention removes the row.
create table absences (
    product_id integer primary key references products (id) on delete cascade,
    exchanges integer not null,                         -- how many in a row
    session text not null                               -- the last of them: one counts once
) strict;

-- What files of the standard exchange have mentioned, for two days: the rest may have to be hidden.
create table mentions (
    exchange_id integer primary key references exchanges (id) on delete cascade,
    at_ms integer not null,
    products blob not null                              -- ids, packed: see storage/mentions.rs
) strict;

create table balances (
    organization_id integer primary key references organizations (id) on delete cascade,
    debt_kopecks integer,
    overdue_kopecks integer,
    limit_kopecks integer,
    terms text not null default '',
    as_of_ms integer,
    updated_at_ms integer not null
) strict;

-- Words and history ----------------------------------------------------------------------------

create table synonyms (
    id integer primary key,
    organization_id integer references organizations (id) on delete cascade, -- null: for all
    words text not null,
    means text,                                         -- other words, or
    product_id integer references products (id) on delete cascade, -- a product
    origin text not null default 'manual' check (origin in ('starter', 'manual', 'learnt', 'onec')),
    enabled integer not null default 1 check (enabled in (0, 1)),
    created_at_ms integer not null,
    check ((means is null) <> (product_id is null))
) strict;
create unique index synonyms_words on synonyms (coalesce(organization_id, 0), words, coalesce(means, ''), coalesce(product_id, 0));

-- Words that clients write and that we do not sell: no longer shown as gaps.
create table foreign_phrases (
    phrase text primary key,
    at_ms integer not null
) strict, without rowid;

-- Texts with the lines that they are known to mean.
create table golden_cases (
    id integer primary key,
    name text not null unique,
    text text not null,
    lines text not null,                                -- JSON: the labels, as `eval` reads them
    created_at_ms integer not null
) strict;

-- What came of all of them, run by run.
create table golden_runs (
    id integer primary key,
    at_ms integer not null,
    report text not null                                -- JSON, as `eval` prints it
) strict;

create table learnt_phrases (
    organization_id integer not null references organizations (id) on delete cascade,
    phrase text not null,
    product_id integer not null references products (id) on delete cascade,
    refused integer not null default 0 check (refused in (0, 1)), -- the phrase never means this product
    checked integer not null default 0 check (checked in (0, 1)), -- staff taught it or looked at it
    learnt_from_order_id integer references orders (id) on delete set null,
    learnt_at_ms integer not null,
    primary key (organization_id, phrase, product_id)
) strict, without rowid;
create index learnt_phrases_unchecked on learnt_phrases (learnt_at_ms desc) where checked = 0 and refused = 0;

-- What an organization bought elsewhere, as 1C tells it; orders placed here count beside it.
create table purchases (
    id integer primary key,
    organization_id integer not null references organizations (id) on delete cascade,
    product_id integer not null references products (id) on delete cascade,
    ordered_at_ms integer,                              -- null: an undated list
    quantity_thousandths integer not null,
    unit text not null default ''
) strict;
create unique index purchases_once on purchases (organization_id, coalesce(ordered_at_ms, -1), product_id);

-- Orders ---------------------------------------------------------------------------------------

create table drafts (
    id integer primary key,
    chat_key text not null,                             -- whose: a guest has a draft before an account
    person_id integer references persons (id) on delete cascade,
    organization_id integer references organizations (id) on delete cascade,
    on_behalf_by integer references persons (id) on delete set null, -- the manager who writes for the client
    edits_order_id integer references orders (id) on delete set null, -- sending changes this order, or has added to it, instead of making one
    state text not null default 'open' check (state in ('open', 'sent', 'dropped')),
    undo text,                                          -- JSON: how the lines were before the last addition
    file_name text not null default '',                 -- the table that lines were read from
    revision integer not null default 1,                -- grows with every change; buttons carry it
    delivery_kind text not null default 'any' check (delivery_kind in ('any', 'date', 'pickup')),
    delivery_date text,                                 -- YYYY-MM-DD in the company's zone
    delivery_address text not null default '',
    comment text not null default '',
    created_at_ms integer not null,
    updated_at_ms integer not null
) strict;
create unique index drafts_open_guest on drafts (chat_key) where state = 'open' and person_id is null;
create unique index drafts_open_person on drafts (person_id, coalesce(organization_id, 0)) where state = 'open';

create table draft_lines (
    id integer primary key,
    draft_id integer not null references drafts (id) on delete cascade,
    position integer not null,
    raw text not null,                                  -- the buyer's own words, for ever
    phrase text not null default '',                    -- the key under which the choice is learnt
    state text not null check (state in ('ok', 'ask', 'none', 'manager', 'gone')),
    product_id integer references products (id) on delete set null,
    quantity_thousandths integer,                       -- in `unit`
    unit text not null default '',
    candidates text not null default '[]',              -- JSON: product ids, best first
    question text,                                      -- JSON: the attribute that parts the candidates
    trace text,                                         -- JSON: why
    chosen integer not null default 0 check (chosen in (0, 1)), -- the buyer picked the product: learnt on sending
    price_amount_kopecks integer,                       -- what the buyer was shown
    price_per integer,
    fixed_quantity integer not null default 0 check (fixed_quantity in (0, 1)), -- «оставить, решит менеджер»
    event_key text not null default ''                  -- the event that added it
) strict;
create index draft_lines_draft on draft_lines (draft_id, position);
create index draft_lines_open on draft_lines (phrase) where state <> 'ok';
create index draft_lines_state on draft_lines (state);

-- Events that have already changed a draft: a repeated one changes nothing.
create table draft_events (
    event_key text primary key,
    draft_id integer not null references drafts (id) on delete cascade,
    merged text not null default '[]',                  -- JSON: what it put into lines that were there
    at_ms integer not null
) strict, without rowid;

-- Tables that came as orders, and files of browser chats: kept while they may be asked for.
create table files (
    id integer primary key,
    chat_key text not null,                             -- who sent it, or whom it is for
    event_key text unique,                              -- a repeated event stores nothing
    name text not null,                                 -- a label, never a path
    content blob not null,
    created_at_ms integer not null
) strict;

-- «Сообщить о поступлении»: told once, when there is stock again.
create table stock_watches (
    product_id integer not null references products (id) on delete cascade,
    person_id integer not null references persons (id) on delete cascade,
    created_at_ms integer not null,
    primary key (product_id, person_id)
) strict, without rowid;

create table counters (
    name text primary key,
    value integer not null
) strict, without rowid;
insert into counters (name, value) values ('order_number', 1000);

create table orders (
    id integer primary key,
    number integer not null unique,
    uuid text not null unique,
    draft_id integer unique references drafts (id) on delete set null, -- one draft, one order
    organization_id integer not null references organizations (id),
    author_id integer not null references persons (id),
    placed_by integer references persons (id),          -- the manager who wrote for the client
    manager_id integer references persons (id),
    taken_at_ms integer,                                -- when that manager took it
    status text not null check (status in ('draft', 'approval', 'new', 'needs_client', 'accepted', 'picking', 'ready', 'shipped', 'done', 'cancelled', 'rejected')),
    status_reason text not null default '',             -- in the manager's words
    revision integer not null default 1,
    source text not null check (source in ('bot', 'panel', 'onec', 'cli', 'system')),
    delivery_kind text not null default 'any' check (delivery_kind in ('any', 'date', 'pickup')),
    delivery_date text,
    delivery_address text not null default '',
    comment text not null default '',
    total_kopecks integer not null default 0,           -- of the lines that have a price
    created_at_ms integer not null,
    updated_at_ms integer not null,
    onec_number text,
    onec_date text,
    onec_acknowledged_at_ms integer,
    onec_offers integer not null default 0,             -- how often 1C was given it since it last had it
    onec_offered_at_ms integer,                         -- when last
    onec_state text not null default '' check (onec_state in ('', 'received', 'confirmed', 'shipped', 'cancelled')), -- what 1C's document last said
    onec_paid integer not null default 0 check (onec_paid in (0, 1)), -- paid in full, as 1C says
    history integer not null default 0 check (history in (0, 1)), -- moved in: never offered to 1C, no reminders
    shown text,                                         -- JSON: how the client last saw it; null: as it is
    undo text                                           -- JSON: how it stood before the last change that can be taken back
) strict;
create index orders_status on orders (status, created_at_ms desc, total_kopecks);
create index orders_manager on orders (manager_id, status) where manager_id is not null;
create index orders_organization on orders (organization_id, created_at_ms desc);
create index orders_author on orders (author_id);
create index orders_created on orders (created_at_ms);
-- Covers what lists let through, so that they need not read the orders themselves.
create index orders_listed on orders (created_at_ms, status, manager_id, source, organization_id, author_id, delivery_date, total_kopecks, onec_acknowledged_at_ms);
create index orders_total on orders (total_kopecks);
create index orders_delivery on orders (delivery_date);
create index orders_for_onec on orders (id) where onec_acknowledged_at_ms is null and history = 0;
create index orders_in_onec on orders (onec_acknowledged_at_ms) where onec_acknowledged_at_ms is not null and history = 0;

create table order_lines (
    id integer primary key,
    order_id integer not null references orders (id) on delete cascade,
    position integer not null,
    raw text not null,
    phrase text not null default '',
    state text not null check (state in ('ok', 'ask', 'none', 'manager', 'gone')),
    product_id integer references products (id) on delete set null,
    title text not null default '',                     -- as it was when ordered
    sku text not null default '',
    quantity_thousandths integer,                       -- as written, in `unit`
    unit text not null default '',
    base_quantity_thousandths integer,                  -- in the product's base unit
    base_unit text not null default '',
    price_amount_kopecks integer,
    price_per integer,
    sum_kopecks integer,
    candidates text not null default '[]',
    trace text
) strict;
create index order_lines_order on order_lines (order_id, position);
create index order_lines_open on order_lines (order_id) where state <> 'ok';
create index order_lines_product on order_lines (product_id, order_id) where product_id is not null;

-- The timeline: events, messages and notes in one feed.
create table order_events (
    id integer primary key,
    order_id integer not null references orders (id) on delete cascade,
    at_ms integer not null,
    channel text not null check (channel in ('bot', 'panel', 'onec', 'cli', 'system')),
    person_id integer references persons (id) on delete set null,
    kind text not null check (kind in ('created', 'status', 'line', 'message', 'note', 'delivery', 'onec')),
    text text not null,                                 -- in Russian, as shown
    to_client integer not null default 0 check (to_client in (0, 1)),
    attachment text,                                    -- JSON: where the file that came with it is
    event_key text unique                               -- a repeated event adds nothing
) strict;
create index order_events_order on order_events (order_id, id);
create index order_events_files on order_events (order_id) where attachment is not null;
create index order_events_asked on order_events (at_ms, order_id) where kind = 'message' and to_client = 0;

-- Another product that a manager proposes for a line: the client agrees or does not.
create table proposals (
    id integer primary key,
    order_id integer not null references orders (id) on delete cascade,
    line_id integer not null references order_lines (id) on delete cascade,
    product_id integer not null references products (id) on delete cascade,
    proposed_by integer references persons (id) on delete set null,
    state text not null default 'open' check (state in ('open', 'agreed', 'declined', 'replaced')),
    created_at_ms integer not null,
    answered_at_ms integer
) strict;
create index proposals_order on proposals (order_id);
create unique index proposals_open on proposals (line_id) where state = 'open';

-- Questions ------------------------------------------------------------------------------------

create table threads (
    id integer primary key,
    organization_id integer references organizations (id) on delete cascade,
    author_id integer references persons (id) on delete set null,
    order_id integer references orders (id) on delete set null,
    topic text not null,
    subject text not null,
    state text not null default 'open' check (state in ('open', 'resolved')),
    manager_id integer references persons (id) on delete set null,
    snoozed_until_ms integer,                           -- staff look at it again then, or when the client writes
    created_at_ms integer not null,
    updated_at_ms integer not null
) strict;
create index threads_organization on threads (organization_id, updated_at_ms desc);
create index threads_state on threads (state, updated_at_ms desc);

create table thread_messages (
    id integer primary key,
    thread_id integer not null references threads (id) on delete cascade,
    person_id integer references persons (id) on delete set null,
    from_staff integer not null check (from_staff in (0, 1)),
    note integer not null default 0 check (note in (0, 1)), -- between staff, never sent
    text text not null,
    attachment text,                                    -- JSON: where the file that came with it is
    event_key text unique,                              -- a repeated event adds nothing
    at_ms integer not null
) strict;
create index thread_messages_thread on thread_messages (thread_id, id);

-- What staff answer often. {имя} and {номер} stand for whom and what it is about.
create table canned_replies (
    id integer primary key,
    text text not null unique,
    created_at_ms integer not null
) strict;

-- Up to which message a person has read a thread.
create table thread_reads (
    thread_id integer not null references threads (id) on delete cascade,
    person_id integer not null references persons (id) on delete cascade,
    message_id integer not null,
    primary key (thread_id, person_id)
) strict, without rowid;

-- Conversation ---------------------------------------------------------------------------------

-- What came in, stored before it is acknowledged.
create table inbox (
    id integer primary key,
    event_key text not null unique,                     -- tg:{update_id} or web:{uuid}
    chat_key text not null,
    payload text not null,                              -- JSON of chat::Event
    state text not null default 'pending' check (state in ('pending', 'done', 'dead')),
    attempts integer not null default 0,
    received_at_ms integer not null,
    handled_at_ms integer
) strict;
create index inbox_pending on inbox (chat_key, id) where state = 'pending';
create index inbox_dead on inbox (id) where state = 'dead';
create index inbox_received on inbox (received_at_ms);

create table dialogues (
    chat_key text primary key,
    state text not null,                                -- JSON of chat's State, opaque to storage
    updated_at_ms integer not null
) strict, without rowid;

-- What goes out. The courier sends what is due, in order within a chat.
create table outbox (
    id integer primary key,
    chat_key text not null,
    dedup_key text unique,
    payload text not null,                              -- JSON: notifications::Outgoing, or what is left of several
    due_at_ms integer not null,
    attempts integer not null default 0,
    state text not null default 'queued' check (state in ('queued', 'sent', 'failed')),
    error text not null default '',
    created_at_ms integer not null,
    closed_at_ms integer
) strict;
create index outbox_queued on outbox (chat_key, due_at_ms, id) where state = 'queued';
create index outbox_threads on outbox (json_extract(payload, '$.thread')) where json_extract(payload, '$.notice') = 'thread_message';
create index outbox_failed on outbox (chat_key) where state = 'failed';
create index outbox_closed on outbox (closed_at_ms) where closed_at_ms is not null;

-- Which message of a wire holds which card.
create table chat_slots (
    chat_key text not null,
    slot text not null,                                 -- list, desk, order:17 …
    message_id integer not null,
    sent_at_ms integer not null,
    primary key (chat_key, slot)
) strict, without rowid;

-- The browser chat's messages: its wire is this table.
create table web_messages (
    id integer primary key,
    chat_key text not null,
    revision integer not null,                          -- of the chat's picture: grows with every new, changed or deleted message
    event_key text unique,                              -- the person's own words: a repeated form adds nothing
    payload text not null,                              -- JSON of browser_chat::Content
    deleted integer not null default 0 check (deleted in (0, 1)),
    at_ms integer not null,
    edited_at_ms integer
) strict;
create index web_messages_chat on web_messages (chat_key, id);
create index web_messages_revision on web_messages (chat_key, revision);

-- What a person wants to be told of, and when. No row: everything, outside of the quiet hours.
create table notification_settings (
    person_id integer primary key references persons (id) on delete cascade,
    muted text not null default '',                     -- codes of the groups that are off, with a comma
    quiet text not null default ''                      -- '': outside the organization's hours; 'off'; or '21:00–08:00'
) strict;

-- News that came in quiet hours: the morning's digest tells them.
create table held_notices (
    person_id integer not null references persons (id) on delete cascade,
    due_at_ms integer not null,                         -- the digest's moment
    notice text not null,                               -- JSON of notifications::Notice
    at_ms integer not null,
    primary key (person_id, due_at_ms, notice)
) strict, without rowid;

-- Moving in ------------------------------------------------------------------------------------

-- What the former program's rows have become: moved once, they are left alone.
create table legacy_ids (
    kind text not null check (kind in ('person', 'organization', 'product', 'order', 'thread')),
    old_id integer not null,
    new_id integer not null,
    primary key (kind, old_id)
) strict, without rowid;
create index legacy_ids_new on legacy_ids (kind, new_id);

-- The company ----------------------------------------------------------------------------------

-- What is wrong with the program itself and was told to the administrators.
create table alerts (
    cause text primary key,                             -- exchange, backup, disk
    since_ms integer not null,
    told_at_ms integer not null,                        -- at most one message an hour
    over integer not null default 0 check (over in (0, 1))
) strict, without rowid;

create table audit (
    id integer primary key,
    at_ms integer not null,
    channel text not null check (channel in ('bot', 'panel', 'onec', 'cli', 'system')),
    person_id integer,
    action text not null,
    object text not null,
    before text,
    after text,
    address text not null default ''
) strict;
create index audit_object on audit (object, id desc);
create index audit_person on audit (person_id);
create index audit_action on audit (action);
create trigger audit_no_update before update on audit begin select raise(abort, 'audit is append-only'); end;
create trigger audit_no_delete before delete on audit begin select raise(abort, 'audit is append-only'); end;

create table settings (
    key text primary key,
    value text not null,
    updated_at_ms integer not null
) strict, without rowid;

-- One row while the program runs: its absence at a start means that the last stop was clean.
create table running (
    id integer primary key check (id = 1),
    started_at_ms integer not null,
    pid integer not null
) strict;

-- What the program does by itself: its last run and the next, so that a restart neither repeats nor
-- forgets one.
create table jobs (
    name text primary key,                              -- pull, backup, upkeep, retention …
    started_at_ms integer not null,
    ended_at_ms integer,                                -- null: it runs, or was cut short
    ok integer check (ok in (0, 1)),                    -- null: not known yet
    result text not null default '',                    -- what came of it, in Russian
    succeeded_at_ms integer,
    failures integer not null default 0,                -- in a row
    next_at_ms integer
) strict, without rowid;

-- Requests to language models by day: a restart does not renew the day's budget.
create table llm_usage (
    day text primary key,                               -- YYYY-MM-DD in the company's zone
    requests integer not null
) strict, without rowid;
