-- Items by ordinal, each with the version of the catalog that last changed it; `content` is empty (null) once
-- the item was deleted. `attributes` and `categories` repeat what is in `content`, to be asked by SQL.
CREATE TABLE catalog (
    item_ordinal integer PRIMARY KEY,
    version bigint NOT NULL,
    content bytea,
    attributes jsonb,
    categories text[]
);
CREATE INDEX catalog_by_version ON catalog (version, item_ordinal);
CREATE INDEX catalog_by_attributes ON catalog USING gin (attributes);
CREATE INDEX catalog_by_categories ON catalog USING gin (categories);

-- Replaced where the extension `vector` is there.
CREATE FUNCTION keep_embeddings(item_ordinals integer[], embeddings text[]) RETURNS void
LANGUAGE plpgsql AS $$ BEGIN END $$;

-- Store what differs, under one new version if anything does; return the version. `adding` gives ordinals to new
-- ids; without it (deleting) unknown ids are passed over. `embeddings` are written as pgvector writes them.
CREATE FUNCTION change_items(
    ids text[], contents bytea[], attribute_sets text[], category_sets text[], embeddings text[], adding boolean
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    present bigint;
    ordinals integer[];
    changed integer[];
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
    WITH written AS (
        INSERT INTO catalog (item_ordinal, version, content, attributes, categories)
        SELECT given.ordinal, present + 1, given.content, given.attributes::jsonb,
            ARRAY(SELECT jsonb_array_elements_text(given.categories::jsonb))
        FROM unnest(ordinals, contents, attribute_sets, category_sets)
            AS given (ordinal, content, attributes, categories)
        LEFT JOIN catalog AS old ON old.item_ordinal = given.ordinal
        WHERE given.ordinal IS NOT NULL AND given.content IS DISTINCT FROM old.content
        ON CONFLICT (item_ordinal) DO UPDATE SET version = excluded.version, content = excluded.content,
            attributes = excluded.attributes, categories = excluded.categories
        RETURNING item_ordinal
    )
    SELECT array_agg(item_ordinal) INTO changed FROM written;
    IF changed IS NULL THEN
        RETURN present;
    END IF;
    PERFORM keep_embeddings(ordinals, embeddings);
    RETURN present + 1;
END
$$;
