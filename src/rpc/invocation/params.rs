//! The part of a call that reads parameters.

use std::ffi::c_void;

use rpc_wire::value::{Full, Param};

use super::Invocation;
use crate::handles::{Handle, Target};
use crate::policy::{ScanFault, StructParam};
use crate::scan::{self, Conversion, FailedScan, Problem, Taken, Wanted};

/// A member of a structure among the parameters. Each is read once.
#[derive(Debug)]
pub(super) struct Member {
    name: Vec<u8>,
    value: Vec<u8>,
    is_read: bool,
}

impl Invocation<'_> {
    /// Notes that the command starts to read parameters. An earlier failure is
    /// forgiven.
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
                // By the time ctl's C module finds that a parameter cannot be
                // converted, it has read past the parameter. It has not if the type is
                // wrong.
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

    /// A taken text in the form for C: writable, with a NUL behind it, and valid as
    /// long as the command runs.
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

    /// An empty text, so that commands which ignore the result of a scan do not follow
    /// a pointer that was never set.
    pub(crate) fn no_text(&mut self) -> (*mut u8, usize) {
        self.buffers.made.nothing()
    }

    /// Takes the next parameter as a structure. `this` is the address of the call.
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

    /// Takes a member of a structure by its name, without regard to case.
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

    /// Refuses a format character that does not exist.
    pub(crate) fn unknown_in_scan(&mut self, character: char) {
        self.complain(format!(
            "unknown format character {character:?} for a parameter"
        ));
        let (code, reason) = (self.policy.unknown_in_scan)(character);
        self.fault(code, reason.as_bytes());
    }
}
