//! The macros that make the entries of the tables which a module's declaration becomes.

// The functions in here have names with two underscores in front, because the name that
// a module's author writes is looked up among them first.

/// An entry of the parameter table.
#[doc(hidden)]
#[macro_export]
macro_rules! __parameter {
    ($name:literal, $kind:ident, $setter:path) => {
        sys::param_export_t {
            name: concat!($name, "\0").as_ptr().cast_mut().cast(),
            type_: $crate::__parameter!(@type $kind),
            param_pointer: {
                unsafe extern "C" fn __set(
                    _type: sys::modparam_t,
                    value: *mut ::core::ffi::c_void,
                ) -> ::core::ffi::c_int {
                    $crate::__parameter!(@set $kind, $name, value, $setter)
                }
                __set as *const () as *mut ::core::ffi::c_void
            },
        }
    };
    // This is the same parameter for a value of the other type.
    (other $name:literal, Text, $setter:path) => {
        $crate::__parameter!($name, IntAsText, $setter)
    };
    (other $name:literal, Int, $setter:path) => {
        $crate::__parameter!($name, TextAsInt, $setter)
    };
    // This is what the core shows of the parameter once the configuration is read.
    (shown Int) => { $crate::params_storage::Shown::Setter };
    (shown Text) => { $crate::params_storage::Shown::Setter };
    (shown Str) => { $crate::params_storage::Shown::Setter };
    (shown Int $start:expr) => { $crate::params_storage::Shown::Int($start) };
    (shown Text $start:expr) => { $crate::params_storage::Shown::Text($start) };
    (shown Str $start:expr) => { $crate::params_storage::Shown::Str($start) };
    (other $name:literal, Str, $setter:path) => {
        $crate::__parameter!($name, IntAsText, $setter)
    };
    (@type Str) => { $crate::params::TEXT };
    (@set Str, $name:literal, $value:ident, $setter:path) => {
        $crate::__parameter!(@set Text, $name, $value, $setter)
    };
    (@type Text) => { $crate::params::TEXT };
    (@type TextAsInt) => { $crate::params::TEXT };
    (@type Int) => { $crate::params::INT };
    (@type IntAsText) => { $crate::params::INT };
    (@set Text, $name:literal, $value:ident, $setter:path) => {
        // SAFETY: the core calls this for the text parameter declared here.
        unsafe { $crate::params::set_text($name, $value, $setter) }
    };
    (@set TextAsInt, $name:literal, $value:ident, $setter:path) => {
        // SAFETY: the core calls this for the text parameter declared here.
        unsafe { $crate::params::set_text_as_int($name, $value, $setter) }
    };
    (@set Int, $name:literal, $value:ident, $setter:path) => {
        $crate::params::set_int($name, $value, $setter)
    };
    (@set IntAsText, $name:literal, $value:ident, $setter:path) => {
        $crate::params::set_int_as_text($name, $value, $setter)
    };
}

