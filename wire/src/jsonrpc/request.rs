//! One request of a document.

use super::id::Id;
use super::reader::{Build, Reader, Scalar};
use super::text::Text;
use super::{Refusal, Strictness};
use crate::value::{Member, Param, Params, Span};

/// The version that every request should have.
const VERSION: &[u8] = b"2.0";

/// A member that the specification does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Name {
    /// The request has no such member.
    #[default]
    Missing,
    /// The member is a string, which the text of the parameters holds.
    Text(Span),
    /// The member is something else. A transport that needs it must refuse the request;
    /// in C it ends the server there.
    NotText,
}

/// What has to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Run this method, with the parameters that were read.
    Run(Span),
    /// The version is missing or is not 2.0, which is refused only if the specification
    /// is followed. The C module runs no command and answers as if one had added
    /// nothing, `"result":{}`. The method is in [`Request::method`], if there is one.
    Ignore,
    /// Answer with this error.
    Refuse(Refusal),
}

/// A request, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The id. It is `None` for a notification, and if the id cannot be read.
    pub id: Option<Id<'a>>,
    /// The method, in the text of the parameters. It is there even if the
    /// parameters are refused: the C module looks for the method first.
    pub method: Option<Span>,
    /// `reply_name`: the pipe for the answer to a request from a named pipe.
    pub reply_name: Name,
    /// `store_path`: the file for the answer.
    pub store_path: Name,
    /// What has to be done with the request.
    pub verdict: Verdict,
    notification: Notification,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notification {
    No,
    Answered,
    Silent,
}

impl<'a> Request<'a> {
    /// A request that cannot be read at all.
    pub(super) fn refused(refusal: Refusal) -> Self {
        Self {
            id: None,
            method: None,
            reply_name: Name::Missing,
            store_path: Name::Missing,
            verdict: Verdict::Refuse(refusal),
            notification: Notification::No,
        }
    }

    /// The request, but to be answered with this error.
    pub(super) fn but_refused(self, refusal: Refusal) -> Self {
        Self {
            verdict: Verdict::Refuse(refusal),
            notification: Notification::No,
            ..self
        }
    }

    /// Whether the client waits for an answer. Without an id it does not by the
    /// specification, not even for an error; the C module always answers.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        self.notification != Notification::Silent
    }

    /// The id for the answer. It is the request's own, null for an error if none could
    /// be read, and none for a notification.
    #[must_use]
    pub fn answer_id(&self) -> Option<&Id<'a>> {
        match self.notification {
            Notification::No => Some(self.id.as_ref().unwrap_or(const { &Id::NULL })),
            _ => None,
        }
    }
}

/// Reads the object that comes next. Its parameters are added to `params`, which also
/// stores its other texts.
pub(super) fn read<'a>(
    reader: &mut Reader<'a>,
    strictness: Strictness,
    params: &mut Params,
) -> Request<'a> {
    let mut members = Members::default();
    let whole = reader.object(|reader, name| members.read(reader, name, strictness, params));
    members.request(whole, strictness)
}

/// The members that were found. Of several with one name the first counts, as in C.
#[derive(Default)]
struct Members<'a> {
    version: Version,
    method: Name,
    params: Parameters,
    id: IdMember<'a>,
    reply_name: Name,
    store_path: Name,
    too_deep: bool,
}

#[derive(Default, PartialEq)]
enum Version {
    #[default]
    Missing,
    Two,
    Other,
    NotText,
}

#[derive(Default, PartialEq)]
enum Parameters {
    #[default]
    Missing,
    Read,
    NotAList,
}

#[derive(Default, PartialEq)]
enum IdMember<'a> {
    #[default]
    Missing,
    Read(Id<'a>),
    Wrong,
}

impl<'a> Members<'a> {
    fn read(
        &mut self,
        reader: &mut Reader<'a>,
        name: Text<'a>,
        strictness: Strictness,
        params: &mut Params,
    ) -> Result<(), Refusal> {
        let before = reader.clone();
        match self.read_value(reader, name, strictness, params) {
            // The id may follow it.
            Err(Refusal::TooDeep) => {
                self.too_deep = true;
                *reader = before;
                reader.skip_deep()
            }
            other => other,
        }
    }

    fn read_value(
        &mut self,
        reader: &mut Reader<'a>,
        name: Text<'a>,
        strictness: Strictness,
        params: &mut Params,
    ) -> Result<(), Refusal> {
        let name = name.unescaped();
        let is = |member: &[u8]| match strictness {
            Strictness::AsC => name.eq_ignore_ascii_case(member),
            Strictness::Specification => *name == *member,
        };
        if is(b"jsonrpc") && self.version == Version::Missing {
            self.version = version(reader)?;
        } else if is(b"method") && self.method == Name::Missing {
            self.method = text(reader, params)?;
        } else if is(b"params") && self.params == Parameters::Missing {
            self.params = parameters(reader, params)?;
        } else if is(b"id") && self.id == IdMember::Missing {
            self.id = id(reader)?;
        } else if is(b"reply_name") && self.reply_name == Name::Missing {
            self.reply_name = text(reader, params)?;
        } else if is(b"store_path") && self.store_path == Name::Missing {
            self.store_path = text(reader, params)?;
        } else {
            reader.skip()?;
        }
        Ok(())
    }

