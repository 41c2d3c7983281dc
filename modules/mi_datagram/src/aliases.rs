//! The names of commands in the old Management Interface, and today's RPC commands that
//! do their work.
//!
//! The 138 names are those of Kamailio 4.4.7, because 5.0 dropped the interface. Most
//! commands only changed their names. If the order or the meaning of arguments changed
//! too, the table says how to move them. `docs/mi_datagram-commands.md` shows the table
//! to administrators, and a test compares the two.

mod calls;
mod data;
mod gone;
mod server;
#[cfg(test)]
mod tests;
mod users;

pub(crate) use gone::reason_gone;

/// An old name, and the commands that may run for it.
#[derive(Debug)]
pub(crate) struct Alias {
    /// The old name.
    pub(crate) name: &'static str,
    /// The commands, in the order in which they are tried.
    pub(crate) candidates: &'static [Candidate],
}

/// A command that may run for an old name.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// The command that runs.
    pub(crate) command: Command,
    /// The least and the largest number of arguments that it takes.
    pub(crate) takes: (usize, usize),
    /// The arguments that the command gets.
    pub(crate) arguments: Arguments,
}

/// The name of the command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command {
    /// The command has this name.
    Named(&'static str),
    /// The first argument of the request is the name.
    FirstArgument,
}

/// The arguments that a command gets from those of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Arguments {
    /// The command gets all of them, in their order.
    AsTheyAre,
    /// The command gets these, in this order.
    Built(&'static [Piece]),
}

/// A part of a command's arguments. The arguments of the request are counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece {
    /// This argument. If it is missing, the list ends here.
    Argument(usize),
    /// This argument, or the text if it is missing.
    ArgumentOr(usize, &'static str),
    /// This argument, which is made empty if it is missing or `.`, which meant "none".
    DotIsEmpty(usize),
    /// All arguments from this one on.
    Rest(usize),
    /// This text.
    Text(&'static str),
}

/// The outcome of looking for a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    /// This command is to be run with these arguments.
    Run {
        /// Its name.
        command: &'a [u8],
        /// Its arguments.
        arguments: Vec<&'a [u8]>,
    },
    /// There is such a command, but not for this number of arguments.
    WrongCount,
    /// None of the commands is registered, because their module is not loaded.
    NotRegistered,
}

impl Alias {
    /// Whether the server has any of the commands.
    pub(crate) fn is_available(&self, is_registered: impl Fn(&[u8]) -> bool) -> bool {
        self.candidates
            .iter()
            .any(|candidate| match candidate.command {
                Command::Named(name) => is_registered(name.as_bytes()),
                Command::FirstArgument => true,
            })
    }

    /// Whether one of the commands takes exactly this number of arguments.
    pub(crate) fn asks_for(&self, count: usize) -> bool {
        self.candidates
            .iter()
            .any(|candidate| candidate.takes.1 < usize::MAX && candidate.takes(count))
    }

    /// Picks the first candidate that the server has and that takes this number of
    /// arguments.
    pub(crate) fn choose<'a>(
        &self,
        arguments: &[&'a [u8]],
        is_registered: impl Fn(&[u8]) -> bool,
    ) -> Choice<'a> {
        let mut wrong_count = false;
        for candidate in self.candidates {
            let fits = candidate.takes(arguments.len());
            match candidate.command {
                Command::Named(name) if !is_registered(name.as_bytes()) => {}
                _ if !fits => wrong_count = true,
                command => {
                    return Choice::Run {
                        command: command.name(arguments),
                        arguments: candidate.arguments.apply(arguments),
                    };
                }
            }
        }
        if wrong_count {
            Choice::WrongCount
        } else {
            Choice::NotRegistered
        }
    }
}

impl Candidate {
    const fn taking(self, least: usize, most: usize) -> Self {
        Self {
            takes: (least, most),
            ..self
        }
    }

    fn takes(&self, count: usize) -> bool {
        (self.takes.0..=self.takes.1).contains(&count)
    }
}

impl Command {
    fn name<'a>(self, arguments: &[&'a [u8]]) -> &'a [u8] {
        match self {
            Self::Named(name) => name.as_bytes(),
            Self::FirstArgument => arguments.first().copied().unwrap_or_default(),
        }
    }
}

impl Arguments {
    /// The arguments for the command, made from those of a request.
    pub(crate) fn apply<'a>(self, arguments: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let Self::Built(pieces) = self else {
            return arguments.to_vec();
        };
        let mut built = Vec::with_capacity(pieces.len().max(arguments.len()));
        for piece in pieces {
            let argument = |index: usize| arguments.get(index).copied();
            match *piece {
                Piece::Argument(index) => match argument(index) {
                    Some(argument) => built.push(argument),
                    None => break,
                },
                Piece::ArgumentOr(index, text) => {
                    built.push(argument(index).unwrap_or(text.as_bytes()));
                }
                Piece::DotIsEmpty(index) => {
                    built.push(
                        argument(index)
                            .filter(|text| *text != b".")
                            .unwrap_or_default(),
                    );
                }
                Piece::Rest(index) => built.extend(arguments.iter().skip(index)),
                Piece::Text(text) => built.push(text.as_bytes()),
            }
        }
        built
    }
}

/// A candidate that differs from the old command at most by its name.
const fn same(command: &'static str) -> Candidate {
    Candidate {
        command: Command::Named(command),
        takes: (0, usize::MAX),
        arguments: Arguments::AsTheyAre,
    }
}

/// A candidate that gets other arguments than the request has.
const fn moved(command: &'static str, pieces: &'static [Piece]) -> Candidate {
    Candidate {
        command: Command::Named(command),
        takes: (0, usize::MAX),
        arguments: Arguments::Built(pieces),
    }
}

/// Defines several aliases, each as a name and its candidates.
macro_rules! aliases {
    ($($name:literal => $($candidate:expr),+;)*) => {
        &[$(crate::aliases::Alias { name: $name, candidates: &[$($candidate),+] }),*]
    };
}
use aliases;

/// The tables, each with its heading in the documentation.
const FAMILIES: &[(&str, &[Alias])] = &[
    ("The server", server::ALIASES),
    ("Calls and transactions", calls::ALIASES),
    ("Users and presence", users::ALIASES),
    ("Tables and lists", data::ALIASES),
];

/// Finds an old name.
pub(crate) fn lookup(name: &[u8]) -> Option<&'static Alias> {
    all().find(|alias| alias.name.as_bytes() == name)
}

/// All aliases.
pub(crate) fn all() -> impl Iterator<Item = &'static Alias> {
    FAMILIES.iter().flat_map(|(_, aliases)| *aliases)
}
