//! Commands about the server itself: kex, debugger, cfgutils, benchmark and mi_rpc.

use super::Piece::{Argument, Rest, Text};
use super::{Alias, Arguments, Candidate, Command, aliases, moved, same};

pub(super) const ALIASES: &[Alias] = aliases! {
    "arg" => same("core.arg");
    "clear_statistics" => same("stats.clear_statistics");
    // The command of kex takes at most one argument, and that of mohqueue takes two:
    // the queue and the state.
    "debug" => same("corex.debug").taking(0, 1),
        moved("cfg.get", &[Text("core"), Text("debug")]).taking(0, 0),
        moved("cfg.seti", &[Text("core"), Text("debug"), Argument(0)]).taking(1, 1),
        same("mohqueue.debug").taking(2, 2);
    "get_statistics" => same("stats.get_statistics");
    // Today's command takes a signal; the old one always sent SIGTERM.
    "kill" => moved("core.kill", &[Text("15")]);
    "ps" => same("core.psx");
    "pwd" => same("core.pwd");
    "reset_statistics" => same("stats.reset_statistics");
    "uptime" => same("core.uptime");
    "version" => same("core.info");
    "which" => same("system.listMethods");

    "rpc" => Candidate {
        command: Command::FirstArgument,
        takes: (1, usize::MAX),
        arguments: Arguments::Built(&[Rest(1)]),
    };

    "get_dbg_mod_facility" => same("dbg.get_mod_facility");
    "get_dbg_mod_level" => same("dbg.get_mod_level");
    "set_dbg_mod_facility" => same("dbg.set_mod_facility");
    "set_dbg_mod_level" => same("dbg.set_mod_level");

    "check_config_hash" => same("cfgutils.check_config_hash");
    "get_config_hash" => same("cfgutils.get_config_hash");
    "get_gflags" => same("cfgutils.get_gflags");
    "is_gflag" => same("cfgutils.is_gflag");
    "rand_get_prob" => same("cfgutils.rand_get_prob");
    "rand_reset_prob" => same("cfgutils.rand_reset_prob");
    "rand_set_prob" => same("cfgutils.rand_set_prob");
    "reset_gflag" => same("cfgutils.reset_gflag");
    "set_gflag" => same("cfgutils.set_gflag");

    "bm_enable_global" => same("benchmark.enable_global");
    "bm_enable_timer" => same("benchmark.enable_timer");
    "bm_granularity" => same("benchmark.granularity");
    "bm_loglevel" => same("benchmark.loglevel");
};
