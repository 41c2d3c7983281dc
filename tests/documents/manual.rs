//! The man pages, which are written by hand. They can be formatted, and name everything
//! in the table of parameters on their module's page.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use harness::modules::workspace;

/// All pages, and the module that each of them is about.
fn pages() -> Vec<(PathBuf, Option<String>)> {
    let directory = workspace().join("docs/man");
    let mut pages: Vec<_> = fs::read_dir(directory)
        .expect("man pages")
        .map(|entry| {
            let path = entry.expect("a man page").path();
            let name = path.file_stem().and_then(|name| name.to_str());
            let module = name.and_then(|name| name.strip_prefix("kamailio-rust-"));
            let module = module
                .filter(|module| *module != "modules")
                .map(str::to_owned);
            (path, module)
        })
        .collect();
    pages.sort();
    pages
}

#[test]
fn man_pages_are_formatted_without_a_warning() {
    if Command::new("man").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: man is not installed");
        return;
    }
    for (page, _) in pages() {
        let output = Command::new("man")
            .args(["--warnings", "--local-file"])
            .arg(&page)
            .env("LC_ALL", "C.UTF-8")
            .env("MANWIDTH", "80")
            .output()
            .expect("man can be run");
        let warnings = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && warnings.is_empty(),
            "{}: {warnings}",
            page.display()
        );
    }
}

#[test]
fn every_module_has_a_man_page_with_all_its_parameters() {
    let mut documented: Vec<String> = pages()
        .into_iter()
        .filter_map(|(_, module)| module)
        .collect();
    let mut modules: Vec<String> = fs::read_dir(workspace().join("modules"))
        .expect("modules")
        .map(|entry| entry.expect("a module").file_name())
        .map(|name| name.into_string().expect("text"))
        .collect();
    documented.sort();
    modules.sort();
    assert_eq!(documented, modules);

    for module in modules {
        let page = workspace().join(format!("docs/man/kamailio-rust-{module}.7"));
        let page = fs::read_to_string(page).expect("a man page");
        let missing: Vec<String> = parameters(&module)
            .into_iter()
            .filter(|parameter| !page.split([' ', '\n']).any(|word| word == parameter))
            .collect();
        assert!(missing.is_empty(), "{module}: {missing:?}");
    }
}

/// The names in the first column of the table of parameters.
fn parameters(module: &str) -> Vec<String> {
    let page = workspace().join(format!("docs/{module}.md"));
    let page = fs::read_to_string(page).expect("the page of a module");
    let (_, section) = page
        .split_once("\n## Parameters\n")
        .expect("its parameters");
    let names: Vec<String> = section
        .lines()
        .skip_while(|line| !line.starts_with('|'))
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('`').nth(1))
        .map(str::to_owned)
        .collect();
    assert!(!names.is_empty(), "{module} has parameters");
    names
}
