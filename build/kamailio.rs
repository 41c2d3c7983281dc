//! The headers and compile flags of the Kamailio for which the modules are built.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::comparison::{Difference, Strings};
use crate::server::{self, Server};
use crate::source::{Configuration, Source};
use crate::{Failure, Result, definitions, files_below};

/// The variable with definitions that are added to those of the headers, for a server
/// that was built with options of its own.
const MORE_DEFINITIONS: &str = "KAMAILIO_DEFS";

/// A source tree, and the definitions with which its headers are read.
pub(crate) struct Kamailio {
    /// The top of the tree.
    pub(crate) tree: PathBuf,
    /// The version, such as `5.6.3`.
    pub(crate) version: String,
    /// The compiler options with which the server was built, only `-D` and `-U`.
    pub(crate) defines: Vec<String>,
    /// The strings that the core compares with those of a module.
    pub(crate) strings: Strings,
    /// The text of the core's headers.
    headers: String,
}

impl Kamailio {
    /// Finds the tree, and makes sure that the server will accept what is built from
    /// it.
    pub(crate) fn find(root: &Path) -> Result<Self> {
        for variable in ["KAMAILIO_SRC", "KAMAILIO_BIN", MORE_DEFINITIONS] {
            println!("cargo::rerun-if-env-changed={variable}");
        }
        let named = env::var_os("KAMAILIO_SRC").filter(|path| !path.is_empty());
        let (source, server) = match named {
            Some(path) => {
                // A relative path starts where make was called.
                let source = Source::at(&root.join(path))?;
                let server = Server::of_tree(&source.servers(), root)?;
                (source, server)
            }
            None => {
                let server = Server::installed(root)?.ok_or_else(|| {
                    Failure::new(
                        "there is no `kamailio` whose headers could be used.\n\
                         Install Kamailio and fetch its headers:\n\
                         \n    make setup headers\n\
                         \nor name the sources of one, or where CMake has built one:\n\
                         \n    export KAMAILIO_SRC=<directory>",
                    )
                })?;
                let fetched = root.join(format!(".deps/kamailio-{}", server.version));
                (Source::at(&fetched)?, Some(server))
            }
        };
        match server {
            Some(server) => Self::as_server(&source, &server),
            None => Self::as_configured(&source),
        }
    }

    /// Takes the definitions that the server's load check accepts.
    fn as_server(source: &Source, server: &Server) -> Result<Self> {
        let mutex_shared = server.compile_flags.contains("TLS_PTHREAD_MUTEX_SHARED");
        let mut nearest: Option<(Self, Difference)> = None;
        for configuration in source.configurations(mutex_shared) {
            let kamailio = Self::read(&source.tree, configuration)?;
            let Some(difference) = Difference::between(&kamailio.strings, server) else {
                return kamailio.with_headers();
            };
            let is_nearer = |(_, known): &(Self, Difference)| known.size() <= difference.size();
            nearest = nearest.filter(is_nearer).or(Some((kamailio, difference)));
        }
        let (kamailio, difference) = nearest.ok_or_else(|| source.unconfigurable())?;
        Err(kamailio.refusal(source, server, &difference))
    }

    /// Takes the first definitions that can be found.
    fn as_configured(source: &Source) -> Result<Self> {
        let configuration = source.configurations(true).next();
        let configuration = configuration.ok_or_else(|| source.unconfigurable())?;
        let kamailio = Self::read(&source.tree, configuration)?;
        println!(
            "cargo::warning=no server is in {} to compare compile flags with; \
             KAMAILIO_BIN=<a kamailio {}> names one",
            source.named.display(),
            kamailio.version
        );
        kamailio.with_headers()
    }

    fn read(tree: &Path, configuration: Configuration) -> Result<Self> {
        let mut defines = configuration.definitions(tree)?;
        if let Ok(more) = env::var(MORE_DEFINITIONS) {
            defines.extend(definitions::of_words(&more));
        }
        let version = definitions::value(&defines, "VERSION").ok_or_else(|| {
            Failure::new(format!(
                "the configuration of {} names no version",
                tree.display()
            ))
        })?;
        let version = version.to_owned();
        server::check_age(&version, tree)?;
        let strings = expand_strings(tree, &defines)?;
        Ok(Self {
            tree: tree.to_owned(),
            version,
            defines,
            strings,
            headers: String::new(),
        })
    }

