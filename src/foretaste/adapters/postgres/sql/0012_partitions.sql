-- A backup reads every table in one transaction that may take hours. What is made and dropped here waits for nobody who
-- only reads, so that events and exposures are stored meanwhile.

-- Make the partition `child` of `parent`. A table made as a partition waits for readers of its parent; one attached not.
CREATE OR REPLACE FUNCTION add_partition(parent text, child text, first bigint, after_last bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', child, parent);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
        parent, child, first, after_last);
END
$$;

-- Drop the partitions of `parent`, called after it and a number, whose number is at most `last`. Where somebody reads
-- them, or their parent, they stay until the next time.
CREATE OR REPLACE FUNCTION drop_partitions(parent text, last bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    old record;
BEGIN
    FOR old IN
        SELECT child.relname AS relname
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = to_regclass(parent)
            AND substring(child.relname FROM '_(-?\d+)$')::bigint <= last
    LOOP
        EXECUTE format('LOCK TABLE ONLY %I, %I IN ACCESS EXCLUSIVE MODE NOWAIT', parent, old.relname);
        EXECUTE format('DROP TABLE %I', old.relname);
    END LOOP;
EXCEPTION WHEN lock_not_available THEN
    RETURN;
END
$$;

CREATE OR REPLACE FUNCTION keep_keys(day integer, horizon integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    days CONSTANT integer := 5;
    run CONSTANT integer := floor(day::numeric / days);
    present CONSTANT integer := floor(extract(epoch FROM clock_timestamp()) / 86400);
BEGIN
    IF to_regclass(format('event_key_%s', run)) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM add_partition('event_key', 'event_key_' || run, run * days, (run + 1) * days);
    PERFORM drop_partitions('event_key', floor((least(day, present) - horizon)::numeric / days)::bigint - 1);
END
$$;

CREATE OR REPLACE FUNCTION keep_exposures(ids text[], times bigint[], records bytea[], kept_from bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    day CONSTANT bigint := 86400000000;
    first CONSTANT bigint := floor(kept_from::numeric / day);
    wanted bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('foretaste exposures/' || current_schema(), 0));
    FOR wanted IN
        SELECT DISTINCT floor(given.time::numeric / day)::bigint FROM unnest(times) AS given (time)
        WHERE given.time >= kept_from
    LOOP
        IF to_regclass(format('exposure_%s', wanted)) IS NULL THEN
            PERFORM add_partition('exposure', 'exposure_' || wanted, wanted * day, (wanted + 1) * day);
        END IF;
    END LOOP;
    INSERT INTO exposure (recommendation_id, time, record)
    SELECT DISTINCT ON (given.id, given.time) given.id, given.time, given.record
    FROM unnest(ids, times, records) AS given (id, time, record) WHERE given.time >= kept_from
    ON CONFLICT (recommendation_id, time) DO UPDATE SET record = excluded.record;
    PERFORM drop_partitions('exposure', first - 1);
    DELETE FROM exposure WHERE time >= first * day AND time < kept_from;
END
$$;
