-- Format 1: tables and functions of a store. What outsiders write is bytea: a NUL in a text column would fail everybody's
-- batch. Numbers without a sign lie in int8: those that only name something bit by bit, those with an order up to its
-- greatest value.

CREATE TABLE store (
    id int4 PRIMARY KEY CHECK (id = 1),
    format int4 NOT NULL,
    birth int8 NOT NULL
);

CREATE TABLE view (
    id int4 PRIMARY KEY CHECK (id = 1),
    birth int8 NOT NULL,
    timeline int8 NOT NULL,
    number int8 NOT NULL,
    record bytea NOT NULL
);

-- All slots have a row from the start, so that appends and claims always find the row that they lock. Generation 0 is
-- nobody's.
CREATE TABLE slot (
    number int4 PRIMARY KEY,
    generation int8 NOT NULL,
    epoch_timeline int8 NOT NULL,
    epoch int8 NOT NULL,
    view_birth int8 NOT NULL,
    view_timeline int8 NOT NULL,
    view_number int8 NOT NULL
) WITH (fillfactor = 50);

INSERT INTO slot SELECT number, 0, 0, 0, 0, 0, 0 FROM generate_series(0, 4095) AS g (number);

-- Pages stay half empty, so that a head moves within its page and touches no index.
CREATE TABLE head (
    slot int4 NOT NULL,
    channel bytea NOT NULL,
    head_offset int8 NOT NULL,
    floor int8 NOT NULL DEFAULT 0,
    PRIMARY KEY (slot, channel)
) WITH (fillfactor = 50);

-- Rows go with their partition, by the database's clock. Heads keep offsets apart; no index over partitions could.
CREATE TABLE message (
    stored timestamptz NOT NULL DEFAULT now(),
    slot int4 NOT NULL,
    message_offset int8 NOT NULL,
    counter int8 NOT NULL,
    sent int8 NOT NULL,
    weight int4 NOT NULL,
    channel bytea NOT NULL,
    edge bytea NOT NULL,
    record bytea NOT NULL
) PARTITION BY RANGE (stored);

-- Uncompressed: an append doesn't wait for a compressor.
ALTER TABLE message ALTER COLUMN record SET STORAGE EXTERNAL;

CREATE INDEX ON message (slot, channel, message_offset);
CREATE INDEX ON message (slot, edge, counter);

