-- Why: an album is shown to people without an account here. A link opens it, as long as its row is there and its time is not
-- over; what the link says is kept as a hash alone, so that nobody who reads the database can open it.

-- gateway: one row for each link; revoking it is deleting it.
create table shares (
    share_id int generated always as identity primary key,
    album_id int not null references albums on delete cascade,
    token_hash bytea not null unique check (octet_length(token_hash) = 32),
    label text check (char_length(label) <= 100),
    password_hash text,
    allow_download boolean not null default false,
    show_location boolean not null default false,
    expires_at timestamptz,
    created_at timestamptz not null default now()
);
create index shares_album on shares (album_id, share_id);
