/*
 * Credentials: user and group ids, supplementary groups, capabilities.
 *
 * Runs in: the personality's domain. Source: credentials(7), capabilities(7), setresuid(2), ...
 */
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <stdlib.h>

#define ID_KEEP                UINT32_MAX
#define GROUPS_MAX             65536u
#define SECBIT_NO_SETUID_FIXUP 4u
#define SECBIT_KEEP_CAPS       16u

s64 sys_getuid(struct thread *t, const u64 *a)
{
	(void)a;
	return show_uid(t, t->cred.uid);
}

s64 sys_geteuid(struct thread *t, const u64 *a)
{
	(void)a;
	return show_uid(t, t->cred.euid);
}

s64 sys_getgid(struct thread *t, const u64 *a)
{
	(void)a;
	return show_gid(t, t->cred.gid);
}

s64 sys_getegid(struct thread *t, const u64 *a)
{
	(void)a;
	return show_gid(t, t->cred.egid);
}

/* capabilities(7), "Effect of user ID changes on capabilities". */
static void fix_capabilities(struct cred *c, const struct cred *old, u32 root)
{
	bool was = old->uid == root || old->euid == root || old->suid == root;
	bool is = c->uid == root || c->euid == root || c->suid == root;

	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (was && !is) {
		if (!(c->securebits & SECBIT_KEEP_CAPS))
			c->permitted = c->effective = 0;
		c->ambient = 0;
	}
	if (old->euid == root && c->euid != root)
		c->effective = 0;
	if (old->euid != root && c->euid == root)
		c->effective = c->permitted;
}

static void commit(struct thread *t, const struct cred *new)
{
	struct cred old = t->cred;

	t->cred = *new;
	fix_capabilities(&t->cred, &old, keep_uid(t, 0));
	if (old.euid != new->euid || old.egid != new->egid) {
		t->process->dumpable = 0;
		t->process->death_signal = 0;
	}
	thread_sync_vfs(t);
}

static bool is_one_of(u32 id, u32 a, u32 b, u32 c)
{
	return id == ID_KEEP || id == a || id == b || id == c;
}

/* A number that was given, and that the caller's namespace does not have. */
static bool is_unknown(u32 kept, u64 given)
{
	return kept == ID_KEEP && (u32)given != ID_KEEP;
}

static s64 set_uids(struct thread *t, u32 real, u32 effective, u32 saved)
{
	struct cred c = t->cred;

	c.uid = real == ID_KEEP ? c.uid : real;
	c.euid = effective == ID_KEEP ? c.euid : effective;
	c.suid = saved == ID_KEEP ? c.suid : saved;
	c.fsuid = c.euid;
	commit(t, &c);
	return 0;
}

static s64 set_gids(struct thread *t, u32 real, u32 effective, u32 saved)
{
	struct cred c = t->cred;

	c.gid = real == ID_KEEP ? c.gid : real;
	c.egid = effective == ID_KEEP ? c.egid : effective;
	c.sgid = saved == ID_KEEP ? c.sgid : saved;
	c.fsgid = c.egid;
	commit(t, &c);
	return 0;
}

s64 sys_setuid(struct thread *t, const u64 *a)
{
	const struct cred *c = &t->cred;
	u32 id = keep_uid(t, (u32)a[0]);

	if (id == ID_KEEP)
		return -EINVAL;
	if (capable_here(t, CAP_SETUID))
		return set_uids(t, id, id, id);
	return id == c->uid || id == c->suid ? set_uids(t, ID_KEEP, id, ID_KEEP) : -EPERM;
}

s64 sys_setgid(struct thread *t, const u64 *a)
{
	const struct cred *c = &t->cred;
	u32 id = keep_gid(t, (u32)a[0]);

	if (id == ID_KEEP)
		return -EINVAL;
	if (capable_here(t, CAP_SETGID))
		return set_gids(t, id, id, id);
	return id == c->gid || id == c->sgid ? set_gids(t, ID_KEEP, id, ID_KEEP) : -EPERM;
}

s64 sys_setreuid(struct thread *t, const u64 *a)
{
	const struct cred *c = &t->cred;
	u32 real = keep_uid(t, (u32)a[0]), effective = keep_uid(t, (u32)a[1]), saved = ID_KEEP;

	if (is_unknown(real, a[0]) || is_unknown(effective, a[1]))
		return -EINVAL;

	if (!capable_here(t, CAP_SETUID) && (!is_one_of(real, c->uid, c->euid, c->uid) ||
					     !is_one_of(effective, c->uid, c->euid, c->suid)))
		return -EPERM;
	if (real != ID_KEEP || (effective != ID_KEEP && effective != c->uid))
		saved = effective == ID_KEEP ? c->euid : effective;
	return set_uids(t, real, effective, saved);
}

