/* See args.h. */
#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int strings_add(struct strings *s, const char *string, u64 len)
{
	if (s->len + len + 1 > s->room) {
		u64 room = MAX(s->room * 2, s->len + len + 256);
		char *at = realloc(s->at, room);

		if (!at)
			return -ENOMEM;
		s->at = at;
		s->room = room;
	}
	memcpy(s->at + s->len, string, len);
	s->at[s->len + len] = 0;
	s->len += len + 1;
	s->count++;
	return 0;
}

const char *strings_get(const struct strings *s, u32 index)
{
	const char *at = s->at;

	while (index--)
		at += strlen(at) + 1;
	return at;
}

void strings_remove(struct strings *s, u32 index)
{
	char *at = s->at + (strings_get(s, index) - s->at);
	u64 bytes = strlen(at) + 1;

	memmove(at, at + bytes, s->len - (u64)(at - s->at) - bytes);
	s->len -= bytes;
	s->count--;
}

void strings_free(struct strings *s)
{
	free(s->at);
	*s = (struct strings){0};
}
