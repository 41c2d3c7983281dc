/* What the glue uses of Rust. */

#ifndef KAMAILIO_RS_H
#define KAMAILIO_RS_H

/* cbindgen writes this file: change the Rust sources, then `make header`. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The next parameter is to be converted.
 */
#define KSRRS_SCAN_CONVERT 2

/**
 * The parameter does not fit.
 */
#define KSRRS_SCAN_FAILED 2

/**
 * There is no further parameter.
 */
#define KSRRS_SCAN_MISSING 1

/**
 * The value was taken.
 */
#define KSRRS_SCAN_OK 0

/**
 * Parameters from here on may be missing.
 */
#define KSRRS_SCAN_OPTIONAL 1

/**
 * The later reply is complete, or there is nothing more to be said.
 *
 * # Safety
 * The glue passes on what [`ksrrs_rpc_delay`] gave a command.
 */
void ksrrs_rpc_close_delayed(void *delayed);

/**
 * Makes what the command replies through when it has returned; null where
 * replies cannot come later.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_delay(void *call);

/**
 * Whether the command is told that it may reply later, from another process.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
bool ksrrs_rpc_delays(void *call);

/**
 * Makes the reply a fault.
 *
 * # Safety
 * The glue passes on what the command was given; `reason`, if not null, has
 * `len` bytes.
 */
void ksrrs_rpc_fault(void *call, int code, const char *reason, size_t len);

/**
 * Adds a `{` or a `[`; returns its handle, or null.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_put_container(void *handle, const char *name, char kind);

/**
 * Adds a `{` or a `[`; returns its handle, or null.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_put_container(void *handle, const char *name, char kind);

/**
 * Adds an `f`.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_float(void *handle, const char *name, double value);

/**
 * Adds an `f`.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_float(void *handle, const char *name, double value);

/**
 * Adds one of `d u b t l j L J`; `j` and `J` in the bits of a signed number.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_integer(void *handle, const char *name, char kind, int64_t value);

/**
 * Adds one of `d u b t l j L J`; `j` and `J` in the bits of a signed number.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_integer(void *handle, const char *name, char kind, int64_t value);

/**
 * Adds an `s` or an `S`; a null pointer is a null string.
 *
 * # Safety
 * The glue passes on what the command was given; `text`, if not null, has
 * `len` bytes.
 */
int ksrrs_rpc_put_text(void *handle, const char *name, const char *text, size_t len);

/**
 * Adds an `s` or an `S`; a null pointer is a null string.
 *
 * # Safety
 * The glue passes on what the command was given; `text`, if not null, has
 * `len` bytes.
 */
int ksrrs_rpc_put_text(void *handle, const char *name, const char *text, size_t len);

/**
 * A format character that does not exist. Returns what `add` returns then.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_unknown(void *handle, const char *_name, char kind);

/**
 * A format character that does not exist. Returns what `add` returns then.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_unknown(void *handle, const char *_name, char kind);

/**
 * The command starts to read parameters.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void ksrrs_rpc_scan_begin(void *call);

/**
 * The command starts to read parameters.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void ksrrs_rpc_scan_begin(void *call);

/**
 * Sends the reply before the command is over.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_send(void *call);

/**
 * Takes an `f`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_float(void *source, const char *name, int flags, double *value);

/**
 * Takes an `f`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_float(void *source, const char *name, int flags, double *value);

/**
 * Takes one of `b t d u`: each fills an int.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_int(void *source, const char *name, int flags, int *value);

/**
 * Takes one of `b t d u`: each fills an int.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_int(void *source, const char *name, int flags, int *value);

/**
 * Takes an `l` or an `L`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_long(void *source, const char *name, int flags, int64_t *value);

/**
 * Takes an `l` or an `L`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_long(void *source, const char *name, int flags, int64_t *value);

/**
 * Takes a `{`: the handle of a structure that [`ksrrs_rpc_take_text`] and its
 * like read members of.
 *
 * # Safety
 * The glue passes on what the command was given, and a place for a result.
 */
int ksrrs_rpc_take_struct(void *call, int flags, void **handle);

/**
 * Takes a `{`: the handle of a structure that [`ksrrs_rpc_take_text`] and its
 * like read members of.
 *
 * # Safety
 * The glue passes on what the command was given, and a place for a result.
 */
int ksrrs_rpc_take_struct(void *call, int flags, void **handle);

/**
 * Takes an `s` or an `S`. The text is writable and ends with a NUL. Instead of
 * a parameter that is not there it is empty, never null; for a member that is
 * not there nothing is written.
 *
 * # Safety
 * The glue passes on what the command was given, and places for a result.
 */
int ksrrs_rpc_take_text(void *source, const char *name, int flags, char **text, size_t *len);

/**
 * Takes an `s` or an `S`. The text is writable and ends with a NUL. Instead of
 * a parameter that is not there it is empty, never null; for a member that is
 * not there nothing is written.
 *
 * # Safety
 * The glue passes on what the command was given, and places for a result.
 */
int ksrrs_rpc_take_text(void *source, const char *name, int flags, char **text, size_t *len);

/**
 * Takes a `j` or a `J`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_ulong(void *source, const char *name, int flags, uint64_t *value);

/**
 * Takes a `j` or a `J`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_ulong(void *source, const char *name, int flags, uint64_t *value);

/**
 * Refuses a format character that does not exist.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_take_unknown(void *call, char kind);

/**
 * Refuses a format character that does not exist.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_take_unknown(void *call, char kind);

/**
 * A handle for the top of the reply.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_top(void *call);

#endif  /* KAMAILIO_RS_H */
