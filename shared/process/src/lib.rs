//! What every process of ours does around its work: flags, configuration file, clock, signals, ready file, admin pages.

mod admin;
mod args;
mod clock;
mod draw;
mod open_files;
mod panic;
mod port;
mod ready_file;
mod shutdown;
mod tell;

pub use admin::{AdminSection, serve_admin};
pub use args::{Failure, ProcessArgs, main_with};
pub use clock::Clock;
pub use draw::{draw_incarnation, draw_seed};
pub use open_files::raise_open_files;
pub use panic::abort_on_panic;
pub use port::{Port, port_owner};
pub use ready_file::Ready;
pub use shutdown::Shutdown;
pub use tell::tell;
