-- Items that are known from events alone can be deleted too: what differs is also what has no entry yet.
CREATE OR REPLACE FUNCTION change_items(
    ids text[], contents bytea[], attribute_sets text[], category_sets text[], embeddings text[], adding boolean,
    present_time bigint, kept_from bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    present bigint;
    ordinals integer[];
    changed integer[];
    outdated bigint;
BEGIN
    PERFORM begin_numbering();
    SELECT coalesce(max(version), 0) INTO present FROM catalog;
    IF adding THEN
        ordinals := intern(1::smallint, ids);
    ELSE
        SELECT array_agg(name.ordinal ORDER BY given.place) INTO ordinals
        FROM unnest(ids) WITH ORDINALITY AS given (id, place)
        LEFT JOIN name ON name.kind = 1 AND name.id = given.id;
    END IF;
    WITH changing AS (
        SELECT given.ordinal, given.content, given.attributes, given.categories, old.version AS old_version,
            old.content AS old_content
        FROM unnest(ordinals, contents, attribute_sets, category_sets)
            AS given (ordinal, content, attributes, categories)
        LEFT JOIN catalog AS old ON old.item_ordinal = given.ordinal
        WHERE given.ordinal IS NOT NULL
            AND (old.item_ordinal IS NULL OR given.content IS DISTINCT FROM old.content)
    ), kept AS (
        INSERT INTO catalog_past (item_ordinal, version, until, content)
        SELECT changing.ordinal, changing.old_version, present + 1, changing.old_content
        FROM changing WHERE changing.old_version IS NOT NULL
    ), written AS (
        INSERT INTO catalog (item_ordinal, version, content, attributes, categories)
        SELECT changing.ordinal, present + 1, changing.content, changing.attributes::jsonb,
            ARRAY(SELECT jsonb_array_elements_text(changing.categories::jsonb))
        FROM changing
        ON CONFLICT (item_ordinal) DO UPDATE SET version = excluded.version, content = excluded.content,
            attributes = excluded.attributes, categories = excluded.categories
        RETURNING item_ordinal
    )
    SELECT array_agg(item_ordinal) INTO changed FROM written;
    IF changed IS NULL THEN
        RETURN present;
    END IF;
    INSERT INTO catalog_moment SELECT present + 1, greatest(present_time, max(time)) FROM catalog_moment;
    SELECT coalesce(max(version), 0) INTO outdated FROM catalog_moment WHERE time < kept_from;
    DELETE FROM catalog_past WHERE until <= outdated;
    DELETE FROM catalog_moment WHERE version < outdated;
    PERFORM keep_embeddings(ordinals, embeddings);
    RETURN present + 1;
END
$$;
