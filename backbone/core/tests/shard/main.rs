//! A shard by its inputs and outputs, with a store that answers when the test says so.

mod admission;
mod bounds;
mod buffered;
mod claims;
mod durable;
mod ephemeral;
mod gained;
mod given_up;
mod history;
mod keys;
mod lag;
mod later_views;
mod lease;
mod life;
mod marks;
mod positions;
mod presence;
mod pull;
mod removing;
mod repeats;
mod subscribe;
mod support;
mod two_nodes;
mod unkept;
mod unknown;
mod walk;
