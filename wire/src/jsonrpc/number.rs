//! Reading and writing of numbers.

use std::borrow::Cow;
use std::io::Write as _;

use crate::value::Param;

/// A number of a document, in its four parts, any of which may be empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number<'a> {
    /// The whole number.
    pub(super) raw: &'a [u8],
    /// A minus sign.
    pub(super) sign: &'a [u8],
    /// Digits.
    pub(super) whole: &'a [u8],
    /// A point and at least one digit.
    pub(super) fraction: &'a [u8],
    /// An `e`, perhaps a sign, and digits.
    pub(super) exponent: &'a [u8],
}

impl<'a> Number<'a> {
    /// The number at the start of `bytes`, as far as the C module reads it:
    /// `01` is 1, `-.5` is -0.5, `1e` is 1 and `-` is 0.
    pub(super) fn at_start_of(bytes: &'a [u8]) -> Self {
        let mut rest = bytes;
        let minus = rest.starts_with(b"-");
        let sign = take(&mut rest, usize::from(minus));
        let zero = usize::from(rest.starts_with(b"0"));
        let whole_len = match rest.get(zero) {
            Some(b'1'..=b'9') => zero + digits(&rest[zero..]),
            _ => zero,
        };
        let whole = take(&mut rest, whole_len);
        let decimals = rest.strip_prefix(b".").map_or(0, digits);
        let fraction = take(&mut rest, if decimals == 0 { 0 } else { 1 + decimals });
        let exponent_len = match rest {
            [b'e' | b'E', b'+' | b'-', power @ ..] => 2 + digits(power),
            [b'e' | b'E', power @ ..] => 1 + digits(power),
            _ => 0,
        };
        let exponent = take(&mut rest, exponent_len);
        Self {
            raw: &bytes[..bytes.len() - rest.len()],
            sign,
            whole,
            fraction,
            exponent,
        }
    }

    /// The number as JSON writes it, which is itself if it is JSON already.
    pub(super) fn json(self) -> Cow<'a, [u8]> {
        let whole = match self.whole {
            [] => b"0",
            [b'0', digits @ ..] if !digits.is_empty() => digits,
            digits => digits,
        };
        let exponent = match self.exponent {
            [.., b'0'..=b'9'] => self.exponent,
            _ => b"",
        };
        if whole.len() == self.whole.len() && exponent.len() == self.exponent.len() {
            return Cow::Borrowed(self.raw);
        }
        Cow::Owned([self.sign, whole, self.fraction, exponent].concat())
    }

    /// The number as a parameter. A whole number keeps all its digits if 64 bits hold
    /// them. Any other becomes the nearest float, which may be infinite.
    pub(super) fn param(self) -> Param {
        let json = self.json();
        // Digits, signs, a point and an e are always UTF-8.
        let text = std::str::from_utf8(&json).unwrap_or_default();
        if self.fraction.is_empty() && self.exponent.is_empty() {
            if let Ok(number) = text.parse() {
                return Param::Int(number);
            }
            if let Ok(number) = text.parse() {
                return Param::UnsignedLong(number);
            }
        }
        Param::Float(text.parse().unwrap_or_default())
    }
}

fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

fn take<'a>(bytes: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(len);
    *bytes = rest;
    taken
}

