//! Kamailio's sources, and the ways to configure them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::kamailio::out_dir;
use crate::{Failure, Result, configure, definitions};

/// The sources that were asked for.
pub(crate) struct Source {
    /// The path that was given, which is a source tree or CMake's build directory.
    pub(crate) named: PathBuf,
    /// The top of the source tree.
    pub(crate) tree: PathBuf,
    /// CMake's build directory, if that was given.
    build: Option<PathBuf>,
}

/// A source of the definitions with which a server is built.
pub(crate) enum Configuration {
    /// The `config.mak` of a tree that was configured with `make cfg`.
    Make(PathBuf),
    /// The `compile_commands.json` in a build directory of CMake's.
    CMake(PathBuf),
    /// A run of `make cfg` in another directory.
    NewMake { mutex_shared: bool },
    /// A run of CMake in another directory.
    NewCMake,
}

impl Source {
    pub(crate) fn at(named: &Path) -> Result<Self> {
        let cache = named.join("CMakeCache.txt");
        let source = if cache.is_file() {
            Self {
                named: named.to_owned(),
                tree: cmake_home(&cache)?,
                build: Some(named.to_owned()),
            }
        } else {
            Self {
                named: named.to_owned(),
                tree: named.to_owned(),
                build: None,
            }
        };
        if source.tree.join("src/core/ver_defs.h").is_file() {
            return Ok(source);
        }
        Err(Failure::new(format!(
            "Kamailio's headers are not in {}.\n\
             Fetch those of the installed Kamailio:\n\
             \n    make headers\n\
             \nor name the sources of another, or where CMake has built it:\n\
             \n    export KAMAILIO_SRC=<directory>",
            source.tree.display()
        )))
    }

    /// The paths at which a server that was built from these sources may be.
    pub(crate) fn servers(&self) -> Vec<PathBuf> {
        match &self.build {
            Some(build) => vec![build.join("src/kamailio")],
            None => ["src/kamailio", "build/src/kamailio"]
                .map(|server| self.tree.join(server))
                .to_vec(),
        }
    }

    /// All sources of definitions. Those that somebody has configured come first. Each
    /// is only used if those before it do not match the server.
    pub(crate) fn configurations(
        &self,
        mutex_shared: bool,
    ) -> impl Iterator<Item = Configuration> + use<> {
        let mut found = Vec::new();
        if let Some(build) = &self.build {
            found.push(Configuration::CMake(build.join("compile_commands.json")));
            return found.into_iter();
        }
        let config = self.tree.join("src/config.mak");
        if config.is_file() {
            found.push(Configuration::Make(config));
        }
        let commands = self.tree.join("build/compile_commands.json");
        if commands.is_file() {
            found.push(Configuration::CMake(commands));
        }
        if self.tree.join("src/Makefile").is_file() {
            found.push(Configuration::NewMake { mutex_shared });
        }
        if self.has_cmake_files() && configure::has_cmake() {
            found.push(Configuration::NewCMake);
        }
        found.into_iter()
    }

    /// Whether the server may have been built with CMake, which is not here to be run.
    pub(crate) fn lacks_cmake(&self) -> bool {
        self.build.is_none() && self.has_cmake_files() && !configure::has_cmake()
    }

    fn has_cmake_files(&self) -> bool {
        self.tree.join("CMakeLists.txt").is_file()
    }

    /// The failure for sources without a configuration.
    pub(crate) fn unconfigurable(&self) -> Failure {
        Failure::new(format!(
            "{} is no complete source tree of Kamailio: it is not configured, and src/Makefile is \
             missing.\n\
             Unpack the sources anew, and name them:\n\
             \n    export KAMAILIO_SRC=<directory>",
            self.tree.display()
        ))
    }
}

impl Configuration {
    pub(crate) fn definitions(&self, tree: &Path) -> Result<Vec<String>> {
        match self {
            Self::Make(config) => definitions::of_make(config),
            Self::CMake(commands) if commands.is_file() => definitions::of_cmake(commands),
            Self::CMake(commands) => Err(unwritten(commands)),
            Self::NewMake { mutex_shared } => {
                definitions::of_make(&configure::with_make(tree, &out_dir(), *mutex_shared)?)
            }
            Self::NewCMake => definitions::of_cmake(&configure::with_cmake(tree, &out_dir())?),
        }
    }
}

/// The source tree to which a build directory of CMake's belongs.
fn cmake_home(cache: &Path) -> Result<PathBuf> {
    let text =
        fs::read_to_string(cache).map_err(|error| Failure::io("cannot read", cache, &error))?;
    let home = text
        .lines()
        .find_map(|line| line.strip_prefix("CMAKE_HOME_DIRECTORY:INTERNAL="));
    home.map(PathBuf::from)
        .ok_or_else(|| Failure::new(format!("{} names no source tree", cache.display())))
}

/// The failure for missing commands, which CMake only writes if it is told to.
fn unwritten(commands: &Path) -> Failure {
    let build = commands.parent().unwrap_or(commands).display().to_string();
    Failure::new(format!(
        "{} is missing, which tells how Kamailio is compiled.\n\
         Have CMake write it; nothing is built anew for that:\n\
         \n    cmake -DCMAKE_EXPORT_COMPILE_COMMANDS=ON '{build}'",
        commands.display()
    ))
}
