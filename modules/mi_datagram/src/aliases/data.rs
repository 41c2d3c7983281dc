//! Tables and lists that are loaded from a database or kept in memory.

use super::Piece::{Argument, Text};
use super::{Alias, aliases, moved, same};

pub(super) const ALIASES: &[Alias] = aliases! {
    "shv_get" => same("pv.shvGet");
    "shv_set" => same("pv.shvSet");

    "sht_delete" => same("htable.delete");
    "sht_dump" => same("htable.dump");
    "sht_reload" => same("htable.reload");

    "mq_get_size" => same("mqueue.get_size");

    "mt_list" => same("mtree.list");
    "mt_match" => same("mtree.match");
    "mt_reload" => same("mtree.reload");
    "mt_summary" => same("mtree.summary");

    "address_dump" => same("permissions.addressDump");
    "address_reload" => same("permissions.addressReload");
    "allow_uri" => same("permissions.allowUri");
    "perm_domain_dump" => same("permissions.domainDump");
    "subnet_dump" => same("permissions.subnetDump");
    "trusted_dump" => same("permissions.trustedDump");
    "trusted_reload" => same("permissions.trustedReload");

    "domain_dump" => same("domain.dump");
    "domain_reload" => same("domain.reload");

    "dp_reload" => same("dialplan.reload");
    "dp_translate" => same("dialplan.translate");

    "pdt_list" => same("pdt.list");
    "pdt_reload" => same("pdt.reload");

    "pdb_activate" => same("pdb.activate");
    "pdb_deactivate" => same("pdb.deactivate");
    "pdb_status" => same("pdb.status");

    "cr_activate_host" => same("cr.activate_host");
    "cr_add_host" => same("cr.add_host");
    "cr_deactivate_host" => same("cr.deactivate_host");
    "cr_delete_host" => same("cr.delete_host");
    "cr_dump_routes" => same("cr.dump_routes");
    "cr_reload_routes" => same("cr.reload_routes");
    "cr_replace_host" => same("cr.replace_host");

    "reload_matrix" => same("matrix.reload");
    "regex_reload" => same("regex.reload");
    "bdb_reload" => same("db_berkeley.reload");

    "check_blacklist" => same("userblocklist.check_blocklist");
    "check_whitelist" => same("userblocklist.check_allowlist");
    // The number came last, after the user and an optional domain. Today it is the
    // first argument.
    "check_userblacklist" => moved(
        "userblocklist.check_userblocklist",
        &[Argument(1), Argument(0), Text("")],
    ).taking(2, 2),
        moved(
            "userblocklist.check_userblocklist",
            &[Argument(2), Argument(0), Argument(1)],
        ).taking(3, 3);
    "check_userwhitelist" => moved(
        "userblocklist.check_userallowlist",
        &[Argument(1), Argument(0), Text("")],
    ).taking(2, 2),
        moved(
            "userblocklist.check_userallowlist",
            &[Argument(2), Argument(0), Argument(1)],
        ).taking(3, 3);
    "dump_blacklist" => same("userblocklist.dump_blocklist");
    "reload_blacklist" => same("userblocklist.reload_blocklist");
};
