-- What pictures show: vectors by which they are compared with words and with each other, and what else models say of them.
create extension if not exists vector;

-- A model of one dimension; vectors of two spaces are never compared. A new one is filled beside the one that is current.
create table embedding_spaces (
    space_id int generated always as identity primary key,
    model text not null check (char_length(model) between 1 and 200),
    dimension int not null check (dimension between 1 and 4000),
    metric text not null default 'cosine' check (metric = 'cosine'),
    state text not null default 'filling' check (state in ('filling', 'current', 'retired')),
    created_at timestamptz not null default now(),
    unique (model, dimension)
);
create unique index embedding_spaces_current on embedding_spaces (state) where state = 'current';

-- Of length 1. Frame 0 is a picture or the poster of a film, the others are frames of it, `at_ms` after its begin.
create table embeddings (
    asset_id uuid not null references assets on delete cascade,
    space_id int not null references embedding_spaces,
    frame smallint not null default 0 check (frame between 0 and 8),
    owner_id int not null references users,
    at_ms int,
    vector halfvec not null,
    primary key (asset_id, space_id, frame)
);
alter table embeddings alter vector set storage plain;
create index embeddings_compared on embeddings (owner_id, space_id);

-- What servers are asked of every asset of some kinds; each is a stage of its own, and its rows are made when an asset was
-- rendered. Assets that were there before get theirs in the order of their ids, as far as `filled_to`.
create table inference_stages (
    stage text primary key check (stage ~ '^(embed:[0-9]+|classify|faces|texts)$'),
    kinds text[] not null,
    is_wanted boolean not null default true,
    filled_to uuid
);

-- What a model found that nothing is made of yet, as it was received.
create table findings (
    asset_id uuid not null references assets on delete cascade,
    stage text not null,
    owner_id int not null references users,
    model text not null,
    found jsonb not null,
    primary key (asset_id, stage)
);
create index findings_owner on findings (owner_id);

alter table labels add column model text not null default '';
