//! The handler processes of a module, from their start to their end.

use std::ffi::CStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use kamailio_core::Error;
use kamailio_core::process::{self, Rank};
use parking_lot::Mutex;

use crate::event_loop::serve;
use crate::limits;
use crate::listen::{Endpoint, Files, Listeners, Owner};
use crate::service::Service;

/// Endpoints, and the processes that serve them.
#[derive(Debug)]
pub struct Group {
    /// The name of the processes in `core.psx`.
    pub name: &'static CStr,
    /// The number of processes that share the endpoints.
    pub processes: u32,
    /// The endpoints at which they listen.
    pub endpoints: Vec<Endpoint>,
    /// The mode, the user and the group of their files.
    pub owner: Owner,
}

/// Checks a parameter that sets the number of processes.
///
/// # Errors
/// There are fewer than `least`, or more than anybody could use.
pub fn process_count(wanted: i32, least: u32) -> Result<u32, Error> {
    let most = limits::PROCESSES;
    u32::try_from(wanted)
        .ok()
        .filter(|count| (least..=most).contains(count))
        .ok_or_else(|| {
            Error::new(format!(
                "{wanted} is no number of processes, which is from {least} to {most}"
            ))
        })
}

/// The handlers of a module. The module has one of these in a static and calls it from
/// its hooks.
#[derive(Debug)]
pub struct Handlers {
    /// The open sockets, until the process that serves them takes them.
    open: Mutex<Vec<OpenGroup>>,
    /// The endpoints of this process or its handlers. They are empty in all others.
    endpoints: Mutex<Vec<Arc<Endpoint>>>,
    /// The files, in the main process, which removes them.
    files: Mutex<Files>,
    /// Whether the main process is forking a handler. The handler inherits this.
    is_forking: AtomicBool,
}

#[derive(Debug)]
struct OpenGroup {
    name: &'static CStr,
    processes: u32,
    listeners: Listeners,
}

impl Handlers {
    /// No handlers yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "made once, in a static")]
    pub const fn new() -> Self {
        Handlers {
            open: Mutex::new(Vec::new()),
            endpoints: Mutex::new(Vec::new()),
            files: Mutex::new(Files::none()),
            is_forking: AtomicBool::new(false),
        }
    }

    /// Opens all endpoints and announces the processes to the core. The module's `init`
    /// must call it.
    ///
    /// # Errors
    /// An endpoint cannot be opened, or the core takes no more processes.
    pub fn open(&self, groups: Vec<Group>) -> Result<(), Error> {
        for group in groups {
            let (listeners, files) = Listeners::open(group.endpoints, group.owner)?;
            self.files.lock().append(files);
            process::announce(group.processes, listeners.descriptors())?;
            self.endpoints.lock().extend(listeners.endpoints());
            self.open.lock().push(OpenGroup {
                name: group.name,
                processes: group.processes,
                listeners,
            });
        }
        Ok(())
    }

    /// Forks the handlers in the main process, and closes in all others what belongs to
    /// the handlers. The module's `child_init` must call it. Each handler serves with
    /// what `service` makes.
    ///
    /// # Errors
    /// A process cannot be forked.
    pub fn child_init(&self, rank: Rank, service: fn() -> Box<dyn Service>) -> Result<(), Error> {
        match rank {
            Rank::Init => Ok(()),
            Rank::Main => self.fork_all(service),
            // This is our own handler, on its way to `serve`.
            Rank::Rpc if self.is_forking.load(Relaxed) => Ok(()),
            _ => {
                self.open.lock().clear();
                self.endpoints.lock().clear();
                self.files.lock().forget();
                Ok(())
            }
        }
    }

    fn fork_all(&self, service: fn() -> Box<dyn Service>) -> Result<(), Error> {
        // The groups are taken out, because no lock may be held while a process is
        // forked.
        let mut groups = std::mem::take(&mut *self.open.lock());
        self.is_forking.store(true, Relaxed);
        let forked = (0..groups.len()).try_for_each(|index| {
            (0..groups[index].processes).try_for_each(|number| {
                process::fork_handler(groups[index].name, || {
                    let mut mine = groups.swap_remove(index);
                    groups.clear();
                    self.files.lock().forget();
                    if number > 0 {
                        // Only one process recreates files. A socket that it recreates
                        // is its own, because the others cannot get it any more.
                        mine.listeners.remaker = None;
                    }
                    serve(mine.listeners, mine.processes > 1, &mut *service())
                })
            })
        });
        self.is_forking.store(false, Relaxed);
        forked
    }

    /// Removes the files. The module's `destroy` must call it.
    pub fn destroy(&self) {
        self.files.lock().remove();
    }

    /// The endpoints of this module, in its handlers and the main process.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.endpoints.lock().clone()
    }
}
