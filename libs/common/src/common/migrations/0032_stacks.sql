-- Why: people put together what no rule does: variants of one picture, of which they want to see the best. What is derived
-- from files stays in `stack_keys` and is written anew with every reading; this here only people write.
create table stacks (
    stack_id int generated always as identity primary key,
    owner_id int not null references users on delete cascade,
    cover_asset_id uuid references assets on delete set null,
    created_at timestamptz not null default now()
);
create index stacks_owner on stacks (owner_id, stack_id desc);
create index stacks_cover on stacks (cover_asset_id) where cover_asset_id is not null;

-- An asset is in one of them at most.
create table stack_assets (
    asset_id uuid primary key references assets on delete cascade,
    stack_id int not null references stacks on delete cascade,
    position int not null
);
create index stack_assets_order on stack_assets (stack_id, position, asset_id);
