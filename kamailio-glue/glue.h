/* The C half of the modules: only what Rust cannot say, that is functions with
 * variable arguments, macros and inline functions of Kamailio's headers.
 * Every name starts with ksrrs_, so that none meets one of the server's. */
#ifndef KSRRS_GLUE_H
#define KSRRS_GLUE_H

#include "core/parser/msg_parser.h"
#include "core/rpc.h"
#include "core/str.h"
#include "core/tcp_conn.h"

/* The one implementation of rpc_t; its context is the engine's call. */
extern rpc_t ksrrs_rpc_table;

/* What ksrrs_rpc_find answers. */
#define KSRRS_RPC_FOUND 0
#define KSRRS_RPC_UNKNOWN 1
#define KSRRS_RPC_TOO_FAST 2

/* Looks up a command. From 5.7 on each look-up counts as a use of it, for
 * commands whose use is limited in time. */
int ksrrs_rpc_find(
		const char *name, int len, rpc_function_t *function, int *returns_array);

/* Whether there is such a command. This is no use of it. */
int ksrrs_rpc_exists(const char *name, int len);

/* The flag of a command whose values are to be in one array; a macro over an
 * enumerator in some versions. */
enum
{
	KSRRS_RETURNS_ARRAY = RET_ARRAY
};

/* Takes the lock that keeps a command from running in two processes at once,
 * where the core has such locks and they are configured; -1 where not. The
 * lock may be taken again by its holder. */
int ksrrs_rpc_lock(const char *name, int len);

/* Gives back what ksrrs_rpc_lock returned; -1 is nothing. */
void ksrrs_rpc_unlock(int lock);

/* What the server was built to call itself. */
extern const char ksrrs_server_name[sizeof(NAME)];

/* Whether a line of this level would be written for this module. */
int ksrrs_log_enabled(int level, const char *module, int module_len);

/* Writes one line. `place` reads like "ctl [src/main.rs:12]: ". */
void ksrrs_log(int level, const char *module, int module_len,
		const char *place, const char *file, int line, const char *text,
		int text_len);

/* Whether the message is an HTTP request. */
int ksrrs_is_http(const sip_msg_t *msg);

/* Copies a message into shared memory, for a reply from another process; null
 * without room for it. `size` is the copy's. */
sip_msg_t *ksrrs_message_share(sip_msg_t *msg, int *size);

/* Frees such a copy, and what was allocated for it in this process. */
void ksrrs_message_unshare(sip_msg_t *msg, int size);

/* Memory that all processes see at the same address, or null. */
void *ksrrs_shm_malloc(size_t size);
void ksrrs_shm_free(void *memory);

/* Whether the server has TCP at all. */
int ksrrs_tcp_enabled(void);

/* Whether this is the process that owns the TCP connections. */
int ksrrs_in_tcp_main(void);

/* Gives a reference back. Not 0 if it was the last: the connection has ended,
 * the caller owns it, holds one reference again and has it freed. */
int ksrrs_tcp_put(tcp_connection_t *con);

void ksrrs_tcp_add_flags(tcp_connection_t *con, unsigned int flags);

/* From now on the connection ends after this many idle seconds. */
void ksrrs_tcp_set_lifetime(tcp_connection_t *con, unsigned int seconds);

/* Lets an idle connection's time begin anew, as sending on it does. */
void ksrrs_tcp_used(tcp_connection_t *con);

/* Looks up a connection by the other side's address, and takes a reference;
 * null where there is none, -1 if the host has no address. */
int ksrrs_tcp_by_address(
		str *host, unsigned short port, tcp_connection_t **found);

/* The number of an event route that the script has, or -1. */
int ksrrs_event_route(const char *name);

/* Runs that event route, or where `route` is -1 the script's callback with the
 * event's name, for a message received from `source`. -1 if that failed. */
int ksrrs_tcp_run_event(
		int route, str *callback, str *event, const receive_info_t *source);

/* Writes an address as the core's variables show it; the length. */
int ksrrs_ip_text(ip_addr_t *ip, char *text, int room);

/* Takes over the configuration that cfg.* commands changed since last time. */
void ksrrs_cfg_update(void);

#endif
