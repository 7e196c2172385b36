/*
 * What a process may see of another, and do to it: its memory, its descriptors, what they share.
 *
 * Runs in: the personality's domain. Source: process_vm_readv(2), kcmp(2), pidfd_getfd(2),
 * process_mrelease(2); ptrace(2), "Ptrace access mode checking".
 */
#include "misc.h"
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <stdlib.h>

bool process_may_inspect(const struct thread *t, const struct process *p)
{
	const struct cred *c = &t->cred, *o;

	if (p == t->process)
		return true;
	if (!p->threads)
		return false;
	o = &p->threads->cred;
	if (capable_over(t, p->threads, CAP_SYS_PTRACE))
		return true;
	return c->uid == o->euid && c->uid == o->suid && c->uid == o->uid && c->gid == o->egid &&
	       c->gid == o->sgid && c->gid == o->gid && o->user_ns == c->user_ns &&
	       !(o->permitted & ~c->permitted) && p->dumpable == 1;
}

/* ---- memory ---- */

#define BOUNCE (16 * KiB)

/* One piece of the other process. Returns how much could be moved. */
static u64 move_piece(struct mm *mm, struct uio *uio, void *bounce, u64 at, u64 len, bool write)
{
	u64 done = 0;

	while (done < len) {
		u64 n = MIN(len - done, (u64)BOUNCE), got;

		if (write) {
			got = uio_take(uio, bounce, n);
			got = mm_copy(mm, bounce, at + done, got, true);
		} else {
			got = mm_copy(mm, bounce, at + done, n, false);
			got = uio_put(uio, bounce, got);
		}
		done += got;
		if (got < n)
			break;
	}
	return done;
}

static s64 move(struct mm *mm, struct user_io *local, const struct user_io *remote, bool write)
{
	void *bounce = malloc(BOUNCE);
	u64 done = 0;

	if (!bounce)
		return -ENOMEM;
	for (u32 i = 0; i < remote->count && local->uio.left; i++) {
		u64 len = MIN(remote->iov[i].len, (u64)local->uio.left);
		u64 got = move_piece(mm, &local->uio, bounce, remote->iov[i].base, len, write);

		done += got;
		if (got < len)
			break;
	}
	free(bounce);
	return (s64)done;
}

static s64 access_memory(struct thread *t, const u64 *a, bool write)
{
	struct process *p;
	struct user_io local, remote;
	struct thread *of;
	s64 n;

	if (a[5])
		return -EINVAL;
	n = user_io_vector(t, &local, a[1], a[2]);
	if (n)
		return n;
	n = user_io_vector(t, &remote, a[3], a[4]);
	if (n)
		goto out;
	if (!local.uio.left || !remote.uio.left)
		goto done;
	n = -ESRCH;
	of = thread_named(t, (u32)a[0]);
	p = of ? of->process : NULL;
	if (p && p->mm)
		n = process_may_inspect(t, p) ? 0 : -EPERM;
	if (!n) {
		struct mm *mm = p->mm;

		mm->users++;
		n = move(mm, &local, &remote, write);
		mm_put(mm);
		if (n == 0)
			n = -EFAULT;
	}
done:
	user_io_fini(&remote);
out:
	user_io_fini(&local);
	return n;
}

s64 sys_process_vm_readv(struct thread *t, const u64 *a)
{
	return access_memory(t, a, false);
}

s64 sys_process_vm_writev(struct thread *t, const u64 *a)
{
	return access_memory(t, a, true);
}

s64 sys_process_mrelease(struct thread *t, const u64 *a)
{
	struct process *p;
	int err = a[1] ? -EINVAL : pidfd_process(t, (int)a[0], &p, NULL);

	if (err)
		return err;
	if (!p || p->zombie)
		return -ESRCH;
	/* What dies gives its memory back by itself as soon as it runs. */
	return p->group_exit ? 0 : -EINVAL;
}

/* ---- descriptors ---- */

s64 sys_pidfd_getfd(struct thread *t, const u64 *a)
{
	struct process *p;
	struct file *file;
	int err = a[2] ? -EINVAL : pidfd_process(t, (int)a[0], &p, NULL);

	if (err)
		return err;
	if (!p || !p->threads || !p->threads->vfs.files)
		return -ESRCH;
	if (!process_may_inspect(t, p))
		return -EPERM;
	file = fd_get(&p->threads->vfs, (int)a[1]);
	return file ? fd_add(&t->vfs, file, true) : -EBADF;
}

#define KCMP_FILE    0
#define KCMP_VM      1
#define KCMP_FILES   2
#define KCMP_FS      3
#define KCMP_SIGHAND 4
#define KCMP_IO      5
#define KCMP_SYSVSEM 6

/* An order of objects that tells nothing about where they are: by a secret of this start. */
static s64 compare(const void *a, const void *b)
{
	static const u64 secret = 0x9e3779b97f4a7c15ul;
	u64 x = (u64)a * secret, y = (u64)b * secret;

	return x == y ? 0 : (x < y ? 1 : 2);
}

static s64 compare_files(struct thread *a, struct thread *b, int fd_a, int fd_b)
{
	struct file *x = a->vfs.files ? fd_get(&a->vfs, fd_a) : NULL;
	struct file *y = b->vfs.files ? fd_get(&b->vfs, fd_b) : NULL;
	s64 result = x && y ? compare(x, y) : -EBADF;

	if (x)
		file_put(x);
	if (y)
		file_put(y);
	return result;
}

s64 sys_kcmp(struct thread *t, const u64 *a)
{
	struct thread *x = thread_named(t, (u32)a[0]), *y = thread_named(t, (u32)a[1]);

	if (!x || !y)
		return -ESRCH;
	if (!process_may_inspect(t, x->process) || !process_may_inspect(t, y->process))
		return -EPERM;
	switch ((s32)a[2]) {
	case KCMP_FILE:
		return compare_files(x, y, (int)a[3], (int)a[4]);
	case KCMP_VM:
		return compare(x->process->mm, y->process->mm);
	case KCMP_FILES:
		return compare(x->vfs.files, y->vfs.files);
	case KCMP_FS:
		return compare(x->vfs.fs, y->vfs.fs);
	case KCMP_SIGHAND:
		return compare(x->process->sighand, y->process->sighand);
	case KCMP_IO: /* nobody has either until it is asked for */
	case KCMP_SYSVSEM:
		return 0;
	default:
		return -EINVAL;
	}
}