s64 sys_setregid(struct thread *t, const u64 *a)
{
	const struct cred *c = &t->cred;
	u32 real = keep_gid(t, (u32)a[0]), effective = keep_gid(t, (u32)a[1]), saved = ID_KEEP;

	if (is_unknown(real, a[0]) || is_unknown(effective, a[1]))
		return -EINVAL;

	if (!capable_here(t, CAP_SETGID) && (!is_one_of(real, c->gid, c->egid, c->gid) ||
					     !is_one_of(effective, c->gid, c->egid, c->sgid)))
		return -EPERM;
	if (real != ID_KEEP || (effective != ID_KEEP && effective != c->gid))
		saved = effective == ID_KEEP ? c->egid : effective;
	return set_gids(t, real, effective, saved);
}

s64 sys_setresuid(struct thread *t, const u64 *a)
{
	const struct cred *c = &t->cred;
	u32 id[3];

	for (u32 i = 0; i < 3; i++) {
		id[i] = keep_uid(t, (u32)a[i]);
		if (is_unknown(id[i], a[i]))
			return -EINVAL;
	}
	for (u32 i = 0; i < 3; i++) {
		if (!capable_here(t, CAP_SETUID) && !is_one_of(id[i], c->uid, c->euid, c->suid))
			return -EPERM;
	}
	return set_uids(t, id[0], id[1], id[2]);
}

s64 sys_setresgid(struct thread *t, const u64 *a)
{
	const struct cred *c = &t->cred;
	u32 id[3];

	for (u32 i = 0; i < 3; i++) {
		id[i] = keep_gid(t, (u32)a[i]);
		if (is_unknown(id[i], a[i]))
			return -EINVAL;
	}
	for (u32 i = 0; i < 3; i++) {
		if (!capable_here(t, CAP_SETGID) && !is_one_of(id[i], c->gid, c->egid, c->sgid))
			return -EPERM;
	}
	return set_gids(t, id[0], id[1], id[2]);
}

static s64 give_three(struct thread *t, const u64 *a, u32 x, u32 y, u32 z)
{
	if (copy_out(t, a[0], &x, sizeof(x)) || copy_out(t, a[1], &y, sizeof(y)) ||
	    copy_out(t, a[2], &z, sizeof(z)))
		return -EFAULT;
	return 0;
}

s64 sys_getresuid(struct thread *t, const u64 *a)
{
	return give_three(t, a, show_uid(t, t->cred.uid), show_uid(t, t->cred.euid),
			  show_uid(t, t->cred.suid));
}

s64 sys_getresgid(struct thread *t, const u64 *a)
{
	return give_three(t, a, show_gid(t, t->cred.gid), show_gid(t, t->cred.egid),
			  show_gid(t, t->cred.sgid));
}

s64 sys_setfsuid(struct thread *t, const u64 *a)
{
	u32 old = t->cred.fsuid, id = keep_uid(t, (u32)a[0]);

	if (id != ID_KEEP && (capable_here(t, CAP_SETUID) || id == old ||
			      is_one_of(id, t->cred.uid, t->cred.euid, t->cred.suid))) {
		t->cred.fsuid = id;
		thread_sync_vfs(t);
	}
	return show_uid(t, old);
}

s64 sys_setfsgid(struct thread *t, const u64 *a)
{
	u32 old = t->cred.fsgid, id = keep_gid(t, (u32)a[0]);

	if (id != ID_KEEP && (capable_here(t, CAP_SETGID) || id == old ||
			      is_one_of(id, t->cred.gid, t->cred.egid, t->cred.sgid))) {
		t->cred.fsgid = id;
		thread_sync_vfs(t);
	}
	return show_gid(t, old);
}

/* ---- supplementary groups ---- */

s64 sys_getgroups(struct thread *t, const u64 *a)
{
	const struct groups *g = t->cred.groups;
	s32 room = (s32)a[0], count = g ? (s32)g->count : 0;

	if (room < 0)
		return -EINVAL;
	if (room == 0)
		return count;
	if (room < count)
		return -EINVAL;
	for (s32 i = 0; i < count; i++) {
		u32 id = show_gid(t, g->id[i]);

		if (copy_out(t, a[1] + (u64)i * sizeof(id), &id, sizeof(id)))
			return -EFAULT;
	}
	return count;
}

