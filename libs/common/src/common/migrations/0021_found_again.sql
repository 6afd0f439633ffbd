-- Why: a library of a million is looked through in milliseconds. What lists choose and sort by stands in columns with an
-- index each, what timelines count is counted beforehand, and albums, tags and labels get their tables.

-- gateway: what a person thinks of it. The others follow from `asset_metadata`, where a person's word goes before the
-- file's. `is_shown` is what lists have unless they are asked for more.
alter table assets
    add column liked boolean not null default false,
    add column archived_at timestamptz,
    add column rating smallint check (rating between 1 and 5),
    add column camera_make text,
    add column camera text,
    add column lens text,
    add column iso int,
    add column duration double precision,
    add column latitude double precision,
    add column longitude double precision,
    add column country text,
    add column region text,
    add column city text;
alter table assets add column is_shown boolean not null generated always as (
    trashed_at is null and missing_since is null and archived_at is null
) stored;

drop index assets_timeline;
drop index assets_kinds;
create index assets_timeline on assets (owner_id, sort_at desc, asset_id desc) where is_shown;
create index assets_kinds on assets (owner_id, kind, sort_at desc, asset_id desc) where is_shown;
create index assets_makes on assets (owner_id, camera_make, sort_at desc, asset_id desc)
    where is_shown and camera_make is not null;
create index assets_cameras on assets (owner_id, camera, sort_at desc, asset_id desc)
    where is_shown and camera is not null;
create index assets_lenses on assets (owner_id, lens, sort_at desc, asset_id desc) where is_shown and lens is not null;
create index assets_countries on assets (owner_id, country, sort_at desc, asset_id desc)
    where is_shown and country is not null;
create index assets_cities on assets (owner_id, city, sort_at desc, asset_id desc) where is_shown and city is not null;
create index assets_ratings on assets (owner_id, rating, sort_at desc, asset_id desc)
    where is_shown and rating is not null;
create index assets_liked on assets (owner_id, sort_at desc, asset_id desc) where is_shown and liked;
create index assets_uploaded on assets (owner_id, uploaded_at desc, asset_id desc) where is_shown;
create index assets_archived on assets (owner_id, sort_at desc, asset_id desc)
    where archived_at is not null and trashed_at is null and missing_since is null;

-- A keyword with all that it lies below: `Places/Paris` is in `Places`. What an asset's keywords are says its metadata.
create table tags (
    tag_id int generated always as identity primary key,
    owner_id int not null references users on delete cascade,
    path text not null check (path <> ''),
    created_at timestamptz not null default now(),
    unique (owner_id, path)
);
create table asset_tags (
    tag_id int not null references tags on delete cascade,
    asset_id uuid not null references assets on delete cascade,
    sort_at timestamp not null,
    is_own boolean not null,
    primary key (tag_id, asset_id)
);
create index asset_tags_asset on asset_tags (asset_id);
create index asset_tags_timeline on asset_tags (tag_id, sort_at desc, asset_id desc);

-- What models see in a picture.
create table labels (
    asset_id uuid not null references assets on delete cascade,
    label text not null,
    owner_id int not null references users,
    sort_at timestamp not null,
    score real not null,
    source text not null,
    primary key (asset_id, label)
);
create index labels_timeline on labels (owner_id, label, sort_at desc, asset_id desc);

