//! The server that will load the modules.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Failure, Result, rerun_if_changed};

/// The directories that are searched for a server if it is not in PATH. They are in
/// root's PATH, but often not in those of other users.
const SBIN: &[&str] = &["/usr/local/sbin", "/usr/sbin"];

/// The oldest supported series. The scripts read it from this line.
const OLDEST: &str = "5.6";

/// What a kamailio binary tells about itself.
pub(crate) struct Server {
    pub(crate) binary: PathBuf,
    /// The version, such as `5.6.3`.
    pub(crate) version: String,
    /// The string that its load check compares with a module's `module_version`. Builds
    /// from git have a revision behind it.
    pub(crate) full_version: String,
    /// The string that its load check compares with a module's `module_flags`.
    pub(crate) compile_flags: String,
}

impl Server {
    /// The server that KAMAILIO_BIN names, or else the one in PATH.
    pub(crate) fn installed(root: &Path) -> Result<Option<Self>> {
        if let Some(named) = Self::named(root)? {
            return Ok(Some(named));
        }
        find_program(OsStr::new("kamailio"), root)
            .map(Self::ask)
            .transpose()
    }

    /// The server that KAMAILIO_BIN names.
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

    /// The server that was built at one of these paths, or that KAMAILIO_BIN names. Any
    /// other server that is installed has nothing to do with these sources.
    pub(crate) fn of_tree(built: &[PathBuf], root: &Path) -> Result<Option<Self>> {
        if let Some(named) = Self::named(root)? {
            return Ok(Some(named));
        }
        let built = built.iter().find(|binary| binary.is_file());
        built.cloned().map(Self::ask).transpose()
    }

    fn ask(binary: PathBuf) -> Result<Self> {
        // Modules must be built anew after the server is upgraded.
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
        // The text is "kamailio 5.6.3 (x86_64/linux)", with a revision in builds from
        // git.
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

/// Refuses a Kamailio that is too old, whether a server or sources.
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

/// Finds a program by its name or by its path, as a shell does.
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

/// The flags that the load check of a server compares. They are not always those that
/// `-V` prints: from 6.1 on the file with the printed ones includes the memory
/// managers' headers, which define three more flags. The program contains both strings,
/// and the one that is not printed is that of the check.
fn checked_flags(binary: &Path, printed: &str) -> Result<String> {
    let program = fs::read(binary).map_err(|error| Failure::io("cannot read", binary, &error))?;
    // The flags have a fixed order, so all such strings start alike.
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
