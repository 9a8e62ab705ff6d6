//! Reading everything that a store holds, and comparing what has to agree.

use trunkline_shared::{Channel, Offset, Slot};
use trunkline_store_core::{ChannelKey, Head, StoredMessage};

use super::OfflineStore;
use super::rows;
use crate::embedded::disk::{Disk, DiskError};
use crate::embedded::key;
use crate::record::{self, HeadRow};

/// How much was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Slots that were claimed.
    pub slots: u64,
    /// Channels that have a head.
    pub heads: u64,
    /// Messages, those that retention hides included.
    pub messages: u64,
    /// Publish ids.
    pub publish_ids: u64,
    /// Idempotency keys, those that are forgotten but not yet removed included.
    pub idempotency_keys: u64,
    /// Users with the time when they were last seen.
    pub users_seen: u64,
}

/// Something that a whole store doesn't have.
#[derive(Debug, thiserror::Error)]
pub enum Finding {
    /// A row can't be read, or the keyspace from there on.
    #[error("{0}")]
    Row(#[from] DiskError),
    /// A channel's slot has no generation, so that nothing can have been appended.
    #[error("channel {channel}: its slot {} was never claimed", slot.number())]
    NeverClaimed {
        /// The channel.
        channel: Channel,
        /// Its slot.
        slot: Slot,
    },
    /// A floor is above the head.
    #[error("channel {channel}: floor {} is above the head {}", head.floor.0, head.offset.0)]
    FloorAboveHead {
        /// The channel.
        channel: Channel,
        /// Its head.
        head: Head,
    },
    /// Offsets aren't contiguous.
    #[error("channel {channel}: message {} is followed by {}", after.0, found.0)]
    Gap {
        /// The channel.
        channel: Channel,
        /// The offset before.
        after: Offset,
        /// The offset that is there instead of the next one.
        found: Offset,
    },
    /// A channel's newest message isn't at its head.
    #[error("channel {channel}: the head is {}, the newest message {}", head.0, newest.0)]
    HeadDiffers {
        /// The channel.
        channel: Channel,
        /// The head's offset.
        head: Offset,
        /// The offset of the newest message that is there.
        newest: Offset,
    },
    /// A repeat of a message wouldn't be found.
    #[error("channel {channel}: the publish id of message {} names {}", offset.0, describe(names.as_ref()))]
    PublishIdDiffers {
        /// The channel.
        channel: Channel,
        /// The message's offset.
        offset: Offset,
        /// What its publish id names instead.
        names: Option<(Channel, Offset)>,
    },
    /// An idempotency key names a message that was never numbered.
    #[error("channel {channel}: an idempotency key names message {}, the head is {}", offset.0, head.0)]
    KeyAboveHead {
        /// The channel.
        channel: Channel,
        /// The offset named.
        offset: Offset,
        /// The head's offset.
        head: Offset,
    },
    /// A publish id names a message that was never numbered.
    #[error("channel {channel}: a publish id names message {}, the head is {}", offset.0, head.0)]
    PublishIdAboveHead {
        /// The channel.
        channel: Channel,
        /// The offset named.
        offset: Offset,
        /// The head's offset.
        head: Offset,
    },
}

fn describe(names: Option<&(Channel, Offset)>) -> String {
    names.map_or_else(
        || "nothing".to_owned(),
        |(channel, offset)| format!("message {} of channel {channel}", offset.0),
    )
}

impl OfflineStore {
    /// Reads all rows; tells each finding as it comes, and goes on.
    ///
    /// Messages that are missing at the beginning of a channel are no finding: retention frees them.
    pub fn check(&self, found: &mut dyn FnMut(&Finding)) -> Counts {
        check(&self.disk, found)
    }
}

/// [`OfflineStore::check`] of any database.
pub(super) fn check(disk: &Disk, found: &mut dyn FnMut(&Finding)) -> Counts {
    let snapshot = disk.snapshot();
    let mut reader = Reader {
        disk,
        found,
        newest: None,
    };
    Counts {
        slots: reader.read(
            rows::each(&snapshot, &disk.slots, rows::slot),
            |_, _| Ok(()),
        ),
        heads: reader.read(rows::each(&snapshot, &disk.heads, rows::head), Reader::head),
        messages: {
            let messages = rows::each(&snapshot, &disk.messages, rows::message);
            let count = reader.read(messages, Reader::message);
            reader.end_channel();
            count
        },
        publish_ids: reader.read(
            rows::each(&snapshot, &disk.publish_ids, rows::publish_id),
            |reader, (slot, _, place)| reader.place(slot, place),
        ),
        idempotency_keys: reader.read(
            rows::each(&snapshot, &disk.idempotency_keys, rows::idempotency_key),
            |reader, (key, row)| reader.key(key, row.offset),
        ),
        users_seen: reader.read(
            rows::each(&snapshot, &disk.last_seen, |_, value| {
                record::decode_number(value)
            }),
            |_, _| Ok(()),
        ),
    }
}

/// Where the check stands.
struct Reader<'a> {
    disk: &'a Disk,
    found: &'a mut dyn FnMut(&Finding),
    /// The message before, in the order of keys.
    newest: Option<(Slot, Channel, Offset)>,
}

