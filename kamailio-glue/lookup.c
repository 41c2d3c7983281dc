/* The versions of the core look up RPC commands in different ways. Only this
 * file knows them. */
#include "core/rpc.h"
#include "core/rpc_lookup.h"
#include "core/str.h"

#include "glue.h"

#ifdef KSRRS_HAVE_RPC_LOOKUPX

int ksrrs_rpc_find(
		const char *name, int len, rpc_function_t *function, int *returns_array)
{
	unsigned int state = 0;
	rpc_exportx_t *command = rpc_lookupx(name, len, &state);

	if(command == NULL || command->r.function == NULL) {
		return KSRRS_RPC_UNKNOWN;
	}
	*function = command->r.function;
	*returns_array = (command->r.flags & RET_ARRAY) != 0;
	return (state & RPC_EXEC_DELTA) ? KSRRS_RPC_TOO_FAST : KSRRS_RPC_FOUND;
}

#else

int ksrrs_rpc_find(
		const char *name, int len, rpc_function_t *function, int *returns_array)
{
	rpc_export_t *command = rpc_lookup(name, len);

	if(command == NULL || command->function == NULL) {
		return KSRRS_RPC_UNKNOWN;
	}
	*function = command->function;
	*returns_array = (command->flags & RET_ARRAY) != 0;
	return KSRRS_RPC_FOUND;
}

#endif

int ksrrs_rpc_exists(const char *name, int len)
{
	rpc_export_t *command = rpc_lookup(name, len);

	return command != NULL && command->function != NULL;
}

#ifdef KSRRS_HAVE_RPC_EXEC_LOCKS

int ksrrs_rpc_lock(const char *name, int len)
{
	str text = {(char *)name, len};

	return ksr_rpc_exec_locks_set_get(&text);
}

void ksrrs_rpc_unlock(int lock)
{
	ksr_rpc_exec_locks_set_release_idx(lock);
}

#else

int ksrrs_rpc_lock(const char *name, int len)
{
	return -1;
}

void ksrrs_rpc_unlock(int lock)
{
}

#endif
