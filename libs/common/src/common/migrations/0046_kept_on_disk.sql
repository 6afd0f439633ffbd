-- Why: what people made of their photos is written beside them once a day, so that it outlives the database. It is little
-- of a large library, and is found without reading the rest.
create index assets_marked on assets (asset_id)
    where liked or archived_at is not null or web_policy is not null or trashed_at is not null;
create index asset_metadata_edited on asset_metadata (asset_id) where edits <> '{}';
