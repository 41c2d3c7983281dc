//! The memory in which the core finds the values of parameters after it has read the
//! configuration.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;

use parking_lot::Mutex;

use crate::sys;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Int(c_int),
    /// A text. `None` is C's null pointer.
    Text(Option<CString>),
}

impl Value {
    pub(crate) fn text(text: &str) -> Self {
        // No setter gets a text with a NUL, because texts come from C strings.
        Value::Text(CString::new(text).ok())
    }

    fn is_int(&self) -> bool {
        matches!(self, Value::Int(_))
    }
}

/// What the core finds at the address in the table of parameters.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Shown {
    /// The core finds no value, and says that a function sets the parameter.
    Setter,
    /// The core finds an `int`, which starts with this value.
    Int(c_int),
    /// The core finds a `char *`, which starts with this text or null.
    Text(Option<&'static str>),
    /// The core finds a `str`, which starts with this text or empty.
    Str(Option<&'static str>),
}

/// A parameter as a module declares it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    pub name: &'static str,
    pub shown: Shown,
}

/// The values that were set last, by name and type.
static NOTED: Mutex<Vec<(String, Value)>> = Mutex::new(Vec::new());

/// Remembers the value of a parameter.
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

/// Makes the core show this number as the value of a parameter. `init` uses it if it
/// works a value out from what was set.
pub fn show_int(name: &str, number: i32) {
    note(name, Value::Int(number));
}

/// Makes the core show this text, or null, as the value of a parameter.
pub fn show_text(name: &str, text: Option<&str>) {
    note(name, text.map_or(Value::Text(None), Value::text));
}

/// Points the entries of a table to values instead of setters. An entry without a value
/// of its own, whose name an earlier entry has, is removed: its setter has done its
/// work, and C modules have no such entry.
///
/// # Safety
/// `table` has an entry for each of the `declared` parameters in their order, possibly
/// more behind them, and an entry that ends it. Its memory may be written. Nobody else
/// uses it now: the core has read the configuration, and no other thread runs code that
/// reads the table.
pub(crate) unsafe fn fill(table: *mut sys::param_export_t, declared: &[Declared]) {
    let mut next = table;
    for (index, parameter) in declared.iter().enumerate() {
        let is_repeated = declared[..index]
            .iter()
            .any(|before| before.name == parameter.name);
        if is_repeated && matches!(parameter.shown, Shown::Setter) {
            continue;
        }
        // SAFETY: the caller vouches that there is an entry for each parameter, and
        // `next` is never beyond the entry that is read.
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
    // SAFETY: the table has at least the entry that ended it.
    unsafe { next.write(crate::last::PARAMETER) };
}

/// The type and the address of a value. Its memory is never freed and never written
/// again, so each process finds it there after the fork.
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
