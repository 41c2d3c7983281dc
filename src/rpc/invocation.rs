//! A command's call: what it may read, and what it has answered so far.

use std::ffi::c_void;

use rpc_wire::value::{Container, Full, NodeId, Param, Params, Parent, Scalar};

use crate::answer::{Answer, Later, Responder};
use crate::buffers::Buffers;
use crate::handles::{Handle, Target};
use crate::policy::{
    Faults, MaxReply, NamedInArray, Policy, ScanFault, StructParam, TopValues, UnnamedInStruct,
    Weight,
};
use crate::scan::{self, Conversion, FailedScan, Problem, Taken, Wanted};

/// A call that goes on without this one.
pub(crate) struct Delay {
    pub(crate) later: Later,
    pub(crate) policy: &'static Policy,
    pub(crate) max_reply: MaxReply,
    pub(crate) returns_array: bool,
}

/// The value was not added; the command gets an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// A member of a structure among the parameters. It is read once.
#[derive(Debug)]
struct Member {
    name: Vec<u8>,
    value: Vec<u8>,
    is_read: bool,
}

/// One call of one command.
pub(crate) struct Call<'a> {
    policy: &'static Policy,
    max_reply: MaxReply,
    returns_array: bool,
    /// Why the reply takes no more, once it does not.
    full: Option<Full>,
    params: &'a mut Params,
    /// The next parameter to look at.
    next: usize,
    /// How many were taken; one that fails to convert is passed, not taken.
    taken: usize,
    /// Structures among the parameters that the command has asked for.
    structs: Vec<Vec<Member>>,
    buffers: &'a mut Buffers,
    top: Option<*mut Handle>,
    scan_fault: Option<ScanFault>,
    answered: bool,
    responder: &'a mut dyn Responder,
    /// What is wrong with the command itself, for the log.
    complaints: Vec<String>,
}

/// What a call works with; the engine lends it.
pub(crate) struct Parts<'a> {
    pub(crate) policy: &'static Policy,
    pub(crate) max_reply: MaxReply,
    pub(crate) returns_array: bool,
    pub(crate) params: &'a mut Params,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) responder: &'a mut dyn Responder,
}

