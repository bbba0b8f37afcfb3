-- What is known of people.
CREATE TABLE profile (
    user_id text COLLATE "C" PRIMARY KEY,
    version bigint NOT NULL,
    content bytea NOT NULL,
    attributes jsonb NOT NULL
);
CREATE INDEX profile_by_version ON profile (version);
CREATE INDEX profile_by_attributes ON profile USING gin (attributes);

-- One row: the version of the last change, and of the last time that somebody was forgotten. Who was, is not kept:
-- followers read everyone again.
CREATE TABLE people (version bigint NOT NULL, forgotten bigint NOT NULL);
INSERT INTO people VALUES (0, 0);

CREATE FUNCTION put_people(ids text[], contents bytea[], attribute_sets text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    present bigint;
BEGIN
    PERFORM begin_numbering();
    UPDATE people SET version = version + 1 RETURNING version INTO present;
    INSERT INTO profile (user_id, version, content, attributes)
    SELECT given.id, present, given.content, given.attributes::jsonb
    FROM unnest(ids, contents, attribute_sets) AS given (id, content, attributes)
    ON CONFLICT (user_id) DO UPDATE
    SET version = excluded.version, content = excluded.content, attributes = excluded.attributes;
END
$$;

-- Return how many of them had been known.
CREATE FUNCTION forget_people(ids text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    gone bigint;
BEGIN
    PERFORM begin_numbering();
    DELETE FROM profile WHERE user_id = ANY (ids);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN
        UPDATE people SET version = version + 1, forgotten = version + 1;
    END IF;
    RETURN gone;
END
$$;

-- What an answer must know at least: the number of the person's last event and the versions of what changes.
CREATE FUNCTION head_of(user_id text, OUT user_seq bigint, OUT catalog_version bigint, OUT people_version bigint)
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
            SELECT head.seq FROM name JOIN user_head AS head ON head.user_ordinal = name.ordinal
            WHERE name.kind = 0 AND name.id = head_of.user_id
        ), 0),
        coalesce((SELECT max(version) FROM catalog), 0),
        (SELECT version FROM people)
$$;
