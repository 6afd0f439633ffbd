-- Why: a request that comes again with its key is the same operation only if it names the same assets. The batches that say
-- which are gone once they are done, so their hash stays; it is null of those that a filter chose, or that are older.
alter table operations add column named_hash bytea check (octet_length(named_hash) = 32);