/// Appends a whole number.
pub(super) fn put_int(number: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number as C prints it: without a fraction if it has none, with seven
/// digits and an exponent if it is very large or small, and with six decimals
/// otherwise. What JSON cannot write as a number becomes null.
pub(super) fn put_float(number: f64, out: &mut Vec<u8>) {
    // C decides by this measure that a number has no fraction. It compares with the
    // whole number next to it towards zero, and then with the next one below.
    let near = |whole: &f64| (number - whole).abs() <= f64::EPSILON;
    let whole = [number.trunc(), number.floor()].into_iter().find(near);
    // Writing to a vector cannot fail.
    let _ = match whole {
        _ if !number.is_finite() => out.write_all(b"null"),
        // Adding 0 turns -0 into 0.
        Some(whole) => write!(out, "{:.0}", whole + 0.0),
        None if (1e-6..=1e9).contains(&number.abs()) => write!(out, "{number:.6}"),
        None => put_scientific(number, out),
    };
}

/// Appends a number as `%e` prints it, with at least two digits of exponent.
fn put_scientific(number: f64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let text = format!("{number:.6e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = exponent.parse().unwrap_or_default();
    let sign = if power < 0 { '-' } else { '+' };
    write!(out, "{digits}e{sign}{:02}", power.unsigned_abs())
}

/// Appends a time as a string, `"20231114T22:13:20"`, in UTC. Years have as
/// many digits as they need.
pub(super) fn put_time(seconds: i64, out: &mut Vec<u8>) {
    const DAY: i64 = 86_400;
    let (year, month, day) = date(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    // Writing to a vector cannot fail.
    let _ = write!(
        out,
        "\"{year}{month:02}{day:02}T{hour:02}:{minute:02}:{second:02}\""
    );
}

/// The year, the month and the day of a day that is counted from 1970.
fn date(days_since_1970: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    // The count starts at 1 March of the year 0, so a leap day is the last of its year
    // and the lengths of the months repeat every five months, which are 153 days.
    let days = days_since_1970 + 719_468;
    let era = days.div_euclid(DAYS_IN_400_YEARS);
    let day = days.rem_euclid(DAYS_IN_400_YEARS);
    let leap_days = day / 1460 - day / 36_524 + day / 146_096;
    let year = (day - leap_days) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next_year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Number<'_> {
        let number = Number::at_start_of(text.as_bytes());
        assert_eq!(number.raw, text.as_bytes());
        number
    }

    fn json(text: &str) -> String {
        String::from_utf8(read(text).json().into_owned()).expect("digits")
    }

    fn float(number: f64) -> String {
        let mut out = Vec::new();
        put_float(number, &mut out);
        String::from_utf8(out).expect("digits")
    }

    fn time(seconds: i64) -> String {
        let mut out = Vec::new();
        put_time(seconds, &mut out);
        String::from_utf8(out).expect("digits")
    }

    #[test]
    fn whole_numbers_are_exact() {
        assert_eq!(read("0").param(), Param::Int(0));
        assert_eq!(read("-0").param(), Param::Int(0));
        assert_eq!(
            read("9007199254740993").param(),
            Param::Int(9_007_199_254_740_993)
        );
        assert_eq!(read("-9223372036854775808").param(), Param::Int(i64::MIN));
        assert_eq!(
            read("18446744073709551615").param(),
            Param::UnsignedLong(u64::MAX)
        );
        assert_eq!(
            read("18446744073709551616").param(),
            Param::Float(18_446_744_073_709_551_616.0)
        );
    }

    #[test]
    fn other_numbers_are_the_nearest_float() {
        assert_eq!(read("1.0").param(), Param::Float(1.0));
        assert_eq!(read("-2.5e-3").param(), Param::Float(-0.0025));
        assert_eq!(read("1E2").param(), Param::Float(100.0));
        assert_eq!(read("1e400").param(), Param::Float(f64::INFINITY));
    }

    #[test]
    fn numbers_that_only_c_reads() {
        for (lenient, strict) in [
            ("01", "1"),
            ("-012.5", "-12.5"),
            ("-.5", "-0.5"),
            ("1e", "1"),
            ("1e+", "1"),
            ("0.5E-", "0.5"),
            ("-", "-0"),
            ("-e5", "-0e5"),
        ] {
            assert_eq!(json(lenient), strict);
        }
        for strict in ["0", "-0", "10", "0.0", "1e05", "-1.50E+7"] {
            assert_eq!(json(strict), strict);
        }
    }

    #[test]
    fn a_number_ends_where_c_stops_reading() {
        let raw = |text: &'static str| Number::at_start_of(text.as_bytes()).raw;
        assert_eq!(raw("00"), b"0");
        assert_eq!(raw("1."), b"1");
        assert_eq!(raw("1.e5"), b"1");
        assert_eq!(raw("0x1"), b"0");
        assert_eq!(raw("1e5.5"), b"1e5");
        assert_eq!(raw("--1"), b"-");
    }

    /// These are what C's printer gave.
    #[test]
    fn floats_as_c_prints_them() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.5, "1.500000"),
            (-0.5, "-0.500000"),
            (0.1, "0.100000"),
            (1e-17, "0"),
            (-1e-300, "0"),
            (2.2e-16, "0"),
            (2.3e-16, "2.300000e-16"),
            (1e-7, "1.000000e-07"),
            (-1e-7, "-1.000000e-07"),
            (9.999_999_5e-7, "9.999999e-07"),
            (1e-6, "0.000001"),
            (0.999_999_999_999_999_9, "1.000000"),
            (-0.999_999_999_999_999_9, "-1"),
            (1.000_000_000_000_000_2, "1"),
            (1.000_000_000_000_000_4, "1.000000"),
            (999_999_999.5, "999999999.500000"),
            (1_000_000_000.5, "1.000000e+09"),
            (-2_147_483_648.5, "-2.147484e+09"),
            (9_999_999_999.999_9, "1.000000e+10"),
            (2_147_483_648.0, "2147483648"),
            (1e22, "10000000000000000000000"),
            (1e40, "10000000000000000303786028427003666890752"),
        ] {
            assert_eq!(float(number), text);
        }
    }

    #[test]
    fn what_is_no_number_is_null() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(float(number), "null");
        }
    }

    /// These are what gmtime_r and strftime gave.
    #[test]
    fn times_as_c_prints_them() {
        for (seconds, text) in [
            (0, "19700101T00:00:00"),
            (-1, "19691231T23:59:59"),
            (951_782_400, "20000229T00:00:00"),
            (1_700_000_000, "20231114T22:13:20"),
            (253_402_300_799, "99991231T23:59:59"),
            (253_402_300_800, "100000101T00:00:00"),
            (-62_135_596_801, "01231T23:59:59"),
            (-62_167_219_201, "-11231T23:59:59"),
            (-99_999_999_999, "-11990215T14:13:21"),
        ] {
            assert_eq!(time(seconds), format!("\"{text}\""));
        }
        assert!(time(i64::MIN).starts_with("\"-292277"));
        assert!(time(i64::MAX).starts_with("\"292277"));
    }
}
