/* See timens.h. */
#include "timens.h"
#include "procfiles.h"
#include "timer.h"

#include <errno.h>
#include <rt/clock.h>
#include <stdlib.h>
#include <string.h>

#define SEC_MAX (INT64_MAX / (s64)NS_PER_S) /* what fits into nanoseconds */

struct time_ns *time_ns_of(struct ns *ns)
{
	return ns && ns->id != VFS_FIRST_TIME_ID ? container_of(ns, struct time_ns, ns) : NULL;
}

static void end(struct ns *ns)
{
	free(container_of(ns, struct time_ns, ns));
}

int time_ns_new(struct vfs *vfs, struct ns *like, struct user_ns *owner, struct ns **out)
{
	const struct time_ns *from = time_ns_of(like);
	struct time_ns *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	if (from) {
		ns->monotonic = from->monotonic;
		ns->boottime = from->boottime;
	}
	ns_begin(vfs, &ns->ns, NS_TIME, 0, 0, owner, end);
	*out = &ns->ns;
	return 0;
}

s64 time_ns_offset(const struct thread *t, s32 clock)
{
	const struct time_ns *ns = time_ns_of(t->ns[KIND_TIME]);
	const struct time_offset *by;

	if (!ns)
		return 0;
	/* CLOCK_BOOTTIME and CLOCK_BOOTTIME_ALARM */
	by = clock == 7 || clock == 9 ? &ns->boottime : &ns->monotonic;
	return by->sec * (s64)NS_PER_S + by->nsec;
}

bool time_ns_changes(const struct thread *t)
{
	return time_ns_of(t->ns[KIND_NEW_TIME]) != time_ns_of(t->ns[KIND_TIME]);
}

void time_ns_arrive(struct thread *t)
{
	struct ns *to = t->ns[KIND_NEW_TIME], *old = t->ns[KIND_TIME];

	if (to)
		ns_get(to);
	t->ns[KIND_TIME] = to;
	if (old)
		ns_put(old);
	if (time_ns_of(to))
		time_ns_of(to)->frozen = true;
}

/* ---- /proc/PID/timens_offsets ---- */

static struct time_ns *of_children(u32 pid)
{
	const struct process *p = process_find(pid);

	return p && p->threads ? time_ns_of(p->threads->ns[KIND_NEW_TIME]) : NULL;
}

static int show_offsets(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	static const struct time_offset none;
	const struct time_ns *ns = of_children(pid);
	const struct time_offset *monotonic = ns ? &ns->monotonic : &none;
	const struct time_offset *boottime = ns ? &ns->boottime : &none;

	(void)arg, (void)reader;
	if (!process_find(pid))
		return -ESRCH;
	text_printf(out, "%-10s %10ld %9ld\n", "monotonic", monotonic->sec, monotonic->nsec);
	text_printf(out, "%-10s %10ld %9ld\n", "boottime", boottime->sec, boottime->nsec);
	return 0;
}

/* What is to be set: by the clock, and how many lines there were. */
struct offsets {
	struct time_offset monotonic, boottime;
	bool has_monotonic, has_boottime;
};

static int parse_line(const char *line, struct offsets *all)
{
	const char *name = line + strspn(line, " \t");
	size_t len = strcspn(name, " \t\n");
	struct time_offset offset;
	char *end;

	offset.sec = strtol(name + len, &end, 10);
	if (end == name + len)
		return -EINVAL;
	line = end;
	offset.nsec = strtol(line, &end, 10);
	if (end == line || offset.nsec < 0 || offset.nsec >= (s64)NS_PER_S)
		return -EINVAL;
	if ((len == 9 && !memcmp(name, "monotonic", len)) || (len == 1 && *name == '1')) {
		all->monotonic = offset;
		all->has_monotonic = true;
	} else if ((len == 8 && !memcmp(name, "boottime", len)) || (len == 1 && *name == '7')) {
		all->boottime = offset;
		all->has_boottime = true;
	} else {
		return -EINVAL;
	}
	return 0;
}

static int parse(const char *text, struct offsets *all)
{
	int err = 0, lines = 0;

	while (*text && !err) {
		if (lines++ == 2)
			return -EINVAL;
		err = parse_line(text, all);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return lines ? err : -EINVAL;
}

/* The clock must neither be below zero nor come near its end. */
static int check_offset(const struct time_offset *offset)
{
	s64 sec;

	if (offset->sec > SEC_MAX || offset->sec < -SEC_MAX)
		return -ERANGE;
	sec = (s64)(clock_now_ns() / NS_PER_S) + offset->sec;
	return sec < 0 || sec > SEC_MAX / 2 ? -ERANGE : 0;
}

static int store_offsets(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	struct time_ns *ns = of_children(pid);
	struct offsets all = {0};
	int err = len >= PAGE_SIZE ? -EINVAL : parse(text, &all);

	(void)arg;
	if (err)
		return err;
	if (!process_find(pid))
		return -ESRCH;
	if (!vfs_capable_in(writer, ns ? ns->ns.owner : NULL, CAP_SYS_TIME))
		return -EPERM;
	if (all.has_monotonic)
		err = check_offset(&all.monotonic);
	if (!err && all.has_boottime)
		err = check_offset(&all.boottime);
	if (err)
		return err;
	if (!ns || ns->frozen)
		return -EACCES;
	if (all.has_monotonic)
		ns->monotonic = all.monotonic;
	if (all.has_boottime)
		ns->boottime = all.boottime;
	return 0;
}

static const struct proc_entry entry = {
	.name = "timens_offsets", .mode = 0644, .show = show_offsets, .store = store_offsets};

int time_ns_init(struct vfs *vfs)
{
	return procfs_add_to_processes(vfs, &entry, 1);
}
