/*
 * Namespaces of processes: unshare, setns.
 *
 * Everything that can fail happens before the caller is changed.
 *
 * Not here: user namespaces and those that need them.
 * Runs in: the personality's domain. Source: unshare(2), setns(2), namespaces(7).
 */
#include "misc.h"
#include "syscall.h"

#include <errno.h>
#include <vfs/mount.h>
#include <vfs/ns.h>

#define UNSHARE_EMPTY_MNTNS 0x00100000ul

#define UNSHARE_KNOWN                                                                              \
	(CLONE_NEWNS | UNSHARE_EMPTY_MNTNS | CLONE_FS | CLONE_FILES | CLONE_THREAD |               \
	 CLONE_SIGHAND | CLONE_VM | CLONE_SYSVSEM)

int namespaces_clone(struct thread *t, struct fs_context *fs, u64 flags)
{
	if (!(flags & (CLONE_NEWNS | CLONE_EMPTY_MNTNS)))
		return 0;
	return vfs_new_mnt_ns(&t->vfs, fs, NULL, flags & CLONE_EMPTY_MNTNS);
}

static int check_unshare(const struct thread *t, u64 flags)
{
	if (flags & ~UNSHARE_KNOWN)
		return -EINVAL;
	/* What all threads share cannot be unshared by one of several. */
	if (flags & (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM) && t->process->nthreads > 1)
		return -EINVAL;
	if (flags & CLONE_NEWNS && !capable(t, VFS_CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

s64 sys_unshare(struct thread *t, const u64 *a)
{
	u64 flags = a[0];
	struct fs_context *fs = NULL;
	struct fd_table *files = NULL;
	int err;

	if (flags & UNSHARE_EMPTY_MNTNS)
		flags |= CLONE_NEWNS;
	if (flags & CLONE_NEWNS)
		flags |= CLONE_FS;
	err = check_unshare(t, flags);
	if (!err && flags & CLONE_FILES)
		err = fd_table_copy(t->vfs.files, &files);
	if (!err && flags & CLONE_FS) {
		fs = fs_context_copy(t->vfs.fs);
		err = fs ? 0 : -ENOMEM;
	}
	if (!err && flags & CLONE_NEWNS)
		err = vfs_new_mnt_ns(&t->vfs, fs, NULL, flags & UNSHARE_EMPTY_MNTNS);
	if (err)
		goto fail;
	if (fs) {
		fs_context_put(t->vfs.fs);
		t->vfs.fs = fs;
	}
	if (files) {
		fd_table_put(&t->vfs, t->vfs.files);
		t->vfs.files = files;
	}
	return 0;
fail:
	if (files)
		fd_table_put(NULL, files);
	if (fs)
		fs_context_put(fs);
	return err;
}

/* ---- setns ---- */

static int enter(struct thread *t, struct ns *ns)
{
	int err;

	if (ns->type != NS_MNT)
		return -EINVAL;
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
	if (!types || types & ~(u64)(CLONE_NEWNS))
		return -EINVAL;
	if (!p || !p->threads || !process_thread(p)->vfs.fs)
		return -ESRCH;
	return enter(t, &process_thread(p)->vfs.fs->mnt->ns);
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
