/* The C half of the modules: only what Rust cannot say, that is functions with
 * variable arguments, macros and inline functions of Kamailio's headers.
 * Every name starts with ksrrs_, so that none meets one of the server's. */
#ifndef KSRRS_GLUE_H
#define KSRRS_GLUE_H

#include "core/parser/msg_parser.h"
#include "core/rpc.h"
#include "core/str.h"

/* The one implementation of rpc_t; its context is the engine's call. */
extern rpc_t ksrrs_rpc_table;

/* What ksrrs_rpc_find answers. */
#define KSRRS_RPC_FOUND 0
#define KSRRS_RPC_UNKNOWN 1
#define KSRRS_RPC_TOO_FAST 2

/* Looks up a command. From 5.8 on each look-up counts as a use of it, for
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

/* Takes over the configuration that cfg.* commands changed since last time. */
void ksrrs_cfg_update(void);

#endif
