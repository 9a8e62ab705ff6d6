use super::*;

/// A socket that takes what it is allowed to.
#[derive(Default)]
struct Sink {
    taken: Vec<u8>,
    allowed: usize,
    calls: usize,
}

impl TryWrite for Sink {
    fn try_write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        assert!(slices.len() <= SLICES_MAX);
        self.calls += 1;
        let offered: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter().copied())
            .collect();
        let count = offered.len().min(self.allowed);
        self.allowed -= count;
        self.taken.extend_from_slice(&offered[..count]);
        if count == 0 {
            Err(io::ErrorKind::WouldBlock.into())
        } else {
            Ok(count)
        }
    }

    fn try_flush(&mut self) -> io::Result<bool> {
        Ok(true)
    }
}

/// What a worker's outbox is to the writer.
struct Outbox(Vec<Bytes>);

impl Outbox {
    fn of(frames: &[&'static str]) -> Self {
        Self(
            frames
                .iter()
                .map(|frame| Bytes::from_static(frame.as_bytes()))
                .collect(),
        )
    }

    fn write(&mut self, writer: &mut Writer, sink: &mut Sink, allowed: usize) -> Written {
        sink.allowed = allowed;
        let written = writer.write(sink, self.0.iter()).expect("a good socket");
        let mut left = written.bytes;
        while left > 0 {
            let count = left.min(self.0[0].len());
            drop(self.0[0].split_to(count));
            left -= count;
            if self.0[0].is_empty() {
                self.0.remove(0);
            }
        }
        written
    }
}

const ALL: usize = 1 << 20;

#[test]
fn many_frames_leave_in_one_write() {
    let (mut writer, mut sink) = (Writer::default(), Sink::default());
    let written = Outbox::of(&["ab", "cd", "ef"]).write(&mut writer, &mut sink, ALL);
    assert_eq!(
        (written, sink.calls),
        (
            Written {
                bytes: 6,
                blocked: false
            },
            1
        )
    );
    assert_eq!(sink.taken, b"abcdef");
}

#[test]
fn more_frames_than_slices_take_more_writes() {
    let (mut writer, mut sink) = (Writer::default(), Sink::default());
    let written = Outbox::of(&["xy"; 200]).write(&mut writer, &mut sink, ALL);
    assert_eq!((written.bytes, sink.calls), (400, 4));
}

#[test]
fn a_pong_never_lands_inside_a_data_frame() {
    for cut in 1..=5 {
        let (mut writer, mut sink) = (Writer::default(), Sink::default());
        let mut outbox = Outbox::of(&["abc", "def"]);
        let written = outbox.write(&mut writer, &mut sink, cut);
        assert!(written.blocked);
        assert_eq!(writer.is_mid_frame(), cut % 3 != 0, "{cut}");
        writer.push_control(b"PONG");
        outbox.write(&mut writer, &mut sink, ALL);
        let expected: &[u8] = match cut {
            1..=3 => b"abcPONGdef",
            _ => b"abcdefPONG",
        };
        assert_eq!(sink.taken, expected, "{cut}");
    }
}

#[test]
fn every_byte_leaves_once_and_in_order_however_the_socket_cuts() {
    for step in 1..=20 {
        let (mut writer, mut sink) = (Writer::default(), Sink::default());
        let mut outbox = Outbox::of(&["abc", "def", "ghi"]);
        writer.push_control(b"PONG");
        writer.push_close(3001, "bye");
        while outbox.write(&mut writer, &mut sink, step).blocked {}
        assert_eq!(sink.taken, b"PONGabcdefghi\x88\x05\x0b\xb9bye", "{step}");
        assert!(writer.control.is_empty() && writer.close.is_empty());
    }
}

#[test]
fn a_socket_that_takes_nothing_keeps_everything() {
    let (mut writer, mut sink) = (Writer::default(), Sink::default());
    let mut outbox = Outbox::of(&["abc"]);
    assert_eq!(
        outbox.write(&mut writer, &mut sink, 2),
        Written {
            bytes: 2,
            blocked: true
        }
    );
    assert_eq!(
        outbox.write(&mut writer, &mut sink, 0),
        Written {
            bytes: 0,
            blocked: true
        }
    );
    assert!(writer.is_mid_frame());
    assert_eq!(
        outbox.write(&mut writer, &mut sink, ALL),
        Written {
            bytes: 1,
            blocked: false
        }
    );
    assert_eq!(sink.taken, b"abc");
}

#[test]
fn nothing_to_write_touches_no_socket() {
    let (mut writer, mut sink) = (Writer::default(), Sink::default());
    assert_eq!(
        Outbox::of(&[]).write(&mut writer, &mut sink, ALL),
        Written::default()
    );
    assert_eq!(sink.calls, 0);
}

#[test]
fn nothing_of_ours_follows_a_close_frame() {
    let (mut writer, mut sink) = (Writer::default(), Sink::default());
    writer.push_close(3008, "slow");
    writer.push_control(b"PONG");
    writer.push_close(3001, "shutdown");
    Outbox::of(&[]).write(&mut writer, &mut sink, ALL);
    assert_eq!(sink.taken, b"\x88\x06\x0b\xc0slow");
}

#[test]
fn pongs_that_wait_are_bounded() {
    let mut writer = Writer::default();
    for _ in 0..10_000 {
        writer.push_control(b"\x8a\x04ping");
    }
    assert!(writer.control.len() <= CONTROL_BYTES_MAX);
}

#[test]
fn a_long_reason_is_cut_between_characters() {
    let frame = close_frame(3500, &"é".repeat(100));
    assert_eq!((frame[1], frame.len()), (124, 126));
}
