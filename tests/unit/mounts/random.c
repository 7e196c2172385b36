/*
 * Random changes of several namespaces. After each, all that must hold is looked at; and every
 * change is first tried with too little memory, which must change nothing that can be seen.
 */
#include "changes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unit.h>

static void change_carefully(struct run *r, const struct change *c)
{
	static char before[1 << 16], after[1 << 16];
	int err;

	/* With no memory at all, then a little more, until it is enough. */
	for (s64 memory = 0;; memory++) {
		u64 had = r->w.allocated;

		world_describe(&r->w, before, sizeof(before));
		r->w.fail_after = memory;
		err = change_make(r, c);
		r->w.fail_after = -1;
		if (err != -ENOMEM)
			break;
		world_describe(&r->w, after, sizeof(after));
		CHECK_STRING(before, after);
		world_check(&r->w);
		CHECK(r->w.allocated <= had + 256 * KiB);
	}
	if (err) {
		world_describe(&r->w, after, sizeof(after));
		CHECK_STRING(before, after);
	}
	r->done += !err;
	r->refused += !!err;
}

TEST(random_changes_leave_everything_in_order)
{
	const char *steps = getenv("SKERRY_STEPS");
	u64 n = steps ? strtoul(steps, NULL, 0) : 5000;
	struct run r;

	run_begin(&r);
	for (u64 i = 0; i < n; i++) {
		struct change c;

		change_choose(&r, &c);
		change_carefully(&r, &c);
		if (i % 8 == 0)
			world_check(&r.w);
	}
	printf("%u changes, %u refused\n", r.done, r.refused);
	CHECK(r.done > n / 10);
	run_end(&r);
}
