/* rpc_t with its variable arguments. Each function walks the format string and
 * passes one value at a time to Rust, which knows its meaning. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rpc.h"
#include "core/str.h"

#include "glue.h"
#include "kamailio_rs.h"

/* The result of take_value for a format character that does not exist. It
 * differs from all results that Rust returns. */
#define KSRRS_SCAN_UNKNOWN -1

/* Adds the next argument. A null name stands for a value without a name. */
static int put_value(void *handle, const char *name, char type, va_list *args)
{
	const char *text;
	const str *counted;
	void **child;

	switch(type) {
		case 'd':
		case 'b':
			return ksrrs_rpc_put_integer(handle, name, type, va_arg(*args, int));
		case 'u':
			return ksrrs_rpc_put_integer(
					handle, name, type, va_arg(*args, unsigned int));
		case 't':
			return ksrrs_rpc_put_integer(
					handle, name, type, va_arg(*args, time_t));
		case 'l':
			return ksrrs_rpc_put_integer(handle, name, type, va_arg(*args, long));
		case 'L':
			return ksrrs_rpc_put_integer(
					handle, name, type, va_arg(*args, long long));
		case 'j':
			return ksrrs_rpc_put_integer(handle, name, type,
					(int64_t)va_arg(*args, unsigned long));
		case 'J':
			return ksrrs_rpc_put_integer(handle, name, type,
					(int64_t)va_arg(*args, unsigned long long));
		case 'f':
			return ksrrs_rpc_put_float(handle, name, va_arg(*args, double));
		case 's':
			text = va_arg(*args, const char *);
			return ksrrs_rpc_put_text(
					handle, name, text, text ? strlen(text) : 0);
		case 'S':
			counted = va_arg(*args, const str *);
			if(counted == NULL || counted->s == NULL || counted->len < 0) {
				return ksrrs_rpc_put_text(handle, name, NULL, 0);
			}
			return ksrrs_rpc_put_text(handle, name, counted->s, counted->len);
		case '{':
		case '[':
			child = va_arg(*args, void **);
			*child = ksrrs_rpc_put_container(handle, name, type);
			return *child ? 0 : -1;
		default:
			return ksrrs_rpc_put_unknown(handle, name, type);
	}
}

static int put_unnamed(void *handle, const char *format, va_list *args)
{
	for(; *format; format++) {
		if(put_value(handle, NULL, *format, args) < 0) {
			return -1;
		}
	}
	return 0;
}

static int rpc_add(void *call, char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = put_unnamed(ksrrs_rpc_top(call), format, &args);
	va_end(args);
	return ret;
}

static int rpc_array_add(void *handle, char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = put_unnamed(handle, format, &args);
	va_end(args);
	return ret;
}

static int rpc_struct_add(void *handle, char *format, ...)
{
	va_list args;
	const char *name;
	int ret = 0;

	va_start(args, format);
	for(; *format && ret == 0; format++) {
		name = va_arg(args, const char *);
		ret = put_value(handle, name ? name : "", *format, &args);
	}
	va_end(args);
	return ret;
}

static int put_formatted(
		void *handle, const char *name, const char *format, va_list *args)
{
	char *text = NULL;
	int len = vasprintf(&text, format, *args);
	int ret;

	if(len < 0) {
		return -1;
	}
	ret = ksrrs_rpc_put_text(handle, name, text, len);
	free(text);
	return ret;
}

static int rpc_rpl_printf(void *call, char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = put_formatted(ksrrs_rpc_top(call), NULL, format, &args);
	va_end(args);
	return ret;
}

static int rpc_struct_printf(void *handle, char *name, char *format, ...)
{
	va_list args;
	int ret;

	va_start(args, format);
	ret = put_formatted(handle, name ? name : "", format, &args);
	va_end(args);
	return ret;
}

static void rpc_fault(void *call, int code, char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if(len < 0) {
		ksrrs_rpc_fault(call, code, NULL, 0);
		return;
	}
	ksrrs_rpc_fault(call, code, text, len);
	free(text);
}

/* Stores a long, which has 32 bits on some machines. A value that does not fit
 * there fails to convert. */
static int put_long(int64_t value, long *place)
{
	if((int64_t)(long)value != value) {
		return KSRRS_SCAN_FAILED;
	}
	*place = (long)value;
	return KSRRS_SCAN_OK;
}

static int put_ulong(uint64_t value, unsigned long *place)
{
	if((uint64_t)(unsigned long)value != value) {
		return KSRRS_SCAN_FAILED;
	}
	*place = (unsigned long)value;
	return KSRRS_SCAN_OK;
}

/* Reads the next parameter into the next argument. With a name it reads a
 * member of a structure, and the source is the structure's handle. */
