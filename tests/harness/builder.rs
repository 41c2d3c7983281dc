//! Describing and starting a server.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::checker;
use crate::config::Setup;
use crate::modules::{self, Flavor};
use crate::server::{Directory, Server, free_port, short_directory};
use crate::wait;

/// The socket in the runtime directory at which `ctl` listens by default.
const DEFAULT_SOCKET: &str = "kamailio_ctl";

/// The description of a server, with which it is started.
#[derive(Clone, Debug)]
pub struct Builder {
    setup: Setup,
    directory: Option<PathBuf>,
    socket: &'static str,
    ready: Ready,
    shared_mib: u32,
    private_mib: u32,
    options: Vec<String>,
    descriptors: Option<u64>,
    launcher: Vec<String>,
    at_home: bool,
}

/// The sign that a server is up.
#[derive(Clone, Debug)]
enum Ready {
    /// All its processes report through the BINRPC socket that they are up.
    Asked,
    /// This text is in its log.
    Logged(String),
}

impl Builder {
    pub(crate) fn new(flavor: Flavor) -> Self {
        Self {
            setup: Setup {
                flavor,
                from_c: Vec::new(),
                modules: Vec::new(),
                core: String::new(),
                text: String::new(),
                files: Vec::new(),
                port: free_port(),
                tcp: false,
                debug: 2,
            },
            directory: None,
            socket: DEFAULT_SOCKET,
            ready: Ready::Asked,
            shared_mib: 64,
            private_mib: 16,
            options: Vec::new(),
            descriptors: None,
            launcher: Vec::new(),
            at_home: false,
        }
    }

    /// Loads these modules, in this order.
    #[must_use]
    pub fn modules<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.setup
            .modules
            .extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Loads the module in this file.
    #[must_use]
    pub fn module_file(mut self, file: &Path) -> Self {
        let name = file.with_extension("").display().to_string();
        self.setup.modules.push(name);
        self
    }

    /// Adds this to the configuration, behind the modules. `{dir}` stands for the
    /// server's directory, here and in [files](Self::file).
    #[must_use]
    pub fn config(mut self, text: &str) -> Self {
        self.setup.text.push_str(text);
        self.setup.text.push('\n');
        self
    }

    /// Adds this before the modules, which is where some of the core's parameters must
    /// be.
    #[must_use]
    pub fn core_config(mut self, text: &str) -> Self {
        self.setup.core.push_str(text);
        self.setup.core.push('\n');
        self
    }

