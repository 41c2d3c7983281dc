//! Two hosts on one machine: network namespaces joined by a cable that can be
//! cut.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::fd::AsFd;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The two hosts; dropping this removes them.
#[derive(Debug)]
pub struct Hosts {
    here: String,
    there: String,
}

impl Hosts {
    /// Where the server is to be.
    pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    /// Where the client is to be.
    pub const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));

    /// Two new hosts that reach each other, or `None` for a user who may not
    /// make any, which is everybody but root.
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

    /// What starts a program on the server's host, to be put before its name.
    #[must_use]
    pub fn here(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.here]
    }

    /// Does something on the client's host. Sockets that it makes stay there.
    ///
    /// # Panics
    ///
    /// As `work` does.
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

    /// Nothing that the client's host sends arrives any more.
    ///
    /// # Panics
    ///
    /// Never: root may do that.
    pub fn cut(&self) {
        let Self { there, .. } = self;
        ip(&format!("-n {there} route add blackhole {}/32", Self::HERE));
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in [&self.here, &self.there] {
            // What is left of it is not worth a second panic.
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
