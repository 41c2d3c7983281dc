//! A command's call in progress: what it may read, and what it has answered so far.

mod params;

use std::ffi::c_void;

use rpc_wire::value::{Container, Full, NodeId, Params, Parent, Scalar};

use self::params::Member;
use crate::answer::{Answer, Later, Responder};
use crate::buffers::Buffers;
use crate::handles::{Handle, Target};
use crate::policy::{
    Faults, MaxReply, NamedInArray, Policy, ScanFault, TopValues, UnnamedInStruct, Weight,
};

/// The data for a reply that comes after the command has returned.
pub(crate) struct Delay {
    pub(crate) later: Later,
    pub(crate) policy: &'static Policy,
    pub(crate) max_reply: MaxReply,
    pub(crate) returns_array: bool,
}

/// The error for a value that was not added. The command gets an error, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// A call of a command in progress, as the callbacks see it.
pub(crate) struct Invocation<'a> {
    policy: &'static Policy,
    max_reply: MaxReply,
    returns_array: bool,
    /// The reason why the reply takes no more values, if it does not.
    full: Option<Full>,
    params: &'a mut Params,
    /// The index of the next parameter.
    next: usize,
    /// The number of parameters that were taken. One that could not be converted is
    /// skipped, which does not count.
    taken: usize,
    /// The structures among the parameters for which the command has asked.
    structs: Vec<Vec<Member>>,
    buffers: &'a mut Buffers,
    top: Option<*mut Handle>,
    scan_fault: Option<ScanFault>,
    answered: bool,
    responder: &'a mut dyn Responder,
    /// What is wrong with the command itself, for the log.
    complaints: Vec<String>,
}

/// The data with which a call works. The engine lends it.
pub(crate) struct Parts<'a> {
    pub(crate) policy: &'static Policy,
    pub(crate) max_reply: MaxReply,
    pub(crate) returns_array: bool,
    pub(crate) params: &'a mut Params,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) responder: &'a mut dyn Responder,
}

impl<'a> Invocation<'a> {
    pub(crate) fn new(parts: Parts<'a>) -> Self {
        Invocation {
            policy: parts.policy,
            max_reply: parts.max_reply,
            returns_array: parts.returns_array,
            full: None,
            params: parts.params,
            next: 0,
            taken: 0,
            structs: Vec::new(),
            buffers: parts.buffers,
            top: None,
            scan_fault: None,
            answered: false,
            responder: parts.responder,
            complaints: Vec::new(),
        }
    }

    /// Adds a value at a place in the reply.
    pub(crate) fn put(
        &mut self,
        place: Parent,
        name: Option<&[u8]>,
        value: Scalar<'_>,
    ) -> Result<(), Refused> {
        let place = self.place_for(place, name)?;
        let pushed = self.buffers.reply.push(place, name, value);
        pushed.map_err(|full| self.is_full(full))
    }

    /// Adds a structure or an array. `this` is the address of the call, for its handle.
    pub(crate) fn open(
        &mut self,
        place: Parent,
        name: Option<&[u8]>,
        kind: Container,
        this: *mut c_void,
    ) -> Result<*mut Handle, Refused> {
        let place = self.place_for(place, name)?;
        let opened = self.buffers.reply.open(place, name, kind);
        let node = opened.map_err(|full| self.is_full(full))?;
        Ok(self.buffers.handles.keep(Handle {
            call: this,
            target: Target::Reply(Parent::Node(node)),
        }))
    }

    /// Notes that the reply takes no more values, which is all that the client learns.
    /// The memory of the reply is released at once.
    fn is_full(&mut self, full: Full) -> Refused {
        self.full = Some(full);
        self.buffers.reply.clear();
        self.complain(full.to_string());
        Refused
    }

    /// The handle of the reply itself. `this` is the address of the call.
    pub(crate) fn top(&mut self, this: *mut c_void) -> *mut Handle {
        match self.top {
            Some(handle) => handle,
            None => *self.top.insert(self.buffers.handles.keep(Handle {
                call: this,
                target: Target::Reply(Parent::Top),
            })),
        }
    }

    /// The place for a value of this name that the command adds at `place`.
    fn place_for(&mut self, place: Parent, name: Option<&[u8]>) -> Result<Parent, Refused> {
        if self.full.is_some() {
            return Err(Refused);
        }
        match place {
            Parent::Top => {
                if self.policy.top_values == TopValues::Last && !self.returns_array {
                    self.buffers.reply.forget_values();
                }
                Ok(place)
            }
            Parent::Node(node) => self.place_inside(node, name),
        }
    }

