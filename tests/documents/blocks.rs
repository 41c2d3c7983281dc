//! The blocks of code in a page.

/// The text before the reason in the comment above a block.
const EXCUSE: &str = "<!-- not run:";

/// A block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// The number of its first line, from 1.
    pub(crate) line: usize,
    /// The word behind the three backquotes.
    pub(crate) language: String,
    /// The text inside.
    pub(crate) text: String,
    /// The reason why it is not run.
    pub(crate) excuse: Option<String>,
}

/// All blocks of a page, in order.
pub(crate) fn of(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut excuse = None;
    let mut lines = page.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(language) = line.trim_start().strip_prefix("```") else {
            let reason = line.strip_prefix(EXCUSE);
            if reason.is_some() || !line.is_empty() {
                excuse = reason.map(|reason| reason.trim_end_matches("-->").trim().to_owned());
            }
            continue;
        };
        let text: Vec<&str> = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| line.trim_start() != "```")
            .collect();
        blocks.push(Block {
            line: index + 1,
            language: language.to_owned(),
            text: text.join("\n") + "\n",
            excuse: excuse.take(),
        });
    }
    blocks
}

/// A command in a terminal session, and its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) text: String,
    pub(crate) output: String,
}

impl Block {
    /// The commands of a session, each of which follows a `$ `.
    pub(crate) fn session(&self) -> Vec<Command> {
        let mut commands: Vec<Command> = Vec::new();
        for line in self.text.lines() {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(text), _) => commands.push(Command {
                    text: text.to_owned(),
                    output: String::new(),
                }),
                (None, Some(command)) => command.output += &format!("{line}\n"),
                (None, None) => panic!("{line:?} is before any command"),
            }
        }
        commands
    }
}

#[test]
fn a_block_has_its_language_its_line_and_its_excuse() {
    let page =
        "a\n```sh\nmake\n```\n\n<!-- not run: too long -->\n\n```console\n$ a b\n1\n2\n$ c\n```\n";
    let blocks = of(page);
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[0].line, 2);
    assert_eq!(blocks[0].language, "sh");
    assert_eq!(blocks[0].text, "make\n");
    assert_eq!(blocks[0].excuse, None);
    assert_eq!(blocks[1].excuse.as_deref(), Some("too long"));
    let [first, second] = &blocks[1].session()[..] else {
        panic!("two commands");
    };
    assert_eq!(first.text, "a b");
    assert_eq!(first.output, "1\n2\n");
    assert_eq!(second.text, "c");
    assert_eq!(second.output, "");
}
