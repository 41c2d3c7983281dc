/* Data that outlives a call and leaves the process: memory that all processes
 * share, and copies of messages in it. */
#include "core/data_lump.h"
#include "core/data_lump_rpl.h"
#include "core/mem/shm.h"
#include "core/parser/hf.h"
#include "core/parser/msg_parser.h"
#include "core/sip_msg_clone.h"

#include "glue.h"

void *ksrrs_shm_malloc(size_t size)
{
	return shm_malloc(size);
}

void ksrrs_shm_free(void *memory)
{
	shm_free(memory);
}

sip_msg_t *ksrrs_message_share(sip_msg_t *msg, int *size)
{
	/* A header that is first parsed in the copy would be linked into it from
	 * private memory, so all of them are parsed now. */
	if(parse_headers(msg, HDR_EOH_F, 0) < 0) {
		return NULL;
	}
	return sip_msg_shm_clone(msg, size, 1);
}

/* Whether the parsed form of a header is in this process's private memory. */
static int is_private(const hdr_field_t *header, const sip_msg_t *msg, int size)
{
	const char *parsed = header->parsed;
	const char *start = (const char *)msg;

	return parsed != NULL && (parsed < start || parsed >= start + size);
}

void ksrrs_message_unshare(sip_msg_t *msg, int size)
{
	hdr_field_t *header;

	del_nonshm_lump(&msg->add_rm);
	del_nonshm_lump(&msg->body_lumps);
	del_nonshm_lump_rpl(&msg->reply_lump);
	for(header = msg->headers; header; header = header->next) {
		if(is_private(header, msg, size) && hdr_allocs_parse(header)) {
			clean_hdr_field(header);
			header->parsed = NULL;
		}
	}
	shm_free(msg);
}