static int take_value(
		void *source, const char *name, char type, int flags, va_list *args)
{
	char *text = NULL;
	size_t len = 0;
	char **asciiz;
	str *counted;
	int64_t wide;
	uint64_t unsigned_wide;
	int ret;

	switch(type) {
		case 'b':
		case 't':
		case 'd':
		case 'u':
			return ksrrs_rpc_take_int(source, name, flags, va_arg(*args, int *));
		case 'f':
			return ksrrs_rpc_take_float(
					source, name, flags, va_arg(*args, double *));
		case 'l':
			ret = ksrrs_rpc_take_long(source, name, flags, &wide);
			return ret ? ret : put_long(wide, va_arg(*args, long *));
		case 'L':
			return ksrrs_rpc_take_long(
					source, name, flags, (int64_t *)va_arg(*args, long long *));
		case 'j':
			ret = ksrrs_rpc_take_ulong(source, name, flags, &unsigned_wide);
			return ret ? ret
					   : put_ulong(unsigned_wide, va_arg(*args, unsigned long *));
		case 'J':
			return ksrrs_rpc_take_ulong(source, name, flags,
					(uint64_t *)va_arg(*args, unsigned long long *));
		case 's':
			asciiz = va_arg(*args, char **);
			ret = ksrrs_rpc_take_text(source, name, flags, &text, &len);
			if(text != NULL) {
				*asciiz = text;
			}
			return ret;
		case 'S':
			counted = va_arg(*args, str *);
			ret = ksrrs_rpc_take_text(source, name, flags, &text, &len);
			if(text != NULL) {
				counted->s = text;
				counted->len = (int)len;
			}
			return ret;
		default:
			return KSRRS_SCAN_UNKNOWN;
	}
}

static int take_parameter(void *call, char type, int flags, va_list *args)
{
	int ret;

	if(type == '{') {
		return ksrrs_rpc_take_struct(call, flags, va_arg(*args, void **));
	}
	ret = take_value(call, NULL, type, flags, args);
	return ret == KSRRS_SCAN_UNKNOWN ? ksrrs_rpc_take_unknown(call, type) : ret;
}

/* Returns the number of values that were read, negated if reading failed. A
 * missing optional parameter is not a failure. */
static int rpc_scan(void *call, char *format, ...)
{
	va_list args;
	int flags = 0;
	int taken = 0;
	int ret = KSRRS_SCAN_OK;

	ksrrs_rpc_scan_begin(call);
	va_start(args, format);
	for(; *format && ret == KSRRS_SCAN_OK; format++) {
		if(*format == '*') {
			flags |= KSRRS_SCAN_OPTIONAL;
		} else if(*format == '.') {
			flags |= KSRRS_SCAN_CONVERT;
		} else {
			ret = take_parameter(call, *format, flags, &args);
			taken += (ret == KSRRS_SCAN_OK);
			flags &= ~KSRRS_SCAN_CONVERT;
		}
	}
	va_end(args);
	if(ret == KSRRS_SCAN_OK
			|| (ret == KSRRS_SCAN_MISSING && (flags & KSRRS_SCAN_OPTIONAL))) {
		return taken;
	}
	return -taken;
}

/* Returns the number of members that were read, up to the first that is
 * missing. It is negated if a member does not fit. */
static int rpc_struct_scan(void *handle, char *format, ...)
{
	va_list args;
	const char *name;
	int taken = 0;
	int ret = KSRRS_SCAN_OK;

	va_start(args, format);
	for(; *format && ret == KSRRS_SCAN_OK; format++) {
		name = va_arg(args, const char *);
		ret = take_value(handle, name ? name : "", *format, 0, &args);
		taken += (ret == KSRRS_SCAN_OK);
	}
	va_end(args);
	return ret == KSRRS_SCAN_FAILED || ret == KSRRS_SCAN_UNKNOWN ? -taken : taken;
}

static int rpc_send(void *call)
{
	return ksrrs_rpc_send(call);
}

static rpc_capabilities_t rpc_capabilities(void *call)
{
	return ksrrs_rpc_delays(call) ? RPC_DELAYED_REPLY : (rpc_capabilities_t)0;
}

static struct rpc_delayed_ctx *rpc_delayed_ctx_new(void *call)
{
	return ksrrs_rpc_delay(call);
}

static void rpc_delayed_ctx_close(struct rpc_delayed_ctx *delayed)
{
	ksrrs_rpc_close_delayed(delayed);
}

rpc_t ksrrs_rpc_table = {
		.fault = rpc_fault,
		.send = rpc_send,
		.add = rpc_add,
		.scan = rpc_scan,
		.rpl_printf = rpc_rpl_printf,
		.struct_add = rpc_struct_add,
		.array_add = rpc_array_add,
		.struct_scan = rpc_struct_scan,
		.struct_printf = rpc_struct_printf,
		.capabilities = rpc_capabilities,
		.delayed_ctx_new = rpc_delayed_ctx_new,
		.delayed_ctx_close = rpc_delayed_ctx_close,
};
