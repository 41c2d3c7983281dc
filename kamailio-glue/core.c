/* Macros of the core as functions: logging and the runtime configuration. */
#include <stdio.h>

#include "core/dprint.h"
#include "core/cfg/cfg_struct.h"

#include "glue.h"

const char ksrrs_server_name[] = NAME;

int ksrrs_log_enabled(int level, const char *module, int module_len)
{
	return dprint_crit == 0 && get_debug_level((char *)module, module_len) >= level;
}

/* The core's own macro takes the module, the file and the line when C is
 * compiled. Here they come at run time, because otherwise per-module debug
 * levels would be lost. */
void ksrrs_log(int level, const char *module, int module_len,
		const char *place, const char *file, int line, const char *text,
		int text_len)
{
	int shown = level < L_ALERT ? L_ALERT : (level > L_DBG ? L_DBG : level);
	int facility = LOG2SYSLOG_LEVEL(shown)
				   | get_debug_facility((char *)module, module_len);

	if(!ksrrs_log_enabled(level, module, module_len)) {
		return;
	}
	DPRINT_CRIT_ENTER;
	if(_ksr_slog_func) {
		ksr_logdata_t data = {0};
		data.v_facility = facility;
		data.v_level = shown;
		data.v_lname = LOG_LEVEL2NAME(shown);
		data.v_fname = file;
		data.v_fline = line;
		data.v_mname = module;
		data.v_func = "";
		data.v_locinfo = place;
		_ksr_slog_func(&data, "%.*s\n", text_len, text);
	} else if(log_stderr) {
		if(log_color) {
			dprint_color(shown);
		}
		fprintf(stderr, "%2d(%d) %s: %.*s%s%.*s\n", process_no, my_pid(),
				LOG_LEVEL2NAME(shown), LOGV_PREFIX_LEN, LOGV_PREFIX_STR, place,
				text_len, text);
		if(log_color) {
			dprint_color_reset();
		}
	} else {
		_km_log_func(facility, "%s: %.*s%s%.*s\n", LOG_LEVEL2NAME(shown),
				LOGV_PREFIX_LEN, LOGV_PREFIX_STR, place, text_len, text);
	}
	DPRINT_CRIT_EXIT;
}

int ksrrs_is_http(const sip_msg_t *msg)
{
	return IS_HTTP(msg);
}

void ksrrs_cfg_update(void)
{
	cfg_update();
}
