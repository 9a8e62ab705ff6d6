//! The lines that `strace -f -ttt -T -y` writes, as calls.

use std::collections::BTreeMap;

/// Microseconds since 1970, by the machine's clock: traces of two processes can be compared.
pub(crate) type Micros = u64;

/// A system call on an open file or socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// When it began.
    pub(crate) begun: Micros,
    /// When it returned; never, when its process died in it.
    pub(crate) returned: Option<Micros>,
    /// Its name.
    pub(crate) name: String,
    /// The path of its file, `socket:[…]` for a socket.
    pub(crate) file: String,
    /// What was written, with strace's escapes: `\"` for a quote.
    pub(crate) data: String,
    /// It returned, it isn't an error, and the kernel was asked.
    pub(crate) succeeded: bool,
}

impl Call {
    /// Whether it asks for a file's data to be on disk when it returns.
    pub(crate) fn is_sync(&self) -> bool {
        ["fdatasync", "fsync"].contains(&self.name.as_str())
    }
}

/// Reads a whole trace, in the order in which the calls began.
///
/// # Panics
/// When a line isn't one of strace's.
pub(crate) fn parse(lines: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut unfinished = BTreeMap::new();
    for line in lines.lines() {
        let (thread, time, event) = columns(line).unwrap_or_else(|| panic!("no trace: {line}"));
        if event.starts_with("+++ ") || event.starts_with("--- ") {
            continue;
        }
        if event.starts_with("<... ") {
            let index: usize = unfinished.remove(thread).expect("what is resumed began");
            finish(&mut calls[index], event, Some(time));
            continue;
        }
        let mut call = begin(time, event).unwrap_or_else(|| panic!("no call: {line}"));
        if event.ends_with("<unfinished ...>") {
            unfinished.insert(thread, calls.len());
        } else {
            finish(&mut call, event, None);
        }
        calls.push(call);
    }
    calls
}

fn columns(line: &str) -> Option<(&str, Micros, &str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (time, event) = rest.trim_start().split_once(' ')?;
    Some((thread, micros(time)?, event))
}

/// `1795507844.171540`, with six decimals always.
fn micros(seconds: &str) -> Option<Micros> {
    seconds.replace('.', "").parse().ok()
}

fn begin(begun: Micros, event: &str) -> Option<Call> {
    let (name, arguments) = event.split_once('(')?;
    let (_, file) = arguments.split_once('<')?;
    let (file, rest) = file.split_once('>')?;
    Some(Call {
        begun,
        returned: None,
        name: name.to_owned(),
        file: file.to_owned(),
        data: quoted(rest),
        succeeded: false,
    })
}

/// Everything between quotes, joined: the one buffer of `write` or the many of `writev`.
fn quoted(arguments: &str) -> String {
    let (mut inside, mut escaped) = (false, false);
    let keep = |character: &char| {
        let is_quote = *character == '"' && !escaped;
        inside ^= is_quote;
        escaped = *character == '\\' && !escaped;
        inside && !is_quote
    };
    arguments.chars().filter(keep).collect()
}

/// `… = 4 <0.000011>`: the result and the time taken, which the time of a resumed line makes needless; `… = ?` when the
/// process died.
fn finish(call: &mut Call, event: &str, resumed: Option<Micros>) {
    if event.ends_with("= ?") {
        return;
    }
    let end = event.rfind(") = ").map(|at| &event[at + 4..]);
    let (result, taken) = end
        .and_then(|end| end.rsplit_once(" <"))
        .unwrap_or_else(|| panic!("no result: {event}"));
    let taken = taken.strip_suffix('>').and_then(micros);
    call.returned = resumed.or(taken.map(|taken| call.begun + taken));
    let mut words = result.split(' ');
    let is_number = words.next().is_some_and(|word| word.parse::<u64>().is_ok());
    call.succeeded = is_number && words.all(|word| word != "(INJECTED)");
}
