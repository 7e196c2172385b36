/* See record.h. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_LEAST 4096ul
#define ALIGN      8ul

void *record_add(struct record *r, u64 bytes)
{
	u64 whole = ROUND_UP(bytes, ALIGN);
	void *part;

	if (r->room - r->bytes < whole) {
		u64 room = MAX(MAX(2 * r->room, ROOM_LEAST), ROUND_UP(r->bytes + whole, ALIGN));
		u8 *at = r->failed ? NULL : realloc(r->at, room);

		if (!at) {
			r->failed = true;
			return NULL;
		}
		r->at = at;
		r->room = room;
	}
	part = r->at + r->bytes;
	memset((u8 *)part + bytes, 0, whole - bytes);
	r->bytes += whole;
	return part;
}

void record_put(struct record *r, const void *part, u64 bytes)
{
	void *at = record_add(r, bytes);

	if (at)
		memcpy(at, part, bytes);
}

const void *record_next(struct record *r, u64 bytes)
{
	const void *part = r->at + r->done;
	u64 left = r->bytes - r->done;

	if (bytes > left || ROUND_UP(bytes, ALIGN) > left) {
		r->failed = true;
		return NULL;
	}
	r->done += ROUND_UP(bytes, ALIGN);
	return part;
}

bool record_get(struct record *r, void *part, u64 bytes)
{
	const void *from = record_next(r, bytes);

	if (from)
		memcpy(part, from, bytes);
	return from;
}

void record_free(struct record *r)
{
	free(r->at);
	*r = (struct record){0};
}
