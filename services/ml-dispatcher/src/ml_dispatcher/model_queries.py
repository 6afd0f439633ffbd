"""The SQL of whose answers count where a stage keeps those of one model: another one may answer any day."""

from common.db import Connection


async def note_model(conn: Connection, stage: str, model: str, *, days: float, most: int) -> None:
    """A model has answered: one that was never heard of counts from now on, and everything is walked along for it.

    One that counted before does again when the current one has not answered for so long; no more than `most` are new.
    """
    await conn.execute(
        """
        update inference_stages
        set current_model = %(model)s, current_seen_at = now(),
            current_since = case when current_model = %(model)s then current_since else now() end,
            begun_at = case when current_model = %(model)s then begun_at else now() end,
            filled_at = case when current_model = %(model)s then filled_at end,
            filled_to = case when current_model = %(model)s then filled_to end,
            former_models = case when current_model <> %(model)s
                then array_append(array_remove(former_models, %(model)s), current_model) else former_models end
        where stage = %(stage)s
          and (current_model is null
               or current_seen_at < now() - case when current_model = %(model)s
                   then interval '1 minute' else make_interval(secs => 86400 * %(days)s) end
               or (current_model <> %(model)s and %(model)s <> all(former_models)
                   and cardinality(former_models) < %(most)s))
        """,
        {"stage": stage, "model": model, "days": days, "most": most},
    )


async def look_once_more(conn: Connection, stage: str) -> None:
    """Have one of the newest assets that was looked at looked at again: who answers says which model that is by now.

    Where none of so many was, there is enough to be asked about.
    """
    await conn.execute(
        """
        update asset_stages
        set state = 'pending', next_at = now(), lane = 1, changed_at = now()
        where stage = %(stage)s
          and asset_id = (
              select s.asset_id
              from (select asset_id from assets order by asset_id desc limit 1000) newest
              join asset_stages s on s.asset_id = newest.asset_id and s.stage = %(stage)s
              where s.state = 'done'
              order by s.asset_id desc
              limit 1
              for update of s skip locked
          )
        """,
        {"stage": stage},
    )
