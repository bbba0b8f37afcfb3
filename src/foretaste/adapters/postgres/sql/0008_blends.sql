-- The blends that models served with, in the order in which they were agreed. A blend serves from the event after
-- `seq` on; `record` is all of it as JSON (see ports/blend_store.py). `time` is in microseconds since 1970 UTC.
CREATE TABLE blend (
    id bigint PRIMARY KEY,
    artifact text COLLATE "C" NOT NULL,
    number integer NOT NULL,
    seq bigint NOT NULL,
    time bigint NOT NULL,
    blend_version text COLLATE "C" NOT NULL,
    record bytea NOT NULL,
    UNIQUE (artifact, number)
);
CREATE INDEX blend_by_time ON blend (time);

-- Store the next blend of an artifact and return after which event it serves: a multiple of `span` that the log has
-- not passed, which is sure under the lock of who gives numbers. Null where the artifact has that number already.
-- What is from before `kept_from` is forgotten, but never the last one of an artifact.
CREATE FUNCTION agree_blend(
    of_artifact text, of_number integer, of_time bigint, version text, content bytea, span integer, kept_from bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    known integer;
    last_event bigint;
    begins bigint;
BEGIN
    PERFORM begin_numbering();
    SELECT coalesce(max(number), 0) INTO known FROM blend WHERE artifact = of_artifact;
    IF of_number <> known + 1 THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(max(event.seq), 0) INTO last_event FROM event;
    begins := (last_event + span - 1) / span * span;
    INSERT INTO blend (id, artifact, number, seq, time, blend_version, record)
    SELECT coalesce(max(id), 0) + 1, of_artifact, of_number, begins, of_time, version, content FROM blend;
    DELETE FROM blend AS old WHERE old.time < kept_from
        AND old.number < (SELECT max(other.number) FROM blend AS other WHERE other.artifact = old.artifact);
    RETURN begins;
END
$$;