-- Takes each slot's part whole or refuses it whole; returns the refused slots, and whether for a head. Each step sees what
-- was committed before it: after the locks no head of these slots can change. The locks exclude each other, so that two
-- appends of one slot, as after a mistake of its owner, go one after another. Ascending, as in claim: nobody waits in a circle.
CREATE FUNCTION append(
    slots int4[], generations int8[],
    head_slots int4[], head_channels bytea[], head_follows int8[], head_offsets int8[],
    message_slots int4[], message_channels bytea[], message_offsets int8[], edges bytea[], counters int8[],
    times int8[], weights int4[], records bytea[]
) RETURNS TABLE (refused_slot int4, for_head boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    owned int4[];
    differing int4[];
    taken int4[];
BEGIN
    SELECT coalesce(array_agg(l.number), '{}') INTO owned FROM (
        SELECT s.number FROM unnest(slots, generations) AS w (number, generation)
        JOIN slot s ON s.number = w.number AND s.generation = w.generation
        WHERE w.generation > 0
        ORDER BY s.number FOR NO KEY UPDATE OF s
    ) AS l;

    SELECT coalesce(array_agg(DISTINCT w.slot), '{}') INTO differing
    FROM unnest(head_slots, head_channels, head_follows) AS w (slot, channel, follows)
    LEFT JOIN head h ON h.slot = w.slot AND h.channel = w.channel
    WHERE coalesce(h.head_offset, 0) <> w.follows;

    IF cardinality(owned) < cardinality(slots) OR cardinality(differing) > 0 THEN
        taken := ARRAY(SELECT unnest(owned) EXCEPT SELECT unnest(differing));
        RETURN QUERY SELECT w.number, w.number = ANY (owned) FROM unnest(slots) AS w (number)
            WHERE w.number <> ALL (taken);
        SELECT array_agg(w.slot), array_agg(w.channel), array_agg(w.head_offset)
            INTO head_slots, head_channels, head_offsets
            FROM unnest(head_slots, head_channels, head_offsets) AS w (slot, channel, head_offset)
            WHERE w.slot = ANY (taken);
        SELECT array_agg(w.slot), array_agg(w.channel), array_agg(w.message_offset), array_agg(w.edge),
            array_agg(w.counter), array_agg(w.sent), array_agg(w.weight), array_agg(w.record)
            INTO message_slots, message_channels, message_offsets, edges, counters, times, weights, records
            FROM unnest(message_slots, message_channels, message_offsets, edges, counters, times, weights, records)
                AS w (slot, channel, message_offset, edge, counter, sent, weight, record)
            WHERE w.slot = ANY (taken);
    END IF;

    INSERT INTO head AS h (slot, channel, head_offset)
        SELECT w.slot, w.channel, w.head_offset
        FROM unnest(head_slots, head_channels, head_offsets) AS w (slot, channel, head_offset)
        ON CONFLICT (slot, channel) DO UPDATE SET head_offset = excluded.head_offset;

    INSERT INTO message (slot, channel, message_offset, edge, counter, sent, weight, record)
        SELECT * FROM unnest(
            message_slots, message_channels, message_offsets, edges, counters, times, weights, records);
END
$$;

-- Raises the generations of all slots, once appends in flight have ended; returns their rows. When a slot was claimed under
-- a later view nothing changes, and the rows of such slots are returned.
CREATE FUNCTION claim(
    slots int4[], renewed boolean[], epochs int8[], birth int8, timeline int8, number int8
) RETURNS SETOF slot LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM slot s WHERE s.number = ANY (slots) ORDER BY s.number FOR NO KEY UPDATE;

    RETURN QUERY SELECT s.* FROM slot s
        WHERE s.number = ANY (slots)
        AND (s.view_birth, s.view_timeline, s.view_number) > (claim.birth, claim.timeline, claim.number);
    IF FOUND THEN
        RETURN;
    END IF;

    RETURN QUERY UPDATE slot s SET
        generation = s.generation + 1,
        epoch = CASE WHEN w.renewed OR s.generation = 0 THEN w.epoch ELSE s.epoch END,
        view_birth = claim.birth, view_timeline = claim.timeline, view_number = claim.number
        FROM unnest(slots, renewed, epochs) AS w (number, renewed, epoch)
        WHERE s.number = w.number
        RETURNING s.*;
END
$$;

-- Raises a channel's floor, never lowers it; returns the head, or nothing when the slot has another generation.
CREATE FUNCTION raise_floor(of_slot int4, of_generation int8, of_channel bytea, wanted int8)
RETURNS TABLE (head_offset int8, floor int8) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM slot s WHERE s.number = of_slot AND s.generation = of_generation FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY UPDATE head h SET floor = greatest(h.floor, least(wanted, h.head_offset))
        WHERE h.slot = of_slot AND h.channel = of_channel
        RETURNING h.head_offset, h.floor;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 0::int8, 0::int8;
    END IF;
END
$$;

-- Reads a part of a channel's log as one snapshot, row by row until a bound is reached. Ascending, expired messages before
-- the first living one are passed over; descending, the answer ends at the first expired one.
CREATE FUNCTION read_range(
    of_slot int4, of_channel bytea, lowest int8, highest int8, descending boolean,
    rows_max int8, bytes_max int8, not_before int8
) RETURNS TABLE (message_offset int8, record bytea) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    log refcursor;
    bounds record;
    m record;
    bytes int8 := 0;
    taken int8 := 0;
BEGIN
    SELECT greatest(lowest, h.floor + 1) AS lowest, least(highest, h.head_offset) AS highest INTO bounds
        FROM head h WHERE h.slot = of_slot AND h.channel = of_channel;
    IF NOT FOUND OR rows_max = 0 THEN
        RETURN;
    END IF;
    IF descending THEN
        OPEN log FOR SELECT m.message_offset, m.sent, m.weight, m.record FROM message m
            WHERE m.slot = of_slot AND m.channel = of_channel
            AND m.message_offset BETWEEN bounds.lowest AND bounds.highest ORDER BY m.message_offset DESC;
    ELSE
        OPEN log FOR SELECT m.message_offset, m.sent, m.weight, m.record FROM message m
            WHERE m.slot = of_slot AND m.channel = of_channel
            AND m.message_offset BETWEEN bounds.lowest AND bounds.highest ORDER BY m.message_offset;
    END IF;
    LOOP
        FETCH log INTO m;
        EXIT WHEN NOT FOUND;
        IF m.sent < not_before AND (descending OR taken = 0) THEN
            EXIT WHEN descending;
            CONTINUE;
        END IF;
        bytes := bytes + m.weight;
        EXIT WHEN bytes > bytes_max AND taken > 0;
        message_offset := m.message_offset;
        record := m.record;
        RETURN NEXT;
        taken := taken + 1;
        EXIT WHEN taken = rows_max;
    END LOOP;
    CLOSE log;
END
$$;
