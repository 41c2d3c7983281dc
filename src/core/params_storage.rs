//! Where the core reads the values of parameters once the configuration is read.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use parking_lot::Mutex;

use crate::sys;

/// What a parameter is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(c_int),
    /// None is C's null.
    Text(Option<CString>),
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        // Nobody sets a text with a NUL: texts are C strings where they come from.
        Value::Text(CString::new(text).ok())
    }

    fn is_int(&self) -> bool {
        matches!(self, Value::Int(_))
    }
}

/// What the core finds at the address in the table.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// Nothing: it is told that a function sets the parameter.
    Setter,
    /// An `int`, which starts with this value.
    Int(c_int),
    /// A `char *`, which starts with this text, or null.
    Text(Option<&'static str>),
    /// A `str`, which starts with this text, or empty.
    Str(Option<&'static str>),
}

/// A parameter as a module declares it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    pub name: &'static str,
    pub shown: Shown,
}

/// What was set last, by name and type.
static NOTED: Mutex<Vec<(String, Value)>> = Mutex::new(Vec::new());

/// Remembers what a parameter is set to.
pub(crate) fn note(name: &str, value: Value) {
    let mut noted = NOTED.lock();
    noted.retain(|(known, old)| known != name || old.is_int() != value.is_int());
    noted.push((name.to_owned(), value));
}

fn noted(name: &str, is_int: bool) -> Option<Value> {
    let noted = NOTED.lock();
    let found = noted
        .iter()
        .find(|(known, value)| known == name && value.is_int() == is_int);
    found.map(|(_, value)| value.clone())
}

/// Has the core tell this number of a parameter. For `init`, where a value is
/// worked out from what was set.
pub fn show_int(name: &str, number: i32) {
    note(name, Value::Int(number));
}

/// Has the core tell this text of a parameter, or null.
pub fn show_text(name: &str, text: Option<&str>) {
    note(name, text.map_or(Value::Text(None), Value::text));
}

/// Points the entries of a table to values in place of setters. An entry that has no
/// value to tell, and whose name another one before it has, is taken out: its setter
/// has done its work, and C's modules have no such entry.
///
/// # Safety
/// `table` holds as many entries as there are `declared` ones, in their order, with
/// whatever else behind them and one that ends it, in memory that may be written.
/// Nobody else uses it now: the core has read the configuration, and no other thread
/// runs code that looks into it.
pub(crate) unsafe fn fill(table: *mut sys::param_export_t, declared: &[Declared]) {
    let mut next = table;
    for (index, parameter) in declared.iter().enumerate() {
        let is_repeated = declared[..index]
            .iter()
            .any(|before| before.name == parameter.name);
        if is_repeated && matches!(parameter.shown, Shown::Setter) {
            continue;
        }
        // SAFETY: by the caller's promise there is an entry for each parameter, and
        // `next` is never beyond the one that is read.
        unsafe {
            let mut entry = ptr::read(table.add(index));
            if let Some((type_, storage)) = storage(parameter) {
                entry.type_ = type_;
                entry.param_pointer = storage;
            }
            next.write(entry);
            next = next.add(1);
        }
    }
    // SAFETY: there is at least the entry that ended the table.
    unsafe { next.write(crate::last::PARAMETER) };
}

/// The type and the address of a value. It lies in memory that is never freed and
/// never written again, so that each process finds it there after the fork.
fn storage(parameter: &Declared) -> Option<(sys::modparam_t, *mut c_void)> {
    let text = |start: Option<&str>| {
        let text = match noted(parameter.name, false) {
            Some(Value::Text(text)) => text,
            _ => start.and_then(|text| CString::new(text).ok()),
        };
        let len = text.as_ref().map_or(0, |text| text.as_bytes().len());
        let start: *mut c_char = text.map_or(ptr::null_mut(), CString::into_raw);
        (start, len)
    };
    Some(match parameter.shown {
        Shown::Setter => return None,
        Shown::Int(start) => {
            let number = match noted(parameter.name, true) {
                Some(Value::Int(number)) => number,
                _ => start,
            };
            (sys::PARAM_INT, leaked(number))
        }
        Shown::Text(start) => (sys::PARAM_STRING, leaked(text(start).0)),
        Shown::Str(start) => {
            let (s, len) = text(start);
            let len = c_int::try_from(len).unwrap_or(0);
            (sys::PARAM_STR, leaked(sys::str_ { s, len }))
        }
    })
}

fn leaked<T>(value: T) -> *mut c_void {
    Box::into_raw(Box::new(value)).cast()
}