    fn request(self, whole: Result<(), Refusal>, strictness: Strictness) -> Request<'a> {
        let verdict =
            whole
                .and_then(|()| self.method(strictness))
                .map_or_else(Verdict::Refuse, |method| match self.version {
                    Version::Two => Verdict::Run(method),
                    _ => Verdict::Ignore,
                });
        let notification = match (&self.id, verdict, strictness) {
            (IdMember::Missing, Verdict::Run(_) | Verdict::Ignore, Strictness::AsC) => {
                Notification::Answered
            }
            (
                IdMember::Missing,
                Verdict::Run(_) | Verdict::Refuse(Refusal::ParamsType),
                Strictness::Specification,
            ) => Notification::Silent,
            _ => Notification::No,
        };
        Request {
            method: match self.method {
                Name::Text(method) => Some(method),
                _ => None,
            },
            id: match self.id {
                IdMember::Read(id) => Some(id),
                _ => None,
            },
            reply_name: self.reply_name,
            store_path: self.store_path,
            verdict,
            notification,
        }
    }

    /// The method, or the first reason not to run it.
    fn method(&self, strictness: Strictness) -> Result<Span, Refusal> {
        if self.too_deep {
            return Err(Refusal::TooDeep);
        }
        if self.id == IdMember::Wrong {
            return Err(Refusal::Id);
        }
        let wrong_version = match strictness {
            Strictness::AsC => self.version == Version::NotText,
            Strictness::Specification => self.version != Version::Two,
        };
        if wrong_version {
            return Err(Refusal::Version);
        }
        match self.method {
            Name::Missing => Err(Refusal::MethodMissing),
            Name::NotText => Err(Refusal::MethodNotText),
            Name::Text(_) if self.params == Parameters::NotAList => Err(Refusal::ParamsType),
            Name::Text(method) => Ok(method),
        }
    }
}

fn version(reader: &mut Reader<'_>) -> Result<Version, Refusal> {
    if reader.is_at_container() {
        reader.skip()?;
        return Ok(Version::NotText);
    }
    Ok(match reader.scalar()? {
        Scalar::Text(text) if *text.unescaped() == *VERSION => Version::Two,
        Scalar::Text(_) => Version::Other,
        _ => Version::NotText,
    })
}

fn text(reader: &mut Reader<'_>, params: &mut Params) -> Result<Name, Refusal> {
    if reader.is_at_container() {
        reader.skip()?;
        return Ok(Name::NotText);
    }
    Ok(match reader.scalar()? {
        Scalar::Text(text) => Name::Text(store(text, params)),
        _ => Name::NotText,
    })
}

fn id<'a>(reader: &mut Reader<'a>) -> Result<IdMember<'a>, Refusal> {
    if reader.is_at_container() {
        reader.skip()?;
        return Ok(IdMember::Wrong);
    }
    let (scalar, json) = reader.scalar_and_json()?;
    let id = match scalar {
        Scalar::Text(text) => Id::from_text(text, json),
        Scalar::Number(number) => Id::from_number(number),
        Scalar::Null => Id::NULL,
        Scalar::Bool(_) => return Ok(IdMember::Wrong),
    };
    // A number that is cut off, or that something follows without a gap, is a different
    // number.
    match reader.peek() {
        Some(b',' | b'}') => Ok(IdMember::Read(id)),
        _ => Ok(IdMember::Missing),
    }
}

/// Reads the values of an array, or those of the members of an object. Commands know
/// their parameters by position, so names are ignored. Null stands for no parameters,
/// as clients in Go write it.
fn parameters(reader: &mut Reader<'_>, params: &mut Params) -> Result<Parameters, Refusal> {
    let push = |reader: &mut Reader<'_>, params: &mut Params| {
        let param = reader.value(params)?;
        params.push(param);
        Ok(())
    };
    match reader.peek() {
        Some(b'[') => reader.array(|reader| push(reader, params))?,
        Some(b'{') => reader.object(|reader, _| push(reader, params))?,
        _ => {
            return Ok(match reader.scalar()? {
                Scalar::Null => Parameters::Read,
                _ => Parameters::NotAList,
            });
        }
    }
    Ok(Parameters::Read)
}

fn store(text: Text<'_>, params: &mut Params) -> Span {
    match text.try_unescaped() {
        Some(text) => params.store_text(&text),
        None => params.leave_out(),
    }
}

impl<'a> Build<'a> for Params {
    type Value = Param;
    type Member = Member;

    fn scalar(&mut self, scalar: Scalar<'a>) -> Param {
        match scalar {
            Scalar::Text(text) => Param::Text(store(text, self)),
            Scalar::Number(number) => number.param(),
            Scalar::Bool(truth) => Param::Bool(truth),
            Scalar::Null => Param::Null,
        }
    }

    fn member(&mut self, name: Text<'a>, value: Param) -> Member {
        Member {
            name: Some(store(name, self)),
            value,
        }
    }

    fn object(&mut self, members: Vec<Member>) -> Param {
        self.note_members(members.len());
        Param::Struct(members)
    }

    fn array(&mut self, values: Vec<Param>) -> Param {
        self.note_members(values.len());
        Param::Array(values)
    }

    fn no_room(&mut self) {
        self.note_out_of_memory();
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
