/*
 * /proc/sys: what is set and shown there of the kernel, memory and names.
 *
 * Some numbers are kept for whoever reads them back, where what they tune on Linux is not here:
 * there is no swap, nothing is written back, memory is never promised that is not there.
 *
 * Not here: /proc/sys/fs (services/vfs/sysctl.c).
 * Runs in: the personality's domain. Source: proc_sys_kernel(5), proc_sys_vm(5).
 */
#include "namespaces.h"
#include "pidns.h"
#include "procfiles.h"
#include "random.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <vfs/far_ns.h>
#include <vfs/proc.h>

/* ---- text ---- */

/* A string that may be set: one line of at most @max bytes. */
struct line {
	char *text;
	size_t max;
};

static int show_line(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const struct line *line = arg;

	(void)reader, (void)pid;
	text_printf(out, "%s\n", line->text);
	return 0;
}

static int store_line(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	const struct line *line = arg;
	size_t n = strcspn(text, "\n");

	(void)pid, (void)len;
	if (!(writer->cred.caps >> VFS_CAP_SYS_ADMIN & 1))
		return -EPERM;
	n = MIN(n, line->max);
	memcpy(line->text, text, n);
	line->text[n] = 0;
	return 0;
}

static int show_string(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)reader, (void)pid;
	text_printf(out, "%s\n", (const char *)arg);
	return 0;
}

/* ---- random numbers ---- */

static void put_uuid(const u8 *random, struct text *out)
{
	u8 b[16];

	memcpy(b, random, sizeof(b));
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 9562: version 4 */
	b[8] = (b[8] & 0x3f) | 0x80;
	for (u32 i = 0; i < sizeof(b); i++)
		text_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	text_puts(out, "\n");
}

static int show_uuid(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	u8 random[16];

	(void)arg, (void)reader, (void)pid;
	random_bytes(random, sizeof(random));
	put_uuid(random, out);
	return 0;
}

/* The same until the machine stops. */
static int show_boot_id(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	static u8 random[16];
	static bool made;

	(void)arg, (void)reader, (void)pid;
	if (!made)
		random_bytes(random, sizeof(random));
	made = true;
	put_uuid(random, out);
	return 0;
}

static int drop_caches(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	(void)arg, (void)writer, (void)pid, (void)len;
	return text[0] >= '1' && text[0] <= '4' ? 0 : -EINVAL; /* all file systems are in memory */
}

/* ---- the tables ---- */

static char core_pattern[128] = "core";

static struct line pattern = {core_pattern, 127};

/* A field of the names that the reader sees. */
static int show_name(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	const char *names = (char *)thread_utsname(container_of(reader, struct thread, vfs));

	(void)pid;
	text_printf(out, "%s\n", names + (uintptr_t)arg);
	return 0;
}

static int store_name(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	const struct thread *t = container_of(writer, struct thread, vfs);
	char *name = (char *)thread_utsname(t) + (uintptr_t)arg;
	size_t n = MIN(strcspn(text, "\n"), 64ul);

	(void)pid, (void)len;
	if (!thread_may_name(t))
		return -EPERM;
	memset(name, 0, 65);
	memcpy(name, text, n);
	far_ns_changed(nsobjects_of(t, NS_UTS));
	return 0;
}

#define NAME(path, field, bits)                                                                    \
	{                                                                                          \
		.name = path, .mode = bits, .show = show_name,                                     \
		.store = (bits)&0200 ? store_name : NULL,                                          \
		.arg = (void *)offsetof(struct k_utsname, field)                                   \
	}
#define LINE(path, line)                                                                           \
	{                                                                                          \
		.name = path, .mode = 0644, .show = show_line, .store = store_line, .arg = &(line) \
	}
#define VALUE(path, value)                                                                         \
	{                                                                                          \
		.name = path, .mode = 0444, .show = show_string, .arg = (void *)(value)            \
	}

static const struct proc_entry fixed[] = {
	NAME("sys/kernel/hostname", nodename, 0644),
	NAME("sys/kernel/domainname", domainname, 0644),
	LINE("sys/kernel/core_pattern", pattern),
	{.name = "sys/kernel/random/uuid", .mode = 0444, .show = show_uuid},
	{.name = "sys/kernel/random/boot_id", .mode = 0444, .show = show_boot_id},
	{.name = "sys/vm/drop_caches", .mode = 0200, .store = drop_caches},
	VALUE("sys/kernel/random/entropy_avail", "256"),
	VALUE("sys/kernel/random/poolsize", "256"),
	NAME("sys/kernel/ostype", sysname, 0444),
	NAME("sys/kernel/osrelease", release, 0444),
	NAME("sys/kernel/version", version, 0444),
	VALUE("sys/kernel/arch", "x86_64"),
	VALUE("sys/kernel/cap_last_cap", "40"),
	VALUE("sys/kernel/ngroups_max", "65536"),
	VALUE("sys/kernel/printk", "4\t4\t1\t7"),
	VALUE("sys/fs/overflowuid", "65534"),
	VALUE("sys/fs/overflowgid", "65534"),
};

