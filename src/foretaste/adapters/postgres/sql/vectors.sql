-- Run after every migration: adds what needs the extension `vector`, once it is there.
DO $vectors$
DECLARE
    found name;
BEGIN
    IF to_regclass('embedding') IS NOT NULL THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
        BEGIN
            CREATE EXTENSION IF NOT EXISTS vector SCHEMA public;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE 'the extension vector is there, but may not be created by this role';
        END;
    END IF;
    SELECT nspname INTO found FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = 'vector';
    IF found IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('CREATE TABLE embedding (item_ordinal integer PRIMARY KEY, vector %I.vector NOT NULL)', found);
    -- expressions, because a column may hold vectors of any length and an index only of one
    EXECUTE format('CREATE INDEX embedding_384 ON embedding USING hnsw ((vector::%I.vector(384)) %I.vector_cosine_ops)
        WHERE %I.vector_dims(vector) = 384', found, found, found);
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION keep_embeddings(item_ordinals integer[], embeddings text[]) RETURNS void
        LANGUAGE sql AS $keep$
            DELETE FROM embedding WHERE item_ordinal IN (
                SELECT given.ordinal FROM unnest(item_ordinals, embeddings) AS given (ordinal, written)
                WHERE given.written IS NULL);
            INSERT INTO embedding (item_ordinal, vector)
            SELECT given.ordinal, given.written::%I.vector
            FROM unnest(item_ordinals, embeddings) AS given (ordinal, written)
            WHERE given.written IS NOT NULL AND given.ordinal IS NOT NULL
            ON CONFLICT (item_ordinal) DO UPDATE SET vector = excluded.vector;
        $keep$
    $create$, found);
END
$vectors$;
