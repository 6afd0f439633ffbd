-- Why: people have their photos read and rendered again, also one that is being rendered at that moment.

-- Somebody asked for the running work to be done once more: what it looks at may be older than the wish. A claim sees all
-- that was wished for before it. No index has this column, so claims stay heap-only.
alter table asset_stages add column again boolean not null default false;
