/*
 * Fuzzing the reader of cpio archives: entries are in the archive, in order, and found again.
 */
#include "fuzz.h"

#include <cpio/cpio.h>
#include <cpio_archive.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t len)
{
	struct cpio_entry e, found;
	struct cpio cpio;
	u64 where = 0, end = 0;
	u32 n = 0;

	cpio_begin(&cpio, data, len);
	while (cpio_next(&cpio, &e)) {
		MUST(e.offset >= end && e.offset <= len && e.size <= len - e.offset);
		MUST(e.data == data + e.offset);
		fuzz_touch(e.name, strlen(e.name) + 1);
		fuzz_touch(e.data, e.size);
		if (n++ < 8) {
			MUST(cpio_find(data, len, e.name, &found, &where) == CPIO_OK);
			MUST(found.offset <= e.offset);
		}
		end = e.offset + e.size;
	}
	MUST(!cpio_next(&cpio, &e));
	MUST(strcmp(cpio_strerror(cpio.error), "has an unknown error") != 0);
	MUST(cpio_check(data, len, &where) == cpio.error);
	MUST(!cpio.error || (where == cpio.error_offset && where <= ROUND_UP((u64)len, 4)));
	return 0;
}

size_t fuzz_sample(u32 n, u8 *out)
{
	struct archive a = {0};
	size_t len;

	if (n == 0) {
		a = new_archive();
	} else if (n == 1) {
		archive_add(&a, "padded", 1000, CPIO_TYPE_FILE, "data");
		archive_add(&a, "TRAILER!!!", 0, 0, "");
	}
	len = a.len;
	memcpy(out, a.bytes ? a.bytes : out, len);
	free(a.bytes);
	return len;
}
