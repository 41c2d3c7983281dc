//! The headers and compile flags of the Kamailio that the modules are built for.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::server::Server;
use crate::{Failure, Result, files_below, rerun_if_changed};

/// A configured source tree.
pub(crate) struct Kamailio {
    /// The top of the tree.
    pub(crate) tree: PathBuf,
    /// As in `5.6.3`.
    pub(crate) version: String,
    /// The compiler flags, `-D` and `-U` only, that the server was built with.
    pub(crate) defines: Vec<String>,
    /// What the core compares with a module's `module_version`.
    pub(crate) full_version: String,
    /// What the core compares with a module's `module_flags`.
    pub(crate) compile_flags: String,
    /// The text of the core's headers.
    headers: String,
}

impl Kamailio {
    /// Finds the tree, and makes sure that the server will accept what is built
    /// from it.
    pub(crate) fn find(root: &Path) -> Result<Self> {
        println!("cargo::rerun-if-env-changed=KAMAILIO_SRC");
        println!("cargo::rerun-if-env-changed=KAMAILIO_BIN");

        let named = env::var_os("KAMAILIO_SRC").filter(|path| !path.is_empty());
        let (tree, server) = match named {
            Some(path) => {
                // A relative path is meant from where make is called.
                let tree = root.join(path);
                let server = Server::of_tree(&tree, root)?;
                (tree, server)
            }
            None => {
                let server = Server::installed(root)?.ok_or_else(|| {
                    Failure::new(
                        "there is no `kamailio` whose headers could be used.\n\
                         Install Kamailio and fetch its headers:\n\
                         \n    make setup headers\n\
                         \nor name a source tree that is configured:\n\
                         \n    export KAMAILIO_SRC=<tree>",
                    )
                })?;
                (
                    root.join(format!(".deps/kamailio-{}", server.version)),
                    Some(server),
                )
            }
        };

        let kamailio = Self::read(tree)?;
        match server {
            Some(server) => kamailio.compare_with(&server)?,
            None => println!(
                "cargo::warning=no kamailio {} is here to compare compile flags with; \
                 KAMAILIO_BIN=<its binary> names one",
                kamailio.version
            ),
        }
        Ok(kamailio)
    }

    fn read(tree: PathBuf) -> Result<Self> {
        if !tree.join("src/core/ver_defs.h").is_file() {
            return Err(Failure::new(format!(
                "Kamailio's headers are not in {}.\n\
                 Fetch those of the installed Kamailio:\n\
                 \n    make headers\n\
                 \nor name a source tree:\n\
                 \n    export KAMAILIO_SRC=<tree>",
                tree.display()
            )));
        }
        let config = tree.join("src/config.mak");
        if !config.is_file() {
            return Err(Failure::new(format!(
                "{} is missing: the source tree is not configured.\n\
                 Configure it:\n\
                 \n    make -C {} FLAVOUR=kamailio cfg",
                config.display(),
                tree.display()
            )));
        }
        rerun_if_changed(&config);

        let text = fs::read_to_string(&config)
            .map_err(|error| Failure::io("cannot read", &config, &error))?;
        let defines = defines(&text);
        let version = defines
            .iter()
            .find_map(|flag| flag.strip_prefix("-DVERSION="))
            .map(|value| value.trim_matches('"').to_owned())
            .ok_or_else(|| {
                Failure::new(format!(
                    "{} names no version in its C_DEFS.\n\
                     Configure the tree anew:\n\
                     \n    make -C {} FLAVOUR=kamailio cfg",
                    config.display(),
                    tree.display()
                ))
            })?;

        let mut kamailio = Self {
            tree,
            version,
            defines,
            full_version: String::new(),
            compile_flags: String::new(),
            headers: String::new(),
        };
        kamailio.expand_version_strings()?;
        for file in files_below(&kamailio.tree.join("src/core"), "h")? {
            // Some of them have names of people in other encodings.
            let bytes =
                fs::read(&file).map_err(|error| Failure::io("cannot read", &file, &error))?;
            kamailio.headers.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok(kamailio)
    }

    /// Whether a header of the core has this name in it.
    pub(crate) fn declares(&self, symbol: &str) -> bool {
        let in_name = |character: char| character.is_alphanumeric() || character == '_';
        self.headers.match_indices(symbol).any(|(at, _)| {
            let before = self.headers[..at].chars().next_back();
            let after = self.headers[at + symbol.len()..].chars().next();
            !before.is_some_and(in_name) && !after.is_some_and(in_name)
        })
    }

    /// As system headers, so that their warnings are not ours. `core` itself
    /// comes after the system's directories, for it has names of theirs, such
    /// as `error.h`.
    pub(crate) fn include_flags(&self) -> Vec<String> {
        let src = self.tree.join("src");
        let core = src.join("core");
        vec![
            format!("-isystem{}", src.display()),
            format!("-idirafter{}", core.display()),
        ]
    }

    /// Has the preprocessor say which strings a module carries. Nothing is run,
    /// so this works for another machine's Kamailio as well.
    fn expand_version_strings(&mut self) -> Result<()> {
        const PROBE: &str = "#include \"core/ver_defs.h\"\n\
                             ksrrs_full_version SER_FULL_VERSION;\n\
                             ksrrs_compile_flags SER_COMPILE_FLAGS;\n";
        let out_dir = env::var_os("OUT_DIR")
            .map(PathBuf::from)
            .unwrap_or_default();
        let file = out_dir.join("version_probe.c");
        fs::write(&file, PROBE).map_err(|error| Failure::io("cannot write", &file, &error))?;

        let mut build = cc::Build::new();
        build.cargo_metadata(false).file(&file);
        for flag in self.include_flags().iter().chain(&self.defines) {
            build.flag(flag);
        }
        let expanded = build.try_expand().map_err(|error| {
            Failure::new(format!(
                "cannot preprocess {}: {error}\n\
                 If there is no C compiler, install one:\n\
                 \n    make setup",
                self.tree.join("src/core/ver_defs.h").display()
            ))
        })?;
        let expanded = String::from_utf8_lossy(&expanded);
        // Lines with `#` say where text came from; they have quotes too.
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
            (Some(full_version), Some(flags)) if !full_version.is_empty() => {
                self.full_version = full_version;
                self.compile_flags = flags;
                Ok(())
            }
            _ => Err(Failure::new(format!(
                "SER_FULL_VERSION and SER_COMPILE_FLAGS are not both defined by {}",
                self.tree.join("src/core/ver_defs.h").display()
            ))),
        }
    }

