//! Reading requests, as a server does.

use super::reader::{Reader, Record, Scalar};
use super::tree::{Assemble, next_value};
use super::{Defect, Malformed};
use crate::value::{Member, Param, Params, Span};

/// Reads the body of a request. Its parameters are added to `params`; the name of its
/// method is stored there as well, and returned.
///
/// An int becomes [`Param::Int`], a double [`Param::Float`], a str [`Param::Text`] and
/// bytes [`Param::Bytes`]. The name is whatever bytes the client sent, NULs included.
///
/// There is at most one value for each byte of `body`, so its size limits the memory
/// that this takes.
///
/// # Errors
///
/// [`Malformed::Body`] tells the first record that is wrong, anywhere in the body.
/// `params` then holds what came before it.
pub fn decode_request(body: &[u8], params: &mut Params) -> Result<Span, Malformed> {
    let mut reader = Reader::new(body);
    let method = match reader.next()? {
        Some(Record::Scalar(Scalar::Str(method))) => params.store_text(method),
        Some(_) => return Err(Defect::MethodNotText.at(0)),
        None => return Err(Defect::MethodMissing.at(0)),
    };
    while let Some(param) = next_value(&mut reader, params)? {
        params.push(param);
    }
    Ok(method)
}

impl Assemble for Params {
    type Name = Span;
    type Value = Param;

    fn name(&mut self, name: &[u8]) -> Span {
        self.store_text(name)
    }

    fn scalar(&mut self, scalar: Scalar<'_>) -> Param {
        match scalar {
            Scalar::Int(number) => Param::Int(number.into()),
            Scalar::Double(number) => Param::Float(number),
            Scalar::Str(text) => Param::Text(self.store_text(text)),
            Scalar::Bytes(bytes) => Param::Bytes(self.store_text(bytes)),
        }
    }

    fn structure(&mut self, members: Vec<(Option<Span>, Param)>) -> Param {
        self.note_members(members.len());
        let named = |(name, value)| Member { name, value };
        Param::Struct(members.into_iter().map(named).collect())
    }

    fn array(&mut self, values: Vec<Param>) -> Param {
        self.note_members(values.len());
        Param::Array(values)
    }

