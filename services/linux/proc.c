/*
 * What /proc shows of processes.
 *
 * Not here: of the machine (procsys.c); descriptors, links and mounts (the VFS shows them itself).
 * Runs in: the personality's domain. Source: proc_pid(5) and its relatives.
 */
#include "afar.h"
#include "affinity.h"
#include "exec.h"
#include "cpu.h"
#include "namespaces.h"
#include "procfar.h"
#include "pidns.h"
#include "procfiles.h"
#include "sched.h"
#include "signal.h"
#include "timens.h"
#include "uaccess.h"

#include <errno.h>
#include <rt/clock.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/proc.h>
#include <vfs/tty.h>

#define TICK_NS (NS_PER_S / TICKS_PER_S)

static u32 show_number(void *arg, struct ns *ns, u32 pid)
{
	(void)arg;
	return pid_ns_show(pid_ns_of(ns), pid);
}

static u32 keep_number(void *arg, struct ns *ns, u32 nr)
{
	u32 pid = pid_ns_keep(pid_ns_of(ns), nr);

	(void)arg;
	return pid == NO_PID ? 0 : pid;
}

static u32 next_pid(void *arg, struct ns *ns, u32 from)
{
	(void)arg;
	if (!pid_ns_of(ns) && afar_is_on)
		return procfar_next_pid(from);
	return pid_ns_next_process(pid_ns_of(ns), from);
}

static u32 next_tid(void *arg, struct ns *ns, u32 pid, u32 from)
{
	const struct process *p = process_find(pid);
	u32 best = 0;

	(void)arg;
	for (const struct thread *t = p ? p->threads : NULL; t; t = t->next) {
		u32 nr = pid_ns_show(pid_ns_of(ns), t->tid);

		if (nr && nr >= from && (!best || nr < best))
			best = nr;
	}
	if (!p && afar_is_on)
		return procfar_next_tid(pid, from);
	return best;
}

u32 proc_number(const struct text *out, u32 pid)
{
	return pid_ns_show(pid_ns_of(out->pid_ns), pid);
}

static struct vfs_task *task_of(void *arg, u32 pid)
{
	struct process *p = process_find(pid);

	(void)arg;
	if (!p && afar_is_on)
		return procfar_task(pid);
	return p && p->threads ? &p->threads->vfs : NULL;
}

/* ptrace(2), "Ptrace access mode checking". */
bool proc_may_look(void *arg, struct vfs_task *reader, u32 pid)
{
	const struct thread *t = container_of(reader, struct thread, vfs), *of;
	const struct process *p = process_find(pid);
	const struct cred *c = &t->cred, *o;

	(void)arg;
	if (!p || !p->threads || p == t->process)
		return p;
	of = p->threads;
	o = &of->cred;
	if (capable_over(t, of, CAP_SYS_PTRACE))
		return true;
	return p->dumpable && c->fsuid == o->uid && c->fsuid == o->euid && c->fsuid == o->suid &&
	       c->fsgid == o->gid && c->fsgid == o->egid && c->fsgid == o->sgid &&
	       (o->user_ns == c->user_ns ? !(o->permitted & ~c->permitted)
					 : capable_over(t, of, CAP_SYS_PTRACE));
}

static char state_of(const struct process *p)
{
	const struct thread *t = process_thread(p);

	if (p->zombie)
		return 'Z';
	if (p->stopped)
		return 'T';
	return t->state == THREAD_IN_CALL && t->fiber && t != sched_current() ? 'S' : 'R';
}

static u64 ignored_set(const struct process *p, bool ignored)
{
	u64 set = 0;

	for (u32 i = 0; i < SIGNALS; i++) {
		u64 handler = p->sighand->action[i].handler;

		if (ignored ? handler == SIG_IGN : handler > SIG_IGN)
			set |= 1ul << i;
	}
	return set;
}

/* ---- stat, statm, status ---- */

