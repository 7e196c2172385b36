/*
 * Namespaces of names (UTS), IPC, networks, control groups, clocks and process numbers.
 *
 * UTS namespaces have names of their own. The personality has no System V IPC, networks and control
 * groups yet, so namespaces of those are objects that can be made, entered, named and owned.
 *
 * Not here: what process numbers (pidns.c) and clocks (timens.c) are in theirs.
 *
 * Runs in: the personality's domain. Source: namespaces(7), uts_namespaces(7).
 */
#include "namespaces.h"
#include "pidns.h"
#include "procfiles.h"
#include "timens.h"
#include "vdso.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/far_ns.h>

struct uts_ns {
	struct ns ns; /* first */
	struct k_utsname name;
};

static struct uts_ns first_uts = {
	.name =
		{
			.sysname = "Linux",
			.nodename = "skerry",
			.release = "7.3.0-skerry",
			.version = "#1 SMP Skerry",
			.machine = "x86_64",
			.domainname = "(none)",
		},
};
static struct ns others[NS_KINDS];

static struct ns *const first[NS_KINDS] = {
	&first_uts.ns,      &others[KIND_IPC], &others[KIND_NET],  &others[KIND_CGROUP],
	&others[KIND_TIME], &others[KIND_PID], &others[KIND_TIME],
};

static const struct {
	u32 type, inum;
	u64 id;
} kinds[KIND_NEW_TIME] = {
	{NS_UTS, VFS_FIRST_UTS_INUM, VFS_FIRST_UTS_ID},
	{NS_IPC, VFS_FIRST_IPC_INUM, VFS_FIRST_IPC_ID},
	{NS_NET, VFS_FIRST_NET_INUM, VFS_FIRST_NET_ID},
	{NS_CGROUP, VFS_FIRST_CGROUP_INUM, VFS_FIRST_CGROUP_ID},
	{NS_TIME, VFS_FIRST_TIME_INUM, VFS_FIRST_TIME_ID},
	{NS_PID, VFS_FIRST_PID_INUM, VFS_FIRST_PID_ID},
};

static void keep(struct ns *ns)
{
	(void)ns;
}

static void end(struct ns *ns)
{
	free(ns); /* it is first in whatever it is part of */
}

static struct ns *of(const struct thread *t, u32 kind)
{
	return t->ns[kind] ? t->ns[kind] : first[kind];
}

struct k_utsname *thread_utsname(const struct thread *t)
{
	return &container_of(of(t, KIND_UTS), struct uts_ns, ns)->name;
}

bool thread_may_name(const struct thread *t)
{
	return vfs_capable_in(&t->vfs, of(t, KIND_UTS)->owner, VFS_CAP_SYS_ADMIN);
}

void nsobjects_copy(struct thread *to, const struct thread *from)
{
	for (u32 i = 0; i < NS_KINDS; i++)
		to->ns[i] = from->ns[i] ? ns_get(from->ns[i]) : NULL;
}

void nsobjects_put(struct ns **set)
{
	for (u32 i = 0; i < NS_KINDS; i++) {
		if (set[i])
			ns_put(set[i]);
		set[i] = NULL;
	}
}

/* A namespace of its own for @t's kind @i. */
static int make(const struct thread *t, u32 i, struct user_ns *owner, struct ns **out)
{
	struct uts_ns *uts;

	if (i == KIND_PID) {
		/* Its processes would not be seen by who makes it. */
		if (pid_ns_of(t->ns[KIND_PID]) != t->process->pid_ns)
			return -EINVAL;
		return pid_ns_new(t->vfs.vfs, t->process->pid_ns, owner, out);
	}
	if (i == KIND_TIME)
		return time_ns_new(t->vfs.vfs, t->ns[KIND_NEW_TIME], owner, out);
	uts = calloc(1, i == KIND_UTS ? sizeof(*uts) : sizeof(uts->ns));
	if (!uts)
		return -ENOMEM;
	if (i == KIND_UTS)
		uts->name = *thread_utsname(t);
	ns_begin(t->vfs.vfs, &uts->ns, kinds[i].type, 0, 0, owner, end);
	*out = &uts->ns;
	return 0;
}