    /// Puts a file into the server's directory.
    #[must_use]
    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.setup.files.push((name.to_owned(), content.to_owned()));
        self
    }

    /// Takes this module from the C modules, although we have one of the same name.
    #[must_use]
    pub fn from_c(mut self, module: &'static str) -> Self {
        self.setup.from_c.push(module);
        self
    }

    /// Makes the server listen for SIP over TCP, too.
    #[must_use]
    pub fn tcp(mut self) -> Self {
        self.setup.tcp = true;
        self
    }

    /// Makes the server listen for SIP on this port instead of a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.setup.port = port;
        self
    }

    /// Uses this directory, which the caller keeps, instead of a new one.
    #[must_use]
    pub fn directory(mut self, directory: &Path) -> Self {
        self.directory = Some(directory.to_owned());
        self
    }

    /// Expects the BINRPC socket under this name in the server's directory.
    #[must_use]
    pub fn socket(mut self, name: &'static str) -> Self {
        self.socket = name;
        self
    }

    /// Counts the server as started once its log has this text. Servers without `ctl`
    /// need it.
    #[must_use]
    pub fn ready_on_log(mut self, text: &str) -> Self {
        self.ready = Ready::Logged(text.to_owned());
        self
    }

    /// Logs up to this level; 2 includes the server's notices.
    #[must_use]
    pub fn debug(mut self, level: i32) -> Self {
        self.setup.debug = level;
        self
    }

    /// Gives this many MiB of shared memory to the server, and of private memory to
    /// each process.
    #[must_use]
    pub fn memory(mut self, shared_mib: u32, private_mib: u32) -> Self {
        self.shared_mib = shared_mib;
        self.private_mib = private_mib;
        self
    }

    /// Adds these to the server's command line.
    #[must_use]
    pub fn options<'a>(mut self, options: impl IntoIterator<Item = &'a str>) -> Self {
        self.options.extend(options.into_iter().map(str::to_owned));
        self
    }

    /// Permanently limits each of its processes to this many open descriptors.
    #[must_use]
    pub fn descriptors(mut self, count: u64) -> Self {
        self.descriptors = Some(count);
        self
    }

    /// Makes its directory its working directory instead of the root of the file
    /// system. Some commands write files into the working directory.
    #[must_use]
    pub fn at_home(mut self) -> Self {
        self.at_home = true;
        self
    }

    /// Starts the program through this command, such as `ip netns exec NAME`, which
    /// must replace itself with the program.
    #[must_use]
    pub fn launcher<'a>(mut self, words: impl IntoIterator<Item = &'a str>) -> Self {
        self.launcher.extend(words.into_iter().map(str::to_owned));
        self
    }

    /// Limits the address space of each process to this many KiB.
    #[must_use]
    pub fn address_space(self, kib: u64) -> Self {
        let limit = format!(r#"ulimit -v {kib} && exec "$0" "$@""#);
        self.launcher(["/bin/sh", "-c", &limit])
    }

    /// Starts it and waits until it is up.
    ///
    /// # Panics
    ///
    /// It does not start; the message contains its log.
    #[must_use]
    pub fn start(self) -> Server {
        match self.try_start() {
            Ok(server) => server,
            Err(ended) => panic!("the server ended at once; its log:\n{}", ended.log),
        }
    }

    /// As [`start`](Self::start), for servers that may end by themselves.
    ///
    /// # Errors
    ///
    /// The server has ended.
    ///
    /// # Panics
    ///
    /// It neither starts nor ends.
    pub fn try_start(self) -> Result<Server, Ended> {
        let mut server = self.spawn(&[]);
        let up = wait::for_some(|| {
            let ended = server.exit_status().is_some();
            (ended || self.ready.holds(&server)).then_some(!ended)
        });
        match up {
            Some(true) => Ok(server),
            Some(false) => Err(Ended::wait_for(server)),
            None => panic!("the server is not ready; its log:\n{}", server.log()),
        }
    }

    /// Starts a server that is expected to end by itself, and waits for that.
    ///
    /// # Panics
    ///
    /// It does not end.
    #[must_use]
    pub fn start_failing(self) -> Ended {
        Ended::wait_for(self.spawn(&[]))
    }

    /// Makes the server only check the configuration (`-c`).
    #[must_use]
    pub fn check(self) -> Ended {
        Ended::wait_for(self.spawn(&["-c"]))
    }

    fn spawn(&self, options: &[&str]) -> Server {
        let directory = match &self.directory {
            Some(kept) => Directory::Kept(kept.clone()),
            None => Directory::Own(short_directory()),
        };
        let config = self.setup.write(directory.path());
        let log = directory.path().join("log");
        let child = self
            .program()
            .arg("-f")
            .arg(config)
            .arg("-Y")
            .arg(directory.path())
            .args(["-m", &self.shared_mib.to_string()])
            .args(["-M", &self.private_mib.to_string()])
            .args(["-DD", "-E"])
            .args(self.at_home.then_some("-w"))
            .args(self.at_home.then_some(directory.path()))
            .args(&self.options)
            .args(options)
            .stdin(Stdio::null())
            .stdout(append_to(&log))
            .stderr(append_to(&log))
            // core.kill signals the whole group, and so does our clean-up.
            .process_group(0)
            .spawn()
            .expect("the server's program starts");
        Server::new(child, directory, self.socket, self.setup.port)
    }

    /// The command that starts the server's program with its limits.
    fn program(&self) -> Command {
        let mut words: Vec<OsString> = self.launcher.iter().map(OsString::from).collect();
        if let Some(descriptors) = self.descriptors {
            // The shell lowers its own limits and then becomes the server.
            let script = format!(r#"ulimit -n {descriptors} && exec "$0" "$@""#);
            words.extend(["/bin/sh", "-c", &script].map(OsString::from));
        }
        if self.setup.has_ours() {
            words.extend(checker::launcher());
        }
        words.push(modules::kamailio().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}

impl Ready {
    fn holds(&self, server: &Server) -> bool {
        match self {
            Self::Logged(text) => server.log().contains(text),
            Self::Asked => server.all_processes_started().unwrap_or(false),
        }
    }
}

/// A server that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status.
    pub status: ExitStatus,
    /// What it wrote to its log.
    pub log: String,
}

impl Ended {
    fn wait_for(mut server: Server) -> Self {
        let status = server.wait_exit();
        Self {
            status,
            log: server.log(),
        }
    }
}

fn append_to(file: &Path) -> File {
    File::options()
        .create(true)
        .append(true)
        .open(file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