static int show_stat(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);
	const struct thread *t = p ? process_thread(p) : NULL;
	const struct mm *mm = p ? p->mm : NULL;
	u64 user_ns, system_ns;
	struct tty *tty;

	(void)arg;
	(void)reader;
	if (!t)
		return -ESRCH;
	process_times(p, &user_ns, &system_ns);
	tty = t->vfs.ctty;
	text_printf(out, "%u (%s) %c %u %u %u %u %d 0 %lu %lu 0 0 ", proc_number(out, p->pid),
		    t->name, state_of(p), p->parent ? proc_number(out, p->parent->pid) : 0,
		    proc_number(out, p->pgrp), proc_number(out, p->sid), tty ? tty_dev(tty) : 0,
		    tty ? (int)proc_number(out, tty_pgrp(tty)) : -1,
		    p->minor_faults + (mm ? mm->minor_faults : 0), p->children_minor_faults);
	text_printf(
		out, "%lu %lu %lu %lu %d %d %u 0 %lu ", user_ns / TICK_NS, system_ns / TICK_NS,
		p->children_user_ns / TICK_NS, p->children_system_ns / TICK_NS,
		t->priority ? -1 - t->priority : 20 + t->nice, t->nice, p->nthreads,
		(p->start_ns + (u64)time_ns_offset(container_of(reader, struct thread, vfs), 7)) /
			TICK_NS);
	text_printf(out, "%lu %lu %lu %lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %d %u %u %d 0 0 0 ",
		    mm ? mm->total_bytes : 0, mm ? mm->pages.npages : 0, p->limits[RLIMIT_RSS].cur,
		    mm ? mm->code_start : 0, mm ? mm->code_end : 0, mm ? mm->stack_start : 0,
		    t->pending.set & 0x7fffffff, t->sigmask & 0x7fffffff,
		    ignored_set(p, true) & 0x7fffffff, ignored_set(p, false) & 0x7fffffff,
		    p->exit_signal, p->home_core, (u32)t->priority, t->policy);
	text_printf(out, "%lu %lu %lu %lu %lu %lu %lu %u\n", mm ? mm->data_start : 0,
		    mm ? mm->data_end : 0, mm ? mm->brk_start : 0, mm ? mm->args_start : 0,
		    mm ? mm->args_end : 0, mm ? mm->env_start : 0, mm ? mm->env_end : 0,
		    p->zombie ? p->exit_status : 0);
	return 0;
}

u64 proc_shared_pages(const struct mm *mm)
{
	u64 n = 0;

	for (u64 i = 0; i < mm->pages.nslots; i++) {
		for (const struct group *g = mm->pages.slots[i]; g; g = g->next) {
			for (u32 k = 0; k < GROUP_PAGES; k++)
				n += g->entry[k] && !(g->entry[k] & PM_ANON);
		}
	}
	return n;
}

static int show_statm(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);
	const struct mm *mm = p ? p->mm : NULL;

	(void)arg;
	(void)reader;
	if (!mm)
		text_puts(out, "0 0 0 0 0 0 0\n");
	else
		text_printf(out, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_bytes / PAGE_SIZE,
			    mm->pages.npages, proc_shared_pages(mm),
			    (mm->code_end - mm->code_start) / PAGE_SIZE,
			    mm_data_bytes(mm) / PAGE_SIZE);
	return 0;
}

static void show_memory(const struct mm *mm, struct text *out)
{
	u64 shared = proc_shared_pages(mm), pages = mm->pages.npages, stack = 0;

	for (u32 i = 0; i < mm->vmas.count; i++) {
		const struct vma *v = &mm->vmas.list[i];

		stack += v->flags & VM_STACK ? v->end - v->start : 0;
	}
	text_printf(out, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8u kB\n",
		    mm->total_bytes / KiB, mm->total_bytes / KiB, mm_locked_bytes(mm) / KiB, 0);
	text_printf(out, "VmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nRssFile:\t%8lu kB\n",
		    mm->peak_pages * 4, pages * 4, (pages - shared) * 4, shared * 4);
	text_printf(out, "RssShmem:\t%8u kB\nVmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\n",
		    0, mm_data_bytes(mm) / KiB, stack / KiB, (mm->code_end - mm->code_start) / KiB);
	text_printf(out,
		    "VmLib:\t%8u kB\nVmPTE:\t%8lu kB\nVmSwap:\t%8u kB\nHugetlbPages:\t%8u kB\n", 0,
		    pages / 128 + 12, 0, 0);
	text_puts(out, "CoreDumping:\t0\nTHP_enabled:\t1\nuntag_mask:\t0xffffffffffffffff\n");
}

