-- Ids of users (kind 0), items (1) and event types (2) with their permanent dense ordinals.
CREATE TABLE name (
    kind smallint NOT NULL,
    ordinal integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (kind, ordinal),
    CONSTRAINT name_once UNIQUE (kind, id)
);

-- The log: dense sequence numbers in the order of commits. `time` is in microseconds since 1970 UTC, `key` a
-- hash of the event id, `previous` the number of the same user's event before, 0 for none.
CREATE TABLE event (
    seq bigint PRIMARY KEY,
    user_ordinal integer NOT NULL,
    item_ordinal integer NOT NULL,
    type_ordinal smallint NOT NULL,
    time bigint NOT NULL,
    key bigint NOT NULL,
    value double precision,
    previous bigint NOT NULL,
    event_id text COLLATE "C" NOT NULL,
    session_id text,
    recommendation_id text,
    context jsonb
);
CREATE INDEX event_by_user ON event (user_ordinal, time DESC, event_id DESC);
CREATE INDEX event_by_time ON event USING brin (time);

-- The number of each user's last event: what an answer for this user must know.
CREATE TABLE user_head (
    user_ordinal integer PRIMARY KEY,
    seq bigint NOT NULL
) WITH (fillfactor = 50);

-- Which events were accepted of late, by day of arrival (days since 1970 UTC). A random key lands anywhere in
-- an index, so indexes are kept small: one for every few days, dropped as a whole when they are too old.
CREATE TABLE event_key (
    day integer NOT NULL,
    key bigint NOT NULL,
    seq bigint NOT NULL
) PARTITION BY RANGE (day);
CREATE INDEX event_key_found ON event_key (key);

-- How far streams were read: `<stream>/<partition>` -> next offset.
CREATE TABLE stream (
    name text COLLATE "C" PRIMARY KEY,
    next bigint NOT NULL
);
