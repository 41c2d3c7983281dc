//! Running commands whose arguments are texts.

use kamailio::rpc::{Answer, Engine, MaxReply, Policy, Responder};
use rpc_wire::value::{Param, Params, Reply};

/// The engine, and the buffer that it needs.
#[derive(Debug)]
pub(crate) struct Runner {
    engine: Engine,
    params: Params,
}

impl Runner {
    pub(crate) fn new(max_reply: MaxReply) -> Self {
        Runner {
            engine: Engine::new(&Policy::MI, max_reply),
            params: Params::new(),
        }
    }

    /// Runs a command and passes its reply to `take`, with whether the reply must have
    /// left when `take` returns.
    pub(crate) fn run<'a>(
        &mut self,
        command: &[u8],
        arguments: impl IntoIterator<Item = &'a [u8]>,
        take: impl FnMut(&Reply, bool),
    ) {
        self.params.clear();
        let command = self.params.store_text(command);
        for argument in arguments {
            let text = self.params.store_text(argument);
            self.params.push(Param::Line { text, raw: text });
        }
        self.engine
            .run(command, &mut self.params, &mut Passing(take));
    }

    /// Runs a command and returns the result of `read` for its reply.
    pub(crate) fn call<R>(
        &mut self,
        command: &[u8],
        arguments: &[&[u8]],
        read: impl FnOnce(&Reply) -> R,
    ) -> R {
        let mut read = Some(read);
        let mut result = None;
        self.run(command, arguments.iter().copied(), |reply, _| {
            if let Some(read) = read.take() {
                result = Some(read(reply));
            }
        });
        match (result, read) {
            (Some(result), _) => result,
            (None, Some(read)) => read(&Reply::new()),
            (None, None) => unreachable!("the reading of a reply panicked and nobody noticed"),
        }
    }
}

/// A responder that passes the reply to a function.
struct Passing<F>(F);

impl<F: FnMut(&Reply, bool)> Responder for Passing<F> {
    fn respond(&mut self, answer: Answer<'_>) {
        (self.0)(answer.reply, answer.now);
    }
}
