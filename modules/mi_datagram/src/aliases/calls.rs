//! Calls and transactions, and the modules that carry or watch them.

use super::Piece::{Argument, ArgumentOr, DotIsEmpty};
use super::{Alias, aliases, moved, same};

pub(super) const ALIASES: &[Alias] = aliases! {
    "dlg_bridge" => same("dlg.bridge_dlg");
    "dlg_end_dlg" => same("dlg.end_dlg");
    // One command with an optional Call-ID and From tag became two.
    "dlg_list" => same("dlg.list").taking(0, 0),
        same("dlg.dlg_list").taking(1, 2),
        same("dlg2.list").taking(0, 0);
    "dlg_list_ctx" => same("dlg.list_ctx").taking(0, 0),
        same("dlg.dlg_list_ctx").taking(1, 2);
    "dlg_terminate_dlg" => same("dlg.terminate_dlg");
    "profile_get_size" => same("dlg.profile_get_size");
    "profile_list_dlgs" => same("dlg.profile_list");

    "t_hash" => same("tm.hash_stats");
    // Today's commands read header fields and a body even if there are none, and send
    // what they got, so that `.` would become a header field.
    "t_reply" => moved(
        "tm.reply",
        &[Argument(0), Argument(1), Argument(2), Argument(3), DotIsEmpty(4), DotIsEmpty(5)],
    ).taking(5, 6);
    "t_reply_callid" => moved(
        "tm.reply_callid",
        &[
            Argument(0), Argument(1), Argument(2), Argument(3), Argument(4),
            DotIsEmpty(5), DotIsEmpty(6),
        ],
    ).taking(6, 7);
    "t_uac_cancel" => same("tm.cancel");
    // The old command answered when the reply to its SIP request had come.
    "t_uac_dlg" => same("tm.t_uac_wait_block").taking(5, 6);

    "ds_list" => moved("dispatcher.list", &[]);
    "ds_reload" => same("dispatcher.reload");
    "ds_set_state" => same("dispatcher.set_state");

    "nh_enable_rtpp" => same("rtpengine.enable"), same("rtpproxy.enable");
    "nh_ping_rtpp" => same("rtpengine.ping");
    "nh_reload_rtpp" => same("rtpengine.reload");
    "nh_show_hash_total" => same("rtpengine.get_hash_total");
    "nh_show_rtpp" => moved("rtpengine.show", &[ArgumentOr(0, "all")]),
        moved("rtpproxy.list", &[]);

    "nh_enable_ping" => same("nathelper.enable_ping");

    "ws.close" => same("ws.close");
    "ws.disable" => same("ws.disable");
    "ws.dump" => same("ws.dump");
    "ws.enable" => same("ws.enable");
    "ws.ping" => same("ws.ping");
    "ws.pong" => same("ws.pong");

    "drop_call" => same("mohqueue.drop_call");
    "cnxcc_stats" => same("cnxcc.stats");

    // Without an argument the old commands told the state.
    "sip_capture" => moved("sipcapture.status", &[ArgumentOr(0, "check")]);
    "sip_trace" => moved("siptrace.status", &[ArgumentOr(0, "check")]);

    "pike_list" => moved("pike.list", &[ArgumentOr(0, "HOT")]);

    "pl_get_pid" => same("pl.get_pid");
    "pl_get_pipes" => same("pl.get_pipes");
    "pl_push_load" => same("pl.push_load");
    "pl_set_pid" => same("pl.set_pid");
    "pl_set_pipe" => same("pl.set_pipe");
    "pl_stats" => same("pl.stats");
};
