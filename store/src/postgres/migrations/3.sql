-- Format 3: idempotency keys, by the channels that they are used in.

-- Rows go with their partition, as messages do. A key may come again once it is forgotten, so no index is unique: what is
-- younger than the question counts.
CREATE TABLE idempotency_key (
    stored timestamptz NOT NULL DEFAULT now(),
    slot int4 NOT NULL,
    message_offset int8 NOT NULL,
    sent int8 NOT NULL,
    channel bytea NOT NULL,
    key bytea NOT NULL
) PARTITION BY RANGE (stored);

CREATE INDEX ON idempotency_key (slot, channel, key);

-- An append with keys: those of the slots that it takes are kept in the same call.
CREATE FUNCTION append_keyed(
    slots int4[], generations int8[],
    head_slots int4[], head_channels bytea[], head_follows int8[], head_offsets int8[],
    message_slots int4[], message_channels bytea[], message_offsets int8[], edges bytea[], counters int8[],
    times int8[], weights int4[], records bytea[],
    key_slots int4[], key_channels bytea[], key_offsets int8[], key_times int8[], keys bytea[]
) RETURNS TABLE (refused_slot int4, for_head boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    refused int4[];
    reasons boolean[];
BEGIN
    SELECT coalesce(array_agg(a.refused_slot), '{}'), coalesce(array_agg(a.for_head), '{}') INTO refused, reasons
        FROM append(
            slots, generations, head_slots, head_channels, head_follows, head_offsets,
            message_slots, message_channels, message_offsets, edges, counters, times, weights, records) AS a;

    INSERT INTO idempotency_key (slot, channel, message_offset, sent, key)
        SELECT w.slot, w.channel, w.message_offset, w.sent, w.key
        FROM unnest(key_slots, key_channels, key_offsets, key_times, keys)
            AS w (slot, channel, message_offset, sent, key)
        WHERE w.slot <> ALL (refused);

    RETURN QUERY SELECT * FROM unnest(refused, reasons);
END
$$;
