//! What a server is started with: its configuration and the files that belong to it.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::modules::{self, Flavor};

/// The word in configurations and files that stands for the server's directory.
const DIRECTORY: &str = "{dir}";

/// The configuration of a server. [`crate::builder::Builder`] makes it.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) flavor: Flavor,
    pub(crate) from_c: Vec<&'static str>,
    pub(crate) modules: Vec<String>,
    pub(crate) core: String,
    pub(crate) text: String,
    pub(crate) files: Vec<(String, String)>,
    pub(crate) port: u16,
    pub(crate) tcp: bool,
    pub(crate) debug: i32,
}

impl Setup {
    /// Whether one of the modules is ours. An example is named by its file.
    pub(crate) fn has_ours(&self) -> bool {
        self.flavor == Flavor::Rust || self.modules.iter().any(|name| name.starts_with('/'))
    }

    /// Writes everything into `directory`, and returns the path of the configuration.
    pub(crate) fn write(&self, directory: &Path) -> PathBuf {
        for (name, content) in &self.files {
            let file = directory.join(name);
            let parent = file.parent().expect("a file below the directory");
            must(fs::create_dir_all(parent), parent);
            must(fs::write(&file, self.in_place(content, directory)), &file);
        }
        let config = directory.join("kamailio.cfg");
        must(fs::write(&config, self.config(directory)), &config);
        config
    }

    fn config(&self, directory: &Path) -> String {
        let mut config = String::from("#!KAMAILIO\n");
        self.put_core(&mut config);
        put(&mut config, format_args!("{}", self.core));
        let path = self.module_path(directory);
        put(&mut config, format_args!("mpath=\"{path}\""));
        for module in &self.modules {
            put(&mut config, format_args!("loadmodule \"{module}.so\""));
        }
        put(
            &mut config,
            format_args!("{}", self.in_place(&self.text, directory)),
        );
        if !self.text.contains("request_route") {
            put(&mut config, format_args!("request_route {{ exit; }}"));
        }
        config
    }

    /// There is one worker, so that everything happens in one order, and nothing that
    /// queries the network.
    fn put_core(&self, config: &mut String) {
        let port = self.port;
        for line in [
            "log_stderror=yes",
            "children=1",
            "tcp_children=1",
            "auto_aliases=no",
            "disable_core_dump=yes",
            "dns=no",
            "rev_dns=no",
            "dns_servers_no=0",
        ] {
            put(config, format_args!("{line}"));
        }
        put(config, format_args!("debug={}", self.debug));
        put(config, format_args!("listen=udp:127.0.0.1:{port}"));
        match self.tcp {
            true => put(config, format_args!("listen=tcp:127.0.0.1:{port}")),
            false => put(config, format_args!("disable_tcp=yes")),
        }
    }

    fn module_path(&self, directory: &Path) -> String {
        let c = modules::c_modules();
        match self.flavor {
            Flavor::C => c.display().to_string(),
            Flavor::Rust => format!("{}:{}", self.link_ours(directory).display(), c.display()),
        }
    }

    /// A directory with links to those of our modules that this server loads.
    fn link_ours(&self, directory: &Path) -> PathBuf {
        let links = directory.join("modules");
        // It exists already if a server is started again in the same directory.
        let _ = fs::remove_dir_all(&links);
        must(fs::create_dir(&links), &links);
        for name in modules::ours() {
            if self.from_c.contains(&name.as_str()) {
                continue;
            }
            let file = format!("{name}.so");
            let link = links.join(&file);
            must(symlink(modules::our_modules().join(&file), &link), &link);
        }
        links
    }

    fn in_place(&self, text: &str, directory: &Path) -> String {
        text.replace(DIRECTORY, &directory.display().to_string())
    }
}

fn put(config: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(config, "{line}").expect("a String takes everything");
}

fn must(result: std::io::Result<()>, path: &Path) {
    result.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
