//! The declaration of a module, and the tables the core reads from it.

use std::ffi::c_int;

use crate::{log, panic, sys};

/// The entries that end the tables.
#[doc(hidden)]
pub mod last {
    use crate::sys;

    macro_rules! zeroed {
        ($($name:ident: $type:ty;)*) => {$(
            // SAFETY: plain C data, for which all zeroes means "the end".
            pub const $name: $type = unsafe { core::mem::zeroed() };
        )*};
    }
    zeroed! {
        PARAMETER: sys::param_export_t;
        FUNCTION: sys::cmd_export_t;
        VARIABLE: sys::pv_export_t;
        COMMAND: sys::rpc_export_t;
        KEMI: sys::sr_kemi_t;
    }
}

/// Runs when the server has loaded the module, before it reads parameters.
///
/// # Safety
/// `kemi` is a table ended by [`last::KEMI`] that lives as long as the server.
#[doc(hidden)]
pub unsafe fn register(name: &str, kemi: *mut sys::sr_kemi_t, kemi_functions: usize) -> c_int {
    log::set_module(name);
    panic::report_to_log();
    if kemi_functions == 0 {
        return 0;
    }
    // SAFETY: the caller vouches for the table, which the core keeps.
    unsafe { sys::sr_kemi_modules_add(kemi) }
}

/// Declares a Kamailio module: everything the server sees of it.
///
/// Sections may be left out, but keep this order.
///
/// ```ignore
/// kamailio::module! {
///     name: "hello",
///     parameters: [
///         // modparam("hello", "greeting", "Good morning")
///         "greeting" => Text(set_greeting),      // fn(&str) -> Result<(), Error>
///         "loudness" => Int(set_loudness),       // fn(i32) -> Result<(), Error>
///     ],
///     functions: [
///         // hello("$fU", 2); fn(&mut Message, &Args) -> i32
///         "hello" => hello(Text, Int) in ANY_ROUTE,
///     ],
///     variables: [
///         // $hello(count); fn(&mut Message, i32) -> Value, fn(&[u8]) -> Option<i32>
///         "hello" => get_hello, parse_hello;
///     ],
///     commands: [
///         // kamcmd hello.say; fn(&mut Call) -> Result<(), Fault>
///         "hello.say" => say, "Greets whoever asks";
///         // All that it adds is one array, for protocols that tell apart
///         // a value and an array of one.
///         "hello.all" => all, "Greets everybody", returns_array;
///     ],
///     kemi: [
///         // KSR.hello.hello("bob", 2), with the function of the script
///         "hello" => hello(Text, Int) -> Int,
///         // KSR.hello.greeting(); fn(&mut Message, &Args) -> Value
///         "greeting" => greeting() -> Value,
///     ],
///     hooks: [
///         init: init,              // fn() -> Result<(), Error>
///         child_init: child_init,  // fn(Rank) -> Result<(), Error>
///         destroy: destroy,        // fn()
///     ],
/// }
/// ```
///
/// The core calls setters while it reads the configuration (also for
/// `kamailio -c`), `init` in the main process before it drops privileges,
/// `child_init` in every process, and `destroy` in the main process at the
/// end. A setter's or hook's error becomes a line in the log that names the
/// parameter, and the server does not start.
#[macro_export]
macro_rules! module {
    (
        name: $name:literal,
        $(parameters: [ $($param:literal => $param_kind:ident($setter:path)),* $(,)? ],)?
        $(functions: [ $($function:literal => $function_handler:ident
            ($($function_arg:ident),*) in $routes:ident),* $(,)? ],)?
        $(variables: [ $($variable:literal => $getter:path, $parser:path;)* ],)?
        $(commands: [ $($command:literal => $command_handler:path, $doc:literal
            $(, $command_flag:ident)?;)* ],)?
        $(kemi: [ $($kemi:literal => $kemi_handler:ident
            ($($kemi_arg:ident),*) -> $kemi_return:ident),* $(,)? ],)?
        $(hooks: [ $($hook:ident: $hook_handler:path),* $(,)? ],)?
    ) => {
        const _: () = {
            use $crate::sys::{self, Table};
            use $crate::last;

            const fn entries(names: &[&str]) -> usize {
                names.len() + 1
            }

            const PARAMETERS: usize = entries(&[$($($param),*)?]);
            static PARAMETER_TABLE: Table<[sys::param_export_t; PARAMETERS]> = Table::new([
                $($($crate::__parameter!($param, $param_kind, $setter),)*)?
                last::PARAMETER,
            ]);

            const FUNCTIONS: usize = entries(&[$($($function),*)?]);
            static FUNCTION_TABLE: Table<[sys::cmd_export_t; FUNCTIONS]> = Table::new([
                $($($crate::__function!(
                    $function, $function_handler, ($($function_arg),*), $routes
                ),)*)?
                last::FUNCTION,
            ]);

            const VARIABLES: usize = entries(&[$($($variable),*)?]);
            static VARIABLE_TABLE: Table<[sys::pv_export_t; VARIABLES]> = Table::new([
                $($($crate::__variable!($variable, $getter, $parser),)*)?
                last::VARIABLE,
            ]);

            const COMMANDS: usize = entries(&[$($($command),*)?]);
            static COMMAND_TABLE: Table<[sys::rpc_export_t; COMMANDS]> = Table::new([
                $($($crate::__command!(
                    $command, $command_handler, $doc $(, $command_flag)?
                ),)*)?
                last::COMMAND,
            ]);

            const KEMI_FUNCTIONS: usize = entries(&[$($($kemi),*)?]);
            static KEMI_TABLE: Table<[sys::sr_kemi_t; KEMI_FUNCTIONS]> = Table::new([
                $($($crate::__kemi!(
                    $name, $kemi, $kemi_handler, ($($kemi_arg),*), $kemi_return
                ),)*)?
                last::KEMI,
            ]);

            #[allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            static module_version: Table<*const u8> = Table::new(sys::FULL_VERSION.as_ptr());

            #[allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            static module_flags: Table<*const u8> = Table::new(sys::COMPILE_FLAGS.as_ptr());

            #[allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            static exports: Table<sys::module_exports> = Table::new({
                #[allow(unused_mut)]
                let mut table = sys::module_exports {
                    name: concat!($name, "\0").as_ptr().cast_mut().cast(),
                    dlflags: 0,
                    cmds: FUNCTION_TABLE.as_ptr(),
                    params: PARAMETER_TABLE.as_ptr(),
                    rpc_methods: COMMAND_TABLE.as_ptr(),
                    pv_items: VARIABLE_TABLE.as_ptr(),
                    response_f: None,
                    init_mod_f: None,
                    init_child_f: None,
                    destroy_mod_f: None,
                };
                $($($crate::__hook!(table, $hook, $hook_handler);)*)?
                table
            });

            /// Called by the loader before it looks at the tables.
            #[unsafe(no_mangle)]
            extern "C" fn mod_register(
                _path: *mut ::core::ffi::c_char,
                _dlflags: *mut ::core::ffi::c_int,
                _reserved1: *mut ::core::ffi::c_void,
                _reserved2: *mut ::core::ffi::c_void,
            ) -> ::core::ffi::c_int {
                // SAFETY: the table is a static that ends as it must.
                unsafe { $crate::register($name, KEMI_TABLE.as_ptr(), KEMI_FUNCTIONS - 1) }
            }
        };
    };
}