/* Numbers as @reader sees them. */
static void show_ids(const struct thread *reader, const struct cred *c, struct text *out)
{
	text_printf(out, "Uid:\t%u\t%u\t%u\t%u\n", show_uid(reader, c->uid),
		    show_uid(reader, c->euid), show_uid(reader, c->suid),
		    show_uid(reader, c->fsuid));
	text_printf(out, "Gid:\t%u\t%u\t%u\t%u\nFDSize:\t64\nGroups:\t", show_gid(reader, c->gid),
		    show_gid(reader, c->egid), show_gid(reader, c->sgid),
		    show_gid(reader, c->fsgid));
	for (u32 i = 0; c->groups && i < c->groups->count; i++)
		text_printf(out, "%u ", show_gid(reader, c->groups->id[i]));
	text_puts(out, "\n");
}

static const char *state_name(char state)
{
	return state == 'R'   ? "running"
	       : state == 'S' ? "sleeping"
	       : state == 'T' ? "stopped"
			      : "zombie";
}

void proc_show_numbers(const struct process *p, const char *title, u32 pid, struct text *out)
{
	const struct pid_ns *first = pid_ns_of(out->pid_ns), *path[PID_NS_LEVELS + 1];
	u32 n = 0;

	for (const struct pid_ns *ns = p->pid_ns; ns && ns != first; ns = ns->parent)
		path[n++] = ns;
	path[n] = first;
	text_puts(out, title);
	for (u32 i = n + 1; i-- > 0;)
		text_printf(out, "\t%u", pid_ns_show(path[i], pid));
	text_puts(out, "\n");
}

static int show_status(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);
	const struct thread *t = p ? process_thread(p) : NULL;
	const struct cred *c;

	(void)arg;
	(void)reader;
	if (!t)
		return -ESRCH;
	c = &t->cred;
	text_printf(out,
		    "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\n",
		    t->name, t->vfs.fs ? t->vfs.fs->umask : 0, state_of(p), state_name(state_of(p)),
		    proc_number(out, p->pid), proc_number(out, t->tid));
	text_printf(out, "PPid:\t%u\nTracerPid:\t0\n",
		    p->parent ? proc_number(out, p->parent->pid) : 0);
	show_ids(container_of(reader, struct thread, vfs), c, out);
	proc_show_numbers(p, "NStgid:", p->pid, out);
	proc_show_numbers(p, "NSpid:", t->tid, out);
	proc_show_numbers(p, "NSpgid:", p->pgrp, out);
	proc_show_numbers(p, "NSsid:", p->sid, out);
	text_puts(out, "Kthread:\t0\n");
	if (p->mm)
		show_memory(p->mm, out);
	text_printf(out, "Threads:\t%u\nSigQ:\t0/%lu\nSigPnd:\t%016lx\nShdPnd:\t%016lx\n",
		    p->nthreads, p->limits[RLIMIT_SIGPENDING].cur, t->pending.set, p->pending.set);
	text_printf(out, "SigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n", t->sigmask,
		    ignored_set(p, true), ignored_set(p, false));
	text_printf(out, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n",
		    c->inheritable, c->permitted, c->effective, c->bounding);
	text_printf(out, "CapAmb:\t%016lx\nNoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n",
		    c->ambient, t->no_new_privs);
	affinity_show(t, out);
	text_printf(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t0\n",
		    t->switches);
	return 0;
}

/* ---- memory of the process ---- */

static int show_range(struct process *p, u64 start, u64 end, struct text *out)
{
	char bytes[512];

	while (p->mm && start < end) {
		u64 n = MIN(end - start, sizeof(bytes));

		if (mm_copy(p->mm, bytes, start, n, false) != n)
			return 0;
		text_put(out, bytes, n);
		start += n;
		p = process_find(p->pid);
	}
	return 0;
}

static int show_cmdline(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	struct process *p = process_find(pid);

	(void)arg;
	(void)reader;
	return p && p->mm ? show_range(p, p->mm->args_start, p->mm->args_end, out) : 0;
}

static int show_environ(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	struct process *p = process_find(pid);

	(void)arg;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	return p && p->mm ? show_range(p, p->mm->env_start, p->mm->env_end, out) : 0;
}

static int show_auxv(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);

	(void)arg;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	if (p && p->mm)
		text_put(out, (const char *)p->mm->auxv, p->mm->auxv_words * 8);
	return 0;
}

static int show_comm(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct process *p = process_find(pid);

	(void)arg;
	(void)reader;
	if (!p || !p->threads)
		return -ESRCH;
	text_printf(out, "%s\n", p->threads->name);
	return 0;
}