/// An entry of the table of script functions.
#[doc(hidden)]
#[macro_export]
macro_rules! __function {
    ($name:literal, $handler:ident, ($($arg:ident),*), $($routes:ident)|+) => {
        sys::cmd_export_t {
            name: concat!($name, "\0").as_ptr().cast_mut().cast(),
            function: $crate::__function!(@entry $handler, ($($arg),*)),
            param_no: {
                const KINDS: &[$crate::args::Kind] = &[$($crate::args::Kind::$arg),*];
                KINDS.len() as ::core::ffi::c_int
            },
            fixup: {
                unsafe extern "C" fn fixup(
                    arg: *mut *mut ::core::ffi::c_void,
                    number: ::core::ffi::c_int,
                ) -> ::core::ffi::c_int {
                    // SAFETY: this is the core's call of this function's fixup.
                    unsafe {
                        $crate::args::fixup(arg, number, &[$($crate::args::Kind::$arg),*])
                    }
                }
                Some(fixup)
            },
            free_fixup: {
                unsafe extern "C" fn free_fixup(
                    arg: *mut *mut ::core::ffi::c_void,
                    number: ::core::ffi::c_int,
                ) -> ::core::ffi::c_int {
                    // SAFETY: this is the core's call of this function's free fixup.
                    unsafe {
                        $crate::args::free_fixup(arg, number, &[$($crate::args::Kind::$arg),*])
                    }
                }
                Some(free_fixup)
            },
            flags: $(sys::$routes as ::core::ffi::c_uint)|+,
        }
    };
    // The core calls a function of up to two arguments with exactly two pointers, and
    // one of more arguments with as many as are declared.
    (@entry $handler:ident, ()) => {
        $crate::__function!(@short $handler, first, second, [])
    };
    (@entry $handler:ident, ($a:ident)) => {
        $crate::__function!(@short $handler, first, second, [first $a])
    };
    (@entry $handler:ident, ($a:ident, $b:ident)) => {
        $crate::__function!(@short $handler, first, second, [first $a, second $b])
    };
    (@entry $handler:ident, ($a:ident, $b:ident, $c:ident)) => {
        $crate::__function!(@long $handler, [first $a, second $b, third $c])
    };
    (@entry $handler:ident, ($a:ident, $b:ident, $c:ident, $d:ident)) => {
        $crate::__function!(@long $handler, [first $a, second $b, third $c, fourth $d])
    };
    (@short $handler:ident, $first:ident, $second:ident, [$($arg:ident $kind:ident),*]) => {{
        #[allow(unused_variables)]
        unsafe extern "C" fn __entry(
            message: *mut sys::sip_msg,
            $first: *mut ::core::ffi::c_char,
            $second: *mut ::core::ffi::c_char,
        ) -> ::core::ffi::c_int {
            // SAFETY: this is the core's call of this function, with prepared
            // arguments.
            unsafe {
                $crate::args::call($handler, message, &[
                    $($crate::args::Arg::Script($crate::args::Kind::$kind, $arg.cast())),*
                ])
            }
        }
        Some(__entry)
    }};
    (@long $handler:ident, [$($arg:ident $kind:ident),*]) => {{
        unsafe extern "C" fn __entry(
            message: *mut sys::sip_msg,
            $($arg: *mut ::core::ffi::c_char),*
        ) -> ::core::ffi::c_int {
            // SAFETY: this is the core's call of this function, with prepared
            // arguments.
            unsafe {
                $crate::args::call($handler, message, &[
                    $($crate::args::Arg::Script($crate::args::Kind::$kind, $arg.cast())),*
                ])
            }
        }
        // SAFETY: the core casts the pointer back to a function with as many
        // arguments as the table says.
        unsafe { ::core::mem::transmute::<*const (), sys::cmd_function>(__entry as *const ()) }
    }};
}

/// An entry of the table of variables.
#[doc(hidden)]
#[macro_export]
macro_rules! __variable {
    ($name:literal, $getter:path, $parser:path) => {
        sys::pv_export_t {
            name: $crate::strings::name(concat!($name, "\0")),
            type_: sys::PVT_OTHER,
            getf: {
                unsafe extern "C" fn __get(
                    message: *mut sys::sip_msg,
                    param: *mut sys::pv_param_t,
                    result: *mut sys::pv_value_t,
                ) -> ::core::ffi::c_int {
                    static KEPT: $crate::variables::Kept = $crate::variables::Kept::new();
                    // SAFETY: this is the core's call for the value of this variable.
                    unsafe { $crate::variables::get($getter, &KEPT, message, param, result) }
                }
                Some(__get)
            },
            setf: None,
            parse_name: {
                unsafe extern "C" fn __parse(
                    spec: *mut sys::pv_spec_t,
                    part: *mut sys::str_,
                ) -> ::core::ffi::c_int {
                    // SAFETY: the core calls this when it meets the variable in the
                    // script.
                    unsafe { $crate::variables::parse_name($name, $parser, spec, part) }
                }
                Some(__parse)
            },
            parse_index: None,
            init_param: None,
            iparam: 0,
        }
    };
}

/// An entry of the table of RPC commands.
#[doc(hidden)]
#[macro_export]
macro_rules! __command {
    ($name:literal, $handler:path, $doc:literal $(, $flag:ident)?) => {
        sys::rpc_export_t {
            name: concat!($name, "\0").as_ptr().cast(),
            function: {
                unsafe extern "C" fn __run(rpc: *mut sys::rpc_t, context: *mut ::core::ffi::c_void) {
                    // SAFETY: this is a transport's call of this command.
                    unsafe { $crate::command::run($name, $handler, rpc, context) }
                }
                Some(__run)
            },
            doc_str: {
                static DOC: Table<[*const u8; 2]> =
                    Table::new([concat!($doc, "\0").as_ptr(), ::core::ptr::null()]);
                DOC.as_ptr()
            },
            flags: $crate::__command!(@flags $($flag)?),
        }
    };
    (@flags) => { 0 };
    (@flags returns_array) => { sys::KSRRS_RETURNS_ARRAY as _ };
}

