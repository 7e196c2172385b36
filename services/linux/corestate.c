/* See corestate.h. */
#include "corestate.h"
#include "boot.h"
#include "bootwords.h"
#include "directory.h"
#include "process.h"
#include "ram.h"
#include "sched.h"
#include "shard.h"
#include "timer.h"

#include <errno.h>
#include <rt/monitor.h>
#include <skerry/calls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/proc.h>

#define PATH_BYTES 40u

static void own_state(struct core_state *out)
{
	*out = (struct core_state){
		.running = sched_runnable(),
		.threads = thread_count(),
		.processes = process_count(),
		.total_bytes = ram_total_bytes(),
		.free_bytes = ram_free_bytes(),
		.last_pid = process_numbers.newest,
	};
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		u64 user_ns, system_ns;

		if (p->far)
			continue; /* counted where it is */
		process_times(p, &user_ns, &system_ns);
		out->user_ns += user_ns;
		out->system_ns += system_ns;
		for (const struct thread *t = p->threads; t; t = t->next)
			out->switches += t->switches;
	}
}

static s64 serve_state(struct shard_request *r)
{
	struct core_state *out = shard_answer(r, sizeof(*out));

	if (!out)
		return -ENOMEM;
	own_state(out);
	return 0;
}

int core_state(u32 core, struct core_state *out)
{
	u32 got;
	s64 err;

	if (core == linux_core()) {
		own_state(out);
		return 0;
	}
	if (core >= linux_cores())
		return -ENODEV;
	err = shard_call(shards, core, CONTROL_STATE, NULL, 0, out, sizeof(*out), &got);
	return err ? (int)err : got == sizeof(*out) ? 0 : -EBADMSG;
}

void core_state_sum(struct core_state *out)
{
	own_state(out); /* first: who has waited for others does not count as running any more */
	for (u32 core = 0; core < linux_cores(); core++) {
		struct core_state one;

		if (core == linux_core() || core_state(core, &one))
			continue;
		out->user_ns += one.user_ns;
		out->system_ns += one.system_ns;
		out->switches += one.switches;
		out->running += one.running;
		out->threads += one.threads;
		out->processes += one.processes;
		out->total_bytes += one.total_bytes;
		out->free_bytes += one.free_bytes;
		out->last_pid = MAX(out->last_pid, one.last_pid);
	}
}

int core_file_add(struct vfs *vfs, u32 core, const char *name, const struct proc_entry *like)
{
	struct named {
		struct proc_entry entry;
		char name[PATH_BYTES];
	} *e = malloc(sizeof(*e)); /* stays as long as the file system */
	int err;

	if (!e)
		return -ENOMEM;
	snprintf(e->name, sizeof(e->name), "kernel/skerry/core/%u/%s", core, name);
	e->entry = *like;
	e->entry.name = e->name;
	e->entry.arg = (void *)(uintptr_t)core;
	err = sysfs_add(vfs, &e->entry, 1);
	if (err)
		free(e);
	return err;
}

/* "1": the core stops at once, as if it had broken. The others find that out by its silence. */
static int store_halt(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	(void)pid, (void)len;
	if (!vfs_capable_in(writer, NULL, CAP_SYS_BOOT))
		return -EPERM;
	if (strcmp(text, "1") && strcmp(text, "1\n"))
		return -EINVAL;
	return (int)monitor_ask_simple(MON_HALT_CORE, (uintptr_t)arg, HALT_SILENT, 0, 0);
}

int corestate_fill(struct vfs *vfs)
{
	static const struct proc_entry halt = {.mode = 0200, .store = store_halt};
	char *word = bootwords_value(kernel_cmdline, "faults");
	bool wanted = word && atoi(word);
	int err = 0;

	free(word);
	for (u32 core = 0; wanted && core < linux_cores() && !err; core++)
		err = core_file_add(vfs, core, "halt", &halt);
	return err;
}

int corestate_init(struct shard_net *net)
{
	return shard_serve(net, CONTROL_STATE, serve_state, NULL);
}