/// An entry of the parameter table.
#[doc(hidden)]
#[macro_export]
macro_rules! __parameter {
    ($name:literal, $kind:ident, $setter:path) => {
        sys::param_export_t {
            name: concat!($name, "\0").as_ptr().cast_mut().cast(),
            type_: $crate::__parameter!(@type $kind),
            param_pointer: {
                unsafe extern "C" fn set(
                    _type: sys::modparam_t,
                    value: *mut ::core::ffi::c_void,
                ) -> ::core::ffi::c_int {
                    $crate::__parameter!(@set $kind, $name, value, $setter)
                }
                set as *const () as *mut ::core::ffi::c_void
            },
        }
    };
    (@type Text) => { $crate::params::TEXT };
    (@type Int) => { $crate::params::INT };
    (@set Text, $name:literal, $value:ident, $setter:path) => {
        // SAFETY: the core calls this for the text parameter declared here.
        unsafe { $crate::params::set_text($name, $value, $setter) }
    };
    (@set Int, $name:literal, $value:ident, $setter:path) => {
        $crate::params::set_int($name, $value, $setter)
    };
}

/// An entry of the table of script functions.
#[doc(hidden)]
#[macro_export]
macro_rules! __function {
    ($name:literal, $handler:ident, ($($arg:ident),*), $routes:ident) => {
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
                    // SAFETY: the core's call of the fixup of this function.
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
                    // SAFETY: the core's call of the free fixup of this function.
                    unsafe {
                        $crate::args::free_fixup(arg, number, &[$($crate::args::Kind::$arg),*])
                    }
                }
                Some(free_fixup)
            },
            flags: sys::$routes as ::core::ffi::c_uint,
        }
    };
    // Up to two arguments the core calls with exactly two pointers, beyond that
    // with as many as are declared.
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
        unsafe extern "C" fn entry(
            message: *mut sys::sip_msg,
            $first: *mut ::core::ffi::c_char,
            $second: *mut ::core::ffi::c_char,
        ) -> ::core::ffi::c_int {
            // SAFETY: the core's call of this function, with prepared arguments.
            unsafe {
                $crate::args::call($handler, message, &[
                    $($crate::args::Arg::Script($crate::args::Kind::$kind, $arg.cast())),*
                ])
            }
        }
        Some(entry)
    }};
    (@long $handler:ident, [$($arg:ident $kind:ident),*]) => {{
        unsafe extern "C" fn entry(
            message: *mut sys::sip_msg,
            $($arg: *mut ::core::ffi::c_char),*
        ) -> ::core::ffi::c_int {
            // SAFETY: the core's call of this function, with prepared arguments.
            unsafe {
                $crate::args::call($handler, message, &[
                    $($crate::args::Arg::Script($crate::args::Kind::$kind, $arg.cast())),*
                ])
            }
        }
        // SAFETY: the core casts the pointer back to a function with as many
        // arguments as the table says.
        unsafe { ::core::mem::transmute::<*const (), sys::cmd_function>(entry as *const ()) }
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
                unsafe extern "C" fn get(
                    message: *mut sys::sip_msg,
                    param: *mut sys::pv_param_t,
                    result: *mut sys::pv_value_t,
                ) -> ::core::ffi::c_int {
                    static KEPT: $crate::variables::Kept = $crate::variables::Kept::new();
                    // SAFETY: the core's question for this variable.
                    unsafe { $crate::variables::get($getter, &KEPT, message, param, result) }
                }
                Some(get)
            },
            setf: None,
            parse_name: {
                unsafe extern "C" fn parse(
                    spec: *mut sys::pv_spec_t,
                    part: *mut sys::str_,
                ) -> ::core::ffi::c_int {
                    // SAFETY: the core reads the script and met this variable.
                    unsafe { $crate::variables::parse_name($name, $parser, spec, part) }
                }
                Some(parse)
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
                unsafe extern "C" fn run(rpc: *mut sys::rpc_t, context: *mut ::core::ffi::c_void) {
                    // SAFETY: a transport's call of this command.
                    unsafe { $crate::command::run($name, $handler, rpc, context) }
                }
                Some(run)
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
    (@c Int) => { ::core::ffi::c_int };
    (@c Text) => { *mut sys::str_ };
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
        unsafe extern "C" fn entry(
            message: *mut sys::sip_msg,
            $($arg: $crate::__kemi!(@c $kind)),*
        ) -> *mut sys::sr_kemi_xval_t {
            static KEPT: $crate::variables::KeptXval = $crate::variables::KeptXval::new();
            // SAFETY: a KEMI engine's call of this function with the declared
            // types.
            unsafe {
                $crate::args::call_for_value($handler, &KEPT, message, &[
                    $($crate::args::Arg::$kind($arg)),*
                ])
            }
        }
        entry as *const () as *mut ::core::ffi::c_void
    }};
    (@fn $return:ident $handler:ident, [$($arg:ident $kind:ident),*]) => {{
        unsafe extern "C" fn entry(
            message: *mut sys::sip_msg,
            $($arg: $crate::__kemi!(@c $kind)),*
        ) -> ::core::ffi::c_int {
            // SAFETY: a KEMI engine's call of this function with the declared
            // types.
            unsafe {
                $crate::args::call($handler, message, &[
                    $($crate::args::Arg::$kind($arg)),*
                ])
            }
        }
        entry as *const () as *mut ::core::ffi::c_void
    }};
}

/// Puts a hook into the exports.
#[doc(hidden)]
#[macro_export]
macro_rules! __hook {
    ($exports:ident, init, $handler:path) => {
        $exports.init_mod_f = {
            unsafe extern "C" fn hook() -> ::core::ffi::c_int {
                $crate::hooks::init($handler)
            }
            Some(hook)
        }
    };
    ($exports:ident, child_init, $handler:path) => {
        $exports.init_child_f = {
            unsafe extern "C" fn hook(rank: ::core::ffi::c_int) -> ::core::ffi::c_int {
                $crate::hooks::child_init($handler, rank)
            }
            Some(hook)
        }
    };
    ($exports:ident, destroy, $handler:path) => {
        $exports.destroy_mod_f = {
            unsafe extern "C" fn hook() {
                $crate::hooks::destroy($handler);
            }
            Some(hook)
        }
    };
}
