//! Registered users, their permissions, and presence.

use super::Piece::{Argument, Rest, Text};
use super::{Alias, aliases, moved, same};

pub(super) const ALIASES: &[Alias] = aliases! {
    "ul_add" => same("ul.add");
    "ul_dump" => same("ul.dump");
    "ul_flush" => same("ul.flush");
    "ul_rm" => same("ul.rm");
    "ul_rm_contact" => same("ul.rm_contact");
    "ul_show_contact" => same("ul.lookup");

    "autheph.add_secret" => same("autheph.add_secret");
    "autheph.dump_secrets" => same("autheph.dump_secrets");
    "autheph.rm_secret" => same("autheph.rm_secret");

    "GET_CPL" => same("cpl.get");
    "LOAD_CPL" => same("cpl.load");
    "REMOVE_CPL" => same("cpl.remove");

    "imc_list_members" => same("imc.list_members");
    "imc_list_rooms" => same("imc.list_rooms");

    "cleanup" => same("presence.cleanup");
    "refreshWatchers" => same("presence.refreshWatchers");

    "pua_cleanup" => same("pua.cleanup");
    // `pua.publish` answers later, which is impossible over datagrams. The outbound
    // proxy was an argument only if a parameter of pua_mi asked for it.
    "pua_publish" => moved(
        "pua.send_publish",
        &[
            Argument(0), Argument(1), Argument(2), Argument(3), Argument(4), Argument(5),
            Text("."), Rest(6),
        ],
    ).taking(7, 8),
        same("pua.send_publish").taking(9, 9);
    "pua_subscribe" => same("pua.subscribe");

    "rls_cleanup" => same("rls.cleanup");
    "refreshXcapDoc" => same("xcap_client.refreshXcapDoc");
};
