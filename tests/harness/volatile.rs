//! The values in answers that differ between two starts of a server.
//!
//! Each entry must have its reason. A test fails if an entry no longer matches
//! anything.

use rpc_wire::binrpc::client::Node;

/// A value, or several, in the answers to a command.
#[derive(Debug)]
pub struct Volatile {
    /// The command.
    pub method: &'static str,
    /// The path to the value, from the outermost to the innermost part, separated by
    /// `/`: the name of a member, `*` for every member or value, `{}` for every struct,
    /// `0%2` for every second value from the first, `abc*` for every member whose name
    /// and every text that starts with `abc`.
    pub path: &'static str,
    /// The reason why it differs.
    pub why: &'static str,
}

/// The volatile values in the answers to `method`.
#[must_use]
pub fn of(method: &str) -> Vec<&'static Volatile> {
    TABLE
        .iter()
        .chain(LATER_TABLE)
        .filter(|entry| entry.method == method)
        .collect()
}

const PROCESS: &str = "process ids";
const CLOCK: &str = "the time of day, or since the start";
const UNIQUE: &str = "an identifier made of a process id and the time";
const CONNECTIONS: &str = "how many connections are open just now";
const TIMER: &str = "what the server's own timers have sent, such as its registrations";
const MEMORY: &str = "how much memory is in use, which is the module's own affair";

/// The volatile values in the answers to `method` over JSON-RPC.
pub fn of_json(method: &str) -> impl Iterator<Item = &'static Volatile> {
    TABLE
        .iter()
        .chain(JSON_TABLE)
        .chain(LATER_TABLE)
        .filter(move |entry| entry.method == method)
}

/// All volatile values over BINRPC.
pub const TABLE: &[Volatile] = &[
    volatile("core.uptime", "*/now", CLOCK),
    volatile("core.uptime", "*/up_since", CLOCK),
    volatile("core.uptime", "*/uptime", CLOCK),
    volatile("core.runinfo", "*/time_now", CLOCK),
    volatile("core.runinfo", "*/time_started", CLOCK),
    volatile("core.runinfo", "*/uptime_secs", CLOCK),
    volatile("core.runinfo", "*/utime_days", CLOCK),
    volatile("core.ps", "0%2", PROCESS),
    volatile("core.psx", "*/PID", PROCESS),
    volatile("core.psa", "*/pid", PROCESS),
    volatile("dbg.ls", "*/pid", PROCESS),
    volatile("pkg.stats", "*/pid", PROCESS),
    volatile("pkg.stats", "*/used", MEMORY),
    volatile("pkg.stats", "*/free", MEMORY),
    volatile("pkg.stats", "*/real_used", MEMORY),
    volatile("pkg.stats", "*/total_frags", MEMORY),
    // Each allocation has a member of its own.
    volatile("mod.stats", "{}", MEMORY),
    volatile("mod.mem_stats", "{}", MEMORY),
    volatile("mod.mem_statsx", "{}", MEMORY),
    volatile("core.shmmem", "*/free", MEMORY),
    volatile("core.shmmem", "*/used", MEMORY),
    volatile("core.shmmem", "*/real_used", MEMORY),
    volatile("core.shmmem", "*/max_used", MEMORY),
    volatile("core.shmmem", "*/fragments", MEMORY),
    volatile("shm.stats", "*/free", MEMORY),
    volatile("shm.stats", "*/used", MEMORY),
    volatile("shm.stats", "*/real_used", MEMORY),
    volatile("shm.stats", "*/max_used", MEMORY),
    volatile("shm.stats", "*/fragments", MEMORY),
    // These values tell which fragment is the largest, whose it is, and so on.
    volatile("shm.report", "*/*", MEMORY),
    volatile("stats.get_statistics", "shmem:*", MEMORY),
    volatile("stats.fetch", "*/shmem.*", MEMORY),
    volatile("stats.fetchn", "*/shmem.*", MEMORY),
    volatile("stats.get_statistics", "tmx:*", TIMER),
    volatile("stats.fetch", "*/tmx.*", TIMER),
    volatile("stats.fetchn", "*/tmx.*", TIMER),
    volatile("mtree.summary", "*/item/reload_time", CLOCK),
    volatile("ul.lookup", "*/Contacts/*/Ruid", UNIQUE),
    volatile("ul.lookup", "*/Contacts/*/Expires", CLOCK),
    volatile("ul.lookup", "*/Contacts/*/Last-Keepalive", CLOCK),
    volatile("ul.dump", "*/Domains/*/AoRs/*/Contacts/*/Ruid", UNIQUE),
    volatile("ul.dump", "*/Domains/*/AoRs/*/Contacts/*/Expires", CLOCK),
    volatile(
        "ul.dump",
        "*/Domains/*/AoRs/*/Contacts/*/Last-Keepalive",
        CLOCK,
    ),
    // There are six values for each connection.
    volatile("ctl.who", "3%6", "the port that the system gave a client"),
    // It is one text with a time stamp in every line.
    volatile("xhttp_prom.metric_list_print", "*", CLOCK),
    // There are seven values for each name.
    volatile("dns.debug", "4%7", CLOCK),
    volatile("dns.debug", "5%7", CLOCK),
    // There are eleven values for each record.
    volatile("dns.debug_all", "5%11", CLOCK),
    volatile("dns.debug_all", "6%11", CLOCK),
    volatile("dns.debug_all", "10%11", CLOCK),
    // There are five values for each address.
    volatile("dst_blocklist.debug", "3%5", CLOCK),
    volatile("dst_blocklist.view", "    expires in (s): *", CLOCK),
    volatile("dns.lookup", "*/expires", CLOCK),
    volatile("dns.lookup", "*/last_used", CLOCK),
    volatile("dns.lookup", "*/records/*/rr_expires", CLOCK),
    volatile("dns.view", "*/expires", CLOCK),
    volatile("dns.view", "*/last_used", CLOCK),
    volatile("dns.view", "*/records/*/rr_expires", CLOCK),
];

