//! Finding the ends of lines and of requests.

/// How many bytes are searched in one step, so that the compiler can vectorize the
/// search.
const STEP: usize = 64;

/// The length of the empty line at the start of `bytes`, if there is one.
pub(super) fn empty_line(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [b'\n', ..] => Some(1),
        [b'\r', b'\n', ..] => Some(2),
        _ => None,
    }
}

/// The length of all empty lines at the start of `bytes`.
pub(super) fn empty_lines(bytes: &[u8]) -> usize {
    let mut len = 0;
    while let Some(more) = empty_line(&bytes[len..]) {
        len += more;
    }
    len
}

/// The position at which the first request ends, behind its empty line. It does not end
/// within the first `searched` bytes.
pub(super) fn end_of_request(input: &[u8], searched: usize) -> Option<usize> {
    /// An end may have begun within the bytes that were searched, with an LF and a CR.
    const BEGUN: usize = 2;
    let from = searched.saturating_sub(BEGUN);
    (from..input.len()).step_by(STEP).find_map(|start| {
        let rest = &input[start..];
        may_end(rest)
            .then(|| end_in_step(rest))
            .flatten()
            .map(|end| start + end)
    })
}

/// Whether this step holds the end of a line that an empty line may follow.
fn may_end(rest: &[u8]) -> bool {
    let pairs = rest.iter().zip(&rest[1..]).take(STEP);
    pairs.fold(false, |found, (first, second)| {
        found | ((*first == b'\n') & ((*second == b'\n') | (*second == b'\r')))
    })
}

fn end_in_step(rest: &[u8]) -> Option<usize> {
    let line_ends = rest
        .iter()
        .take(STEP)
        .zip(1..)
        .filter(|(byte, _)| **byte == b'\n');
    line_ends
        .map(|(_, next)| next)
        .find_map(|next| empty_line(&rest[next..]).map(|len| next + len))
}

/// A line without its end.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Finds the end the plain way, from the start and line by line.
    fn end_of_request(bytes: &[u8]) -> Option<usize> {
        let whole = super::end_of_request(bytes, 0);
        let in_pieces =
            (1..=bytes.len()).find_map(|len| super::end_of_request(&bytes[..len], len - 1));
        assert_eq!(in_pieces, whole, "{}", bytes.escape_ascii());
        whole
    }

    #[test]
    fn an_empty_line_ends_a_request() {
        assert_eq!(end_of_request(b":m:\n\nnext"), Some(5));
        assert_eq!(end_of_request(b":m:\r\n\r\nnext"), Some(7));
        assert_eq!(end_of_request(b":m:\na\n\r\n"), Some(8));
        assert_eq!(end_of_request(b":m:\n\r"), None);
        assert_eq!(end_of_request(b":m:\n \n"), None);
        assert_eq!(end_of_request(b":m:\r\r\n"), None);
    }

    #[test]
    fn the_end_is_found_wherever_it_is() {
        for len in 1..3 * STEP {
            let mut bytes = vec![b'x'; len];
            bytes.extend_from_slice(b"\n\rx\n");
            assert_eq!(end_of_request(&bytes), None);
            bytes.extend_from_slice(b"\r\nnext");
            assert_eq!(end_of_request(&bytes), Some(len + 6));
        }
    }
}
