-- Format 4: members, and when users were last seen; in the first database.

-- Names and addresses are the operator's. Pages stay half empty, so that a heartbeat touches no index.
CREATE TABLE member (
    name text COLLATE "C" PRIMARY KEY,
    incarnation bytea NOT NULL,
    address text NOT NULL,
    counter int8 NOT NULL
) WITH (fillfactor = 50);

-- Raises the counter of a life that still has its name, and returns all rows; none when it hasn't.
CREATE FUNCTION heartbeat(of_name text, of_incarnation bytea) RETURNS SETOF member LANGUAGE plpgsql AS $$
BEGIN
    UPDATE member m SET counter = m.counter + 1 WHERE m.name = of_name AND m.incarnation = of_incarnation;
    IF FOUND THEN
        RETURN QUERY SELECT m.* FROM member m ORDER BY m.name;
    END IF;
END
$$;

CREATE TABLE last_seen (
    user_name bytea PRIMARY KEY,
    seen int8 NOT NULL
) WITH (fillfactor = 50);
