//! Answering datagrams.

use kamailio::core::log::Shown;
use kamailio::log_limited;
use kamailio::net::{Incoming, Outbox, ScanState, Service, Step, report_unanswered};
use kamailio::rpc;
use rpc_wire::answers::is_answer;
use rpc_wire::listen::Transport;
use rpc_wire::mi::{self, MAX_LEN, Tree};
use rpc_wire::value::{Reply, has_memory_for};

use crate::aliases::{self, Alias, Choice};
use crate::config::Settings;
use crate::runner::Runner;
use crate::shapes::{self, Render};

/// The text for a client that names no command.
const NOT_AVAILABLE: &str = "command not available";

/// The text for a client that gives a command too few or too many arguments.
pub(crate) const WRONG_COUNT: &str = "Too few or too many arguments";

/// The command for which a request asks.
enum Todo {
    /// A command of today, with the arguments as they are.
    Command(Vec<u8>),
    /// A command with an old name.
    Alias(&'static Alias),
}

/// The service of a handler process.
#[derive(Debug)]
pub(crate) struct Management {
    settings: Settings,
    runner: Runner,
}

impl Management {
    pub(crate) fn new(settings: Settings) -> Self {
        let runner = Runner::new(settings.max_reply);
        Management { settings, runner }
    }

    fn answer(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let datagram = incoming.bytes;
        if datagram.len() > MAX_LEN {
            let reason = format!(
                "the request has {} bytes and may have {MAX_LEN}",
                datagram.len()
            );
            return self.refuse(incoming, 400, &reason, outbox);
        }
        let Some((command, rest)) = mi::first_line(datagram) else {
            log_limited!(
                Warning,
                "{incoming}: the first line of a request is no :command:"
            );
            return self.put(&Tree::status(500, NOT_AVAILABLE), outbox);
        };
        let Some(todo) = self.todo(command) else {
            let reason = aliases::reason_gone(command).unwrap_or("the server does not have it");
            let command = Shown(command);
            log_limited!(Warning, "{incoming}: no command {command}: {reason}");
            return self.put(&Tree::status(500, NOT_AVAILABLE), outbox);
        };
        if !has_memory(mi::arguments_memory(rest)) {
            return self.refuse(incoming, 500, "there is no memory for the request", outbox);
        }
        let arguments = match mi::arguments(rest) {
            Ok(arguments) => arguments,
            Err(error) => {
                log_limited!(Warning, "{incoming}: {error}");
                return self.put(&Tree::status(400, "parse error in command"), outbox);
            }
        };
        let values: Vec<&[u8]> = arguments
            .iter()
            .map(|argument| &argument.value[..])
            .collect();
        match todo {
            Todo::Command(command) => self.run(&command, values, Tree::of_reply, outbox),
            Todo::Alias(alias) => self.run_alias(alias, values, outbox),
        }
    }

    fn run_alias(&mut self, alias: &Alias, values: Vec<&[u8]>, outbox: &mut Outbox<'_>) {
        let mut shape = shapes::lookup(alias.name.as_bytes());
        if shape.is_some_and(|shape| !shape.takes(values.len())) {
            // Another module's command had the same name.
            if !alias.asks_for(values.len()) {
                return self.put(&Tree::status(400, WRONG_COUNT), outbox);
            }
            shape = None;
        }
        let read = match shape.map(|shape| shape.render) {
            Some(Render::Custom(answer)) => {
                if let Some(tree) = answer(&mut self.runner, &values) {
                    self.put(&tree, outbox);
                }
                return;
            }
            Some(Render::FromReply(read)) => read,
            None => Tree::of_reply,
        };
        match alias.choose(&values, rpc::exists) {
            Choice::Run { command, arguments } => self.run(command, arguments, read, outbox),
            Choice::WrongCount => self.put(&Tree::status(400, WRONG_COUNT), outbox),
            Choice::NotRegistered => self.put(&Tree::status(500, NOT_AVAILABLE), outbox),
        }
    }

    /// The command of this name, if there is one.
    fn todo(&self, name: &[u8]) -> Option<Todo> {
        if let Some(command) = self.settings.aliases.get(name) {
            return rpc::exists(command).then(|| Todo::Command(command.clone()));
        }
        let alias = aliases::lookup(name).filter(|alias| alias.is_available(rpc::exists));
        alias
            .map(Todo::Alias)
            .or_else(|| rpc::exists(name).then(|| Todo::Command(name.to_vec())))
    }

    /// Runs a command and answers with the result of `read` for its reply.
    fn run(
        &mut self,
        command: &[u8],
        arguments: Vec<&[u8]>,
        read: fn(&Reply) -> Tree,
        outbox: &mut Outbox<'_>,
    ) {
        let indent = &self.settings.indent;
        self.runner.run(command, arguments, |reply, now| {
            let tree = match has_memory(Tree::memory(reply)) {
                true => read(reply),
                false => Tree::status(500, "there is no memory for the reply"),
            };
            put(&tree, indent, outbox);
            if now {
                outbox.flush();
            }
        });
    }

    fn refuse(&self, incoming: Incoming<'_>, code: i32, reason: &str, outbox: &mut Outbox<'_>) {
        log_limited!(Warning, "{incoming}: {reason}");
        self.put(&Tree::status(code, reason), outbox);
    }

    fn put(&self, tree: &Tree, outbox: &mut Outbox<'_>) {
        put(tree, &self.settings.indent, outbox);
    }
}

/// Whether this many bytes can be allocated. For a small number the system is not
/// asked.
fn has_memory(bytes: usize) -> bool {
    const LITTLE: usize = 1024 * 1024;
    bytes < LITTLE || has_memory_for(bytes)
}

/// Appends a reply. If it is too large it appends one that says so.
fn put(tree: &Tree, indent: &[u8], outbox: &mut Outbox<'_>) {
    let start = outbox.buffer().len();
    tree.encode(indent, outbox.buffer());
    if let Err(too_large) = outbox.check_reply(start) {
        outbox.buffer().truncate(start);
        Tree::status(500, too_large.to_string()).encode(indent, outbox.buffer());
    }
}

impl Service for Management {
    /// The module has no streams, so this is never called.
    fn serve(&mut self, _: Incoming<'_>, _: &mut ScanState, _: &mut Outbox<'_>) -> Step {
        Step::Close
    }

    fn serve_datagram(&mut self, incoming: Incoming<'_>, outbox: &mut Outbox<'_>) {
        let datagram = incoming.bytes;
        let is_answered = match incoming.listener.listen.transport {
            Transport::Udp => mi::is_request(datagram),
            _ => !(datagram.is_empty() || is_answer(datagram)),
        };
        if !is_answered {
            return report_unanswered(incoming);
        }
        self.answer(incoming, outbox);
    }

    fn serve_failure(&mut self, _: Incoming<'_>, outbox: &mut Outbox<'_>) {
        self.put(&Tree::status(500, "internal server error"), outbox);
    }
}
