/* What the glue uses of Rust. */

#ifndef KAMAILIO_RS_H
#define KAMAILIO_RS_H

/* cbindgen writes this file: change the Rust sources, then `make header`. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The next parameter has to be converted.
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
 * The parameters from here on are optional.
 */
#define KSRRS_SCAN_OPTIONAL 1

/**
 * Closes a later reply, which is complete, or to which nothing more will be added.
 *
 * # Safety
 * The glue passes on what a command got from [`ksrrs_rpc_delay`].
 */
void ksrrs_rpc_close_delayed(void *delayed);

/**
 * Makes the context through which the command can reply after it has returned. It
 * returns null if replies cannot come later.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_delay(void *call);

/**
 * Whether the command may reply later, from another process.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
bool ksrrs_rpc_delays(void *call);

/**
 * Makes the reply a fault.
 *
 * # Safety
 * The glue passes on what the command was given. If `reason` is not null it has `len`
 * bytes.
 */
void ksrrs_rpc_fault(void *call, int code, const char *reason, size_t len);

/**
 * Adds a `{` or a `[`, and returns its handle, or null if the reply takes no more.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_put_container(void *handle, const char *name, char kind);

/**
 * Adds a `{` or a `[`, and returns its handle, or null if the reply takes no more.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_put_container(void *handle, const char *name, char kind);

/**
 * Adds a value of the format `f`.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_float(void *handle, const char *name, double value);

/**
 * Adds a value of the format `f`.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_float(void *handle, const char *name, double value);

/**
 * Adds a value of the format `d u b t l j L J`. Those of `j` and `J` are the bits of a
 * signed number.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_integer(void *handle, const char *name, char kind, int64_t value);

/**
 * Adds a value of the format `d u b t l j L J`. Those of `j` and `J` are the bits of a
 * signed number.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_integer(void *handle, const char *name, char kind, int64_t value);

/**
 * Adds a value of the format `s` or `S`. A null pointer is a null string.
 *
 * # Safety
 * The glue passes on what the command was given. If `text` is not null it has `len`
 * bytes.
 */
int ksrrs_rpc_put_text(void *handle, const char *name, const char *text, size_t len);

/**
 * Adds a value of the format `s` or `S`. A null pointer is a null string.
 *
 * # Safety
 * The glue passes on what the command was given. If `text` is not null it has `len`
 * bytes.
 */
int ksrrs_rpc_put_text(void *handle, const char *name, const char *text, size_t len);

/**
 * Refuses a format character that does not exist, and returns the result of `add`.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
int ksrrs_rpc_put_unknown(void *handle, const char *_name, char kind);

/**
 * Refuses a format character that does not exist, and returns the result of `add`.
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
 * Takes a parameter of the format `f`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_float(void *source, const char *name, int flags, double *value);

/**
 * Takes a parameter of the format `f`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_float(void *source, const char *name, int flags, double *value);

/**
 * Takes a parameter of the format `b t d u`, each of which fills an int.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_int(void *source, const char *name, int flags, int *value);

/**
 * Takes a parameter of the format `b t d u`, each of which fills an int.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_int(void *source, const char *name, int flags, int *value);

/**
 * Takes a parameter of the format `l` or `L`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_long(void *source, const char *name, int flags, int64_t *value);

/**
 * Takes a parameter of the format `l` or `L`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_long(void *source, const char *name, int flags, int64_t *value);

/**
 * Takes a parameter of the format `{`, and gives the handle of a structure, whose
 * members [`ksrrs_rpc_take_text`] and the functions like it read.
 *
 * # Safety
 * The glue passes on what the command was given, and a variable for the result.
 */
int ksrrs_rpc_take_struct(void *call, int flags, void **handle);

/**
 * Takes a parameter of the format `{`, and gives the handle of a structure, whose
 * members [`ksrrs_rpc_take_text`] and the functions like it read.
 *
 * # Safety
 * The glue passes on what the command was given, and a variable for the result.
 */
int ksrrs_rpc_take_struct(void *call, int flags, void **handle);

/**
 * Takes a parameter of the format `s` or `S`. The text is writable and ends with a
 * NUL. A missing parameter gives an empty text, never a null pointer; for a missing
 * member nothing is written.
 *
 * # Safety
 * The glue passes on what the command was given, and variables for the result.
 */
int ksrrs_rpc_take_text(void *source, const char *name, int flags, char **text, size_t *len);

/**
 * Takes a parameter of the format `s` or `S`. The text is writable and ends with a
 * NUL. A missing parameter gives an empty text, never a null pointer; for a missing
 * member nothing is written.
 *
 * # Safety
 * The glue passes on what the command was given, and variables for the result.
 */
int ksrrs_rpc_take_text(void *source, const char *name, int flags, char **text, size_t *len);

/**
 * Takes a parameter of the format `j` or `J`.
 *
 * # Safety
 * The glue passes on what the command gave it.
 */
int ksrrs_rpc_take_ulong(void *source, const char *name, int flags, uint64_t *value);

/**
 * Takes a parameter of the format `j` or `J`.
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
 * Returns a handle for the top of the reply.
 *
 * # Safety
 * The glue passes on what the command was given.
 */
void *ksrrs_rpc_top(void *call);

#endif  /* KAMAILIO_RS_H */
