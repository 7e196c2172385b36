/*
 * What /proc and /sys show of the machine, as this core sees it.
 *
 * Runs in: the personality's domain. Source: proc(5), sysfs(5).
 */
#include "boot.h"
#include "corestate.h"
#include "huge.h"
#include "namespaces.h"
#include "pidns.h"
#include "ram.h"
#include "random.h"
#include "sched.h"
#include "timens.h"
#include "timer.h"
#include "topology.h"

#include <errno.h>
#include <rt/rt.h>
#include <rt/monitor.h>
#include <stdio.h>
#include <string.h>
#include <vfs/proc.h>

static void line(struct text *out, const char *name, u64 kib)
{
	text_printf(out, "%s:%*lu kB\n", name, 23 - (int)strlen(name), kib);
}

static int show_meminfo(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u64 total, free_kib, used = (ram_count() - ram_free_count()) * 4,
			     files = vfs_file_pages(reader->vfs) * 4;
	u64 anonymous = used > files ? used - files : 0;
	static const char *const none[] = {"Unevictable", "Mlocked",  "SwapTotal", "SwapFree",
					   "Zswap",       "Zswapped", "Dirty",     "Writeback"};
	struct core_state sum;

	(void)arg, (void)pid;
	core_state_sum(&sum);
	total = sum.total_bytes / KiB;
	free_kib = sum.free_bytes / KiB;
	line(out, "MemTotal", total);
	line(out, "MemFree", free_kib);
	line(out, "MemAvailable", free_kib);
	line(out, "Buffers", 0);
	line(out, "Cached", files);
	line(out, "SwapCached", 0);
	line(out, "Active", anonymous);
	line(out, "Inactive", files);
	line(out, "Active(anon)", anonymous);
	line(out, "Inactive(anon)", files);
	line(out, "Active(file)", 0);
	line(out, "Inactive(file)", 0);
	for (u32 i = 0; i < ARRAY_SIZE(none); i++)
		line(out, none[i], 0);
	line(out, "AnonPages", anonymous);
	line(out, "Mapped", 0);
	line(out, "Shmem", files); /* all files are in memory */
	line(out, "KReclaimable", 0);
	line(out, "Slab", 0);
	line(out, "SReclaimable", 0);
	line(out, "SUnreclaim", 0);
	line(out, "KernelStack", thread_count() * 48ul);
	line(out, "PageTables", 0);
	line(out, "CommitLimit", total / 2);
	line(out, "Committed_AS", anonymous);
	line(out, "VmallocTotal", 34359738367ul);
	line(out, "VmallocUsed", 0);
	line(out, "VmallocChunk", 0);
	line(out, "AnonHugePages", huge_bytes() / KiB);
	text_puts(out, "HugePages_Total:       0\nHugePages_Free:        0\n"
		       "HugePages_Rsvd:        0\nHugePages_Surp:        0\n");
	line(out, "Hugepagesize", 2048);
	line(out, "Hugetlb", 0);
	return 0;
}

static int show_vmstat(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u64 faults = 0, used = ram_count() - ram_free_count();
	u64 files = vfs_file_pages(reader->vfs);

	(void)arg, (void)pid;
	for (const struct process *p = process_from(0); p; p = p->list_next)
		faults += p->minor_faults + (p->mm ? p->mm->minor_faults : 0);
	text_printf(out, "nr_free_pages %lu\nnr_anon_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\n",
		    ram_free_bytes() / PAGE_SIZE, used > files ? used - files : 0, files, files);
	text_printf(out, "nr_dirty 0\nnr_writeback 0\npgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n");
	text_printf(out, "pgfault %lu\npgmajfault 0\noom_kill 0\n", faults);
	return 0;
}

static int show_uptime(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct thread *t = container_of(reader, struct thread, vfs);
	u64 ms = (clock_now_ns() + (u64)time_ns_offset(t, 7)) / 10000000, busy_ms = 0;

	(void)arg, (void)pid;
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		u64 user_ns, system_ns;

		process_times(p, &user_ns, &system_ns);
		busy_ms += (user_ns + system_ns) / 10000000;
	}
	busy_ms = MIN(busy_ms, ms);
	text_printf(out, "%lu.%02lu %lu.%02lu\n", ms / 100, ms % 100, (ms - busy_ms) / 100,
		    (ms - busy_ms) % 100);
	return 0;
}

