//! Finding and running commands.

use std::ffi::{c_int, c_void};

use kamailio_core::{log_limited, process, server, sys};
use rpc_wire::value::{Params, Span};

use crate::answer::Responder;
use crate::buffers::Buffers;
use crate::context::Context;
use crate::delayed::Block;
use crate::invocation::{Invocation, Parts};
use crate::policy::{MaxReply, Policy};

/// The bytes that a cleared name keeps, which is more than the name of any command has.
const KEPT_NAME: usize = 256;

/// Runs commands for one protocol, one after the other. It reuses its buffers.
#[derive(Debug)]
pub struct Engine {
    policy: &'static Policy,
    max_reply: MaxReply,
    buffers: Buffers,
    /// The name of the running command.
    name: Vec<u8>,
}

/// A command of the server.
#[derive(Clone, Copy)]
struct Command {
    function: unsafe extern "C" fn(*mut sys::rpc_t, *mut c_void),
    returns_array: bool,
}

enum Found {
    Command(Command),
    Unknown,
    TooFast,
}

impl Engine {
    /// An engine for the protocol that `policy` describes. A reply that would take more
    /// than `max_reply` bytes becomes a fault.
    #[must_use]
    pub fn new(policy: &'static Policy, max_reply: MaxReply) -> Self {
        Engine {
            policy,
            max_reply,
            buffers: Buffers::new(max_reply.bytes()),
            name: Vec::new(),
        }
    }

    /// Runs the command that is named by `method`, a text of `params`. It gives
    /// `responder` the reply, or a fault if there is none.
    ///
    /// The command runs in this process, so a command that sleeps delays everything
    /// else in it. The command may change the text of `params`, which must not be used
    /// afterwards.
    ///
    /// The result tells whether there is such a command.
    pub fn run(
        &mut self,
        method: Span,
        params: &mut Params,
        responder: &mut dyn Responder,
    ) -> bool {
        let cleared = Cleared(&mut self.buffers);
        // The name is copied, because the command may change the text of its request.
        self.name.clear();
        self.name.shrink_to(KEPT_NAME);
        self.name.extend_from_slice(c_text(params.text(method)));
        let name = self.name.as_slice();
        let shown = || String::from_utf8_lossy(name);
        let mut is_known = true;
        let found = if server::is_ending() {
            Err((500, "the server is ending".to_owned()))
        } else if params.ran_out_of_memory() {
            Err((500, "there is no memory for the request".to_owned()))
        } else {
            match find(name) {
                Found::Command(command) => Ok(command),
                Found::Unknown => {
                    is_known = false;
                    Err((self.policy.unknown_command)(&shown()))
                }
                Found::TooFast => {
                    log_limited!(
                        Error,
                        "command {} is called more often than allowed",
                        shown()
                    );
                    Err((500, "Command Executed Too Fast".to_owned()))
                }
            }
        };
        let lock = found.is_ok().then(|| ExecLock::take(name));
        let mut call = Invocation::new(Parts {
            policy: self.policy,
            max_reply: self.max_reply,
            returns_array: found.as_ref().is_ok_and(|command| command.returns_array),
            params,
            buffers: &mut *cleared.0,
            responder,
        });
        match found {
            Ok(command) => execute(command, &mut call),
            Err((code, reason)) => call.fault(code, reason.as_bytes()),
        }
        for complaint in call.finish() {
            log_limited!(Warning, "command {}: {complaint}", shown());
        }
        // The command may only run elsewhere once its reply is on its way.
        drop(lock);
        is_known
    }
}

/// Buffers that are cleared when this is dropped, even if a panic passes.
struct Cleared<'a>(&'a mut Buffers);

impl Drop for Cleared<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

fn execute(command: Command, call: &mut Invocation<'_>) {
    let mut context = Context::running(call);
    // SAFETY: the function is the core's or a module's. It was made for this table and
    // a context of the table's, and keeps neither. Until it returns only the callbacks
    // use the call, through this pointer.
    unsafe {
        (command.function)(
            &raw mut sys::ksrrs_rpc_table,
            std::ptr::from_mut(&mut context).cast(),
        )
    };
    process::forget_message();
    if let Context::Running { delayed, .. } = context {
        if let Some(block) = delayed.get() {
            // SAFETY: this is the reference that the command held while it ran.
            unsafe { Block::release(block) };
        }
    }
}

/// Whether the server has a command of this name. The question does not count as a use
/// of the command, which matters if its rate is limited.
#[must_use]
pub fn exists(name: &[u8]) -> bool {
    let name = c_text(name);
    // SAFETY: the name has at least one byte and as many as its length says, and the
    // core only reads it.
    lookup_len(name)
        .is_some_and(|len| unsafe { sys::ksrrs_rpc_exists(name.as_ptr().cast(), len) } != 0)
}

/// The part of a name that the core's look-up sees: like any C string it ends at a NUL.
fn c_text(name: &[u8]) -> &[u8] {
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The length of a name that can be looked up. An empty name is refused: it may have no
/// address, and the core reads backwards from its end.
fn lookup_len(name: &[u8]) -> Option<c_int> {
    c_int::try_from(name.len()).ok().filter(|len| *len > 0)
}

fn find(name: &[u8]) -> Found {
    let Some(len) = lookup_len(name) else {
        return Found::Unknown;
    };
    let mut function: sys::rpc_function_t = None;
    let mut returns_array = 0;
    // SAFETY: the name has `len` bytes, which is at least one, and the core only reads
    // it.
    let found = unsafe {
        sys::ksrrs_rpc_find(
            name.as_ptr().cast(),
            len,
            &raw mut function,
            &raw mut returns_array,
        )
    };
    match (found, function) {
        (sys::KSRRS_RPC_FOUND, Some(function)) => Found::Command(Command {
            function,
            returns_array: returns_array != 0,
        }),
        (sys::KSRRS_RPC_TOO_FAST, _) => Found::TooFast,
        _ => Found::Unknown,
    }
}

/// The core's lock around the execution of a command. It is always released.
struct ExecLock(c_int);

impl ExecLock {
    fn take(name: &[u8]) -> Self {
        // SAFETY: the name was just looked up with this length.
        ExecLock(unsafe { sys::ksrrs_rpc_lock(name.as_ptr().cast(), name.len() as c_int) })
    }
}

impl Drop for ExecLock {
    fn drop(&mut self) {
        // SAFETY: `ksrrs_rpc_lock` returned this value, which is given back once.
        unsafe { sys::ksrrs_rpc_unlock(self.0) };
    }
}