    /// The core refuses a module whose strings are not exactly its own, and
    /// structures differ with the flags: better now than when it is loaded.
    fn compare_with(&self, server: &Server) -> Result<()> {
        let tree = self.tree.display();
        let binary = server.binary.display();
        if !is_prefix_word(&self.full_version, &server.full_version) {
            return Err(Failure::new(format!(
                "the headers are of another version than the server.\n\
                 \n    {tree}: {}\n    {binary}: {}\n\
                 \nKAMAILIO_SRC names the headers to use, KAMAILIO_BIN the server to compare with.",
                self.full_version, server.full_version
            )));
        }

        let ours = flag_set(&self.compile_flags);
        let theirs = flag_set(&server.compile_flags);
        let mut differences = String::new();
        for flag in theirs.difference(&ours) {
            differences.push_str(&format!(
                "    {flag}: the server has it, the headers have not\n"
            ));
        }
        for flag in ours.difference(&theirs) {
            differences.push_str(&format!(
                "    {flag}: the headers have it, the server has not\n"
            ));
        }
        if differences.is_empty() && self.compile_flags.trim() != server.compile_flags.trim() {
            differences = format!(
                "    the server says: {}\n    the headers say: {}\n",
                server.compile_flags, self.compile_flags
            );
        }
        if differences.is_empty() {
            return Ok(());
        }
        // Whether this one is set can depend on OpenSSL's headers being here.
        let openssl = "TLS_PTHREAD_MUTEX_SHARED";
        let option = if theirs.contains(openssl) && !ours.contains(openssl) {
            " LIBSSL_SET_MUTEX_SHARED=1"
        } else {
            ""
        };
        Err(Failure::new(format!(
            "compile flags differ between the server and the headers, and the server loads no\n\
             module that was built with other flags than its own:\n\
             \n{differences}\
             \nThe server is {binary}, the headers are in {tree}.\n\
             Configure the headers as the server was built, for most with\n\
             \n    make -C {tree} FLAVOUR=kamailio{option} cfg"
        )))
    }
}

/// The `-D` and `-U` words that the tree's makefiles give the compiler.
fn defines(config: &str) -> Vec<String> {
    let removed = shell_words(make_variable(config, "DEFS_RM").unwrap_or_default());
    ["C_DEFS", "CC_PMUTEX_OPTS"]
        .iter()
        .filter_map(|name| make_variable(config, name))
        .flat_map(shell_words)
        .filter(|word| word.starts_with("-D") || word.starts_with("-U"))
        .filter(|word| !removed.contains(word))
        .collect()
}

/// The value of the first assignment `NAME= value`. Later ones in the file are
/// expressions over it.
fn make_variable<'a>(config: &'a str, name: &str) -> Option<&'a str> {
    config
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(str::trim)
}

/// Splits as a shell would and takes the quotes off: values in config.mak are
/// written for one, `-DNAME='"kamailio"'`.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (Some('\''), _) => word.get_or_insert_default().push(character),
            (_, '\\') => word.get_or_insert_default().extend(characters.next()),
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

fn flag_set(flags: &str) -> BTreeSet<&str> {
    let mut set = BTreeSet::new();
    for flag in flags
        .split(',')
        .map(str::trim)
        .filter(|flag| !flag.is_empty())
    {
        // Kamailio writes no comma between these two.
        match flag.strip_prefix("EXTRA_DEBUG") {
            Some(next) if !next.is_empty() => set.extend(["EXTRA_DEBUG", next]),
            _ => {
                set.insert(flag);
            }
        }
    }
    set
}

/// Whether `whole` is `start`, or `start` and a blank and more.
fn is_prefix_word(start: &str, whole: &str) -> bool {
    whole
        .strip_prefix(start)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}
