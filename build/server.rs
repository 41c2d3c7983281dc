//! The server that the modules are to be loaded by.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, Result, rerun_if_changed};

/// Where a server is looked for when it is not in PATH: these directories are
/// in root's, and often in nobody else's.
const SBIN: &[&str] = &["/usr/local/sbin", "/usr/sbin"];

/// The oldest series that is supported, as in `scripts/setup.sh`.
const OLDEST: &str = "5.6";

/// What a kamailio binary says about itself.
pub(crate) struct Server {
    pub(crate) binary: PathBuf,
    /// As in `5.6.3`.
    pub(crate) version: String,
    /// What its load check compares with a module's `module_version`, and a
    /// revision behind it in builds from git.
    pub(crate) full_version: String,
    /// What its load check compares with a module's `module_flags`.
    pub(crate) compile_flags: String,
}

impl Server {
    /// The one that KAMAILIO_BIN names, else the one in PATH.
    pub(crate) fn installed(root: &Path) -> Result<Option<Self>> {
        if let Some(named) = Self::named(root)? {
            return Ok(Some(named));
        }
        find_program(OsStr::new("kamailio"), root)
            .map(Self::ask)
            .transpose()
    }

    /// The one that KAMAILIO_BIN names.
    fn named(root: &Path) -> Result<Option<Self>> {
        let Some(name) = env::var_os("KAMAILIO_BIN").filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        let binary = find_program(&name, root).ok_or_else(|| {
            Failure::new(format!(
                "KAMAILIO_BIN={} is no program",
                Path::new(&name).display()
            ))
        })?;
        Self::ask(binary).map(Some)
    }

    /// The one that was built in one of these places, or that KAMAILIO_BIN names.
    /// What else is installed has nothing to do with the sources there.
    pub(crate) fn of_tree(built: &[PathBuf], root: &Path) -> Result<Option<Self>> {
        if let Some(named) = Self::named(root)? {
            return Ok(Some(named));
        }
        let built = built.iter().find(|binary| binary.is_file());
        built.cloned().map(Self::ask).transpose()
    }

    fn ask(binary: PathBuf) -> Result<Self> {
        // An upgraded server wants modules built anew.
        rerun_if_changed(&binary);
        let output = Command::new(&binary)
            .arg("-V")
            .output()
            .map_err(|error| Failure::io("cannot run", &binary, &error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let (Some(full_version), Some(compile_flags)) = (line("version: "), line("flags: ")) else {
            return Err(Failure::new(format!(
                "`{} -V` does not answer as Kamailio does ({}):\n{text}{}",
                binary.display(),
                output.status,
                String::from_utf8_lossy(&output.stderr)
            )));
        };
        // "kamailio 5.6.3 (x86_64/linux)", and a revision in builds from git.
        let version = full_version.split_whitespace().nth(1).unwrap_or_default();
        check_age(version, &binary)?;
        Ok(Self {
            version: version.to_owned(),
            full_version: full_version.trim().to_owned(),
            compile_flags: checked_flags(&binary, compile_flags.trim())?,
            binary,
        })
    }
}

/// Complains of a Kamailio that is too old, be it a server or sources.
pub(crate) fn check_age(version: &str, place: &Path) -> Result<()> {
    let series = |version: &str| -> Vec<u32> {
        let numbers = version.split('.').take(2);
        numbers.map_while(|number| number.parse().ok()).collect()
    };
    if series(version) >= series(OLDEST) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} is Kamailio {version}, and the oldest that these modules can be built for is {OLDEST}.",
        place.display()
    )))
}

/// A program by its name or by its path, as a shell finds it.
fn find_program(name: &OsStr, root: &Path) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 {
        return Some(root.join(name)).filter(|binary| binary.is_file());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SBIN.iter().map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

/// The flags that the load check of a server compares, which are not always
/// those that `-V` prints: from 6.1 on the file that the printed ones come from
/// includes the memory managers' headers, and these define three flags more. The
/// program holds both strings, and the one that is not printed is the check's.
fn checked_flags(binary: &Path, printed: &str) -> Result<String> {
    let program = fs::read(binary).map_err(|error| Failure::io("cannot read", binary, &error))?;
    // The flags stand in a fixed order, so all such strings start alike.
    let start: String = printed.split_inclusive(',').take(2).collect();
    let strings: BTreeSet<&str> = program
        .split(|byte| *byte == 0)
        .filter(|bytes| bytes.starts_with(start.as_bytes()))
        .filter_map(|bytes| std::str::from_utf8(bytes).ok())
        .map(str::trim)
        .collect();
    let unprinted = strings.into_iter().find(|flags| *flags != printed);
    Ok(unprinted.unwrap_or(printed).to_owned())
}
