//! What separates values: commas, and the line breaks and tabs of the C module.

use super::Form;
use super::text::put_text;
use crate::value::Container;

/// There are more tabs here than any reply needs at once.
const TABS: [u8; 64] = [b'\t'; 64];

/// The objects and arrays that are open, and the form in which they are written.
#[derive(Debug)]
pub(super) struct Layout {
    form: Form,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    kind: Container,
    empty: bool,
}

impl Layout {
    pub(super) fn new(form: Form) -> Self {
        Self {
            form,
            open: Vec::with_capacity(8),
        }
    }

    /// How many objects and arrays are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Appends what precedes a value: a comma, and in an object the name.
    pub(super) fn begin(&mut self, name: Option<&[u8]>, out: &mut Vec<u8>) {
        let depth = self.depth();
        let Some(innermost) = self.open.last_mut() else {
            return;
        };
        let first = std::mem::replace(&mut innermost.empty, false);
        if !first {
            out.push(b',');
        }
        match innermost.kind {
            Container::Array if self.form == Form::PrettyLines => self.new_line(depth, out),
            Container::Array if self.form == Form::Pretty && !first => out.push(b' '),
            Container::Array => {}
            Container::Struct => {
                self.new_line(depth, out);
                put_text(name.unwrap_or_default(), out);
                out.push(b':');
                if self.form != Form::Compact {
                    out.push(b'\t');
                }
            }
        }
    }

    /// Appends the start of an object or array, which is the value that was begun.
    pub(super) fn open(&mut self, kind: Container, out: &mut Vec<u8>) {
        out.push(match kind {
            Container::Struct => b'{',
            Container::Array => b'[',
        });
        self.open.push(Open { kind, empty: true });
    }

    /// Appends the end of the innermost object or array.
    pub(super) fn close(&mut self, out: &mut Vec<u8>) {
        match self.open.pop().map(|open| open.kind) {
            None => {}
            Some(Container::Array) => {
                if self.form == Form::PrettyLines {
                    self.new_line(self.depth(), out);
                }
                out.push(b']');
            }
            Some(Container::Struct) => {
                self.new_line(self.depth(), out);
                out.push(b'}');
            }
        }
    }

    fn new_line(&self, mut tabs: usize, out: &mut Vec<u8>) {
        if self.form == Form::Compact {
            return;
        }
        out.push(b'\n');
        while tabs > 0 {
            let some = tabs.min(TABS.len());
            out.extend_from_slice(&TABS[..some]);
            tabs -= some;
        }
    }
}