impl Reader<'_> {
    /// Reads rows until the end, or until the database fails; counts those that could be read.
    fn read<T>(
        &mut self,
        rows: impl Iterator<Item = Result<T, DiskError>>,
        mut look: impl FnMut(&mut Self, T) -> Result<(), DiskError>,
    ) -> u64 {
        let mut count = 0;
        for row in rows {
            match row.and_then(|row| look(self, row)) {
                Ok(()) => count += 1,
                Err(error) => {
                    let ends = matches!(error, DiskError::Database(_));
                    self.tell(&error.into());
                    if ends {
                        break;
                    }
                }
            }
        }
        count
    }

    fn tell(&mut self, finding: &Finding) {
        (self.found)(finding);
    }

    fn head(&mut self, (slot, channel, row): (Slot, Channel, HeadRow)) -> Result<(), DiskError> {
        let head = row.head;
        if self.disk.slot(slot)?.is_none() {
            self.tell(&Finding::NeverClaimed {
                channel: channel.clone(),
                slot,
            });
        }
        if head.floor > head.offset {
            self.tell(&Finding::FloorAboveHead { channel, head });
        }
        Ok(())
    }

    fn message(
        &mut self,
        (slot, channel, message): (Slot, Channel, StoredMessage),
    ) -> Result<(), DiskError> {
        let offset = message.publication.offset;
        match &self.newest {
            Some((before, name, after)) if *before == slot && *name == channel => {
                if after.next() != offset {
                    let finding = Finding::Gap {
                        channel: channel.clone(),
                        after: *after,
                        found: offset,
                    };
                    self.tell(&finding);
                }
            }
            Some(_) | None => self.end_channel(),
        }
        self.newest = Some((slot, channel.clone(), offset));
        self.publish_id(slot, channel, &message)
    }

    fn end_channel(&mut self) {
        let Some((slot, channel, newest)) = self.newest.take() else {
            return;
        };
        // A head goes after its messages, so where there are some it is there.
        let head = self.disk.head(&key::channel(slot, &channel));
        match head.map(Option::unwrap_or_default) {
            Ok(head) if head.offset != newest => self.tell(&Finding::HeadDiffers {
                channel,
                head: head.offset,
                newest,
            }),
            // A head that can't be read has been told of.
            Ok(_) | Err(_) => {}
        }
    }

    fn publish_id(
        &mut self,
        slot: Slot,
        channel: Channel,
        message: &StoredMessage,
    ) -> Result<(), DiskError> {
        let key = key::publish_id(slot, message.id);
        let rows = &self.disk.publish_ids;
        let place = rows.decode(&key, rows.keyspace.get(&key)?, record::decode_place);
        // One that can't be read is told of when the publish ids are read.
        let Ok(place) = place else { return Ok(()) };
        let offset = message.publication.offset;
        let names = place.map(|place| (place.channel, place.offset));
        if names.as_ref() != Some(&(channel.clone(), offset)) {
            self.tell(&Finding::PublishIdDiffers {
                channel,
                offset,
                names,
            });
        }
        Ok(())
    }

    fn key(&mut self, key: ChannelKey, offset: Offset) -> Result<(), DiskError> {
        let ChannelKey { slot, channel, .. } = key;
        let Ok(head) = self.disk.standing(slot, &key::channel(slot, &channel)) else {
            return Ok(());
        };
        if offset > head.offset {
            self.tell(&Finding::KeyAboveHead {
                channel,
                offset,
                head: head.offset,
            });
        }
        Ok(())
    }

    fn place(&mut self, slot: Slot, place: record::Place) -> Result<(), DiskError> {
        let Ok(head) = self
            .disk
            .standing(slot, &key::channel(slot, &place.channel))
        else {
            return Ok(());
        };
        if place.offset > head.offset {
            self.tell(&Finding::PublishIdAboveHead {
                channel: place.channel,
                offset: place.offset,
                head: head.offset,
            });
        }
        Ok(())
    }
}
