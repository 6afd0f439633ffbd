-- Lists with what is archived among the rest had no index in the order of time, and read a whole library for a page.

create index assets_kept on assets (owner_id, sort_at desc, asset_id desc)
    where trashed_at is null and missing_since is null;
