/*
 * Namespaces: their numbers and lives, the list of all, and capabilities in them.
 *
 * Runs in: the personality, host tests. Source: namespaces(7), user_namespaces(7).
 */
#include "internal.h"

#include <stdlib.h>

/* Linux's numbers of the namespaces that everything begins in. */
#define FIRST_INUM 0xf0000000u
#define FIRST_ID   9u

void ns_begin(struct vfs *vfs, struct ns *ns, u32 type, u32 inum, u64 id, struct user_ns *owner,
	      void (*end)(struct ns *ns))
{
	ns->vfs = vfs;
	ns->type = type;
	ns->refs = 1;
	ns->end = end;
	ns->owner = owner;
	if (owner)
		ns_get(&owner->ns);
	ns->inum = inum ? inum : FIRST_INUM + ++vfs->next_inum;
	ns->id = id ? id : vfs_new_ns_id(vfs);
	/* The list is in order of id: the first ones begin in any order. */
	ns->prev = vfs->last_ns;
	while (ns->prev && ns->prev->id > ns->id)
		ns->prev = ns->prev->prev;
	ns->next = ns->prev ? ns->prev->next : vfs->first_ns;
	*(ns->prev ? &ns->prev->next : &vfs->first_ns) = ns;
	*(ns->next ? &ns->next->prev : &vfs->last_ns) = ns;
}

u64 vfs_new_ns_id(struct vfs *vfs)
{
	return FIRST_ID + vfs->next_ns_id++;
}

struct ns *ns_get(struct ns *ns)
{
	ns->refs++;
	return ns;
}

void ns_put(struct ns *ns)
{
	struct vfs *vfs = ns->vfs;
	struct user_ns *owner = ns->owner;

	if (--ns->refs)
		return;
	*(ns->prev ? &ns->prev->next : &vfs->first_ns) = ns->next;
	*(ns->next ? &ns->next->prev : &vfs->last_ns) = ns->prev;
	ns->end(ns);
	if (owner)
		ns_put(&owner->ns);
}

const char *ns_name(u32 type)
{
	static const struct {
		u32 type;
		const char *name;
	} names[] = {{NS_MNT, "mnt"}, {NS_USER, "user"}, {NS_UTS, "uts"},       {NS_IPC, "ipc"},
		     {NS_PID, "pid"}, {NS_NET, "net"},   {NS_CGROUP, "cgroup"}, {NS_TIME, "time"}};

	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return "?";
}

struct user_ns *task_user_ns(const struct vfs_task *t)
{
	return t->cred.user_ns ? t->cred.user_ns : &t->vfs->user_ns;
}

bool vfs_capable_in(const struct vfs_task *t, const struct user_ns *in, u32 cap)
{
	const struct user_ns *own = task_user_ns(t);

	for (in = in ? in : &t->vfs->user_ns; in; in = in->parent) {
		if (in == own)
			return t->cred.caps >> cap & 1;
		if (in->level <= own->level)
			return false;
		/* Who made a namespace has all capabilities in it. */
		if (in->parent == own && in->uid == t->cred.euid)
			return true;
	}
	return false;
}

/* The first user namespace is part of the instance. */
static void keep(struct ns *ns)
{
	(void)ns;
}

void ns_first(struct vfs *vfs)
{
	vfs->user_ns.setgroups = true;
	ns_begin(vfs, &vfs->user_ns.ns, NS_USER, VFS_FIRST_USER_INUM, VFS_FIRST_USER_ID, NULL,
		 keep);
}
