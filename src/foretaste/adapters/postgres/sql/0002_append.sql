-- Whoever gives numbers waits here. The lock ends with the transaction, after it became visible, so numbers
-- become visible in their order and without gaps.
CREATE FUNCTION begin_numbering() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'numbers can be given only at the isolation level read committed' USING ERRCODE = 'FT002';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('foretaste/' || current_schema(), 0));
END
$$;

-- The ordinals of `ids`, in their order, new ones given where needed; a missing id has none. Every id is looked up
-- by itself in the index: the planner knows too little of an array to choose.
CREATE FUNCTION intern(of_kind smallint, ids text[]) RETURNS integer[] LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    most CONSTANT integer := CASE of_kind WHEN 2 THEN 1024 ELSE 2147483647 END;
    known integer;
    added integer;
    found integer[];
BEGIN
    SELECT array_agg(
        (SELECT name.ordinal FROM name WHERE name.kind = of_kind AND name.id = given.id) ORDER BY given.place
    ) INTO found
    FROM unnest(ids) WITH ORDINALITY AS given (id, place);
    IF NOT EXISTS (
        SELECT FROM unnest(ids, found) AS given (id, ordinal) WHERE given.id IS NOT NULL AND given.ordinal IS NULL
    ) THEN
        RETURN coalesce(found, '{}');
    END IF;

    SELECT coalesce(max(ordinal) + 1, 0) INTO known FROM name WHERE kind = of_kind;
    INSERT INTO name (kind, ordinal, id)
    SELECT of_kind, known + row_number() OVER (ORDER BY wanted.place) - 1, wanted.id
    FROM (
        SELECT given.id, min(given.place) AS place
        FROM unnest(ids, found) WITH ORDINALITY AS given (id, ordinal, place)
        WHERE given.id IS NOT NULL AND given.ordinal IS NULL
        GROUP BY given.id
    ) AS wanted;
    GET DIAGNOSTICS added = ROW_COUNT;
    IF known + added > most THEN
        RAISE EXCEPTION 'there would be % different ones, and % is the most there can be', known + added, most
            USING ERRCODE = 'FT001', DETAIL = of_kind::text;
    END IF;
    SELECT array_agg(coalesce(
        given.ordinal, (SELECT name.ordinal FROM name WHERE name.kind = of_kind AND name.id = given.id)
    ) ORDER BY given.place) INTO found
    FROM unnest(ids, found) WITH ORDINALITY AS given (id, ordinal, place);
    RETURN found;
END
$$;