    fn no_room(&mut self) {
        self.note_out_of_memory();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binrpc::MAX_DEPTH;

    /// The parameters of a good request, written like Rust values.
    fn decoded(body: &[u8]) -> String {
        let mut params = Params::new();
        let method = decode_request(body, &mut params).expect("a good request");
        let shown: Vec<String> = params.items().iter().map(|p| show(p, &params)).collect();
        let method = String::from_utf8_lossy(params.text(method)).into_owned();
        format!("{method}({})", shown.join(", "))
    }

    fn show(param: &Param, params: &Params) -> String {
        let text = |span| params.text(span).escape_ascii().to_string();
        match param {
            Param::Int(number) => number.to_string(),
            Param::Float(number) => format!("{number:?}"),
            Param::Text(span) => format!("'{}'", text(*span)),
            Param::Bytes(span) => format!("b'{}'", text(*span)),
            Param::Array(values) => {
                let shown: Vec<String> = values.iter().map(|v| show(v, params)).collect();
                format!("[{}]", shown.join(" "))
            }
            Param::Struct(members) => {
                let shown: Vec<String> = members
                    .iter()
                    .map(|member| {
                        let name = member.name.map_or_else(|| "_".to_owned(), text);
                        format!("{name}={}", show(&member.value, params))
                    })
                    .collect();
                format!("{{{}}}", shown.join(" "))
            }
            other => panic!("BINRPC has no {other:?}"),
        }
    }

    fn refused(body: &[u8]) -> (Defect, usize) {
        match decode_request(body, &mut Params::new()) {
            Err(Malformed::Body { at, defect }) => (defect, at),
            other => panic!("{body:02x?} gave {other:?}"),
        }
    }

    /// A request for the method "m" with these records behind its name.
    fn to_m(records: &[u8]) -> Vec<u8> {
        [b"\x21m\0", records].concat()
    }

    #[test]
    fn core_echo_with_a_parameter_of_each_kind() {
        assert_eq!(
            decoded(b"\x91\x0acore.echo\0\x20\x12\x34\x22\x05\xdc\x41abc\0\x26\x00\xff"),
            "core.echo(4660, 1.5, 'abc', b'\\x00\\xff')"
        );
    }

    #[test]
    fn a_method_without_parameters() {
        assert_eq!(decoded(b"\x91\x08core.ps\0"), "core.ps()");
    }

    #[test]
    fn int_of_4_bytes_is_signed() {
        assert_eq!(decoded(&to_m(b"\x40\xff\xff\xff\xfe")), "m(-2)");
    }

    #[test]
    fn empty_text_with_and_without_its_nul() {
        assert_eq!(decoded(&to_m(b"\x01\x11\0\x06")), "m('', '', b'')");
    }

    #[test]
    fn a_nul_inside_text_is_kept() {
        assert_eq!(decoded(&to_m(b"\x41a\0b\0")), "m('a\\x00b')");
    }

    #[test]
    fn struct_and_array_in_one_another() {
        assert_eq!(
            decoded(&to_m(
                b"\x03\x25a\0\x10\x01\x25b\0\x03\x83\x04\x10\x02\x03\x83\x84\x83\x10\x03"
            )),
            "m({a=1 b={} _=[2 {}]}, 3)"
        );
    }

    #[test]
    fn an_array_may_be_the_value_of_a_name() {
        assert_eq!(decoded(&to_m(b"\x03\x25a\0\x04\x84\x83")), "m({a=[]})");
    }

    #[test]
    fn a_request_without_a_method_is_refused() {
        assert_eq!(refused(b""), (Defect::MethodMissing, 0));
        assert_eq!(refused(b"\x10\x07"), (Defect::MethodNotText, 0));
        assert_eq!(refused(b"\x03\x83"), (Defect::MethodNotText, 0));
        assert_eq!(refused(b"\x26ps"), (Defect::MethodNotText, 0));
    }

    #[test]
    fn names_belong_to_structs() {
        assert_eq!(
            refused(&to_m(b"\x25a\0\x00")),
            (Defect::NameOutsideStruct, 3)
        );
        assert_eq!(
            refused(&to_m(b"\x04\x25a\0\x00\x84")),
            (Defect::NameOutsideStruct, 4)
        );
        assert_eq!(
            refused(&to_m(b"\x03\x04\x25a\0\x00\x84\x83")),
            (Defect::NameOutsideStruct, 5)
        );
    }

    #[test]
    fn every_name_has_a_value() {
        assert_eq!(
            refused(&to_m(b"\x03\x25a\0\x83")),
            (Defect::NameWithoutValue, 7)
        );
        assert_eq!(
            refused(&to_m(b"\x03\x25a\0\x25b\0\x00\x83")),
            (Defect::NameWithoutValue, 7)
        );
    }

    #[test]
    fn what_opens_is_closed_and_nothing_else() {
        assert_eq!(refused(&to_m(b"\x03")), (Defect::Unclosed, 4));
        assert_eq!(refused(&to_m(b"\x04\x10\x01")), (Defect::Unclosed, 6));
        assert_eq!(refused(&to_m(b"\x83")), (Defect::StrayEnd, 3));
        assert_eq!(refused(&to_m(b"\x03\x84")), (Defect::StrayEnd, 4));
        assert_eq!(refused(&to_m(b"\x04\x83")), (Defect::StrayEnd, 4));
        assert_eq!(refused(&to_m(b"\x03\x83\x83")), (Defect::StrayEnd, 5));
    }

    #[test]
    fn nesting_has_a_bound() {
        let nested = |depth| to_m(&[vec![4; depth], vec![0x84; depth]].concat());
        assert!(decode_request(&nested(MAX_DEPTH), &mut Params::new()).is_ok());
        assert_eq!(
            refused(&nested(MAX_DEPTH + 1)),
            (Defect::TooDeep, 3 + MAX_DEPTH)
        );
        assert_eq!(
            refused(&to_m(&[4; 1 << 20])),
            (Defect::TooDeep, 3 + MAX_DEPTH)
        );
    }

    #[test]
    fn bytes_behind_the_last_record_are_refused() {
        assert_eq!(
            refused(&to_m(b"\x10\x07\xff")),
            (Defect::UnknownType(15), 5)
        );
        assert_eq!(refused(&to_m(b"\x10\x07\x91")), (Defect::Truncated, 5));
    }

    #[test]
    fn the_words_of_c() {
        let says = |body: &[u8]| {
            decode_request(body, &mut Params::new())
                .expect_err("a malformed request")
                .c_text()
        };
        assert_eq!(says(b""), "end of packet encountered");
        assert_eq!(says(b"\x10\x07"), "record doesn't match type");
        assert_eq!(says(b"\x41ab"), "more data needed");
        assert_eq!(says(&to_m(b"\x83")), "bad record");
        assert_eq!(Malformed::Magic(0).c_text(), "corrupted packet");
    }

    #[test]
    fn our_own_words_tell_where() {
        assert_eq!(
            decode_request(&to_m(b"\x41ab"), &mut Params::new())
                .expect_err("a malformed request")
                .to_string(),
            "the record runs over the end of the packet (byte 3 of the body)"
        );
    }
}
