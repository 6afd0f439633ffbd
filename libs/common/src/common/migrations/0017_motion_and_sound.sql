-- Why: videos and recordings that every browser plays. Work that takes hours says how far it is, people say per asset whether
-- there is to be a web version, and such a version knows how it was made, so that nothing is made twice.

-- Of the work that runs; what is left of a run that ended says nothing. No index has it, so saying it stays heap-only.
alter table asset_stages add column progress jsonb;

-- gateway: what a person wants; null means as the repository or the server has it.
alter table assets add column web_policy text check (web_policy in ('smart', 'always', 'never'));

-- How it was made: one that would be made the same way is kept.
alter table renditions add column recipe text;
