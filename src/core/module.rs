//! The declaration of a module, and the tables that the core reads from it.

use std::ffi::{c_char, c_int};

use crate::loaded::{self, Build};
use crate::{log, panic, sys};

/// These are the entries that end the tables.
#[doc(hidden)]
pub mod last {
    use crate::sys;

    macro_rules! zeroed {
        ($($name:ident: $type:ty;)*) => {$(
            // SAFETY: this is plain C data, for which all zeroes mean "the end".
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

/// Runs after the server has loaded the module, and before it reads parameters.
///
/// # Safety
/// `path` is null or a C string. `kemi` is a table that ends with [`last::KEMI`] and
/// lives as long as the server.
#[doc(hidden)]
pub unsafe fn register(
    name: &str,
    build: &Build,
    path: *const c_char,
    kemi: *mut sys::sr_kemi_t,
    kemi_functions: usize,
) -> c_int {
    log::set_module(name);
    panic::report_to_log();
    // SAFETY: the caller vouches for the path.
    unsafe { loaded::register(build, path) };
    if kemi_functions == 0 {
        return 0;
    }
    // SAFETY: the caller vouches for the table, which the core keeps.
    unsafe { sys::sr_kemi_modules_add(kemi) }
}

/// Declares a Kamailio module: everything the server sees of it.
///
/// Sections may be left out, but must keep this order. Modules use the macro of the
/// crate `kamailio`, which adds `commit` in front.
///
/// ```ignore
/// kamailio::module! {
///     name: "hello",
///     parameters: [
///         // modparam("hello", "greeting", "Good morning")
///         "greeting" => Text(set_greeting),      // fn(&str) -> Result<(), Error>
///         // modparam("hello", "loudness", 3), or "3"
///         // The core may tell the value of this one, which is 3 unless it is set.
///         "loudness" => Int(set_loudness) = 3,   // fn(i32) -> Result<(), Error>
///     ],
///     functions: [
///         // hello("$fU", 2); fn(&mut Message, &Args) -> i32
///         "hello" => hello(Text, Int) in ANY_ROUTE,
///         // An argument may name a variable to write to: count("$var(n)")
///         "count" => count(Variable) in REQUEST_ROUTE | ONREPLY_ROUTE,
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
/// The core calls setters while it reads the configuration (also for `kamailio -c`),
/// `init` in the main process before it drops privileges, `child_init` in every
/// process, and `destroy` in the main process at the end. If a setter or a hook returns
/// an error, the server does not start, and a line in its log has the error and the
/// name of the parameter.
#[macro_export]
macro_rules! module {
    (
        commit: $commit:expr,
        name: $name:literal,
        $(parameters: [ $($param:literal => $param_kind:ident($setter:path)
            $(= $start:expr)?),* $(,)? ],)?
        $(functions: [ $($function:literal => $function_handler:ident
            ($($function_arg:ident),*) in $($routes:ident)|+),* $(,)? ],)?
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

            // The core takes the first entry with the name and the type of a value, so
            // a declared entry precedes those that convert a value.
            const PARAMETERS: usize = entries(&[$($($param, $param),*)?]);
            static PARAMETER_TABLE: Table<[sys::param_export_t; PARAMETERS]> = Table::new([
                $($($crate::__parameter!($param, $param_kind, $setter),)*)?
                $($($crate::__parameter!(other $param, $param_kind, $setter),)*)?
                last::PARAMETER,
            ]);
            const DECLARED: &[$crate::params_storage::Declared] = &[
                $($($crate::params_storage::Declared {
                    name: $param,
                    shown: $crate::__parameter!(shown $param_kind $($start)?),
                },)*)?
            ];

            unsafe extern "C" fn __init() -> ::core::ffi::c_int {
                // SAFETY: this is the core's call of `init`, with this module's table.
                unsafe {
                    $crate::hooks::init(
                        $crate::__init!($($($hook: $hook_handler),*)?),
                        PARAMETER_TABLE.as_ptr(),
                        DECLARED,
                    )
                }
            }

            const FUNCTIONS: usize = entries(&[$($($function),*)?]);
            static FUNCTION_TABLE: Table<[sys::cmd_export_t; FUNCTIONS]> = Table::new([
                $($($crate::__function!(
                    $function, $function_handler, ($($function_arg),*), $($routes)|+
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
            static module_version: Table<*const u8> = Table::new(sys::FULL_VERSION);

            #[allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            static module_flags: Table<*const u8> = Table::new(sys::COMPILE_FLAGS);

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
                    init_mod_f: Some(__init),
                    init_child_f: None,
                    destroy_mod_f: None,
                };
                $($($crate::__hook!(table, $hook, $hook_handler);)*)?
                table
            });

            static BUILD: $crate::loaded::Build = $crate::loaded::Build::new(
                concat!(env!("CARGO_PKG_VERSION"), "\0"),
                $commit,
            );

            #[allow(non_upper_case_globals)]
            #[unsafe(no_mangle)]
            static ksrrs_build: Table<*const $crate::loaded::Build> =
                Table::new(&raw const BUILD);

            /// The loader calls this before it looks at the tables.
            #[unsafe(no_mangle)]
            extern "C" fn mod_register(
                path: *mut ::core::ffi::c_char,
                _dlflags: *mut ::core::ffi::c_int,
                _reserved1: *mut ::core::ffi::c_void,
                _reserved2: *mut ::core::ffi::c_void,
            ) -> ::core::ffi::c_int {
                // SAFETY: the path is the loader's, and the table is a static with the
                // end that the core expects.
                unsafe {
                    $crate::register(
                        $name,
                        &BUILD,
                        path,
                        KEMI_TABLE.as_ptr(),
                        KEMI_FUNCTIONS - 1,
                    )
                }
            }
        };
    };
}
