//! Parameters that are structures.

use super::BadStruct;
use super::escape::{REQUEST, unescaped};

/// A name and its value.
pub type NamedText = (Vec<u8>, Vec<u8>);

/// The most members that a structure may have. The C module takes requests of up to 64
/// KiB, which hold no more than these.
pub(super) const MAX_MEMBERS: usize = 32 * 1024;

/// Reads the raw line of a parameter as a structure: `name:value,name:value`.
///
/// The members come in their order, with their escapes replaced. Names may be empty or
/// appear twice. A value ends at the comma, so it may have colons.
///
/// The C module looks names up without regard to case. Of several members with one name
/// it takes the last first, and none twice.
///
/// # Errors
///
/// The line is empty or has too many members, or a member has no colon or a wrong
/// escape.
pub fn parse_struct(line: &[u8]) -> Result<Vec<NamedText>, BadStruct> {
    if line.is_empty() {
        return Err(BadStruct::Empty);
    }
    let members = line.split(|byte| *byte == b',').zip(1..);
    members
        .map(|(member, number)| match number {
            ..=MAX_MEMBERS => parse_member(member, number),
            _ => Err(BadStruct::TooManyMembers),
        })
        .collect()
}

fn parse_member(member: &[u8], number: usize) -> Result<NamedText, BadStruct> {
    let colon = member.iter().position(|byte| *byte == b':');
    let (name, value) = member.split_at(colon.ok_or(BadStruct::NoColon(number))?);
    let unescaped = |text| unescaped(text, REQUEST).map_err(|_| BadStruct::BadEscape(number));
    Ok((unescaped(name)?, unescaped(&value[1..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, value: &str) -> NamedText {
        (name.into(), value.into())
    }

    #[test]
    fn names_and_values() {
        assert_eq!(
            parse_struct(b"a:1,b:,:3,a:sip:x"),
            Ok(vec![
                member("a", "1"),
                member("b", ""),
                member("", "3"),
                member("a", "sip:x"),
            ])
        );
    }

    #[test]
    fn escapes_in_names_and_values() {
        assert_eq!(
            parse_struct(br"a\cb:1\o2\\,c\n:"),
            Ok(vec![member("a:b", "1,2\\"), member("c\n", "")])
        );
    }

    #[test]
    fn lines_that_are_no_structure() {
        assert_eq!(parse_struct(b""), Err(BadStruct::Empty));
        let most = vec!["a:"; MAX_MEMBERS].join(",");
        assert!(parse_struct(most.as_bytes()).is_ok());
        let more = most + ",a:";
        let refused = parse_struct(more.as_bytes());
        assert_eq!(refused, Err(BadStruct::TooManyMembers));
        assert_eq!(parse_struct(b"a"), Err(BadStruct::NoColon(1)));
        assert_eq!(parse_struct(b"a:1,"), Err(BadStruct::NoColon(2)));
        assert_eq!(parse_struct(br"a:1,b:\x"), Err(BadStruct::BadEscape(2)));
        assert_eq!(parse_struct(br"a\:1"), Err(BadStruct::BadEscape(1)));
        assert_eq!(
            BadStruct::NoColon(2).to_string(),
            "member 2 of the structure has no colon behind its name"
        );
    }
}