/// Values that only some versions of the server have, so that an entry may match
/// nothing.
pub const LATER_TABLE: &[Volatile] = &[
    // These exist up to 6.1: later versions read another layout of `uacreg`, and find no
    // record in ours.
    volatile("uac.reg_info", "*/diff_expires", CLOCK),
    volatile("uac.reg_info", "*/timer_expires", CLOCK),
    volatile("uac.reg_info", "*/reg_init", CLOCK),
    volatile("uac.reg_dump", "*/diff_expires", CLOCK),
    volatile("uac.reg_dump", "*/timer_expires", CLOCK),
    volatile("uac.reg_dump", "*/reg_init", CLOCK),
    // These exist from 6.1 on.
    volatile("dispatcher.list", "*/RECORDS/*/TARGETS/*/IUID", UNIQUE),
    volatile(
        "dispatcher.list",
        "*/RECORDS/*/SET/TARGETS/*/DEST/IUID",
        UNIQUE,
    ),
];

/// Values that have another path in JSON, where named values in an array have a struct
/// of their own, and values that JSON-RPC over HTTP adds.
pub const JSON_TABLE: &[Volatile] = &[
    volatile("ul.lookup", "*/Contacts/*/Contact/Ruid", UNIQUE),
    volatile("ul.lookup", "*/Contacts/*/Contact/Expires", CLOCK),
    volatile("ul.lookup", "*/Contacts/*/Contact/Last-Keepalive", CLOCK),
    volatile(
        "ul.dump",
        "*/Domains/*/Domain/AoRs/*/Info/Contacts/*/Contact/Ruid",
        UNIQUE,
    ),
    volatile(
        "ul.dump",
        "*/Domains/*/Domain/AoRs/*/Info/Contacts/*/Contact/Expires",
        CLOCK,
    ),
    volatile(
        "ul.dump",
        "*/Domains/*/Domain/AoRs/*/Info/Contacts/*/Contact/Last-Keepalive",
        CLOCK,
    ),
    // Only the last of its values is in the answer.
    volatile("dns.debug_all", "*", CLOCK),
    volatile("stats.get_statistics", "tcp:*", CONNECTIONS),
    volatile("stats.fetch", "*/tcp.*", CONNECTIONS),
    volatile("stats.fetchn", "*/tcp.*", CONNECTIONS),
];

const fn volatile(method: &'static str, path: &'static str, why: &'static str) -> Volatile {
    Volatile { method, path, why }
}

impl Volatile {
    /// Calls `visit` with each value that this entry names.
    pub fn each(&self, values: &mut [Node], visit: &mut impl FnMut(&mut Node)) {
        let (first, rest) = split(self.path);
        for (position, value) in values.iter_mut().enumerate() {
            if Step::from(first).takes(position, None, value) {
                descend(value, rest, visit);
            }
        }
    }
}

fn descend(node: &mut Node, path: Option<&str>, visit: &mut impl FnMut(&mut Node)) {
    let Some(path) = path else {
        return visit(node);
    };
    let (first, rest) = split(path);
    let step = Step::from(first);
    match node {
        Node::Struct(members) => {
            for (position, (name, value)) in members.iter_mut().enumerate() {
                if step.takes(position, name.as_deref(), value) {
                    descend(value, rest, visit);
                }
            }
        }
        Node::Array(values) => {
            for (position, value) in values.iter_mut().enumerate() {
                if step.takes(position, None, value) {
                    descend(value, rest, visit);
                }
            }
        }
        _ => {}
    }
}

fn split(path: &str) -> (&str, Option<&str>) {
    match path.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    }
}

/// A part of a path.
enum Step<'a> {
    Every,
    EveryStruct,
    Starting(&'a str),
    EveryNth { offset: usize, stride: usize },
    Named(&'a str),
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(part: &'a str) -> Self {
        let number = |text: &str| text.parse().ok();
        let stride = part
            .split_once('%')
            .and_then(|(offset, stride)| Some((number(offset)?, number(stride)?)));
        match (part, stride, part.strip_suffix('*')) {
            ("*", ..) => Self::Every,
            ("{}", ..) => Self::EveryStruct,
            (_, Some((offset, stride)), _) => Self::EveryNth { offset, stride },
            (_, _, Some(start)) => Self::Starting(start),
            _ => Self::Named(part),
        }
    }
}

impl Step<'_> {
    fn takes(&self, position: usize, name: Option<&[u8]>, value: &Node) -> bool {
        match self {
            Self::Every => true,
            Self::EveryStruct => matches!(value, Node::Struct(_)),
            Self::Starting(start) => name
                .or(text(value))
                .is_some_and(|text| text.starts_with(start.as_bytes())),
            Self::EveryNth { offset, stride } => position % stride == *offset,
            Self::Named(wanted) => name == Some(wanted.as_bytes()),
        }
    }
}

fn text(value: &Node) -> Option<&[u8]> {
    match value {
        Node::Str(text) => Some(text),
        _ => None,
    }
}