    fn place_inside(&mut self, node: NodeId, name: Option<&[u8]>) -> Result<Parent, Refused> {
        let place = Parent::Node(node);
        match (self.buffers.reply.kind(node), name) {
            (Container::Array, Some(_)) if self.policy.named_in_array == NamedInArray::Wrapped => {
                let wrapper = self.buffers.reply.open(place, None, Container::Struct);
                wrapper.map(Parent::Node).map_err(|full| self.is_full(full))
            }
            (Container::Struct, None)
                if self.policy.unnamed_in_struct == UnnamedInStruct::Refused =>
            {
                Err(Refused)
            }
            _ => Ok(place),
        }
    }

    /// Refuses a format character that does not exist.
    pub(crate) fn unknown_in_add(&mut self, place: Parent, character: char) -> Refused {
        self.complain(format!("unknown format character {character:?} in a reply"));
        // In C only `add` has a call to which it can report this.
        if let (Parent::Top, Some((code, reason))) =
            (place, (self.policy.unknown_in_add)(character))
        {
            self.fault(code, reason.as_bytes());
        }
        Refused
    }

    /// Makes the reply a fault.
    pub(crate) fn fault(&mut self, code: i32, reason: &[u8]) {
        let late = self.answered
            || (self.policy.faults == Faults::First && self.buffers.reply.fault().is_some());
        if late {
            self.complain(format!(
                "fault {code} came too late: {}",
                String::from_utf8_lossy(reason)
            ));
            return;
        }
        self.buffers.reply.set_fault(code, reason);
    }

    /// Answers with a fault, because the command, or one of our functions for it, has
    /// panicked.
    pub(crate) fn panicked(&mut self) {
        self.buffers.reply.clear_fault();
        self.fault(500, b"internal server error");
    }

    /// Whether the protocol lets commands reply later.
    pub(crate) fn delays(&self) -> bool {
        self.policy.delays
    }

    /// Returns what the command needs to reply later, if that is possible.
    pub(crate) fn delay(&mut self) -> Option<Delay> {
        if self.answered {
            self.complain("it wants to reply later and has replied".to_owned());
            return None;
        }
        let later = self.responder.later()?;
        Some(Delay {
            later,
            policy: self.policy,
            max_reply: self.max_reply,
            returns_array: self.returns_array,
        })
    }

    /// Notes that the later reply is set up, so this call has nothing to answer.
    pub(crate) fn is_delayed(&mut self) {
        self.answered = true;
    }

    /// Sends the reply before the command is over, and returns the result for C.
    pub(crate) fn send(&mut self) -> i32 {
        if self.answered {
            self.complain("it sent a second reply".to_owned());
            return self.policy.second_send;
        }
        self.answer(true);
        0
    }

    /// Ends the call after the command has returned, and returns what the log shall say
    /// about it.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        if !self.answered {
            self.answer(false);
        }
        std::mem::take(&mut self.complaints)
    }

    /// Answers with a fault after writing the reply has panicked, because nothing else
    /// would tell the client.
    pub(crate) fn answer_anew(&mut self) {
        self.answered = false;
        self.panicked();
        self.answer(false);
    }

    fn complain(&mut self, complaint: String) {
        /// The limit keeps a command in a loop from filling the memory.
        const ENOUGH: usize = 8;
        if self.complaints.len() < ENOUGH {
            self.complaints.push(complaint);
        }
    }

    fn answer(&mut self, now: bool) {
        let reply = &mut self.buffers.reply;
        let said = match (reply.fault(), reply.is_empty()) {
            (Some(_), _) => Weight::MoreThanAll,
            (None, false) => Weight::MoreThanValues,
            (None, true) => Weight::LessThanAll,
        };
        let fault = self.scan_fault.take();
        if let Some(fault) = fault.filter(|fault| fault.weight >= said) {
            reply.set_fault(fault.code, fault.reason.as_bytes());
        }
        if reply.fault().is_none() && !reply.can_be_written() {
            self.full = Some(Full::NoMemory);
        }
        match self.full {
            Some(Full::NoMemory) => {
                reply.clear();
                reply.set_fault(500, Full::NoMemory.to_string().as_bytes());
            }
            Some(Full::TooLarge(_)) => reply.set_fault(500, self.max_reply.fault().as_bytes()),
            None => {}
        }
        let all_in_array = self.policy.top_values == TopValues::AllInArray;
        let returns_array = self.returns_array || (all_in_array && reply.values().nth(1).is_some());
        self.answered = true;
        self.responder.respond(Answer {
            reply,
            returns_array,
            now,
        });
    }
}

#[cfg(test)]
#[path = "invocation_tests.rs"]
mod tests;
