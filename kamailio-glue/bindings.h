/* The headers that bindgen reads for Rust. The build script lists the items to
 * be taken. */
#ifndef KSRRS_BINDINGS_H
#define KSRRS_BINDINGS_H

#include "core/sr_module.h"
#include "core/action.h"
#include "core/cfg/cfg_struct.h"
#include "core/data_lump_rpl.h"
#include "core/events.h"
#include "core/globals.h"
#include "core/kemi.h"
#include "core/lvalue.h"
#include "core/mod_fix.h"
#include "core/parser/parse_uri.h"
#include "core/pass_fd.h"
#include "core/pt.h"
#include "core/pvar.h"
#include "core/route.h"
#include "core/rpc.h"
#include "core/rpc_lookup.h"
#include "core/tcp_conn.h"
#include "core/ut.h"
#include "modules/xhttp/api.h"

#include "glue.h"

#endif
