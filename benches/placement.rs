//! The processor on which each side runs.
//!
//! Left alone, the system moves a server next to its client or away from it as it
//! likes, and that matters more for the cost of a request than anything that is
//! measured here: waking a process on another processor is expensive, and on the same
//! one it is cheap. So the client has one processor, and all servers have another: the
//! C module's, ours and the echo alike.

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The first and the last processor that this program may use, or `None` if there is
/// only one.
fn ends_of(allowed: &CpuSet) -> Option<(usize, usize)> {
    let mut all = (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu));
    Some((all.next()?, all.next_back()?))
}

/// Keeps this program, which is the client, on the first processor until it is dropped,
/// so that servers which it starts later are free.
pub(crate) struct Client {
    allowed: CpuSet,
}

impl Client {
    /// Moves the client to the first processor, and the servers to the last.
    pub(crate) fn place(servers: impl IntoIterator<Item = Pid>) -> Self {
        let allowed = sched_getaffinity(None).expect("it can be asked");
        if let Some((first, last)) = ends_of(&allowed) {
            move_to(None, &only(first));
            for server in servers {
                move_to(Some(server), &only(last));
            }
        }
        Client { allowed }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        move_to(None, &self.allowed);
    }
}

fn only(cpu: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(cpu);
    set
}

fn move_to(pid: Option<Pid>, set: &CpuSet) {
    sched_setaffinity(pid, set).expect("processes of ours can be moved");
}
