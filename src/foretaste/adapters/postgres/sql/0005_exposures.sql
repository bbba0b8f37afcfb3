-- One record per slate, in partitions by day of `time` (microseconds since 1970 UTC) that are dropped as a whole.
CREATE TABLE exposure (
    time bigint NOT NULL,
    recommendation_id text COLLATE "C" NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (recommendation_id, time)
) PARTITION BY RANGE (time);

-- Store records; those before `kept_from` are left out, and what is stored from before then is removed.
CREATE FUNCTION keep_exposures(ids text[], times bigint[], records bytea[], kept_from bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    day CONSTANT bigint := 86400000000;
    wanted bigint;
    old record;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('foretaste exposures/' || current_schema(), 0));
    FOR wanted IN
        SELECT DISTINCT floor(given.time::numeric / day)::bigint FROM unnest(times) AS given (time)
        WHERE given.time >= kept_from
    LOOP
        IF to_regclass(format('exposure_%s', wanted)) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF exposure FOR VALUES FROM (%s) TO (%s)',
                'exposure_' || wanted, wanted * day, (wanted + 1) * day);
        END IF;
    END LOOP;
    INSERT INTO exposure (recommendation_id, time, record)
    SELECT DISTINCT ON (given.id, given.time) given.id, given.time, given.record
    FROM unnest(ids, times, records) AS given (id, time, record) WHERE given.time >= kept_from
    ON CONFLICT (recommendation_id, time) DO UPDATE SET record = excluded.record;
    FOR old IN
        SELECT child.relname AS relname
        FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'exposure'::regclass
            AND (substring(child.relname FROM 'exposure_(-?\d+)$')::bigint + 1) * day <= kept_from
    LOOP
        EXECUTE format('DROP TABLE %I', old.relname);
    END LOOP;
    DELETE FROM exposure WHERE time < kept_from;
END
$$;