/// An entry of the table of KEMI functions.
#[doc(hidden)]
#[macro_export]
macro_rules! __kemi {
    ($module:literal, $name:literal, $handler:ident, ($($arg:ident),*), $return:ident) => {
        sys::sr_kemi_t {
            mname: $crate::strings::name(concat!($module, "\0")),
            fname: $crate::strings::name(concat!($name, "\0")),
            rtype: $crate::__kemi!(@return $return),
            func: $crate::__kemi!(@entry $return $handler, ($($arg),*)),
            ptypes: {
                let mut types = [sys::SR_KEMIP_NONE as ::core::ffi::c_int; 6];
                const TYPES: &[::core::ffi::c_int] = &[$($crate::__kemi!(@type $arg)),*];
                let mut i = 0;
                while i < TYPES.len() {
                    types[i] = TYPES[i];
                    i += 1;
                }
                types
            },
        }
    };
    (@return Int) => { sys::SR_KEMIP_INT as ::core::ffi::c_int };
    (@return Bool) => { sys::SR_KEMIP_BOOL as ::core::ffi::c_int };
    (@return Value) => { sys::SR_KEMIP_XVAL as ::core::ffi::c_int };
    (@type Int) => { sys::SR_KEMIP_INT as ::core::ffi::c_int };
    (@type Text) => { sys::SR_KEMIP_STR as ::core::ffi::c_int };
    (@type Variable) => { sys::SR_KEMIP_STR as ::core::ffi::c_int };
    (@c Int) => { ::core::ffi::c_int };
    (@c Text) => { *mut sys::str_ };
    (@c Variable) => { *mut sys::str_ };
    (@entry $return:ident $handler:ident, ()) => {
        $crate::__kemi!(@fn $return $handler, [])
    };
    (@entry $return:ident $handler:ident, ($a:ident)) => {
        $crate::__kemi!(@fn $return $handler, [first $a])
    };
    (@entry $return:ident $handler:ident, ($a:ident, $b:ident)) => {
        $crate::__kemi!(@fn $return $handler, [first $a, second $b])
    };
    (@entry $return:ident $handler:ident, ($a:ident, $b:ident, $c:ident)) => {
        $crate::__kemi!(@fn $return $handler, [first $a, second $b, third $c])
    };
    (@entry $return:ident $handler:ident, ($a:ident, $b:ident, $c:ident, $d:ident)) => {
        $crate::__kemi!(@fn $return $handler, [first $a, second $b, third $c, fourth $d])
    };
    (@fn Value $handler:ident, [$($arg:ident $kind:ident),*]) => {{
        unsafe extern "C" fn __entry(
            message: *mut sys::sip_msg,
            $($arg: $crate::__kemi!(@c $kind)),*
        ) -> *mut sys::sr_kemi_xval_t {
            static KEPT: $crate::variables::KeptXval = $crate::variables::KeptXval::new();
            // SAFETY: this is a KEMI engine's call of this function with the declared
            // types.
            unsafe {
                $crate::args::call_for_value($handler, &KEPT, message, &[
                    $($crate::args::Arg::$kind($arg)),*
                ])
            }
        }
        __entry as *const () as *mut ::core::ffi::c_void
    }};
    (@fn $return:ident $handler:ident, [$($arg:ident $kind:ident),*]) => {{
        unsafe extern "C" fn __entry(
            message: *mut sys::sip_msg,
            $($arg: $crate::__kemi!(@c $kind)),*
        ) -> ::core::ffi::c_int {
            // SAFETY: this is a KEMI engine's call of this function with the declared
            // types.
            unsafe {
                $crate::args::call($handler, message, &[
                    $($crate::args::Arg::$kind($arg)),*
                ])
            }
        }
        __entry as *const () as *mut ::core::ffi::c_void
    }};
}

/// Puts a hook into the table of exports.
#[doc(hidden)]
#[macro_export]
macro_rules! __hook {
    // Every module has an `init`, whether or not its author wrote one.
    ($exports:ident, init, $handler:path) => {};
    ($exports:ident, child_init, $handler:path) => {
        $exports.init_child_f = {
            unsafe extern "C" fn __hook(rank: ::core::ffi::c_int) -> ::core::ffi::c_int {
                $crate::hooks::child_init($handler, rank)
            }
            Some(__hook)
        }
    };
    ($exports:ident, destroy, $handler:path) => {
        $exports.destroy_mod_f = {
            unsafe extern "C" fn __hook() {
                $crate::hooks::destroy($handler);
            }
            Some(__hook)
        }
    };
}

/// The `init` among a module's hooks, or one that does nothing.
#[doc(hidden)]
#[macro_export]
macro_rules! __init {
    (init: $handler:path $(, $($rest:tt)*)?) => { $handler };
    ($other:ident: $handler:path $(, $($rest:tt)*)?) => { $crate::__init!($($($rest)*)?) };
    () => { $crate::hooks::nothing };
}