CREATE FUNCTION assign_ordinals(of_kind smallint, ids text[]) RETURNS integer[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM begin_numbering();
    RETURN intern(of_kind, ids);
END
$$;

-- See to it that keys of `day` can be stored, and that none are kept whose partition is past `horizon` days.
CREATE FUNCTION keep_keys(day integer, horizon integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    days CONSTANT integer := 5;
    run CONSTANT integer := floor(day::numeric / days);
    present CONSTANT integer := floor(extract(epoch FROM clock_timestamp()) / 86400);
    old record;
BEGIN
    IF to_regclass(format('event_key_%s', run)) IS NOT NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF event_key FOR VALUES FROM (%s) TO (%s)',
        'event_key_' || run, run * days, (run + 1) * days);
    FOR old IN
        SELECT child.relname AS relname
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'event_key'::regclass
            AND (substring(child.relname FROM 'event_key_(-?\d+)$')::integer + 1) * days
                <= least(day, present) - horizon
    LOOP
        EXECUTE format('DROP TABLE %I', old.relname);
    END LOOP;
END
$$;

-- Append a batch: one array per field, one place per event. What was accepted within `horizon` days keeps its
-- number. Gives per event its number and whether it is new, and for new ones the ordinals of user, item and type
-- and the number of the user's event before.
CREATE FUNCTION append_events(
    keys bigint[], event_ids text[], users text[], items text[], types text[], times bigint[],
    "values" double precision[], sessions text[], recommendations text[], contexts text[],
    today integer, horizon integer, streams text[], offsets bigint[],
    OUT seqs bigint[], OUT fresh boolean[], OUT user_ordinals integer[], OUT item_ordinals integer[],
    OUT type_ordinals integer[], OUT previous bigint[]
) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    last bigint;
    arrived CONSTANT integer := coalesce(today, floor(extract(epoch FROM clock_timestamp()) / 86400)::integer);
BEGIN
    PERFORM begin_numbering();
    INSERT INTO stream (name, next) SELECT * FROM unnest(streams, offsets)
    ON CONFLICT (name) DO UPDATE SET next = excluded.next WHERE stream.next < excluded.next;
    PERFORM keep_keys(arrived, horizon);
    SELECT coalesce(max(seq), 0) INTO last FROM event;

    SELECT array_agg(coalesce(earlier, last + nth) ORDER BY place), array_agg(is_new ORDER BY place)
    INTO seqs, fresh
    FROM (
        SELECT place, earlier, is_new, first_value(running) OVER (PARTITION BY key ORDER BY place) AS nth
        FROM (
            SELECT *, count(*) FILTER (WHERE is_new) OVER (ORDER BY place) AS running
            FROM (
                SELECT key, place, earlier,
                    earlier IS NULL AND row_number() OVER (PARTITION BY key ORDER BY place) = 1 AS is_new
                FROM (
                    SELECT given.key, given.place, (
                        SELECT max(known.seq) FROM event_key AS known
                        WHERE known.key = given.key AND known.day > arrived - horizon
                    ) AS earlier
                    FROM unnest(keys) WITH ORDINALITY AS given (key, place)
                ) AS looked_up
            ) AS marked
        ) AS counted
    ) AS numbered;
    IF NOT coalesce(true = ANY (fresh), false) THEN
        RETURN;
    END IF;

    SELECT intern(0::smallint, array_agg(CASE WHEN is_new THEN id END ORDER BY place)) INTO user_ordinals
    FROM unnest(users, fresh) WITH ORDINALITY AS given (id, is_new, place);
    SELECT intern(1::smallint, array_agg(CASE WHEN is_new THEN id END ORDER BY place)) INTO item_ordinals
    FROM unnest(items, fresh) WITH ORDINALITY AS given (id, is_new, place);
    SELECT intern(2::smallint, array_agg(CASE WHEN is_new THEN id END ORDER BY place)) INTO type_ordinals
    FROM unnest(types, fresh) WITH ORDINALITY AS given (id, is_new, place);

    SELECT array_agg(chain.before ORDER BY place) INTO previous
    FROM (
        SELECT place, CASE WHEN is_new THEN coalesce(
            lag(seq) OVER (PARTITION BY user_ordinal ORDER BY seq),
            (SELECT head.seq FROM user_head AS head WHERE head.user_ordinal = given.user_ordinal), 0) END AS before
        FROM unnest(user_ordinals, seqs, fresh) WITH ORDINALITY AS given (user_ordinal, seq, is_new, place)
    ) AS chain;

    INSERT INTO event (seq, user_ordinal, item_ordinal, type_ordinal, time, key, value, previous,
        event_id, session_id, recommendation_id, context)
    SELECT given.seq, given.user_ordinal, given.item_ordinal, given.type_ordinal, given.time, given.key,
        given.value, given.previous, given.event_id, given.session_id, given.recommendation_id,
        given.context::jsonb
    FROM unnest(seqs, fresh, user_ordinals, item_ordinals, type_ordinals, times, keys, "values", previous,
        event_ids, sessions, recommendations, contexts)
        AS given (seq, is_new, user_ordinal, item_ordinal, type_ordinal, time, key, value, previous,
            event_id, session_id, recommendation_id, context)
    WHERE given.is_new ORDER BY given.seq;

    INSERT INTO event_key (day, key, seq)
    SELECT arrived, given.key, given.seq
    FROM unnest(keys, seqs, fresh) AS given (key, seq, is_new) WHERE given.is_new;

    INSERT INTO user_head (user_ordinal, seq)
    SELECT given.user_ordinal, max(given.seq)
    FROM unnest(user_ordinals, seqs, fresh) AS given (user_ordinal, seq, is_new)
    WHERE given.is_new GROUP BY given.user_ordinal
    ON CONFLICT (user_ordinal) DO UPDATE SET seq = excluded.seq;
END
$$;

-- `append_events` of what was copied into the session's table `staged`, which is empty afterwards.
CREATE FUNCTION append_staged(
    today integer, horizon integer, streams text[], offsets bigint[],
    OUT seqs bigint[], OUT fresh boolean[], OUT user_ordinals integer[], OUT item_ordinals integer[],
    OUT type_ordinals integer[], OUT previous bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    SELECT appended.* INTO seqs, fresh, user_ordinals, item_ordinals, type_ordinals, previous
    FROM (
        SELECT array_agg(key ORDER BY place) AS keys, array_agg(event_id ORDER BY place) AS event_ids,
            array_agg(user_id ORDER BY place) AS users, array_agg(item_id ORDER BY place) AS items,
            array_agg(type ORDER BY place) AS types, array_agg(time ORDER BY place) AS times,
            array_agg(value ORDER BY place) AS vals, array_agg(session_id ORDER BY place) AS sessions,
            array_agg(recommendation_id ORDER BY place) AS recommendations,
            array_agg(context ORDER BY place) AS contexts
        FROM pg_temp.staged
    ) AS batch,
    LATERAL append_events(batch.keys, batch.event_ids, batch.users, batch.items, batch.types, batch.times,
        batch.vals, batch.sessions, batch.recommendations, batch.contexts, today, horizon, streams, offsets)
        AS appended;
    TRUNCATE pg_temp.staged;
END
$$;

-- What followed after number `after`, at most `most` events, with the names that a follower does not know who
-- knows so many of each kind; of one moment.
CREATE FUNCTION tail(
    after bigint, most integer, known_users integer, known_items integer, known_types integer,
    OUT seqs bigint[], OUT user_ordinals integer[], OUT item_ordinals integer[], OUT type_ordinals integer[],
    OUT times bigint[], OUT keys bigint[], OUT "values" double precision[],
    OUT users text[], OUT items text[], OUT types text[]
) LANGUAGE sql STABLE AS $$
    SELECT events.*,
        (SELECT array_agg(id ORDER BY ordinal) FROM name WHERE kind = 0 AND ordinal >= known_users),
        (SELECT array_agg(id ORDER BY ordinal) FROM name WHERE kind = 1 AND ordinal >= known_items),
        (SELECT array_agg(id ORDER BY ordinal) FROM name WHERE kind = 2 AND ordinal >= known_types)
    FROM (
        SELECT array_agg(seq ORDER BY seq), array_agg(user_ordinal ORDER BY seq),
            array_agg(item_ordinal ORDER BY seq), array_agg(type_ordinal::integer ORDER BY seq),
            array_agg(time ORDER BY seq), array_agg(key ORDER BY seq), array_agg(value ORDER BY seq)
        FROM (SELECT * FROM event WHERE seq > after ORDER BY seq LIMIT most) AS following
    ) AS events
$$;