/* A number with its bounds and where it begins. */
struct number {
	const char *path;
	u64 value, min, max;
};

static struct number numbers[] = {
	{"sys/kernel/threads-max", 65536, 1, 1073741823},
	{"sys/kernel/randomize_va_space", 2, 0, 2},
	{"sys/kernel/core_uses_pid", 0, 0, 1},
	{"sys/kernel/core_pipe_limit", 0, 0, INT32_MAX},
	{"sys/kernel/dmesg_restrict", 0, 0, 1},
	{"sys/kernel/kptr_restrict", 0, 0, 2},
	{"sys/kernel/perf_event_paranoid", 3, 0, 4},
	{"sys/kernel/panic", 0, 0, INT32_MAX},
	{"sys/kernel/panic_on_oops", 0, 0, 1},
	{"sys/kernel/tainted", 0, 0, 0},
	{"sys/kernel/overflowuid", 65534, 0, 65535},
	{"sys/kernel/overflowgid", 65534, 0, 65535},
	{"sys/kernel/sched_rr_timeslice_ms", 100, 0, INT32_MAX},
	{"sys/kernel/sysrq", 16, 0, INT32_MAX},
	{"sys/vm/overcommit_memory", 0, 0, 2},
	{"sys/vm/overcommit_ratio", 50, 0, INT32_MAX},
	{"sys/vm/overcommit_kbytes", 0, 0, INT64_MAX},
	{"sys/vm/swappiness", 60, 0, 200},
	{"sys/vm/vfs_cache_pressure", 100, 0, INT32_MAX},
	{"sys/vm/dirty_ratio", 20, 0, 100},
	{"sys/vm/dirty_background_ratio", 10, 0, 100},
	{"sys/vm/dirty_writeback_centisecs", 500, 0, INT32_MAX},
	{"sys/vm/dirty_expire_centisecs", 3000, 0, INT32_MAX},
	{"sys/vm/min_free_kbytes", 4096, 0, INT32_MAX},
	{"sys/vm/max_map_count", 65530, 0, INT32_MAX},
	{"sys/vm/mmap_min_addr", 65536, 0, INT64_MAX},
	{"sys/vm/nr_hugepages", 0, 0, 0},
	{"sys/vm/panic_on_oom", 0, 0, 2},
	{"sys/vm/oom_kill_allocating_task", 0, 0, INT32_MAX},
	{"sys/vm/page-cluster", 3, 0, 31},
};

/* ---- numbers of processes: those of the namespace of who reads or writes ---- */

static struct pid_ns *pid_ns_of_task(const struct vfs_task *task)
{
	return container_of(task, struct thread, vfs)->process->pid_ns;
}

static struct sysctl pid_max_of(const struct vfs_task *task)
{
	return (struct sysctl){
		.value = pid_ns_max(pid_ns_of_task(task)), .min = 301, .max = 4194304};
}

static int show_pid_max(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	struct sysctl ctl = pid_max_of(reader);

	(void)arg;
	return sysctl_show(&ctl, reader, pid, out);
}

static int store_pid_max(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	struct sysctl ctl = pid_max_of(writer);

	(void)arg;
	return sysctl_store(&ctl, writer, pid, text, len);
}

static int show_last_pid(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg, (void)pid;
	text_printf(out, "%u\n", *pid_ns_last(pid_ns_of_task(reader)));
	return 0;
}

static int store_last_pid(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	struct pid_ns *ns = pid_ns_of_task(writer);
	const struct user_ns *owner = ns ? ns->ns.owner : NULL;
	u64 value = 0;
	struct sysctl ctl = {.value = &value, .max = *pid_ns_max(ns)};
	int err;

	(void)arg;
	if (!vfs_capable_in(writer, owner, VFS_CAP_SYS_ADMIN) &&
	    !vfs_capable_in(writer, owner, CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	err = sysctl_store(&ctl, writer, pid, text, len);
	if (!err)
		*pid_ns_last(ns) = (u32)value;
	return err;
}

static const struct proc_entry pid_numbers[] = {
	{.name = "sys/kernel/pid_max", .mode = 0644, .show = show_pid_max, .store = store_pid_max},
	{.name = "sys/kernel/ns_last_pid",
	 .mode = 0666,
	 .show = show_last_pid,
	 .store = store_last_pid},
};

int sysctl_init(struct vfs *vfs)
{
	static struct sysctl ctls[ARRAY_SIZE(numbers)];
	static struct proc_entry entries[ARRAY_SIZE(numbers)];
	int err = procfs_add(vfs, fixed, ARRAY_SIZE(fixed));

	if (!err)
		err = procfs_add(vfs, pid_numbers, ARRAY_SIZE(pid_numbers));

	for (u32 i = 0; i < ARRAY_SIZE(numbers) && !err; i++) {
		struct number *n = &numbers[i];

		ctls[i] = (struct sysctl){.value = &n->value, .min = n->min, .max = n->max};
		entries[i] = (struct proc_entry){SYSCTL(n->path, 0644, &ctls[i])};
		err = procfs_add(vfs, &entries[i], 1);
	}
	return err;
}