-- A person's choice of assets in an order of its own, shown to whom they like. Members may add assets of their own.
create table albums (
    album_id int generated always as identity primary key,
    owner_id int not null references users on delete cascade,
    album_name text not null check (char_length(album_name) between 1 and 100),
    description text,
    cover_asset_id uuid references assets on delete set null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index albums_owner on albums (owner_id, album_id desc);
create index albums_cover on albums (cover_asset_id) where cover_asset_id is not null;
create table album_assets (
    album_id int not null references albums on delete cascade,
    asset_id uuid not null references assets on delete cascade,
    position int not null,
    added_by int references users on delete set null,
    added_at timestamptz not null default now(),
    primary key (album_id, asset_id)
);
create index album_assets_order on album_assets (album_id, position, asset_id);
create index album_assets_asset on album_assets (asset_id);
create table album_members (
    album_id int not null references albums on delete cascade,
    user_id int not null references users on delete cascade,
    role text not null check (role in ('viewer', 'editor')),
    added_at timestamptz not null default now(),
    primary key (album_id, user_id)
);
create index album_members_user on album_members (user_id);

-- How many assets and bytes each owner has, by day and kind; changes are written beside the change that they count, so that
-- nobody waits for anybody, and are added up from time to time. The truth is the sum of both tables.
create table day_counts (
    owner_id int not null references users on delete cascade,
    day date not null,
    kind text not null,
    shown int not null,
    files int not null,
    bytes bigint not null,
    primary key (owner_id, day, kind)
);
create table day_count_changes (
    change_id bigint generated always as identity primary key,
    owner_id int not null references users on delete cascade,
    day date not null,
    kind text not null,
    shown int not null,
    files int not null,
    bytes bigint not null
) with (autovacuum_vacuum_scale_factor = 0.02);
create index day_count_changes_owner on day_count_changes (owner_id);

create function count_new() returns trigger language plpgsql as $$
begin
    insert into day_count_changes (owner_id, day, kind, shown, files, bytes)
    select owner_id, sort_at::date, kind, sum(is_shown::int), count(*), sum(size)
    from made
    group by owner_id, sort_at::date, kind;
    return null;
end
$$;
create function count_gone() returns trigger language plpgsql as $$
begin
    insert into day_count_changes (owner_id, day, kind, shown, files, bytes)
    select owner_id, sort_at::date, kind, -sum(is_shown::int), -count(*), -sum(size)
    from gone
    group by owner_id, sort_at::date, kind;
    return null;
end
$$;
create function count_changed() returns trigger language plpgsql as $$
begin
    insert into day_count_changes (owner_id, day, kind, shown, files, bytes)
    values (old.owner_id, old.sort_at::date, old.kind, -old.is_shown::int, -1, -old.size),
           (new.owner_id, new.sort_at::date, new.kind, new.is_shown::int, 1, new.size);
    return null;
end
$$;
create trigger assets_counted after insert on assets
referencing new table as made for each statement execute function count_new();
create trigger assets_uncounted after delete on assets
referencing old table as gone for each statement execute function count_gone();
create trigger assets_recounted after update on assets
for each row when (
    (old.owner_id, old.sort_at::date, old.kind, old.is_shown, old.size)
    is distinct from (new.owner_id, new.sort_at::date, new.kind, new.is_shown, new.size)
) execute function count_changed();

create function follow_time() returns trigger language plpgsql as $$
begin
    update asset_tags set sort_at = new.sort_at where asset_id = new.asset_id;
    update labels set sort_at = new.sort_at where asset_id = new.asset_id;
    return null;
end
$$;
create trigger assets_retimed after update on assets
for each row when (old.sort_at <> new.sort_at) execute function follow_time();

-- What is believed: a person's word, and nothing where a person wants nothing. Who says where it was does not mean the place
-- that the file tells. What is longer than an index takes is cut.
create function follow_metadata() returns trigger language plpgsql as $$
declare
    said jsonb := new.facts || new.edits;
    place jsonb := case when new.edits ? 'gps_latitude' then coalesce(new.edited_place, '{}') else new.facts end;
begin
    update assets a
    set rating = b.rating, camera_make = b.camera_make, camera = b.camera, lens = b.lens, iso = b.iso,
        duration = b.duration, latitude = b.latitude, longitude = b.longitude,
        country = b.country, region = b.region, city = b.city
    from (
        select case when found.rating between 1 and 5 then found.rating::smallint end as rating,
               left(found.camera_make, 200) as camera_make, left(found.camera_model, 200) as camera,
               left(found.lens_model, 200) as lens, least(found.iso_speed, 2147483647)::int as iso, found.duration,
               found.gps_latitude as latitude, found.gps_longitude as longitude,
               left(there.country, 200) as country, left(there.region, 200) as region, left(there.city, 200) as city
        from jsonb_to_record(said) found (
                 rating numeric, camera_make text, camera_model text, lens_model text, iso_speed numeric,
                 duration double precision, gps_latitude double precision, gps_longitude double precision
             ),
             jsonb_to_record(place) there (country text, region text, city text)
    ) b
    where a.asset_id = new.asset_id
      and (a.rating, a.camera_make, a.camera, a.lens, a.iso, a.duration, a.latitude, a.longitude,
           a.country, a.region, a.city)
          is distinct from (b.rating, b.camera_make, b.camera, b.lens, b.iso, b.duration, b.latitude, b.longitude,
                            b.country, b.region, b.city);
    return null;
end
$$;

create function tag_paths(words jsonb) returns table (path text, is_own boolean) language sql immutable as $$
    select array_to_string(steps[1:depth], '/'), bool_or(depth = cardinality(steps))
    from jsonb_array_elements_text(case jsonb_typeof(words) when 'array' then words else '[]' end) word,
         array_remove(string_to_array(word, '/'), '') steps,
         generate_series(1, cardinality(steps)) depth
    group by 1
$$;
create function follow_keywords() returns trigger language plpgsql as $$
declare
    words jsonb := coalesce(new.edits -> 'tags', new.facts -> 'keywords', '[]');
begin
    if words = '[]' and not exists (select from asset_tags where asset_id = new.asset_id) then
        return null;
    end if;
    insert into tags (owner_id, path)
    select a.owner_id, p.path
    from assets a, tag_paths(words) p
    where a.asset_id = new.asset_id
      and not exists (select from tags t where t.owner_id = a.owner_id and t.path = p.path)
    order by p.path
    on conflict do nothing;
    delete from asset_tags x
    using tags t
    where x.asset_id = new.asset_id
      and t.tag_id = x.tag_id
      and t.path not in (select path from tag_paths(words));
    insert into asset_tags (tag_id, asset_id, sort_at, is_own)
    select t.tag_id, a.asset_id, a.sort_at, p.is_own
    from assets a, tag_paths(words) p, tags t
    where a.asset_id = new.asset_id
      and t.owner_id = a.owner_id
      and t.path = p.path
    on conflict (tag_id, asset_id) do update
    set is_own = excluded.is_own
    where asset_tags.is_own <> excluded.is_own;
    return null;
end
$$;
create trigger asset_metadata_followed after insert or update of facts, edits, edited_place on asset_metadata
for each row execute function follow_metadata();
create trigger asset_metadata_tagged after insert or update of facts, edits on asset_metadata
for each row execute function follow_keywords();

-- What is there already.
update asset_metadata set facts = facts;
truncate day_count_changes;
insert into day_counts (owner_id, day, kind, shown, files, bytes)
select owner_id, sort_at::date, kind, sum(is_shown::int), count(*), sum(size)
from assets
group by owner_id, sort_at::date, kind;
