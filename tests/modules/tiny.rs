//! The module in `examples/tiny`, which ARCHITECTURE.md explains.

use std::fs;

use harness::builder::Builder;
use harness::modules::{Flavor, example, workspace};
use harness::server::Server;
use harness::wait;

fn with_tiny(flavor: Flavor) -> Builder {
    Server::builder(flavor)
        .modules(["ctl", "pv", "rtimer"])
        .module_file(&example("tiny"))
}

#[test]
fn its_command_tells_what_its_parameter_says() {
    for flavor in [Flavor::C, Flavor::Rust] {
        let server = with_tiny(flavor)
            .config(r#"modparam("tiny", "word", "Welcome")"#)
            .start();
        let answer = server.client().call("tiny.word", &[]);
        let [word] = answer.values() else {
            panic!("{flavor:?} answers\n{answer}");
        };
        assert_eq!(word.as_str(), Some("Welcome"));
    }
}

#[test]
fn its_function_writes_to_the_log_and_is_true() {
    let server = with_tiny(Flavor::Rust)
        .config(
            r#"
            modparam("tiny", "word", "Welcome")
            modparam("rtimer", "timer", "name=soon;interval=1;mode=1;")
            modparam("rtimer", "exec", "timer=soon;route=SOON")
            route[SOON] {
                $var(name) = "bob";
                if (tiny_say("$var(name)")) {
                    tiny_say("all others");
                }
            }
            "#,
        )
        .start();
    wait::until("the route runs", || {
        server.log().contains("Welcome, all others\n")
    });
    let log = server.log();
    assert!(log.contains("NOTICE: tiny ["), "{log}");
    assert!(log.contains("Welcome, bob\n"), "{log}");
}

#[test]
fn a_wrong_parameter_is_named_with_what_would_be_right() {
    let ended = with_tiny(Flavor::Rust)
        .config(r#"modparam("tiny", "word", "")"#)
        .check();
    assert!(!ended.status.success(), "{}", ended.log);
    let told = "parameter word: a word is needed, such as \"Welcome\"";
    assert!(ended.log.contains(told), "{}", ended.log);
}

#[test]
fn the_walk_through_shows_the_files_as_they_are() {
    let page = fs::read_to_string(workspace().join("ARCHITECTURE.md")).expect("a page to read");
    for (file, language) in [("tiny.rs", "rust"), ("Cargo.toml", "toml")] {
        let path = workspace().join("examples/tiny").join(file);
        let text = fs::read_to_string(&path).expect("a file to read");
        assert!(
            page.contains(&format!("```{language}\n{text}```\n")),
            "ARCHITECTURE.md shows another {}",
            path.display()
        );
    }
}