static int store_comm(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	struct process *p = process_find(pid);
	size_t n = strcspn(text, "\n");

	(void)arg, (void)len;
	if (!p || !p->threads)
		return -ESRCH;
	if (writer->tgid != pid)
		return -EINVAL;
	n = MIN(n, sizeof(p->threads->name) - 1);
	memcpy(p->threads->name, text, n);
	p->threads->name[n] = 0;
	return 0;
}

/* Where the program of a process that has moved here is: its file is another core's. */
static int follow_far_exe(struct process *p, struct path *out)
{
	struct backing *exe = p->mm->exe;
	u32 pid = p->pid;
	char *name = malloc(VFS_PATH_MAX);
	s64 n = name && exe->ops->path ? exe->ops->path(exe, name, VFS_PATH_MAX) : -ENOENT;
	int err = n < 0 ? (int)n : -ENOENT;

	p = process_find(pid); /* asking has waited */
	if (n > 0 && p && p->threads && p->threads->vfs.fs)
		err = vfs_walk(&p->threads->vfs, AT_FDCWD, name, WALK_FOLLOW, out);
	free(name);
	return err;
}

static int follow_exe(void *arg, struct vfs_task *reader, u32 pid, struct path *out)
{
	struct process *p = process_find(pid);
	struct file *file = p && p->mm ? backing_file(p->mm->exe) : NULL;

	(void)arg;
	(void)reader;
	if (!file)
		return p && p->mm && p->mm->exe ? follow_far_exe(p, out) : -ENOENT;
	*out = file->path;
	path_get(out);
	return 0;
}

static int show_limits(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	static const char *const names[RLIMITS][2] = {
		{"Max cpu time", "seconds"},     {"Max file size", "bytes"},
		{"Max data size", "bytes"},      {"Max stack size", "bytes"},
		{"Max core file size", "bytes"}, {"Max resident set", "bytes"},
		{"Max processes", "processes"},  {"Max open files", "files"},
		{"Max locked memory", "bytes"},  {"Max address space", "bytes"},
		{"Max file locks", "locks"},     {"Max pending signals", "signals"},
		{"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
		{"Max realtime priority", ""},   {"Max realtime timeout", "us"},
	};
	const struct process *p = process_find(pid);

	(void)arg;
	(void)reader;
	if (!p)
		return -ESRCH;
	text_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (u32 i = 0; i < RLIMITS; i++) {
		text_printf(out, "%-25s ", names[i][0]);
		for (u32 k = 0; k < 2; k++) {
			u64 value = k ? p->limits[i].max : p->limits[i].cur;

			if (value == RLIM_INFINITY)
				text_printf(out, "%-20s ", "unlimited");
			else
				text_printf(out, "%-20lu ", value);
		}
		text_printf(out, "%-10s\n", names[i][1]);
	}
	return 0;
}

static const struct proc_entry entries[] = {
	{.name = "stat", .mode = 0444, .show = show_stat},
	{.name = "statm", .mode = 0444, .show = show_statm},
	{.name = "status", .mode = 0444, .show = show_status},
	{.name = "cmdline", .mode = 0444, .show = show_cmdline},
	{.name = "environ", .mode = 0400, .show = show_environ},
	{.name = "auxv", .mode = 0400, .show = show_auxv},
	{.name = "comm", .mode = 0644, .show = show_comm, .store = store_comm},
	{.name = "maps", .mode = 0444, .show = proc_show_maps},
	{.name = "smaps", .mode = 0444, .show = proc_show_smaps},
	{.name = "smaps_rollup", .mode = 0444, .show = proc_show_rollup},
	{.name = "limits", .mode = 0444, .show = show_limits},
	{.name = "exe", .mode = S_IFLNK | 0777, .follow = follow_exe},
};

int proc_init(struct vfs *vfs)
{
	static const struct proc_provider provider = {
		.show = show_number,
		.keep = keep_number,
		.next_pid = next_pid,
		.next_tid = next_tid,
		.task = task_of,
		.may_read = proc_may_look,
		.is_far = procfar_is_far,
		.far_show = procfar_show,
		.far_store = procfar_store,
		.entries = entries,
		.nentries = ARRAY_SIZE(entries),
	};

	int err = nsobjects_init(vfs);

	if (!err)
		err = proctask_init(vfs);

	if (!err)
		err = procfs_set_provider(vfs, &provider);
	if (!err)
		err = cpu_init(vfs);
	if (!err)
		err = sysctl_init(vfs);
	return err ? err : procsys_init(vfs);
}
