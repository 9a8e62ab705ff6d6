//! The table on a terminal, until somebody has seen enough.

use std::io::{self, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyModifiers};
use crossterm::style::Print;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode, size,
};
use crossterm::{execute, queue};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use trunkline_process::Failure;

use super::poll::Poll;
use super::process::Process;
use super::tables;

/// What a person does.
enum Act {
    Quit,
    /// The terminal has another size: what is shown is shown anew.
    Redraw,
}

/// Shows each reading until `q`, Ctrl-C or SIGTERM.
pub(super) async fn run(mut poll: Poll) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::Run(format!("terminal: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let _terminal = Terminal::take().map_err(failed)?;
    let mut acts = acts().map_err(failed)?;
    let mut shown = Vec::new();
    loop {
        draw(&shown).map_err(failed)?;
        tokio::select! {
            act = acts.recv() => match act {
                Some(Act::Redraw) => {}
                Some(Act::Quit) | None => return Ok(()),
            },
            read = poll.next() => match read {
                Some(processes) => shown = processes,
                None => return Ok(()),
            },
            _ = terminate.recv() => return Ok(()),
        }
    }
}

/// The terminal in our hands; given back when dropped, and before a panic is told.
struct Terminal;

impl Terminal {
    fn take() -> io::Result<Self> {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            tell(panic);
        }));
        enable_raw_mode()?;
        // From here on it is given back, also where the next line fails.
        let taken = Self;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(taken)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Where it fails there is no terminal left to give back.
fn give_back() {
    let _ = execute!(io::stdout(), Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
}

/// Keys and sizes, read by a thread that ends with the process.
fn acts() -> io::Result<mpsc::Receiver<Act>> {
    let (sender, acts) = mpsc::channel(1);
    std::thread::Builder::new()
        .name("keys".to_owned())
        .spawn(move || {
            while let Ok(event) = event::read() {
                let act = act(&event);
                if act.is_some_and(|act| sender.blocking_send(act).is_err()) {
                    return;
                }
            }
        })?;
    Ok(acts)
}

fn act(event: &Event) -> Option<Act> {
    match event {
        Event::Key(key) => quits(*key).then_some(Act::Quit),
        Event::Resize(..) => Some(Act::Redraw),
        Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
    }
}

fn quits(key: KeyEvent) -> bool {
    let ctrl_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    ctrl_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
}

fn draw(processes: &[Process]) -> io::Result<()> {
    let (columns, rows) = size()?;
    let lines = lines(processes, usize::from(rows));
    let mut out = io::stdout().lock();
    for (line, row) in lines.iter().zip(0..) {
        let cut: String = line.chars().take(usize::from(columns)).collect();
        queue!(
            out,
            MoveTo(0, row),
            Print(cut),
            Clear(ClearType::UntilNewLine)
        )?;
    }
    queue!(out, Clear(ClearType::FromCursorDown))?;
    out.flush()
}

/// What fits the rows of the terminal.
fn lines(processes: &[Process], rows: usize) -> Vec<String> {
    let up = processes.iter().filter(|process| process.is_up()).count();
    let title = match processes.len() {
        0 => "reading…   q quits".to_owned(),
        all => format!("{up} of {all} processes up, read every second   q quits"),
    };
    let mut lines = vec![title, String::new()];
    lines.extend(tables(processes));
    if lines.len() > rows && rows > 0 {
        let hidden = lines.len() - rows + 1;
        lines.truncate(rows - 1);
        lines.push(format!("{hidden} more"));
    }
    lines
}