int nsobjects_make(const struct thread *t, u64 flags, struct user_ns *owner, struct ns **set)
{
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(kinds) && !err; i++) {
		if (flags & kinds[i].type & NS_OBJECTS)
			err = make(t, i, owner, &set[i == KIND_TIME ? KIND_NEW_TIME : i]);
	}
	return err;
}

void nsobjects_take(struct thread *t, struct ns **set)
{
	for (u32 i = 0; i < NS_KINDS; i++) {
		if (!set[i])
			continue;
		if (t->ns[i])
			ns_put(t->ns[i]);
		t->ns[i] = set[i];
		set[i] = NULL;
	}
}

/* At once, so nobody else may be in the address space. */
static int enter_time(struct thread *t, struct ns *ns)
{
	struct ns *set[NS_KINDS] = {0};
	int err;

	if (t->process->nthreads > 1 || thread_mm(t)->users > 1)
		return -EUSERS;
	err = time_ns_of(ns) ? vdso_ask(thread_mm(t)) : 0;
	if (err)
		return err;
	set[KIND_NEW_TIME] = ns_get(ns);
	nsobjects_take(t, set);
	time_ns_arrive(t);
	return 0;
}

int nsobjects_enter(struct thread *t, struct ns *ns)
{
	struct ns *set[NS_KINDS] = {0};
	u32 i = 0;

	while (i < ARRAY_SIZE(kinds) && kinds[i].type != ns->type)
		i++;
	if (i == ARRAY_SIZE(kinds) || !(ns->type & NS_OBJECTS))
		return -EINVAL;
	if (!vfs_capable_in(&t->vfs, ns->owner, VFS_CAP_SYS_ADMIN) ||
	    !capable_here(t, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	/* Its own, or one below: children are seen by their parents. */
	if (i == KIND_PID && !pid_ns_is_in(pid_ns_of(ns), t->process->pid_ns))
		return -EINVAL;
	if (i == KIND_TIME)
		return enter_time(t, ns);
	set[i] = ns_get(ns);
	nsobjects_take(t, set);
	return 0;
}

struct ns *nsobjects_of(const struct thread *t, u32 type)
{
	if (type == NS_PID)
		return t->process->pid_ns ? &t->process->pid_ns->ns : first[KIND_PID];
	return nsobjects_for_children(t, type);
}

struct ns *nsobjects_for_children(const struct thread *t, u32 type)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].type == type)
			return of(t, i);
	}
	return NULL;
}

struct ns *nsobjects_kind(const struct thread *t, u32 kind)
{
	return of(t, kind);
}

u32 nsobjects_type(u32 kind)
{
	return kind == KIND_NEW_TIME ? NS_TIME : kinds[kind].type;
}

/* ---- on other cores ---- */

static u32 put_nothing(const struct ns *ns, void *out)
{
	(void)ns;
	(void)out;
	return 0;
}

static u32 put_names(const struct ns *ns, void *out)
{
	const struct k_utsname *name = &container_of(ns, struct uts_ns, ns)->name;

	memcpy(out, name, sizeof(*name));
	return sizeof(*name);
}

static void set_names(struct ns *ns, const void *value, u32 bytes)
{
	struct k_utsname *name = &container_of(ns, struct uts_ns, ns)->name;

	if (bytes != sizeof(*name))
		return;
	memcpy(name, value, sizeof(*name));
	name->nodename[sizeof(name->nodename) - 1] = 0;
	name->domainname[sizeof(name->domainname) - 1] = 0;
}

static int make_copy(struct vfs *vfs, u32 type, u32 inum, u64 id, struct user_ns *owner,
		     struct ns **out)
{
	struct uts_ns *uts = calloc(1, type == NS_UTS ? sizeof(*uts) : sizeof(uts->ns));

