//! The handler processes of a module, from its start to its end.

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

/// Places to listen and who serves them.
#[derive(Debug)]
pub struct Group {
    /// What the processes are called in `core.psx`.
    pub name: &'static CStr,
    /// How many share the endpoints.
    pub processes: u32,
    /// Where they listen.
    pub endpoints: Vec<Endpoint>,
    /// The mode, the user and the group of their files.
    pub owner: Owner,
}

/// A parameter that says how many processes there shall be.
///
/// # Errors
/// They are fewer than `least`, or more than anybody has use for.
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

/// The handlers of a module; a module has one of these in a static and calls
/// it from its hooks.
#[derive(Debug)]
pub struct Handlers {
    /// Open sockets, until the process that serves them takes them.
    open: Mutex<Vec<OpenGroup>>,
    /// Where this process or its handlers listen; empty in all others.
    endpoints: Mutex<Vec<Arc<Endpoint>>>,
    /// In the main process, which removes them.
    files: Mutex<Files>,
    /// True in the main process while it forks a handler, and so in the
    /// handler.
    is_forking: AtomicBool,
}

#[derive(Debug)]
struct OpenGroup {
    name: &'static CStr,
    processes: u32,
    listeners: Listeners,
}

impl Handlers {
    /// None yet.
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

    /// For the module's `init`: opens all endpoints and tells the core of the
    /// processes.
    ///
    /// # Errors
    /// A place cannot be opened, or the core takes no more processes.
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

    /// For the module's `child_init`: forks the handlers in the main process,
    /// and closes in all others what belongs to the handlers. Each handler
    /// serves with what `service` makes.
    ///
    /// # Errors
    /// A process cannot be forked.
    pub fn child_init(&self, rank: Rank, service: fn() -> Box<dyn Service>) -> Result<(), Error> {
        match rank {
            Rank::Init => Ok(()),
            Rank::Main => self.fork_all(service),
            // Our own handler, on its way to `serve`.
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
        // Taken out, for no lock may be held while a process is forked.
        let mut groups = std::mem::take(&mut *self.open.lock());
        self.is_forking.store(true, Relaxed);
        let forked = (0..groups.len()).try_for_each(|index| {
            (0..groups[index].processes).try_for_each(|number| {
                process::fork_handler(groups[index].name, || {
                    let mut mine = groups.swap_remove(index);
                    groups.clear();
                    self.files.lock().forget();
                    if number > 0 {
                        // One of them makes files again. The socket that it makes
                        // is its own: the others cannot be given it any more.
                        mine.listeners.remaker = None;
                    }
                    serve(mine.listeners, mine.processes > 1, &mut *service())
                })
            })
        });
        self.is_forking.store(false, Relaxed);
        forked
    }

    /// For the module's `destroy`: removes the files.
    pub fn destroy(&self) {
        self.files.lock().remove();
    }

    /// Where this module listens, told by its handlers and the main process.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.endpoints.lock().clone()
    }
}
