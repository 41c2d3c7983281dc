/* TCP connections: the macros for reference counts and configuration, and the
 * event routes that run after a connection has ended. */
#include "core/action.h"
#include "core/cfg/cfg.h"
#include "core/fmsg.h"
#include "core/globals.h"
#include "core/kemi.h"
#include "core/pt.h"
#include "core/receive.h"
#include "core/resolve.h"
#include "core/route.h"
#include "core/sr_module.h"
#include "core/tcp_conn.h"
#include "core/tcp_init.h"
#include "core/tcp_options.h"
#include "core/timer.h"

#include "glue.h"

int ksrrs_tcp_enabled(void)
{
	return !tcp_disable;
}

int ksrrs_in_tcp_main(void)
{
	return pt != NULL && pt[process_no].rank == PROC_TCP_MAIN;
}

int ksrrs_tcp_put(tcp_connection_t *con)
{
	if(!atomic_dec_and_test(&con->refcnt)) {
		return 0;
	}
	/* No other process knows of the connection any more. */
	atomic_set(&con->refcnt, 1);
	return 1;
}

/* The core's own processes change the flags without a lock. This does so, too,
 * but in one step, so it never writes back a flag that another process has
 * changed. */
void ksrrs_tcp_add_flags(tcp_connection_t *con, unsigned int flags)
{
	__atomic_fetch_or(&con->flags, flags, __ATOMIC_SEQ_CST);
}

void ksrrs_tcp_set_lifetime(tcp_connection_t *con, unsigned int seconds)
{
	ticks_t lifetime = MAX_TCP_CON_LIFETIME;

	if(seconds < TICKS_TO_S(MAX_TCP_CON_LIFETIME)) {
		lifetime = S_TO_TICKS(seconds);
	}
	con->lifetime = lifetime;
	con->timeout = get_ticks_raw() + lifetime;
}

void ksrrs_tcp_used(tcp_connection_t *con)
{
	ticks_t lifetime = cfg_get(tcp, tcp_cfg, con_lifetime);

	if(con->reader_pid != 0) {
		/* This field holds the reader's own time-out. */
		return;
	}
	if(con->lifetime > lifetime) {
		lifetime = con->lifetime;
	}
	con->timeout = get_ticks_raw() + lifetime;
}

int ksrrs_tcp_by_address(
		str *host, unsigned short port, tcp_connection_t **found)
{
	union sockaddr_union address;
	ip_addr_t ip;
	char proto = PROTO_TCP;

	memset(&address, 0, sizeof(address));
	if(sip_hostport2su(&address, host, port, &proto) != 0) {
		return -1;
	}
	su2ip_addr(&ip, &address);
	*found = tcpconn_get(0, &ip, su_getport(&address), NULL, 0);
	return 0;
}

int ksrrs_event_route(const char *name)
{
	int index = route_lookup(&event_rt, (char *)name);

	return index >= 0 && event_rt.rlist[index] != NULL ? index : -1;
}

/* Runs a route, or the callback of a KEMI script if `route` is -1. It makes a
 * message of its own, because the core's faked message is shared by all that
 * use it. */
static int run_route(int route, str *callback, str *event, sip_msg_t *msg)
{
	struct run_act_ctx ctx;
	sr_kemi_eng_t *engine;

	if(route >= 0) {
		init_run_actions_ctx(&ctx);
		run_top_route(event_rt.rlist[route], msg, &ctx);
		return 0;
	}
	engine = sr_kemi_eng_get();
	if(engine == NULL) {
		return -1;
	}
	return sr_kemi_route(engine, msg, EVENT_ROUTE, callback, event) < 0 ? -1 : 0;
}

int ksrrs_tcp_run_event(
		int route, str *callback, str *event, const receive_info_t *source)
{
	sip_msg_t msg;
	int ret;
	int outer = get_route_type();

	if(faked_msg_get_new(&msg) < 0) {
		return -1;
	}
	msg.rcv = *source;
	set_route_type(EVENT_ROUTE);
	ret = run_route(route, callback, event, &msg);
	set_route_type(outer);
	free_sip_msg(&msg);
	/* No message that follows in this process would reset what the route left. */
	ksr_msg_env_reset();
	return ret;
}

int ksrrs_ip_text(ip_addr_t *ip, char *text, int size)
{
	return ip_addr2sbuf(ip, text, size);
}
