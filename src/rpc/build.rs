//! Lets the unit tests of this crate link: Kamailio's symbols are resolved when
//! the server loads a module, and the tests call none of them.

fn main() {
    println!("cargo::rustc-link-arg=-Wl,--unresolved-symbols=ignore-all");
    println!("cargo::rerun-if-changed=build.rs");
}
