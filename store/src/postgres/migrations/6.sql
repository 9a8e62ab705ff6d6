-- Format 6: the rules of the mesh, beside the view and changed with it. Nodes read them, this database doesn't.

ALTER TABLE view ADD COLUMN rules bytea;

-- Whether a channel of a namespace has a head; an empty name stands for channels without one. By the index: one look per slot
-- for a name; past all channels of a namespace in one step where there is none. A channel's namespace stands before its
-- first colon, without a leading $; one that begins with # has none.
CREATE FUNCTION has_head(of_namespace bytea) RETURNS boolean LANGUAGE plpgsql STABLE
SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    prefix bytea;
    at_slot int4 := 0;
    at_channel bytea := '';
    colon int4;
BEGIN
    IF of_namespace <> '' THEN
        FOREACH prefix IN ARRAY ARRAY[of_namespace, '\x24'::bytea || of_namespace] LOOP
            FOR number IN 0..4095 LOOP
                -- From the colon to the character behind it.
                PERFORM FROM head h WHERE h.slot = number
                    AND h.channel >= prefix || '\x3a'::bytea AND h.channel < prefix || '\x3b'::bytea LIMIT 1;
                IF FOUND THEN
                    RETURN true;
                END IF;
            END LOOP;
        END LOOP;
        RETURN false;
    END IF;
    LOOP
        SELECT h.slot, h.channel INTO at_slot, at_channel FROM head h
            WHERE (h.slot, h.channel) >= (at_slot, at_channel) ORDER BY h.slot, h.channel LIMIT 1;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        colon := position('\x3a'::bytea IN at_channel);
        IF colon = 0 OR substring(at_channel FROM 1 FOR 1) = '\x23'::bytea THEN
            RETURN true;
        END IF;
        at_channel := substring(at_channel FROM 1 FOR colon - 1) || '\x3b'::bytea;
    END LOOP;
END
$$;