    fn with_headers(mut self) -> Result<Self> {
        for file in files_below(&self.tree.join("src/core"), "h")? {
            // Some headers have people's names in other encodings.
            let bytes =
                fs::read(&file).map_err(|error| Failure::io("cannot read", &file, &error))?;
            self.headers.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok(self)
    }

    /// The failure that tells the differences and how to remove them.
    fn refusal(&self, source: &Source, server: &Server, difference: &Difference) -> Failure {
        let binary = server.binary.display();
        let tree = source.tree.display();
        let mut message = if difference.is_of_version {
            format!(
                "the headers are of another version than the server.\n\
                 \n    {tree}: {}\n    {binary}: {}\n\n",
                self.strings.version, server.full_version
            )
        } else {
            format!(
                "compile flags differ between the server and the headers, and the server loads no\n\
                 module that was built with other flags than its own:\n\
                 \n{}\
                 \nThe server is {binary}, the headers are in {tree}.\n",
                difference.lines()
            )
        };
        if source.lacks_cmake() {
            message.push_str(
                "The server may have been built with CMake, which is not here to say how. Install it:\n\
                 \n    apt-get install cmake\n\n",
            );
        }
        match difference.definitions() {
            Some(words) if !difference.is_of_version => message.push_str(&format!(
                "To read the headers as the server was built:\n\
                 \n    export {MORE_DEFINITIONS}={}",
                quoted(&words)
            )),
            _ => message.push_str(
                "KAMAILIO_SRC names the headers to use, KAMAILIO_BIN the server to compare with.",
            ),
        }
        Failure::new(message)
    }

    /// Whether this name occurs in a header of the core.
    pub(crate) fn declares(&self, symbol: &str) -> bool {
        let in_name = |character: char| character.is_alphanumeric() || character == '_';
        self.headers.match_indices(symbol).any(|(at, _)| {
            let before = self.headers[..at].chars().next_back();
            let after = self.headers[at + symbol.len()..].chars().next();
            !before.is_some_and(in_name) && !after.is_some_and(in_name)
        })
    }

    /// The options that tell the compiler where the headers are.
    pub(crate) fn include_flags(&self) -> Vec<String> {
        include_flags(&self.tree)
    }
}

fn quoted(words: &str) -> String {
    format!("'{}'", words.replace('\'', r"'\''"))
}

/// The headers are included as system headers, so that their warnings are not ours.
/// `core` itself comes after the system's directories, because some of its files have
/// the names of system headers, such as `error.h`.
fn include_flags(tree: &Path) -> Vec<String> {
    let src = tree.join("src");
    vec![
        format!("-isystem{}", src.display()),
        format!("-idirafter{}", src.join("core").display()),
    ]
}

/// Lets the preprocessor expand the strings that a module contains. Nothing is run, so
/// this works for another machine's Kamailio, too.
fn expand_strings(tree: &Path, defines: &[String]) -> Result<Strings> {
    const PROBE: &str = "#include \"core/ver_defs.h\"\n\
                         ksrrs_full_version SER_FULL_VERSION;\n\
                         ksrrs_compile_flags SER_COMPILE_FLAGS;\n";
    let file = out_dir().join("version_probe.c");
    fs::write(&file, PROBE).map_err(|error| Failure::io("cannot write", &file, &error))?;

    let mut build = cc::Build::new();
    build.cargo_metadata(false).file(&file);
    for flag in include_flags(tree).iter().chain(defines) {
        build.flag(flag);
    }
    let ver_defs = tree.join("src/core/ver_defs.h");
    let expanded = build.try_expand().map_err(|error| {
        Failure::new(format!(
            "cannot preprocess {}: {error}\n\
             If there is no C compiler, install one:\n\
             \n    make setup",
            ver_defs.display()
        ))
    })?;
    let expanded = String::from_utf8_lossy(&expanded);
    // Lines with `#` tell where the text came from, and have quotes, too.
    let text: String = expanded
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let strings_after = |marker: &str| -> Option<String> {
        let (_, rest) = text.split_once(marker)?;
        let (literals, _) = rest.split_once(';')?;
        Some(literals.split('"').skip(1).step_by(2).collect())
    };
    match (
        strings_after("ksrrs_full_version"),
        strings_after("ksrrs_compile_flags"),
    ) {
        (Some(version), Some(flags)) if !version.is_empty() => Ok(Strings { version, flags }),
        _ => Err(Failure::new(format!(
            "SER_FULL_VERSION and SER_COMPILE_FLAGS are not both defined by {}",
            ver_defs.display()
        ))),
    }
}

pub(crate) fn out_dir() -> PathBuf {
    env::var_os("OUT_DIR")
        .map(PathBuf::from)
        .unwrap_or_default()
}
