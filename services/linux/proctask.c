/*
 * The rest of what /proc shows of each process: small files that programs look for.
 *
 * Runs in: the personality's domain. Source: proc_pid(5) and its relatives.
 */
#include "misc.h"
#include "procfiles.h"
#include "sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int show_text(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)reader;
	if (!process_find(pid))
		return -ESRCH;
	text_puts(out, arg);
	return 0;
}

/* What waits: a call's name, or 0. */
static int show_wchan(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg, (void)reader;
	if (!process_find(pid))
		return -ESRCH;
	text_puts(out, "0");
	return 0;
}

static int show_personality(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct thread *t;

	(void)arg;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	t = thread_find(pid);
	if (!t)
		return -ESRCH;
	text_printf(out, "%08x\n", t->personality);
	return 0;
}

static int show_schedstat(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);
	u64 user_ns, system_ns;

	(void)arg, (void)reader;
	if (!p || !p->threads)
		return -ESRCH;
	process_times(p, &user_ns, &system_ns);
	text_printf(out, "%lu 0 %lu\n", user_ns + system_ns, p->threads->switches);
	return 0;
}

static int show_sched(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);
	const struct thread *t = p ? p->threads : NULL;
	u64 user_ns, system_ns;

	(void)arg, (void)reader;
	if (!t)
		return -ESRCH;
	process_times(p, &user_ns, &system_ns);
	text_printf(out, "%s (%u, #threads: %u)\n", t->name, proc_number(out, p->pid), p->nthreads);
	for (u32 i = 0; i < 67; i++)
		text_puts(out, "-");
	text_printf(out, "\nse.sum_exec_runtime                          : %14lu.%06lu\n",
		    (user_ns + system_ns) / 1000000, (user_ns + system_ns) % 1000000);
	text_printf(out, "nr_switches                                  : %21lu\n", t->switches);
	text_printf(out, "policy                                       : %21u\n", t->policy);
	text_printf(out, "prio                                         : %21d\n",
		    t->priority ? 99 - t->priority : 120 + t->nice);
	return 0;
}

/* ---- who goes first when memory is short ---- */

#define OOM_SCORE_MAX 1000

static int show_adj(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);

	(void)arg, (void)reader;
	if (!p)
		return -ESRCH;
	text_printf(out, "%d\n", p->oom_score_adj);
	return 0;
}

static int store_adj(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	struct process *p = process_find(pid);
	char *end;
	long adj = strtol(text, &end, 10);

	(void)arg, (void)len;
	if (!p)
		return -ESRCH;
	if (end == text || strspn(end, " \t\n") != strlen(end) || adj < -OOM_SCORE_MAX ||
	    adj > OOM_SCORE_MAX)
		return -EINVAL;
	if (adj < p->oom_score_adj_least && !vfs_capable(writer, VFS_CAP_SYS_RESOURCE))
		return -EACCES;
	if (vfs_capable(writer, VFS_CAP_SYS_RESOURCE))
		p->oom_score_adj_least = (s32)adj;
	p->oom_score_adj = (s32)adj;
	return 0;
}

/* What a core file would hold: kept for who asks. */
static int show_filter(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);

	(void)arg, (void)reader;
	if (!p)
		return -ESRCH;
	text_printf(out, "%08x\n", p->coredump_filter);
	return 0;
}

static int store_filter(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	struct process *p = process_find(pid);
	char *end;
	unsigned long filter = strtoul(text, &end, 0);

	(void)arg, (void)writer, (void)len;
	if (!p)
		return -ESRCH;
	if (end == text || strspn(end, " \t\n") != strlen(end) || filter > UINT32_MAX)
		return -EINVAL;
	p->coredump_filter = (u32)filter & 0x1ff;
	return 0;
}

/* Memory in thousandths of all there is, as Linux scores it, shifted into its range. */
static int show_score(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);
	s64 score;

	(void)arg, (void)reader;
	if (!p)
		return -ESRCH;
	score = p->mm ? (s64)(p->mm->pages.npages * OOM_SCORE_MAX /
			      MAX(ram_total_bytes() / PAGE_SIZE, 1ul))
		      : 0;
	score = (OOM_SCORE_MAX + score + p->oom_score_adj) * 2 / 3;
	text_printf(out, "%ld\n", MAX(score, 0l));
	return 0;
}

static int show_children(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg, (void)reader;
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		if (p->parent && p->parent->pid == pid)
			text_printf(out, "%u ", proc_number(out, p->pid));
	}
	return 0;
}

#define TEXT(file, text)                                                                           \
	{                                                                                          \
		.name = file, .mode = 0444, .show = show_text, .arg = (void *)(text)               \
	}

static const struct proc_entry entries[] = {
	TEXT("cgroup", "0::/\n"),
	TEXT("cpuset", "/\n"),
	TEXT("loginuid", "4294967295"),
	TEXT("sessionid", "4294967295"),
	{.name = "coredump_filter", .mode = 0644, .show = show_filter, .store = store_filter},
	TEXT("timerslack_ns", "50000\n"),
	{.name = "wchan", .mode = 0444, .show = show_wchan},
	{.name = "personality", .mode = 0400, .show = show_personality},
	{.name = "sched", .mode = 0644, .show = show_sched},
	{.name = "schedstat", .mode = 0444, .show = show_schedstat},
	{.name = "oom_score", .mode = 0444, .show = show_score},
	{.name = "oom_score_adj", .mode = 0644, .show = show_adj, .store = store_adj},
	{.name = "children", .mode = 0444, .show = show_children},
};

int proctask_init(struct vfs *vfs)
{
	return procfs_add_to_processes(vfs, entries, ARRAY_SIZE(entries));
}
