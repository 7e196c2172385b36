/* See counts.h. */
#include "counts.h"
#include "corestate.h"
#include "shard.h"

#include <errno.h>
#include <skerry/shard/control.h>
#include <stdlib.h>
#include <vfs/proc.h>

static const char *const areas[SHARD_AREAS] = {
	"control", "processes", "files", "inodes", "memory", "mounts", "namespaces",
};

/* This core's, one entry a peer it has talked with; returns how many. */
static u32 own_counts(struct core_counts *out)
{
	u32 n = 0;

	for (u32 core = 0; core < linux_cores(); core++) {
		struct shard_count all = shard_counts(shards, core, SHARD_AREAS);

		if (!all.sent && !all.received)
			continue;
		out[n].core = core;
		for (u32 a = 0; a < SHARD_AREAS; a++) {
			struct shard_count c = shard_counts(shards, core, a);

			out[n].sent[a] = c.sent;
			out[n].received[a] = c.received;
		}
		n++;
	}
	return n;
}

static s64 serve_counts(struct shard_request *r)
{
	u32 room = linux_cores() * (u32)sizeof(struct core_counts);
	struct core_counts *out = shard_answer(r, room);

	if (!out)
		return -ENOMEM;
	shard_answer(r, own_counts(out) * (u32)sizeof(*out));
	return 0;
}

/* The counts of @core: how many entries, or a negative errno. */
static s64 counts_of(u32 core, struct core_counts *out)
{
	u32 got, room = linux_cores() * (u32)sizeof(*out);
	s64 err;

	if (!shards)
		return 0;
	if (core == linux_core())
		return own_counts(out);
	err = shard_call(shards, core, CONTROL_COUNTS, NULL, 0, out, room, &got);
	return err ? err : (s64)(got / sizeof(*out));
}

static int show_core(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u32 core = (u32)(uintptr_t)arg;
	struct core_counts *c = calloc(linux_cores(), sizeof(*c));
	s64 n = c ? counts_of(core, c) : -ENOMEM;

	(void)reader, (void)pid;
	for (s64 i = 0; i < n; i++) {
		for (u32 a = 0; a < SHARD_AREAS; a++) {
			if (c[i].sent[a] || c[i].received[a])
				text_printf(out, "%lu %s %lu %lu\n", c[i].core, areas[a],
					    c[i].sent[a], c[i].received[a]);
		}
	}
	free(c);
	return n == -ENOMEM ? -ENOMEM : 0; /* of a dead core nothing is known */
}

static int show_all(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	struct core_counts sum = {0}, *c = calloc(linux_cores(), sizeof(*c));

	(void)arg, (void)reader, (void)pid;
	if (!c)
		return -ENOMEM;
	for (u32 core = 0; core < linux_cores(); core++) {
		s64 n = counts_of(core, c);

		for (s64 i = 0; i < n; i++) {
			for (u32 a = 0; a < SHARD_AREAS; a++) {
				sum.sent[a] += c[i].sent[a];
				sum.received[a] += c[i].received[a];
			}
		}
	}
	free(c);
	for (u32 a = 0; a < SHARD_AREAS; a++)
		text_printf(out, "%s %lu %lu\n", areas[a], sum.sent[a], sum.received[a]);
	return 0;
}

int counts_fill(struct vfs *vfs)
{
	static const struct proc_entry all = {
		.name = "kernel/skerry/messages", .mode = 0444, .show = show_all};
	static const struct proc_entry of_core = {.mode = 0444, .show = show_core};
	int err = sysfs_add(vfs, &all, 1);

	for (u32 core = 0; core < linux_cores() && !err; core++)
		err = core_file_add(vfs, core, "messages", &of_core);
	return err;
}

int counts_init(struct shard_net *net)
{
	return shard_serve(net, CONTROL_COUNTS, serve_counts, NULL);
}
