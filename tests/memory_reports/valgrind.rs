//! Reading valgrind's reports.

use std::fmt;
use std::path::Path;

use quick_xml::de::{DeError, from_str};
use serde::Deserialize;

/// Functions of others that our code calls, and their own errors.
const NOT_OURS: &[(&str, &str)] = &[(
    "lua_sr_init_child",
    "each child_init of app_lua makes a Lua state and forgets the one of the process before",
)];

/// An error, or a leak.
#[derive(Debug, Deserialize)]
pub(crate) struct Error {
    kind: String,
    what: Option<String>,
    xwhat: Option<What>,
    /// The place where it happened, and then the place where the memory was allocated.
    #[serde(default, rename = "stack")]
    stacks: Vec<Stack>,
}

/// The description of a leak.
#[derive(Debug, Deserialize)]
struct What {
    text: String,
}

#[derive(Debug, Deserialize)]
struct Stack {
    #[serde(default, rename = "frame")]
    frames: Vec<Frame>,
}

#[derive(Debug, Deserialize)]
struct Frame {
    ip: String,
    #[serde(rename = "obj")]
    object: Option<String>,
    #[serde(rename = "fn")]
    function: Option<String>,
    file: Option<String>,
    line: Option<u32>,
}

impl Error {
    /// Whether it counts for the libraries below this directory. It does if one of its
    /// frames is in them, and they have not called what is [not ours](NOT_OURS).
    pub(crate) fn is_of(&self, directory: &Path) -> bool {
        self.stacks.iter().any(|stack| {
            let frames = &stack.frames;
            let first = frames.iter().position(|frame| frame.is_below(directory));
            first.is_some_and(|first| !frames[..first].iter().any(Frame::is_excused))
        })
    }
}

impl Frame {
    fn is_below(&self, directory: &Path) -> bool {
        let object = self.object.as_deref();
        object.is_some_and(|object| Path::new(object).starts_with(directory))
    }

    fn is_excused(&self) -> bool {
        let function = self.function.as_deref();
        NOT_OURS.iter().any(|(name, _)| function == Some(name))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The number of a loss differs from process to process.
        let what = match (&self.what, &self.xwhat) {
            (Some(what), _) => what,
            (None, Some(what)) => what.text.split(" in loss record").next().unwrap_or(""),
            (None, None) => "",
        };
        writeln!(f, "{}: {what}", self.kind)?;
        for stack in &self.stacks {
            for frame in &stack.frames {
                writeln!(f, "    {frame}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.function.as_deref().unwrap_or(&self.ip))?;
        match (&self.file, self.line, &self.object) {
            (Some(file), Some(line), _) => write!(f, " ({file}:{line})"),
            (_, _, Some(object)) => write!(f, " (in {object})"),
            _ => Ok(()),
        }
    }
}

/// The errors of a process.
///
/// They are cut out of the file one by one, because a process that was killed leaves a
/// file without an end, which is not XML.
pub(crate) fn errors(report: &str) -> Result<Vec<Error>, DeError> {
    report
        .split("<error>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</error>"))
        .map(|(error, _)| from_str(&format!("<error>{error}</error>")))
        .collect()
}

/// Whether the process came to its own end, at which valgrind looks for leaks.
pub(crate) fn is_whole(report: &str) -> bool {
    report.contains("</valgrindoutput>")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This process was killed. Its second error has two stacks.
    const REPORT: &str = r"<?xml version='1.0'?>
        <valgrindoutput>
        <error>
          <unique>0x0</unique><tid>1</tid><kind>Leak_DefinitelyLost</kind>
          <xwhat><text>24 bytes in 1 blocks are definitely lost in loss record 3 of 9</text>
            <leakedbytes>24</leakedbytes><leakedblocks>1</leakedblocks></xwhat>
          <stack>
            <frame><ip>0x1</ip><obj>/lib/libc.so.6</obj><fn>malloc</fn></frame>
            <frame><ip>0x2</ip><obj>/modules/rust/ctl.so</obj><fn>serve&lt;T&gt;</fn>
              <dir>/src</dir><file>service.rs</file><line>7</line></frame>
          </stack>
        </error>
        <error>
          <unique>0x1</unique><tid>1</tid><kind>InvalidRead</kind>
          <what>Invalid read of size 4</what>
          <stack><frame><ip>0x3</ip><obj>/modules/tm.so</obj></frame></stack>
          <auxwhat>Address 0x9 is 0 bytes after a block of size 8 alloc'd</auxwhat>
          <stack><frame><ip>0x4</ip><obj>/usr/sbin/kamailio</obj></frame></stack>
        </error>
        <error><unique>0x2</unique>";

    #[test]
    fn an_error_is_ours_where_a_frame_is() {
        let errors = errors(REPORT).expect("they can be read");
        let of = |directory| -> Vec<bool> {
            let directory = Path::new(directory);
            errors.iter().map(|error| error.is_of(directory)).collect()
        };
        assert_eq!(of("/modules/rust"), [true, false]);
        assert_eq!(of("/usr"), [false, true]);
    }

    #[test]
    fn what_others_do_wrong_is_theirs() {
        let leak = REPORT.replace("malloc", "lua_sr_init_child");
        let errors = errors(&leak).expect("they can be read");
        assert!(!errors[0].is_of(Path::new("/modules/rust")));
    }

    #[test]
    fn an_error_is_shown_with_its_places() {
        let errors = errors(REPORT).expect("they can be read");
        assert_eq!(
            errors[0].to_string(),
            "Leak_DefinitelyLost: 24 bytes in 1 blocks are definitely lost\n    \
             malloc (in /lib/libc.so.6)\n    serve<T> (service.rs:7)\n\n"
        );
    }

    #[test]
    fn a_process_that_was_killed_left_half_a_report() {
        assert!(!is_whole(REPORT));
        assert!(is_whole(&format!("{REPORT}</error></valgrindoutput>")));
    }
}
