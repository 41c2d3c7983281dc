//! File modes as operators write them.

/// The mode that was probably meant by a number that makes a strange one: 660 without a
/// leading zero is a decimal number and the mode 01224.
pub(crate) fn probably_meant(mode: u32) -> Option<u32> {
    const SPECIAL: u32 = 0o7000;
    const OWNER_READS: u32 = 0o400;
    const OWNER_WRITES: u32 = 0o200;
    const OWNER_EXECUTES: u32 = 0o100;
    // Neither of these has an effect on a socket or a pipe.
    let executes_only = mode & (OWNER_READS | OWNER_EXECUTES) == OWNER_EXECUTES;
    let is_strange = mode & SPECIAL != 0 || executes_only;
    if !is_strange {
        return None;
    }
    let digits_as_octal = u32::from_str_radix(&mode.to_string(), 8).ok()?;
    let is_usual = digits_as_octal <= 0o777 && digits_as_octal & OWNER_WRITES != 0;
    is_usual.then_some(digits_as_octal)
}

#[cfg(test)]
mod tests {
    use super::probably_meant;

    #[test]
    fn decimal_numbers_that_look_like_modes() {
        for (written, meant) in [
            (600, 0o600),
            (620, 0o620),
            (640, 0o640),
            (660, 0o660),
            (666, 0o666),
            (755, 0o755),
            (770, 0o770),
            (777, 0o777),
            (200, 0o200),
            (222, 0o222),
        ] {
            assert_eq!(probably_meant(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn modes_with_their_leading_zero() {
        for mode in [
            0o200, 0o220, 0o222, 0o400, 0o440, 0o444, 0o600, 0o620, 0o622, 0o640, 0o644, 0o660,
            0o664, 0o666, 0o700, 0o750, 0o755, 0o770, 0o775, 0o777, 0o1666, 0o1777, 0o2660, 0o4755,
        ] {
            assert_eq!(probably_meant(mode), None, "{mode:o}");
        }
    }
}