static int compare_ids(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return (x > y) - (x < y);
}

s64 sys_setgroups(struct thread *t, const u64 *a)
{
	u64 count = a[0] & 0xffffffff;
	struct groups *g;

	if (!capable_here(t, CAP_SETGID) || !user_ns_may_setgroups(task_user_ns(&t->vfs)))
		return -EPERM;
	if (count > GROUPS_MAX)
		return -EINVAL;
	g = malloc(sizeof(*g) + count * sizeof(u32));
	if (!g)
		return -ENOMEM;
	g->refs = 1;
	g->count = (u32)count;
	if (count && copy_in(t, g->id, a[1], count * sizeof(u32))) {
		free(g);
		return -EFAULT;
	}
	for (u64 i = 0; i < count; i++) {
		g->id[i] = keep_gid(t, g->id[i]);
		if (g->id[i] == ID_KEEP) {
			free(g);
			return -EINVAL;
		}
	}
	qsort(g->id, count, sizeof(u32), compare_ids);
	groups_put(t->cred.groups);
	t->cred.groups = g;
	thread_sync_vfs(t);
	return 0;
}

/* ---- capabilities ---- */

#define CAP_VERSION_1 0x19980330u
#define CAP_VERSION_2 0x20071026u
#define CAP_VERSION_3 0x20080522u

struct cap_header {
	u32 version;
	s32 pid;
};

struct cap_data {
	u32 effective, permitted, inheritable;
};

/* How many words of each set the version has; a program that asks with a wrong one is told. */
static int cap_words(struct thread *t, u64 at, struct cap_header *h)
{
	u32 known = CAP_VERSION_3;

	if (copy_in(t, h, at, sizeof(*h)))
		return -EFAULT;
	if (h->version == CAP_VERSION_1)
		return 1;
	if (h->version == CAP_VERSION_2 || h->version == CAP_VERSION_3)
		return 2;
	return copy_out(t, at, &known, sizeof(known)) ? -EFAULT : -EINVAL;
}

s64 sys_capget(struct thread *t, const u64 *a)
{
	struct cap_data data[2];
	struct cap_header h;
	const struct thread *of = t;
	int words = cap_words(t, a[0], &h);

	if (words < 0)
		return words == -EINVAL && !a[1] ? 0 : words;
	if (h.pid < 0)
		return -EINVAL;
	if (h.pid)
		of = thread_named(t, (u32)h.pid);
	if (!of)
		return -ESRCH;
	for (u32 i = 0; i < 2; i++) {
		data[i].effective = (u32)(of->cred.effective >> (32 * i));
		data[i].permitted = (u32)(of->cred.permitted >> (32 * i));
		data[i].inheritable = (u32)(of->cred.inheritable >> (32 * i));
	}
	return a[1] ? copy_out(t, a[1], data, (u64)words * sizeof(data[0])) : 0;
}

s64 sys_capset(struct thread *t, const u64 *a)
{
	struct cap_data data[2] = {0};
	struct cap_header h;
	struct cred c = t->cred;
	int words = cap_words(t, a[0], &h);

	if (words < 0)
		return words;
	if (h.pid && keep_pid(t, (u32)h.pid) != t->tid)
		return -EPERM;
	if (copy_in(t, data, a[1], (u64)words * sizeof(data[0])))
		return -EFAULT;
	c.effective = (data[0].effective | (u64)data[1].effective << 32) & CAP_ALL;
	c.permitted = (data[0].permitted | (u64)data[1].permitted << 32) & CAP_ALL;
	c.inheritable = (data[0].inheritable | (u64)data[1].inheritable << 32) & CAP_ALL;
	if (c.permitted & ~t->cred.permitted || c.effective & ~c.permitted)
		return -EPERM;
	if (c.inheritable & ~(t->cred.inheritable | t->cred.bounding))
		return -EPERM;
	if (!capable_here(t, CAP_SETPCAP) &&
	    c.inheritable & ~(t->cred.inheritable | t->cred.permitted))
		return -EPERM;
	c.ambient &= c.permitted & c.inheritable;
	t->cred = c;
	thread_sync_vfs(t);
	return 0;
}
