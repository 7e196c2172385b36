/*
 * Writing of archives for tests: see cpio_archive.h.
 */
#include "cpio_archive.h"

#include <cpio/cpio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct archive *a, const void *bytes, size_t len)
{
	a->bytes = realloc(a->bytes, a->len + len + 4);
	if (!a->bytes)
		abort();
	memcpy(a->bytes + a->len, bytes, len);
	a->len += len;
	while (a->len % 4 != 0)
		a->bytes[a->len++] = 0;
}

void archive_add(struct archive *a, const char *name, u32 namesize, u32 mode, const char *data)
{
	char header[128], padded[8192] = {0};
	u32 needs = (u32)strlen(name) + 1;
	size_t at;

	snprintf(header, sizeof(header),
		 "070701%08X%08x%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 7, mode, 1000, 100,
		 1, 0x5f000000, (u32)strlen(data), 8, 1, 4, 64, namesize ? namesize : needs, 0);
	at = a->len;
	append(a, header, 110);
	a->len = at + 110; /* the name follows without padding */
	memcpy(padded, name, needs);
	append(a, padded, namesize ? namesize : needs);
	append(a, data, strlen(data));
}

struct archive new_archive(void)
{
	struct archive a = {0};

	archive_add(&a, "etc", 0, CPIO_TYPE_FOLDER | 0755, "");
	archive_add(&a, "./etc/motd", 0, CPIO_TYPE_FILE | 0644, "hello\n");
	archive_add(&a, "sbin/monitor", 0, CPIO_TYPE_FILE | 0755,
		    "\x7f"
		    "ELF");
	archive_add(&a, "TRAILER!!!", 0, 0, "");
	return a;
}
