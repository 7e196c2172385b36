/*
 * QEMU's arguments for the timing model. See timing.h.
 */
#include "timing.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"

#define MACHINES "hake/timing/machines"
#define SUFFIX   ".machine"

static char *plugin_path(void)
{
	char *path = realpath(strf("%s/timing.so", build_dir()), NULL);

	if (!path)
		die("the timing model is not built: hake/build timing-plugin");
	return path;
}

char *timing_machine(const char *name)
{
	char *path = strf("%s/%s%s", MACHINES, name, SUFFIX);
	struct strv known = {0};
	struct dirent *e;
	DIR *dir;

	if (file_exists(path))
		return path;
	if (strchr(name, '/') && file_exists(name))
		return strf("%s", name);
	dir = opendir(MACHINES);
	while (dir && (e = readdir(dir))) {
		char *end = strstr(e->d_name, SUFFIX);

		if (end)
			strv_addf(&known, "%.*s", (int)(end - e->d_name), e->d_name);
	}
	if (dir)
		closedir(dir);
	die("--timing: there is no machine \"%s\"%s; there are %s, or name a file with a \"/\"",
	    name, suggest(name, &known), strv_join(&known, ", "));
}

void timing_targets(const struct project *p, const struct timing_run *r, struct strv *targets)
{
	if (r->machine)
		strv_add(targets, build_target(p, "timing-plugin"));
}

void timing_before(struct strv *argv)
{
	/* The model also stands before functions of QEMU's C library. */
	strv_add(argv, "env");
	strv_addf(argv, "LD_PRELOAD=%s", plugin_path());
}

/* Where QEMU's q35 puts memory: up to the hole for devices below 4 GiB, the rest above it. */
static void add_nodes(struct buf *arg, const struct topology *t)
{
	u64 total = topology_memory(t);
	u64 low = total >= 0xb0000000 ? 0x80000000 : 0xb0000000;
	u64 at = 0;

	for (u32 i = 0; i < t->nnodes; i++) {
		u64 end = at + t->node_bytes[i];

		if (at < low)
			buf_addf(arg, ",node=%u:%lu:%lu", i, at, MIN(end, low) - at);
		if (end > low) {
			u64 from = MAX(at, low);

			buf_addf(arg, ",node=%u:%lu:%lu", i, from - low + (4ul << 30), end - from);
		}
		at = end;
	}
}

void timing_args(struct strv *argv, const struct topology *t, const struct timing_run *r)
{
	struct buf arg = {0};

	buf_addf(&arg, "%s,machine=%s,sockets=%u,seed=%lu,jitter=%u,out=%s", plugin_path(),
		 timing_machine(r->machine), t->sockets, r->seed, r->jitter,
		 r->out ? r->out : strf("%s/timing.json", build_dir()));
	if (r->profile)
		buf_addf(&arg, ",profile=%s", r->profile);
	add_nodes(&arg, t);
	strv_add(argv, "-plugin");
	strv_add(argv, arg.v);
	/* The same every time: what the guest's clock begins with, and its random numbers. */
	strv_split(argv, "-rtc base=2026-01-01T00:00:00,clock=vm");
	strv_add(argv, "-seed");
	strv_addf(argv, "%lu", r->seed);
}
