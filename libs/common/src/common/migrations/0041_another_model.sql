-- Why: when another model tells labels, assets keep what the one before it told, for ever. Now the stage knows whose answers
-- count, since when, and when it last answered; assets that were done before then and have no label of that model are walked
-- along and looked at anew. Models that counted before are known, so that two servers with different models do not take turns.
alter table inference_stages
    add column current_model text,
    add column current_since timestamptz,
    add column current_seen_at timestamptz,
    add column former_models text[] not null default '{}';
