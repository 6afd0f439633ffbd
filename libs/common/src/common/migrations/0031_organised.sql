-- Why: a person changes ten thousand assets with one request, sees how far that is, and can stop it; and tags that were made
-- by hand stay when nothing has them, all others go.

-- What somebody asked to be done with many assets. `filter` is what chose them, null where their ids were named. Whoever
-- works on it holds it until `lease_until`, and writes only while `lease_epoch` is the one that they got. `turn_at` is when
-- it is its turn again: one that lasts lets others go first from time to time.
create table operations (
    operation_id bigint generated always as identity primary key,
    owner_id int not null references users on delete cascade,
    action jsonb not null,
    filter jsonb,
    request_key text,
    state text not null default 'waiting' check (state in ('waiting', 'running', 'done', 'stopped', 'failed')),
    total int not null default 0,
    done int not null default 0,
    changed int not null default 0,
    failed int not null default 0,
    turn_at timestamptz not null default now(),
    lease_epoch bigint not null default 0,
    lease_until timestamptz,
    tries int not null default 0,
    error text,
    asked_at timestamptz not null default now(),
    started_at timestamptz,
    ended_at timestamptz,
    unique (owner_id, request_key),
    check ((state in ('done', 'stopped', 'failed')) = (ended_at is not null)),
    check (state <> 'failed' or error is not null)
) with (fillfactor = 70);
create index operations_recent on operations (owner_id, operation_id desc);
create index operations_open on operations (owner_id, operation_id) where state in ('waiting', 'running');

-- The assets of an operation that are still to be done, some at a time; what is done is deleted with the change it made.
create table operation_batches (
    operation_id bigint not null references operations on delete cascade,
    number int not null,
    asset_ids uuid[] not null,
    primary key (operation_id, number)
);
create table operation_failures (
    operation_id bigint not null references operations on delete cascade,
    asset_id uuid not null,
    reason text not null,
    primary key (operation_id, asset_id)
);

-- Somebody made this tag, so it stays without assets.
alter table tags add column is_kept boolean not null default false;

-- As before, and holding the tags it needs: whoever removes empty ones leaves these alone, or is seen to have removed them.
create or replace function follow_keywords() returns trigger language plpgsql as $$
declare
    words jsonb := coalesce(new.edits -> 'tags', new.facts -> 'keywords', '[]');
    owner int;
    wanted int;
    held int;
begin
    if words = '[]' and not exists (select from asset_tags where asset_id = new.asset_id) then
        return null;
    end if;
    select owner_id into owner from assets where asset_id = new.asset_id;
    select count(*) into wanted from tag_paths(words);
    loop
        insert into tags (owner_id, path)
        select owner, p.path
        from tag_paths(words) p
        where not exists (select from tags t where t.owner_id = owner and t.path = p.path)
        order by p.path
        on conflict do nothing;
        perform from tags t
        where t.owner_id = owner and t.path in (select path from tag_paths(words))
        order by t.path
        for key share;
        get diagnostics held = row_count;
        exit when held >= wanted;
    end loop;
    delete from asset_tags x
    using tags t
    where x.asset_id = new.asset_id
      and t.tag_id = x.tag_id
      and t.path not in (select path from tag_paths(words));
    insert into asset_tags (tag_id, asset_id, sort_at, is_own)
    select t.tag_id, a.asset_id, a.sort_at, p.is_own
    from assets a, tag_paths(words) p, tags t
    where a.asset_id = new.asset_id
      and t.owner_id = owner
      and t.path = p.path
    on conflict (tag_id, asset_id) do update
    set is_own = excluded.is_own
    where asset_tags.is_own <> excluded.is_own;
    return null;
end
$$;
