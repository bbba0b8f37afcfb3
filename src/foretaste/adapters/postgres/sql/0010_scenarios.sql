-- What scenarios became, in order: `put` by API, or recorded because they answered. `record` is all of it as JSON
-- (see ports/scenario_store.py); `version` is empty where what was put was deleted. `time` is in microseconds since
-- 1970 UTC.
CREATE TABLE scenario (
    id bigint PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    put boolean NOT NULL,
    time bigint NOT NULL,
    record bytea NOT NULL
);
CREATE INDEX scenario_by_version ON scenario (version);

-- Under the lock of who gives numbers, so that ids become visible in their order.
CREATE FUNCTION add_scenarios(names text[], versions text[], puts boolean[], times bigint[], records bytea[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM begin_numbering();
    INSERT INTO scenario (id, name, version, put, time, record)
    SELECT (SELECT coalesce(max(id), 0) FROM scenario) + given.place, given.name, given.version, given.put, given.time,
        given.record
    FROM unnest(names, versions, puts, times, records) WITH ORDINALITY
        AS given (name, version, put, time, record, place);
END
$$;
