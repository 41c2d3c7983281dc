/* The C half of the modules. It has only what Rust cannot express: functions
 * with variable arguments, and macros and inline functions of Kamailio's
 * headers. Every name starts with ksrrs_, so that none collides with one of the
 * server's. */
#ifndef KSRRS_GLUE_H
#define KSRRS_GLUE_H

#include "core/parser/msg_parser.h"
#include "core/rpc.h"
#include "core/str.h"
#include "core/tcp_conn.h"

/* The only implementation of rpc_t. Its context is the engine's. */
extern rpc_t ksrrs_rpc_table;

/* The results of ksrrs_rpc_find. */
#define KSRRS_RPC_FOUND 0
#define KSRRS_RPC_UNKNOWN 1
#define KSRRS_RPC_TOO_FAST 2

/* Looks up a command. From 5.7 on each look-up counts as a use of the command,
 * if the rate of its uses is limited. */
int ksrrs_rpc_find(
		const char *name, int len, rpc_function_t *function, int *returns_array);

/* Whether there is such a command. This does not count as a use of it. */
int ksrrs_rpc_exists(const char *name, int len);

/* The flag of a command whose values belong in one array. In some versions it
 * is a macro for an enumerator. */
enum
{
	KSRRS_RETURNS_ARRAY = RET_ARRAY
};

/* Takes the lock that keeps a command from running in two processes at once. It
 * returns -1 if the core has no such locks or they are not configured. The
 * holder of a lock may take it again. */
int ksrrs_rpc_lock(const char *name, int len);

/* Releases the lock that ksrrs_rpc_lock returned; -1 is ignored. */
void ksrrs_rpc_unlock(int lock);

/* The name that the server was built to call itself. */
extern const char ksrrs_server_name[sizeof(NAME)];

/* Whether a line of this level would be written for this module. */
int ksrrs_log_enabled(int level, const char *module, int module_len);

/* Writes one line. `place` reads like "ctl [src/main.rs:12]: ". */
void ksrrs_log(int level, const char *module, int module_len,
		const char *place, const char *file, int line, const char *text,
		int text_len);

/* Whether the message is an HTTP request. */
int ksrrs_is_http(const sip_msg_t *msg);

/* Copies a message into shared memory, for a reply from another process. It
 * returns null if there is no memory; `size` is set to the size of the copy. */
sip_msg_t *ksrrs_message_share(sip_msg_t *msg, int *size);

/* Frees such a copy, and what this process has allocated for it. */
void ksrrs_message_unshare(sip_msg_t *msg, int size);

/* Allocates memory that all processes see at the same address, or returns null. */
void *ksrrs_shm_malloc(size_t size);
void ksrrs_shm_free(void *memory);

/* Whether TCP is enabled in the server. */
int ksrrs_tcp_enabled(void);

/* Whether this is the process that owns the TCP connections. */
int ksrrs_in_tcp_main(void);

/* Releases a reference. The result is not 0 if it was the last: then the
 * connection has ended, and the caller owns it, holds a reference again and has
 * it freed. */
int ksrrs_tcp_put(tcp_connection_t *con);

void ksrrs_tcp_add_flags(tcp_connection_t *con, unsigned int flags);

/* Sets the idle time in seconds after which the connection ends. */
void ksrrs_tcp_set_lifetime(tcp_connection_t *con, unsigned int seconds);

/* Restarts the idle time of a connection, as sending over it does. */
void ksrrs_tcp_used(tcp_connection_t *con);

/* Looks up a connection by the address of the other side, and takes a
 * reference. It sets null if there is none, and returns -1 if the host has no
 * address. */
int ksrrs_tcp_by_address(
		str *host, unsigned short port, tcp_connection_t **found);

/* The number of an event route that the script has, or -1. */
int ksrrs_event_route(const char *name);

/* Runs the event route, or the script's callback with the event's name if
 * `route` is -1, for a message received from `source`. It returns -1 on
 * failure. */
int ksrrs_tcp_run_event(
		int route, str *callback, str *event, const receive_info_t *source);

/* Writes an address as the core's variables show it, and returns its length. */
int ksrrs_ip_text(ip_addr_t *ip, char *text, int size);

/* Applies the changes that cfg.* commands have made since the last call. */
void ksrrs_cfg_update(void);

#endif