	if (!uts)
		return -ENOMEM;
	ns_begin(vfs, &uts->ns, type, inum, id, owner, end);
	*out = &uts->ns;
	return 0;
}

static int make_uts(struct vfs *vfs, u32 inum, u64 id, struct user_ns *owner, const void *value,
		    u32 bytes, struct ns **out)
{
	int err = bytes == sizeof(struct k_utsname) ? make_copy(vfs, NS_UTS, inum, id, owner, out)
						    : -EBADMSG;

	if (!err) {
		container_of(*out, struct uts_ns, ns)->name = first_uts.name;
		set_names(*out, value, bytes);
	}
	return err;
}

#define MAKE(name, type)                                                                           \
	static int name(struct vfs *vfs, u32 inum, u64 id, struct user_ns *owner,                  \
			const void *value, u32 bytes, struct ns **out)                             \
	{                                                                                          \
		(void)value;                                                                       \
		return bytes ? -EBADMSG : make_copy(vfs, type, inum, id, owner, out);              \
	}
MAKE(make_ipc, NS_IPC)
MAKE(make_net, NS_NET)
MAKE(make_cgroup, NS_CGROUP)

static struct far_ns_kind shared[] = {
	{.type = NS_UTS, .put = put_names, .make = make_uts, .set = set_names},
	{.type = NS_IPC, .put = put_nothing, .make = make_ipc},
	{.type = NS_NET, .put = put_nothing, .make = make_net},
	{.type = NS_CGROUP, .put = put_nothing, .make = make_cgroup},
};

void nsobjects_share(struct vfs *vfs)
{
	for (u32 i = 0; i < ARRAY_SIZE(shared); i++)
		far_ns_register(vfs, &shared[i]);
}

/* ---- PID namespaces ---- */

struct ns *nsobjects_pid_parent(const struct thread *t, struct ns *ns)
{
	struct pid_ns *below = pid_ns_of(ns);

	if (!below || below == t->process->pid_ns || !pid_ns_is_in(below, t->process->pid_ns))
		return NULL;
	return below->parent ? &below->parent->ns : first[KIND_PID];
}

/* ---- /proc/PID/ns ---- */

static int follow(void *arg, struct vfs_task *reader, u32 pid, struct path *out)
{
	const struct process *p = process_find(pid);
	u32 kind = (u32)(uintptr_t)arg;

	if (!p || !p->threads)
		return -ENOENT;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	return ns_path(of(p->threads, kind), out);
}

/* Where it is itself. */
static int follow_pid(void *arg, struct vfs_task *reader, u32 pid, struct path *out)
{
	const struct process *p = process_find(pid);

	(void)arg;
	if (!p || !p->threads)
		return -ENOENT;
	if (!proc_may_look(NULL, reader, pid))
		return -EACCES;
	return ns_path(nsobjects_of(p->threads, NS_PID), out);
}

#define LINK(file, kind)                                                                           \
	{                                                                                          \
		.name = "ns/" file, .mode = S_IFLNK | 0777, .follow = follow,                      \
		.arg = (void *)(uintptr_t)(kind)                                                   \
	}

static const struct proc_entry entries[] = {
	LINK("uts", KIND_UTS),
	LINK("ipc", KIND_IPC),
	LINK("net", KIND_NET),
	LINK("cgroup", KIND_CGROUP),
	LINK("time", KIND_TIME),
	LINK("time_for_children", KIND_NEW_TIME),
	LINK("pid_for_children", KIND_PID),
	{.name = "ns/pid", .mode = S_IFLNK | 0777, .follow = follow_pid},
};

int nsobjects_init(struct vfs *vfs)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		ns_begin(vfs, first[i], kinds[i].type, kinds[i].inum, kinds[i].id, NULL, keep);
	if (time_ns_init(vfs))
		return -ENOMEM;
	return procfs_add_to_processes(vfs, entries, ARRAY_SIZE(entries));
}
