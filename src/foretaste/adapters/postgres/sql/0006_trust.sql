-- Whether the online store is believed: one row, changed by comparing and replacing (see ports/trust.py).
CREATE TABLE trust (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    epoch bigint NOT NULL,
    trusted boolean NOT NULL,
    incarnation text NOT NULL
);
INSERT INTO trust (epoch, trusted, incarnation) VALUES (0, false, '');
