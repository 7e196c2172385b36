/*
 * Namespaces of processes: unshare, setns.
 *
 * Everything that can fail happens before the caller is changed.
 *
 * Not here: what the namespaces are (nsobjects.c, pidns.c).
 * Runs in: the personality's domain. Source: unshare(2), setns(2), namespaces(7).
 */
#include "namespaces.h"
#include "syscall.h"
#include "timens.h"
#include "vdso.h"

#include <errno.h>
#include <vfs/mount.h>
#include <vfs/ns.h>

#define UNSHARE_EMPTY_MNTNS 0x00100000ul

#define UNSHARE_KNOWN                                                                              \
	(NS_OBJECTS | CLONE_NEWNS | CLONE_NEWUSER | UNSHARE_EMPTY_MNTNS | CLONE_FS | CLONE_FILES | \
	 CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_SYSVSEM)

/* @t is in @ns, whose reference it takes, and has all capabilities there. */
static void be_in(struct thread *t, struct user_ns *ns)
{
	struct cred *c = &t->cred;

	if (c->user_ns)
		ns_put(&c->user_ns->ns);
	c->user_ns = ns;
	c->securebits = 0;
	c->inheritable = c->ambient = 0;
	c->permitted = c->effective = c->bounding = CAP_ALL;
}

int namespaces_clone(struct thread *t, struct thread *child, u64 flags)
{
	struct ns *set[NS_KINDS] = {0};
	struct user_ns *user;
	int err;

	if (flags & CLONE_NEWUSER) {
		err = user_ns_new(&t->vfs, &user);
		if (err)
			return err;
		be_in(child, user);
	}
	err = nsobjects_make(t, flags, child->cred.user_ns, set);
	if (err) {
		nsobjects_put(set);
		return err;
	}
	nsobjects_take(child, set);
	if (!(flags & CLONE_VM) && time_ns_changes(child)) {
		err = time_ns_of(child->ns[KIND_NEW_TIME]) ? vdso_ask(thread_mm(child)) : 0;
		if (err)
			return err;
		time_ns_arrive(child);
	}
	if (!(flags & (CLONE_NEWNS | CLONE_EMPTY_MNTNS)))
		return 0;
	return vfs_new_mnt_ns(&t->vfs, child->vfs.fs, child->cred.user_ns,
			      flags & CLONE_EMPTY_MNTNS);
}

static u64 implied(u64 flags)
{
	if (flags & UNSHARE_EMPTY_MNTNS)
		flags |= CLONE_NEWNS;
	if (flags & CLONE_NEWUSER)
		flags |= CLONE_THREAD | CLONE_FS;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	return flags;
}

static int check_unshare(const struct thread *t, u64 flags)
{
	if (flags & ~UNSHARE_KNOWN)
		return -EINVAL;
	/* What all threads share cannot be unshared by one of several. */
	if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) && t->process->nthreads > 1)
		return -EINVAL;
	if (flags & (CLONE_NEWNS | NS_OBJECTS) && !(flags & CLONE_NEWUSER) &&
	    !capable_here(t, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

/* What unshare(2) has made, and will give to the caller when nothing can fail any more. */
struct unshared {
	struct user_ns *user;
	struct fs_context *fs;
	struct fd_table *files;
	struct ns *objects[NS_KINDS];
};

static int make_unshared(struct thread *t, u64 flags, struct unshared *u)
{
	int err = flags & CLONE_NEWUSER ? user_ns_new(&t->vfs, &u->user) : 0;

	if (!err && flags & CLONE_FILES)
		err = fd_table_copy(t->vfs.files, &u->files);
	if (!err && flags & CLONE_FS) {
		u->fs = fs_context_copy(t->vfs.fs);
		err = u->fs ? 0 : -ENOMEM;
	}
	if (!err && flags & CLONE_NEWNS)
		err = vfs_new_mnt_ns(&t->vfs, u->fs, u->user, flags & UNSHARE_EMPTY_MNTNS);
	if (!err)
		err = nsobjects_make(t, flags, u->user ? u->user : t->cred.user_ns, u->objects);
	return err;
}

static void drop_unshared(struct unshared *u)
{
	if (u->files)
		fd_table_put(NULL, u->files);
	if (u->fs)
		fs_context_put(u->fs);
	nsobjects_put(u->objects);
	if (u->user)
		ns_put(&u->user->ns);
}

s64 sys_unshare(struct thread *t, const u64 *a)
{
	u64 flags = implied(a[0]);
	struct unshared u = {0};
	int err = check_unshare(t, flags);

	if (!err)
		err = make_unshared(t, flags, &u);
	if (err) {
		drop_unshared(&u);
		return err;
	}
	if (u.fs) {
		fs_context_put(t->vfs.fs);
		t->vfs.fs = u.fs;
	}
	if (u.files) {
		fd_table_put(&t->vfs, t->vfs.files);
		t->vfs.files = u.files;
	}
	nsobjects_take(t, u.objects);
	if (u.user) {
		be_in(t, u.user);
		thread_sync_vfs(t);
	}
	return 0;
}

/* ---- setns ---- */

static int enter_user(struct thread *t, struct ns *ns)
{
	struct user_ns *user = container_of(ns, struct user_ns, ns);

	if (user == task_user_ns(&t->vfs) || t->process->nthreads > 1 || t->vfs.fs->refs > 1)
		return -EINVAL;
	if (!vfs_capable_in(&t->vfs, user, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	ns_get(ns);
	be_in(t, user);
	thread_sync_vfs(t);
	return 0;
}

static int enter(struct thread *t, struct ns *ns)
{
	int err;

	if (ns->type == NS_USER)
		return enter_user(t, ns);
	if (ns->type != NS_MNT)
		return nsobjects_enter(t, ns);
	err = vfs_check_enter_mnt_ns(&t->vfs, ns);
	if (!err)
		vfs_enter_mnt_ns(&t->vfs, ns);
	return err;
}

/* The namespaces of a process. */
static int enter_those_of(struct thread *t, int fd, u64 types)
{
	struct process *p;
	int err = pidfd_process(t, fd, &p, NULL);

	if (err)
		return err == -EBADF ? -EINVAL : err;
	if (!types || types & ~(u64)(CLONE_NEWNS | CLONE_NEWUSER | NS_OBJECTS))
		return -EINVAL;
	if (!p || !p->threads || !process_thread(p)->vfs.fs)
		return -ESRCH;
	/* Those of a user namespace are entered with the capabilities in it. */
	if (types & CLONE_NEWUSER)
		err = enter(t, &task_user_ns(&process_thread(p)->vfs)->ns);
	for (u32 type = NS_CGROUP; !err && type <= NS_NET; type <<= 1) {
		if (types & type & NS_OBJECTS)
			err = enter(t, nsobjects_of(process_thread(p), type));
	}
	if (!err && types & CLONE_NEWTIME)
		err = enter(t, nsobjects_of(process_thread(p), NS_TIME));
	if (!err && types & CLONE_NEWNS)
		err = enter(t, &process_thread(p)->vfs.fs->mnt->ns);
	return err;
}

s64 sys_setns(struct thread *t, const u64 *a)
{
	struct file *file = fd_get_real(&t->vfs, (int)a[0]);
	struct ns *ns;
	int err;

	if (!file)
		return -EBADF;
	ns = ns_of_file(file);
	if (!ns)
		err = enter_those_of(t, (int)a[0], (u32)a[1]);
	else if (a[1] && ns->type != (u32)a[1])
		err = -EINVAL;
	else
		err = enter(t, ns);
	file_put(file);
	return err;
}
