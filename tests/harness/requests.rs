//! Requests as a person types them into `kamcmd`.

use std::fmt;

use rpc_wire::binrpc::client::Arg;

/// A command and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The command.
    pub method: String,
    /// Its parameters.
    pub args: Vec<Arg>,
}

impl Request {
    /// Reads one request from each line of `text` that is not empty and does
    /// not start with `#`.
    ///
    /// # Panics
    ///
    /// A quote is not closed.
    #[must_use]
    pub fn parse_all(text: &str) -> Vec<Self> {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(Self::parse)
            .collect()
    }

    /// Reads a request: the command, then parameters separated by blanks.
    ///
    /// A parameter is an int or a double if it looks like one, and text
    /// otherwise, or if it is in double quotes.
    ///
    /// # Panics
    ///
    /// A quote is not closed.
    #[must_use]
    pub fn parse(line: &str) -> Self {
        let (method, mut rest) = line.split_once(' ').unwrap_or((line, ""));
        let mut args = Vec::new();
        loop {
            rest = rest.trim_start();
            if rest.is_empty() {
                break;
            }
            let arg;
            (arg, rest) = next_arg(rest);
            args.push(arg);
        }
        Self {
            method: method.to_owned(),
            args,
        }
    }
}

/// Writes it as it is typed, as far as that is possible.
impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.method)?;
        self.args.iter().try_for_each(|arg| match arg {
            Arg::Int(number) => write!(f, " {number}"),
            Arg::Double(number) => write!(f, " {number:?}"),
            Arg::Str(text) => write!(f, " \"{}\"", text.escape_ascii()),
            other => write!(f, " {other:?}"),
        })
    }
}

fn next_arg(text: &str) -> (Arg, &str) {
    if let Some(quoted) = text.strip_prefix('"') {
        let (inner, rest) = quoted.split_once('"').expect("a closing quote");
        return (Arg::from(inner), rest);
    }
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (bare(word), rest)
}

fn bare(word: &str) -> Arg {
    // The words "nan" and "infinity" are texts here, although Rust reads them as
    // numbers.
    if !word.ends_with(|last: char| last.is_ascii_digit()) {
        return Arg::from(word);
    }
    let int = word.parse::<i32>().map(Arg::from);
    let double = || word.parse::<f64>().map(Arg::from);
    int.or_else(|_| double())
        .unwrap_or_else(|_| Arg::from(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_numbers_and_quoted_text() {
        assert_eq!(
            Request::parse(r#"a.b word 7 -7 1.5 "two words" "7" """#),
            Request {
                method: "a.b".into(),
                args: vec![
                    "word".into(),
                    7.into(),
                    (-7).into(),
                    1.5.into(),
                    "two words".into(),
                    "7".into(),
                    "".into()
                ]
            }
        );
    }
}
