-- Format 5: heads that nothing has touched for long may go; the highest of their offsets stays as their slot's mark.

-- By the database's clock. Heads of before are touched now. No index has it, so a head still moves within its page.
ALTER TABLE head ADD COLUMN touched timestamptz NOT NULL DEFAULT now();

-- A channel without a head goes on after it. A table of its own, not a column of the slot's row: that one is locked by each
-- append, which would wait for the removal of heads.
CREATE TABLE slot_mark (
    slot int4 PRIMARY KEY,
    mark int8 NOT NULL
);

-- As before; and a channel without a head stands at its slot's mark.
CREATE OR REPLACE FUNCTION append(
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
    WHERE coalesce(h.head_offset, (SELECT k.mark FROM slot_mark k WHERE k.slot = w.slot), 0) <> w.follows;

    IF cardinality(owned) < cardinality(slots) OR cardinality(differing) > 0 THEN
        taken := ARRAY(SELECT unnest(owned) EXCEPT SELECT unnest(differing));
        RETURN QUERY SELECT w.number, w.number = ANY (owned) FROM unnest(slots) AS w (number)
            WHERE w.number <> ALL (taken);
        SELECT array_agg(w.slot), array_agg(w.channel), array_agg(w.follows), array_agg(w.head_offset)
            INTO head_slots, head_channels, head_follows, head_offsets
            FROM unnest(head_slots, head_channels, head_follows, head_offsets)
                AS w (slot, channel, follows, head_offset)
            WHERE w.slot = ANY (taken);
        SELECT array_agg(w.slot), array_agg(w.channel), array_agg(w.message_offset), array_agg(w.edge),
            array_agg(w.counter), array_agg(w.sent), array_agg(w.weight), array_agg(w.record)
            INTO message_slots, message_channels, message_offsets, edges, counters, times, weights, records
            FROM unnest(message_slots, message_channels, message_offsets, edges, counters, times, weights, records)
                AS w (slot, channel, message_offset, edge, counter, sent, weight, record)
            WHERE w.slot = ANY (taken);
    END IF;

    -- A new head's floor is the mark that it follows. So it is for a head that went since the comparison.
    INSERT INTO head AS h (slot, channel, head_offset, floor)
        SELECT w.slot, w.channel, w.head_offset, w.follows
        FROM unnest(head_slots, head_channels, head_follows, head_offsets)
            AS w (slot, channel, follows, head_offset)
        ON CONFLICT (slot, channel) DO UPDATE SET
            head_offset = excluded.head_offset, touched = greatest(h.touched, excluded.touched);

    INSERT INTO message (slot, channel, message_offset, edge, counter, sent, weight, record)
        SELECT * FROM unnest(
            message_slots, message_channels, message_offsets, edges, counters, times, weights, records);
END
$$;

-- As before; and a head is touched by it, and none is made.
CREATE OR REPLACE FUNCTION raise_floor(of_slot int4, of_generation int8, of_channel bytea, wanted int8)
RETURNS TABLE (head_offset int8, floor int8) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM slot s WHERE s.number = of_slot AND s.generation = of_generation FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY UPDATE head h SET
        floor = greatest(h.floor, least(wanted, h.head_offset)), touched = greatest(h.touched, now())
        WHERE h.slot = of_slot AND h.channel = of_channel
        RETURNING h.head_offset, h.floor;
    IF NOT FOUND THEN
        RETURN QUERY SELECT m.mark, m.mark
            FROM (SELECT coalesce((SELECT k.mark FROM slot_mark k WHERE k.slot = of_slot), 0) AS mark) AS m;
    END IF;
END
$$;

-- Looks at the next heads behind one; lets those go that weren't touched since a moment and have no message left. It waits for
-- nobody: a head that is being moved is passed over. One that moves afterwards is inserted again, behind what it followed.
-- Returns how many it has looked at, how many went, and the last one.
CREATE FUNCTION forget_heads(after_slot int4, after_channel bytea, rows_max int8, untouched_since timestamptz)
RETURNS TABLE (looked int8, gone int8, last_slot int4, last_channel bytea) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    slots int4[];
    channels bytea[];
BEGIN
    SELECT coalesce(array_agg(w.slot), '{}'), coalesce(array_agg(w.channel), '{}') INTO slots, channels FROM (
        SELECT h.slot, h.channel FROM head h WHERE (h.slot, h.channel) > (after_slot, after_channel)
        ORDER BY h.slot, h.channel LIMIT rows_max
    ) AS w;
    looked := cardinality(slots);
    last_slot := slots[looked];
    last_channel := channels[looked];

    SELECT coalesce(array_agg(l.slot), '{}'), coalesce(array_agg(l.channel), '{}') INTO slots, channels FROM (
        SELECT h.slot, h.channel FROM unnest(slots, channels) AS w (slot, channel)
        JOIN head h ON h.slot = w.slot AND h.channel = w.channel
        WHERE h.touched < untouched_since
        AND (SELECT m.message_offset FROM message m WHERE m.slot = h.slot AND m.channel = h.channel LIMIT 1) IS NULL
        FOR UPDATE OF h SKIP LOCKED
    ) AS l;
    gone := cardinality(slots);

    WITH removed AS (
        DELETE FROM head h USING unnest(slots, channels) AS w (slot, channel)
        WHERE h.slot = w.slot AND h.channel = w.channel
        RETURNING h.slot, h.head_offset
    )
    INSERT INTO slot_mark AS k (slot, mark)
        SELECT r.slot, max(r.head_offset) FROM removed r GROUP BY r.slot
        ON CONFLICT (slot) DO UPDATE SET mark = greatest(k.mark, excluded.mark);
    RETURN NEXT;
END
$$;