impl<'a> Call<'a> {
    pub(crate) fn new(parts: Parts<'a>) -> Self {
        Call {
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

    /// Adds a value at a place of the reply.
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

    /// Adds a structure or an array. `this` is the call as C knows it.
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

    /// The reply takes no more, which is all that the client learns. What it has is
    /// given back at once.
    fn is_full(&mut self, full: Full) -> Refused {
        self.full = Some(full);
        self.buffers.reply.clear();
        self.complain(full.to_string());
        Refused
    }

    /// The handle of the reply itself. `this` is the call as C knows it.
    pub(crate) fn top(&mut self, this: *mut c_void) -> *mut Handle {
        match self.top {
            Some(handle) => handle,
            None => *self.top.insert(self.buffers.handles.keep(Handle {
                call: this,
                target: Target::Reply(Parent::Top),
            })),
        }
    }

    /// Where a value of this name goes when it is added at `place`.
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

    /// A format character that does not exist.
    pub(crate) fn unknown_in_add(&mut self, place: Parent, character: char) -> Refused {
        self.complain(format!("unknown format character {character:?} in a reply"));
        // Only `add` has the call itself to complain to, in C.
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

    /// The command, or one of our functions for it, panicked.
    pub(crate) fn panicked(&mut self) {
        self.buffers.reply.clear_fault();
        self.fault(500, b"internal server error");
    }

    /// The command starts reading parameters; a failure before is forgiven.
    pub(crate) fn begin_scan(&mut self) {
        self.scan_fault = None;
    }

    /// Takes the next parameter.
    pub(crate) fn take(
        &mut self,
        wanted: Wanted,
        optional: bool,
        convert: bool,
    ) -> Result<Taken, Problem> {
        let conversion = self.policy.conversion;
        let taken = match self.params.items().get(self.next) {
            Some(param) => {
                let asked = scan::Asked {
                    wanted,
                    optional,
                    converting: convert,
                };
                let taken = scan::take(self.params, param, asked, conversion);
                let made = &mut self.buffers.made;
                if matches!(&taken, Ok(Taken::Made(text)) if !made.make_room(text.len())) {
                    self.full = Some(Full::NoMemory);
                    return Err(Problem::WrongType("number"));
                }
                taken
            }
            None => Err(Problem::Missing),
        };
        let converting = convert || conversion == Conversion::ByType { always: true };
        match taken {
            Ok(_) => {
                self.next += 1;
                self.taken += 1;
            }
            Err(problem) => {
                // ctl's C module has read a parameter past when it finds that it
                // cannot be converted, but not one of another type.
                let is_read = !matches!(conversion, Conversion::ByValue { .. });
                if is_read && converting && problem != Problem::Missing {
                    self.next += 1;
                }
                self.scan_fault = (self.policy.failed_scan)(&FailedScan {
                    position: self.taken,
                    wanted,
                    problem,
                    optional,
                    converting,
                    returns_array: self.returns_array,
                });
            }
        }
        taken
    }

    /// A taken text as C gets it: writable, with a NUL behind it, for as long
    /// as the command runs.
    pub(crate) fn text_for_c(&mut self, taken: &Taken) -> (*mut u8, usize) {
        match taken {
            Taken::Text(span) => {
                let base = self.params.text_base();
                (base.wrapping_add(span.start()), span.len())
            }
            Taken::Made(text) => match self.buffers.made.keep(text) {
                Some(place) => place,
                None => self.no_text(),
            },
            _ => self.no_text(),
        }
    }

    /// An empty text: commands that do not look at what a scan returned shall
    /// not follow a pointer that was never set.
    pub(crate) fn no_text(&mut self) -> (*mut u8, usize) {
        self.buffers.made.nothing()
    }

    /// Takes the next parameter as a structure. `this` is the call as C knows
    /// it.
    pub(crate) fn take_struct(
        &mut self,
        this: *mut c_void,
        optional: bool,
    ) -> Result<*mut Handle, Problem> {
        let read = match self.policy.struct_param {
            StructParam::FromLine(read) => read,
            StructParam::Refused(code, reason) => {
                self.fault(code, reason.as_bytes());
                return Err(Problem::WrongType("structure"));
            }
        };
        let members = match self.params.items().get(self.next) {
            None if optional => return Err(Problem::Missing),
            None => Err("it is missing".to_owned()),
            Some(Param::Line { raw, .. }) => read(self.params.text(*raw)),
            Some(_) => Err("it is no structure".to_owned()),
        };
        let members = members.map_err(|reason| {
            let text = format!("parameter on line {}: {reason}", self.taken + 2);
            self.scan_fault = Some(ScanFault::new(400, text));
            Problem::WrongType("string")
        })?;
        self.next += 1;
        self.taken += 1;
        let member = |(name, value)| Member {
            name,
            value,
            is_read: false,
        };
        self.structs.push(members.into_iter().map(member).collect());
        let target = Target::Param(self.structs.len() - 1);
        Ok(self.buffers.handles.keep(Handle { call: this, target }))
    }

    /// Takes a member of a structure by its name, in which capitals are small
    /// letters.
    pub(crate) fn take_member(
        &mut self,
        structure: usize,
        name: &[u8],
        wanted: Wanted,
    ) -> Result<Taken, Problem> {
        let members = self.structs.get_mut(structure).ok_or(Problem::Missing)?;
        let member = members
            .iter_mut()
            .find(|member| !member.is_read && member.name.eq_ignore_ascii_case(name))
            .ok_or(Problem::Missing)?;
        member.is_read = true;
        let taken = match wanted {
            Wanted::Text => Some(Taken::Made(member.value.clone())),
            _ => scan::number_in_text(&member.value, wanted),
        };
        taken.ok_or_else(|| {
            self.fault(400, b"Invalid Parameter Value");
            Problem::WrongType("string")
        })
    }

    /// The command wants something that does not exist.
    pub(crate) fn unknown_in_scan(&mut self, character: char) {
        self.complain(format!(
            "unknown format character {character:?} for a parameter"
        ));
        let (code, reason) = (self.policy.unknown_in_scan)(character);
        self.fault(code, reason.as_bytes());
    }

    /// Whether the protocol lets commands reply later.
    pub(crate) fn delays(&self) -> bool {
        self.policy.delays
    }

    /// The command wants to reply later.
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

    /// It can: this call has nothing to answer any more.
    pub(crate) fn is_delayed(&mut self) {
        self.answered = true;
    }

    /// The command sends its reply before it is over. Returns what C gets.
    pub(crate) fn send(&mut self) -> i32 {
        if self.answered {
            self.complain("it sent a second reply".to_owned());
            return self.policy.second_send;
        }
        self.answer(true);
        0
    }

    /// The command has returned. Gives what is to be said about it in the log.
    pub(crate) fn finish(&mut self) -> Vec<String> {
        if !self.answered {
            self.answer(false);
        }
        std::mem::take(&mut self.complaints)
    }

    /// Writing the reply panicked, and nobody else will tell the client.
    pub(crate) fn answer_anew(&mut self) {
        self.answered = false;
        self.panicked();
        self.answer(false);
    }

    fn complain(&mut self, complaint: String) {
        /// A command in a loop shall not fill the memory.
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
#[path = "call_tests.rs"]
mod tests;
