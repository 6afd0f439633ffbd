-- Why: an album of fifty thousand is paged through in each of its orders, and one asset gets another place without a word
-- about the others. What its pages choose and sort by stands beside each asset, and places have room between them.

-- gateway: `is_there` is what an album shows: neither in the trash nor without its file. Both follow from `assets`.
alter table album_assets
    alter column position type bigint,
    add column sort_at timestamp not null default 'epoch',
    add column is_there boolean not null default true;
alter table album_assets
    alter column sort_at drop default,
    alter column is_there drop default;
update album_assets x
set sort_at = a.sort_at, is_there = a.trashed_at is null and a.missing_since is null
from assets a
where a.asset_id = x.asset_id;

create index album_assets_shown on album_assets (album_id, position, asset_id) where is_there;
create index album_assets_taken on album_assets (album_id, sort_at, asset_id) where is_there;
create index album_assets_added on album_assets (album_id, added_at, asset_id) where is_there;

-- The lock on the asset keeps what is read here true until the row can be found by whoever changes the asset.
create function copy_asset() returns trigger language plpgsql as $$
begin
    select a.sort_at, a.trashed_at is null and a.missing_since is null
    into new.sort_at, new.is_there
    from assets a
    where a.asset_id = new.asset_id
    for share;
    return new;
end
$$;
create trigger album_assets_copied before insert on album_assets for each row execute function copy_asset();

create function follow_asset() returns trigger language plpgsql as $$
begin
    update album_assets
    set sort_at = new.sort_at, is_there = new.trashed_at is null and new.missing_since is null
    where asset_id = new.asset_id;
    return null;
end
$$;
create trigger assets_followed_by_albums after update on assets
for each row when (
    (old.sort_at, old.trashed_at is null, old.missing_since is null)
    is distinct from (new.sort_at, new.trashed_at is null, new.missing_since is null)
) execute function follow_asset();
