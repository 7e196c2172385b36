/*
 * What /proc and /sys show of the machine, as this core sees it.
 *
 * Runs in: the personality's domain. Source: proc(5), sysfs(5).
 */
#include "boot.h"
#include "misc.h"
#include "ram.h"
#include "random.h"
#include "sched.h"
#include "timer.h"

#include <errno.h>
#include <rt/rt.h>
#include <rt/monitor.h>
#include <string.h>
#include <vfs/proc.h>

static int show_meminfo(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u64 total = ram_total_bytes() / KiB, free_kib = ram_free_bytes() / KiB;

	(void)arg, (void)reader, (void)pid;
	text_printf(out, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\n", total, free_kib);
	text_printf(out, "MemAvailable:   %8lu kB\nBuffers:        %8u kB\n", free_kib, 0);
	text_printf(out, "Cached:         %8u kB\nSwapCached:     %8u kB\n", 0, 0);
	text_printf(out, "SwapTotal:      %8u kB\nSwapFree:       %8u kB\n", 0, 0);
	text_printf(out, "Dirty:          %8u kB\nShmem:          %8u kB\n", 0, 0);
	return 0;
}

static int show_uptime(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u64 ms = clock_now_ns() / 10000000, busy_ms = 0;

	(void)arg, (void)reader, (void)pid;
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
	u64 loads[3];
	u32 last = 0;

	(void)arg, (void)reader, (void)pid;
	sched_loads(loads);
	for (u32 i = 0; i < 3; i++)
		text_printf(out, "%lu.%02lu ", loads[i] >> 11, (loads[i] & 2047) * 100 >> 11);
	for (const struct process *p = process_from(0); p; p = p->list_next)
		last = p->pid;
	text_printf(out, "%u/%u %u\n", sched_runnable(), thread_count(), last);
	return 0;
}

static int show_version(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg, (void)reader, (void)pid;
	text_printf(out, "Linux version %s (skerry) %s\n", utsname.release, utsname.version);
	return 0;
}

static int show_kernel_cmdline(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg, (void)reader, (void)pid;
	text_printf(out, "%s\n", kernel_cmdline);
	return 0;
}

static int show_system_stat(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u64 user = 0, system = 0, all = clock_now_ns(), tick = NS_PER_S / TICKS_PER_S;
	u64 boot_s = timer_realtime_at(0) / NS_PER_S;

	(void)arg, (void)reader, (void)pid;
	for (const struct process *p = process_from(0); p; p = p->list_next) {
		u64 user_ns, system_ns;

		process_times(p, &user_ns, &system_ns);
		user += user_ns;
		system += system_ns;
	}
	all = MAX(all, user + system);
	for (u32 i = 0; i < 2; i++)
		text_printf(out, "cpu%s %lu 0 %lu %lu 0 0 0 0 0 0\n", i ? "0" : " ", user / tick,
			    system / tick, (all - user - system) / tick);
	text_printf(out, "ctxt 0\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n",
		    boot_s, process_count(), sched_runnable());
	return 0;
}

static void cpu_brand(char out[49])
{
	for (u32 i = 0; i < 3; i++) {
		u32 r[4] = {0x80000002u + i, 0, 0, 0};

		__asm__("cpuid" : "+a"(r[0]), "=b"(r[1]), "+c"(r[2]), "=d"(r[3]));
		memcpy(out + 16 * i, r, 16);
	}
	out[48] = 0;
}

static int show_cpuinfo(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	char brand[49];

	(void)arg, (void)reader, (void)pid;
	cpu_brand(brand);
	text_printf(out, "processor\t: %u\nmodel name\t: %s\ncpu MHz\t\t: %lu.000\n",
		    domain_start()->core, brand, domain_start()->tsc_hz / 1000000);
	text_printf(out, "cpu cores\t: 1\nflags\t\t: fpu tsc sse sse2 syscall nx lm\n\n");
	return 0;
}

/* ---- /proc/sys ---- */

static int show_string(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)reader, (void)pid;
	text_printf(out, "%s\n", (const char *)arg);
	return 0;
}

static int store_hostname(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	size_t n = strcspn(text, "\n");

	(void)arg, (void)pid, (void)len;
	if (!(writer->cred.caps >> VFS_CAP_SYS_ADMIN & 1))
		return -EPERM;
	if (n > 64)
		return -EINVAL;
	memcpy(utsname.nodename, text, n);
	utsname.nodename[n] = 0;
	return 0;
}

static int show_uuid(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u8 b[16];

	(void)arg, (void)reader, (void)pid;
	random_bytes(b, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 9562: version 4 */
	b[8] = (b[8] & 0x3f) | 0x80;
	for (u32 i = 0; i < sizeof(b); i++)
		text_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	text_puts(out, "\n");
	return 0;
}

static int show_online(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u32 n = domain_start()->ncores;

	(void)arg, (void)reader, (void)pid;
	if (n > 1)
		text_printf(out, "0-%u\n", n - 1);
	else
		text_puts(out, "0\n");
	return 0;
}

#define VALUE(path, value)                                                                         \
	{                                                                                          \
		.name = path, .mode = 0444, .show = show_string, .arg = (void *)(value)            \
	}

static const struct proc_entry machine[] = {
	{.name = "meminfo", .mode = 0444, .show = show_meminfo},
	{.name = "uptime", .mode = 0444, .show = show_uptime},
	{.name = "loadavg", .mode = 0444, .show = show_loadavg},
	{.name = "version", .mode = 0444, .show = show_version},
	{.name = "cmdline", .mode = 0444, .show = show_kernel_cmdline},
	{.name = "stat", .mode = 0444, .show = show_system_stat},
	{.name = "cpuinfo", .mode = 0444, .show = show_cpuinfo},
	{.name = "sys/kernel/hostname",
	 .mode = 0644,
	 .show = show_string,
	 .store = store_hostname,
	 .arg = utsname.nodename},
	{.name = "sys/kernel/random/uuid", .mode = 0444, .show = show_uuid},
	VALUE("sys/kernel/ostype", utsname.sysname),
	VALUE("sys/kernel/osrelease", utsname.release),
	VALUE("sys/kernel/version", utsname.version),
	VALUE("sys/kernel/pid_max", "32768"),
	VALUE("sys/kernel/cap_last_cap", "40"),
	VALUE("sys/kernel/ngroups_max", "65536"),
	VALUE("sys/kernel/randomize_va_space", "2"),
	VALUE("sys/vm/overcommit_memory", "0"),
	VALUE("sys/vm/max_map_count", "65530"),
	VALUE("sys/vm/mmap_min_addr", "65536"),
};

static const struct proc_entry system_files[] = {
	{.name = "devices/system/cpu/online", .mode = 0444, .show = show_online},
	{.name = "devices/system/cpu/possible", .mode = 0444, .show = show_online},
	{.name = "devices/system/cpu/present", .mode = 0444, .show = show_online},
};

int procsys_init(struct vfs *vfs)
{
	int err = procfs_add(vfs, machine, ARRAY_SIZE(machine));

	return err ? err : sysfs_add(vfs, system_files, ARRAY_SIZE(system_files));
}
