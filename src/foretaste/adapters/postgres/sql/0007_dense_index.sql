-- The same as before, for people who are asked for by their dense index too: digits that are no id are the
-- ordinal. Whoever asks decides what they mean; the larger number that comes of it costs nothing.
CREATE OR REPLACE FUNCTION head_of(
    user_id text, OUT user_seq bigint, OUT catalog_version bigint, OUT people_version bigint
) LANGUAGE sql STABLE AS $$
    SELECT coalesce((
            SELECT head.seq FROM name JOIN user_head AS head ON head.user_ordinal = name.ordinal
            WHERE name.kind = 0 AND name.id = head_of.user_id
        ), (
            SELECT head.seq FROM user_head AS head
            WHERE head.user_ordinal = CASE WHEN head_of.user_id ~ '^[0-9]{1,9}$' THEN head_of.user_id::integer END
        ), 0),
        coalesce((SELECT max(version) FROM catalog), 0),
        (SELECT version FROM people)
$$;
