//! The tools of the command line, as a person and as a script use them, against a mesh of real processes.

mod harness;

/// The tools, and what their tests share.
mod cli {
    mod check;
    mod publish;
    mod ring;
    mod subscribe;
    mod token;
    mod tool;
    mod top;
}