static int show_loadavg(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct thread *t = container_of(reader, struct thread, vfs);
	struct core_state all;
	u64 loads[3];

	(void)arg, (void)pid;
	core_state_sum(&all);
	sched_loads(loads);
	for (u32 i = 0; i < 3; i++)
		text_printf(out, "%lu.%02lu ", loads[i] >> 11, (loads[i] & 2047) * 100 >> 11);
	if (t->process->pid_ns) /* which is of one core */
		all.last_pid = *pid_ns_last(t->process->pid_ns);
	text_printf(out, "%lu/%lu %lu\n", all.running, all.threads, all.last_pid);
	return 0;
}

static int show_version(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct k_utsname *names = thread_utsname(container_of(reader, struct thread, vfs));

	(void)arg, (void)reader, (void)pid;
	text_printf(out, "Linux version %s (skerry) %s\n", names->release, names->version);
	return 0;
}

static int show_kernel_cmdline(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg, (void)reader, (void)pid;
	text_printf(out, "%s\n", kernel_cmdline);
	return 0;
}

/* A line of a processor: user, nice, system, idle. */
static void show_times(const char *name, const struct core_state *s, u64 cpus, struct text *out)
{
	u64 tick = NS_PER_S / TICKS_PER_S, busy = s->user_ns + s->system_ns;
	u64 all = MAX(clock_now_ns() * cpus, busy);

	text_printf(out, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, s->user_ns / tick,
		    s->system_ns / tick, (all - busy) / tick);
}

static int show_system_stat(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u64 boot_s = timer_realtime_at(0) / NS_PER_S;
	struct core_state sum;

	(void)arg, (void)reader, (void)pid;
	core_state_sum(&sum);
	show_times("cpu ", &sum, topology_cores(), out);
	for (u32 core = 0; core < topology_cores(); core++) {
		struct core_state one = {0};
		char name[16];

		core_state(core, &one); /* where Linux does not run nobody has used anything */
		snprintf(name, sizeof(name), "cpu%u", core);
		show_times(name, &one, 1, out);
	}
	text_printf(out,
		    "intr 0\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %lu\n"
		    "procs_blocked 0\n",
		    sum.switches, boot_s, sum.processes, sum.running);
	return 0;
}

/* ---- what is the same on every machine without disks and modules ---- */

static int show_fixed(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)reader, (void)pid;
	text_puts(out, arg);
	return 0;
}

#define FIXED(path, text)                                                                          \
	{                                                                                          \
		.name = path, .mode = 0444, .show = show_fixed, .arg = (void *)(text)              \
	}

static const struct proc_entry machine[] = {
	{.name = "meminfo", .mode = 0444, .show = show_meminfo},
	{.name = "uptime", .mode = 0444, .show = show_uptime},
	{.name = "loadavg", .mode = 0444, .show = show_loadavg},
	{.name = "version", .mode = 0444, .show = show_version},
	{.name = "cmdline", .mode = 0444, .show = show_kernel_cmdline},
	{.name = "stat", .mode = 0444, .show = show_system_stat},
	{.name = "vmstat", .mode = 0444, .show = show_vmstat},
	FIXED("devices", "Character devices:\n  1 mem\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n"
			 "  5 /dev/ptmx\n128 ptm\n136 pts\n\nBlock devices:\n"),
	FIXED("partitions", "major minor  #blocks  name\n\n"),
	FIXED("diskstats", ""),
	FIXED("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
	FIXED("modules", ""),
	FIXED("misc", ""),
	FIXED("fb", ""),
	FIXED("execdomains", "0-0\tLinux           \t[kernel]\n"),
	FIXED("consoles", "ttyS0                -W- (EC    )    4:64\n"),
	FIXED("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
};

int procsys_init(struct vfs *vfs)
{
	return procfs_add(vfs, machine, ARRAY_SIZE(machine));
}
