//! Assembling records into values with members.

use super::reader::{Reader, Record, Scalar};
use super::{Defect, Malformed};
use crate::value::{Container, push_if_room};

/// The deepest nesting of structs and arrays in a packet.
///
/// Kamailio's own commands and answers stay below ten levels. With this limit,
/// recursion over the values needs no more than a few kilobytes of stack.
pub const MAX_DEPTH: usize = 64;

/// Makes values of one type out of the records of a packet.
pub(super) trait Assemble {
    type Name;
    type Value;

    fn name(&mut self, name: &[u8]) -> Self::Name;
    fn scalar(&mut self, scalar: Scalar<'_>) -> Self::Value;
    fn structure(&mut self, members: Vec<(Option<Self::Name>, Self::Value)>) -> Self::Value;
    fn array(&mut self, values: Vec<Self::Value>) -> Self::Value;

    /// Notes that a value was left out because there was no memory for it.
    fn no_room(&mut self) {}
}

/// The next value at the top level with all its members, or `None` at the end of the
/// body.
pub(super) fn next_value<A: Assemble>(
    reader: &mut Reader<'_>,
    assembler: &mut A,
) -> Result<Option<A::Value>, Malformed> {
    let mut at = reader.at();
    let mut record = match reader.next()? {
        None => return Ok(None),
        // Most parameters are scalars and need no nest.
        Some(Record::Scalar(scalar)) => return Ok(Some(assembler.scalar(scalar))),
        Some(record) => record,
    };
    let mut nest = Nest::<A> {
        open: Vec::new(),
        name: None,
    };
    loop {
        let complete = nest
            .add(record, assembler)
            .map_err(|defect| defect.at(at))?;
        if complete.is_some() {
            return Ok(complete);
        }
        at = reader.at();
        record = reader.next()?.ok_or(Defect::Unclosed.at(at))?;
    }
}

/// The open structs and arrays, and the name that waits for its value.
struct Nest<A: Assemble> {
    open: Vec<Open<A>>,
    name: Option<A::Name>,
}

struct Open<A: Assemble> {
    name: Option<A::Name>,
    members: Members<A>,
}

enum Members<A: Assemble> {
    Struct(Vec<(Option<A::Name>, A::Value)>),
    Array(Vec<A::Value>),
}

impl<A: Assemble> Nest<A> {
    /// Takes one record, and returns the value at the top level that it completes.
    fn add(&mut self, record: Record<'_>, assembler: &mut A) -> Result<Option<A::Value>, Defect> {
        match record {
            Record::Scalar(scalar) => {
                let value = assembler.scalar(scalar);
                Ok(self.place(value, assembler))
            }
            Record::Name(name) => self.name(name, assembler).map(|()| None),
            Record::Start(kind) => self.start(kind).map(|()| None),
            Record::End(kind) => {
                let value = self.end(kind, assembler)?;
                Ok(self.place(value, assembler))
            }
        }
    }

    fn name(&mut self, name: &[u8], assembler: &mut A) -> Result<(), Defect> {
        let in_struct = self
            .open
            .last()
            .is_some_and(|open| matches!(open.members, Members::Struct(_)));
        if !in_struct {
            return Err(Defect::NameOutsideStruct);
        }
        match self.name.replace(assembler.name(name)) {
            None => Ok(()),
            Some(_) => Err(Defect::NameWithoutValue),
        }
    }

    fn start(&mut self, kind: Container) -> Result<(), Defect> {
        if self.open.len() == MAX_DEPTH {
            return Err(Defect::TooDeep);
        }
        self.open.push(Open {
            name: self.name.take(),
            members: match kind {
                Container::Struct => Members::Struct(Vec::new()),
                Container::Array => Members::Array(Vec::new()),
            },
        });
        Ok(())
    }

    /// Closes the innermost struct or array. If that is itself a named member, its name
    /// waits for a value again.
    fn end(&mut self, kind: Container, assembler: &mut A) -> Result<A::Value, Defect> {
        if self.name.is_some() {
            return Err(Defect::NameWithoutValue);
        }
        let open = self.open.pop().ok_or(Defect::StrayEnd)?;
        self.name = open.name;
        match (open.members, kind) {
            (Members::Struct(members), Container::Struct) => Ok(assembler.structure(members)),
            (Members::Array(values), Container::Array) => Ok(assembler.array(values)),
            _ => Err(Defect::StrayEnd),
        }
    }

    /// Makes `value` a member of the innermost open container, or returns it if none is
    /// open.
    fn place(&mut self, value: A::Value, assembler: &mut A) -> Option<A::Value> {
        let has_room = match self.open.last_mut().map(|open| &mut open.members) {
            None => return Some(value),
            Some(Members::Struct(members)) => push_if_room(members, (self.name.take(), value)),
            Some(Members::Array(values)) => push_if_room(values, value),
        };
        if !has_room {
            assembler.no_room();
        }
        None
    }
}
