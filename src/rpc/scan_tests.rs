//! Tests of what parameters become.

use super::*;

const TYPED: Conversion = Conversion::ByType { always: false };
const AS_C: Conversion = Conversion::ByValue { lenient: true };
const STRICT: Conversion = Conversion::ByValue { lenient: false };

/// Takes a parameter that must be there.
fn take(
    params: &Params,
    param: &Param,
    wanted: Wanted,
    conversion: Conversion,
    converting: bool,
) -> Result<Taken, Problem> {
    let asked = Asked {
        wanted,
        optional: false,
        converting,
    };
    super::take(params, param, asked, conversion)
}

fn text(text: &[u8]) -> (Params, Param) {
    let mut params = Params::new();
    let span = params.store_text(text);
    (params, Param::Text(span))
}

fn converted(from: &[u8], wanted: Wanted) -> Result<Taken, Problem> {
    let (params, param) = text(from);
    take(&params, &param, wanted, TYPED, true)
}

fn by_value_of(param: &Param, wanted: Wanted) -> Result<Taken, Problem> {
    take(&Params::new(), param, wanted, AS_C, false)
}

#[test]
fn binrpc_types_must_fit_unless_the_command_converts() {
    let params = Params::new();
    let take = |param: &Param, wanted, convert| take(&params, param, wanted, TYPED, convert);
    assert_eq!(take(&Param::Int(5), Wanted::Int, false), Ok(Taken::Int(5)));
    assert_eq!(
        take(&Param::Float(5.5), Wanted::Int, false),
        Err(Problem::WrongType("float"))
    );
    assert_eq!(
        take(&Param::Float(5.5), Wanted::Int, true),
        Ok(Taken::Int(5))
    );
    assert_eq!(
        take(&Param::Int(5), Wanted::Text, false),
        Err(Problem::WrongType("integer"))
    );
    assert_eq!(
        take(&Param::Int(-5), Wanted::Text, true),
        Ok(Taken::Made(b"-5".to_vec()))
    );
    assert_eq!(
        take(&Param::Float(5.5), Wanted::Text, true),
        Err(Problem::NotConverted("float"))
    );
}

#[test]
fn an_integer_serves_where_a_float_or_a_long_is_wanted() {
    let params = Params::new();
    let take = |wanted| take(&params, &Param::Int(-7), wanted, TYPED, false);
    assert_eq!(take(Wanted::Float), Ok(Taken::Float(-7.0)));
    assert_eq!(take(Wanted::Long), Ok(Taken::Long(-7)));
    assert_eq!(
        take(Wanted::UnsignedLong),
        Ok(Taken::UnsignedLong(-7_i64 as u64))
    );
}

#[test]
fn binrpc_text_converts_as_the_c_module_does() {
    assert_eq!(converted(b"12", Wanted::Int), Ok(Taken::Int(12)));
    assert_eq!(converted(b"+12", Wanted::Int), Ok(Taken::Int(12)));
    assert_eq!(converted(b"", Wanted::Int), Ok(Taken::Int(0)));
    assert!(converted(b"12x", Wanted::Int).is_err());
    assert!(converted(b"3000000000", Wanted::Int).is_err());
    assert_eq!(
        converted(b" 1.5e2x", Wanted::Float),
        Ok(Taken::Float(150.0))
    );
    assert_eq!(converted(b"7.9", Wanted::Long), Ok(Taken::Long(7)));
    assert!(converted(b"x", Wanted::Float).is_err());
}

#[test]
fn a_line_is_a_number_as_c_writes_it() {
    let number = |text: &str, wanted| number_in_text(text.as_bytes(), wanted);
    for (text, expected) in [
        ("10", 10),
        (" -0x1F ", -31),
        ("017", 15),
        ("+5", 5),
        ("0", 0),
    ] {
        assert_eq!(
            number(text, Wanted::Int),
            Some(Taken::Int(expected)),
            "{text}"
        );
    }
    assert_eq!(number("1.5e1", Wanted::Float), Some(Taken::Float(15.0)));
    assert_eq!(
        number("-9223372036854775808", Wanted::Long),
        Some(Taken::Long(i64::MIN))
    );
    for text in ["", "-", "--1", "0x", "0x-1", "1x", "nan", "1e999"] {
        assert_eq!(number(text, Wanted::Float), None, "{text}");
    }
}

#[test]
fn a_text_of_the_management_interface_is_a_plain_number() {
    for (text, expected) in [("10", 10), ("010", 10), ("0x1f", 31), ("-5", -5), ("+5", 5)] {
        let taken = plain_number(text.as_bytes(), Wanted::Int);
        assert_eq!(taken, Some(Taken::Int(expected)), "{text}");
    }
    let largest = Some(Taken::UnsignedLong(u64::MAX));
    assert_eq!(
        plain_number(b"18446744073709551615", Wanted::UnsignedLong),
        largest
    );
    assert_eq!(
        plain_number(b"0xffffffffffffffff", Wanted::UnsignedLong),
        largest
    );
    assert_eq!(plain_number(b"0.7", Wanted::Float), Some(Taken::Float(0.7)));
    for text in [
        "",
        "x",
        "1x",
        "0x",
        "0x+1",
        "-0x1",
        "1 2",
        "nan",
        "99999999999",
    ] {
        assert_eq!(plain_number(text.as_bytes(), Wanted::Int), None, "{text}");
    }
}

#[test]
fn json_values_must_fit_not_types() {
    assert_eq!(
        by_value_of(&Param::Bool(true), Wanted::Int),
        Ok(Taken::Int(1))
    );
    assert!(by_value_of(&Param::Null, Wanted::Int).is_err());
    assert!(by_value_of(&Param::Int(1 << 40), Wanted::Int).is_err());
    assert!(by_value_of(&Param::Int(1), Wanted::Text).is_err());
    let (params, param) = text(b"9007199254740993");
    assert_eq!(
        take(&params, &param, Wanted::Long, AS_C, false),
        Ok(Taken::Long(9_007_199_254_740_993))
    );
    let (params, param) = text(b"12 ");
    assert!(take(&params, &param, Wanted::Int, AS_C, false).is_err());
}

#[test]
fn what_json_has_in_place_of_an_optional_parameter() {
    let take = |param: &Param, wanted, conversion| {
        let asked = Asked {
            wanted,
            optional: true,
            converting: false,
        };
        super::take(&Params::new(), param, asked, conversion)
    };
    for conversion in [AS_C, STRICT] {
        for wanted in [Wanted::Int, Wanted::Float, Wanted::Text] {
            let taken = take(&Param::Null, wanted, conversion);
            assert_eq!(taken, Err(Problem::Missing), "{wanted:?}");
        }
        let taken = take(&Param::Int(1 << 40), Wanted::Int, conversion);
        assert_eq!(taken, Err(Problem::WrongType("integer")));
    }
    for wrong in [Param::Array(vec![]), Param::Struct(vec![])] {
        assert_eq!(take(&wrong, Wanted::Int, AS_C), Ok(Taken::Int(0)));
        assert_eq!(take(&wrong, Wanted::Float, AS_C), Ok(Taken::Float(0.0)));
        assert!(take(&wrong, Wanted::Text, AS_C).is_err());
        assert!(take(&wrong, Wanted::Int, STRICT).is_err());
    }
}
