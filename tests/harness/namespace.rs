//! Two hosts on one machine, which are network namespaces joined by a cable that can be
//! cut.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::fd::AsFd;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The two hosts. Dropping this removes them.
#[derive(Debug)]
pub struct Hosts {
    here: String,
    there: String,
}

impl Hosts {
    /// The address of the server's host.
    pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    /// The address of the client's host.
    pub const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    /// Makes two new hosts that reach each other. It returns `None` for a user who may
    /// not make any, which is everybody but root.
    ///
    /// # Panics
    ///
    /// Root cannot make them.
    #[must_use]
    pub fn create() -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |side| format!("ksr{side}{}-{number}", std::process::id());
        let hosts = Self {
            here: name('a'),
            there: name('b'),
        };
        let Self { here, there } = &hosts;
        ip(&format!("netns add {here}"));
        ip(&format!("netns add {there}"));
        ip(&format!(
            "-n {here} link add cable type veth peer name cable netns {there}"
        ));
        for (host, address) in [(here, Self::HERE), (there, Self::THERE)] {
            ip(&format!("-n {host} address add {address}/24 dev cable"));
            ip(&format!("-n {host} link set lo up"));
            ip(&format!("-n {host} link set cable up"));
        }
        Some(hosts)
    }

    /// The command that starts a program on the server's host. The program's name
    /// follows it.
    #[must_use]
    pub fn here(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.here]
    }

    /// Runs `work` on the client's host. Sockets that it makes stay there.
    ///
    /// # Panics
    ///
    /// It panics if `work` does.
    pub fn there<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let host = File::open(format!("/run/netns/{}", self.there)).expect("our host");
                let network = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(host.as_fd(), network).expect("root may go there");
                work()
            });
            worker.join().expect("it has said why it failed")
        })
    }

    /// Cuts the cable, so that nothing from the client's host arrives any more.
    ///
    /// # Panics
    ///
    /// This never happens, because root may do it.
    pub fn cut(&self) {
        let Self { there, .. } = self;
        ip(&format!("-n {there} route add blackhole {}/32", Self::HERE));
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in [&self.here, &self.there] {
            // A second panic about the rest of it would help nobody.
            let _ = Command::new("ip").args(["netns", "delete", host]).status();
        }
    }
}

fn ip(arguments: &str) {
    let status = Command::new("ip")
        .args(arguments.split(' '))
        .status()
        .expect("iproute2 is installed");
    assert!(status.success(), "ip {arguments} fails");
}
