/*
 * System calls on open files: reading, writing, descriptors. Thin: the work is in services/vfs.
 *
 * Runs in: the personality's domain. Source: the manual pages of the calls.
 */
#include "syscall.h"
#include "uaccess.h"

#include <errno.h>
#include <vfs/file.h>

/* ---- reading and writing ---- */

typedef s64 move_fn(struct vfs_task *t, int fd, struct uio *uio);
typedef s64 move_at_fn(struct vfs_task *t, int fd, struct uio *uio, s64 pos, u32 flags);

/* Buffers are bad, which matters only if the descriptor is good. */
static s64 bad_buffers(struct thread *t, u64 fd, s64 err)
{
	struct file *file = fd_get_real(&t->vfs, (int)fd);

	if (!file)
		return -EBADF;
	file_put(file);
	return err;
}

static s64 move(struct thread *t, const u64 *a, move_fn *fn)
{
	struct user_io io;
	int err = user_io_one(t, &io, a[1], a[2]);

	return err ? bad_buffers(t, a[0], err) : fn(&t->vfs, (int)a[0], &io.uio);
}

static s64 move_vector(struct thread *t, const u64 *a, move_fn *fn)
{
	struct user_io io;
	s64 n = user_io_vector(t, &io, a[1], a[2]);

	if (n)
		return bad_buffers(t, a[0], n);
	n = fn(&t->vfs, (int)a[0], &io.uio);
	user_io_fini(&io);
	return n;
}

static s64 move_at(struct thread *t, const u64 *a, move_at_fn *fn)
{
	struct user_io io;
	int err;

	if ((s64)a[3] < 0)
		return -EINVAL;
	err = user_io_one(t, &io, a[1], a[2]);
	if (err)
		return bad_buffers(t, a[0], err);
	return fn(&t->vfs, (int)a[0], &io.uio, (s64)a[3], 0);
}

static s64 move_vector_at(struct thread *t, const u64 *a, move_at_fn *fn, u32 flags)
{
	struct user_io io;
	s64 n = user_io_vector(t, &io, a[1], a[2]);

	if (n)
		return bad_buffers(t, a[0], n);
	n = fn(&t->vfs, (int)a[0], &io.uio, (s64)a[3], flags);
	user_io_fini(&io);
	return n;
}

s64 sys_read(struct thread *t, const u64 *a)
{
	return move(t, a, vfs_read);
}

s64 sys_write(struct thread *t, const u64 *a)
{
	return move(t, a, vfs_write);
}

s64 sys_readv(struct thread *t, const u64 *a)
{
	return move_vector(t, a, vfs_read);
}

s64 sys_writev(struct thread *t, const u64 *a)
{
	return move_vector(t, a, vfs_write);
}

s64 sys_pread64(struct thread *t, const u64 *a)
{
	return move_at(t, a, vfs_pread);
}

s64 sys_pwrite64(struct thread *t, const u64 *a)
{
	return move_at(t, a, vfs_pwrite);
}

s64 sys_preadv(struct thread *t, const u64 *a)
{
	return (s64)a[3] < 0 ? -EINVAL : move_vector_at(t, a, vfs_pread, 0);
}

s64 sys_pwritev(struct thread *t, const u64 *a)
{
	return (s64)a[3] < 0 ? -EINVAL : move_vector_at(t, a, vfs_pwrite, 0);
}

s64 sys_preadv2(struct thread *t, const u64 *a)
{
	return move_vector_at(t, a, vfs_preadv2, (u32)a[5]);
}

s64 sys_pwritev2(struct thread *t, const u64 *a)
{
	return move_vector_at(t, a, vfs_pwritev2, (u32)a[5]);
}

s64 sys_lseek(struct thread *t, const u64 *a)
{
	return vfs_lseek(&t->vfs, (int)a[0], (s64)a[1], (u32)a[2]);
}

s64 sys_sendfile(struct thread *t, const u64 *a)
{
	s64 offset, n;

	if (!a[2])
		return vfs_sendfile(&t->vfs, (int)a[0], (int)a[1], NULL, a[3]);
	if (copy_in(t, &offset, a[2], sizeof(offset)))
		return -EFAULT;
	n = vfs_sendfile(&t->vfs, (int)a[0], (int)a[1], &offset, a[3]);
	if (n >= 0 && copy_out(t, a[2], &offset, sizeof(offset)))
		return -EFAULT;
	return n;
}

/* Positions that a call may be given: 0, or -EFAULT. */
static int get_positions(struct thread *t, u64 in_at, s64 *in, u64 out_at, s64 *out)
{
	if ((in_at && copy_in(t, in, in_at, sizeof(*in))) ||
	    (out_at && copy_in(t, out, out_at, sizeof(*out))))
		return -EFAULT;
	return 0;
}

static int put_positions(struct thread *t, u64 in_at, s64 in, u64 out_at, s64 out)
{
	if ((in_at && copy_out(t, in_at, &in, sizeof(in))) ||
	    (out_at && copy_out(t, out_at, &out, sizeof(out))))
		return -EFAULT;
	return 0;
}

s64 sys_splice(struct thread *t, const u64 *a)
{
	s64 in = 0, out = 0, n = get_positions(t, a[1], &in, a[3], &out);

	if (n)
		return n;
	n = vfs_splice(&t->vfs, (int)a[0], a[1] ? &in : NULL, (int)a[2], a[3] ? &out : NULL, a[4],
		       (u32)a[5]);
	return n > 0 && put_positions(t, a[1], in, a[3], out) ? -EFAULT : n;
}

s64 sys_tee(struct thread *t, const u64 *a)
{
	return vfs_tee(&t->vfs, (int)a[0], (int)a[1], a[2], (u32)a[3]);
}

s64 sys_vmsplice(struct thread *t, const u64 *a)
{
	struct user_io io;
	s64 n;

	if (a[3] & ~0xful)
		return -EINVAL;
	n = user_io_vector(t, &io, a[1], a[2]);
	if (n)
		return bad_buffers(t, a[0], n);
	n = vfs_vmsplice(&t->vfs, (int)a[0], &io.uio, (u32)a[3]);
	user_io_fini(&io);
	return n;
}

s64 sys_copy_file_range(struct thread *t, const u64 *a)
{
	s64 in = 0, out = 0, n = get_positions(t, a[1], &in, a[3], &out);

	if (n)
		return n;
	n = vfs_copy_file_range(&t->vfs, (int)a[0], a[1] ? &in : NULL, (int)a[2],
				a[3] ? &out : NULL, a[4], (u32)a[5]);
	return n > 0 && put_positions(t, a[1], in, a[3], out) ? -EFAULT : n;
}

s64 sys_ftruncate(struct thread *t, const u64 *a)
{
	return vfs_ftruncate(&t->vfs, (int)a[0], (s64)a[1]);
}

s64 sys_fallocate(struct thread *t, const u64 *a)
{
	return vfs_fallocate(&t->vfs, (int)a[0], (u32)a[1], (s64)a[2], (s64)a[3]);
}

s64 sys_fsync(struct thread *t, const u64 *a)
{
	return vfs_fsync(&t->vfs, (int)a[0], false);
}

s64 sys_fdatasync(struct thread *t, const u64 *a)
{
	return vfs_fsync(&t->vfs, (int)a[0], true);
}

s64 sys_syncfs(struct thread *t, const u64 *a)
{
	return vfs_syncfs(&t->vfs, (int)a[0]);
}

s64 sys_sync_file_range(struct thread *t, const u64 *a)
{
	return vfs_sync_file_range(&t->vfs, (int)a[0], (s64)a[1], (s64)a[2], (u32)a[3]);
}

s64 sys_sync(struct thread *t, const u64 *a)
{
	(void)t;
	(void)a;
	return 0; /* all file systems so far are in memory */
}

s64 sys_fadvise64(struct thread *t, const u64 *a)
{
	return vfs_fadvise(&t->vfs, (int)a[0], (s64)a[1], (s64)a[2], (u32)a[3]);
}

s64 sys_readahead(struct thread *t, const u64 *a)
{
	return vfs_readahead(&t->vfs, (int)a[0], (s64)a[1], (s64)a[2]);
}

/* struct cachestat_range, struct cachestat */
struct k_cache_range {
	u64 offset, len;
};

struct k_cache_counts {
	u64 cached, dirty, writeback, evicted, recently_evicted;
};

s64 sys_cachestat(struct thread *t, const u64 *a)
{
	struct k_cache_counts counts = {0};
	struct k_cache_range range;
	s64 n = vfs_syncfs(&t->vfs, (int)a[0]); /* is it open? */

	if (n)
		return n;
	if (copy_in(t, &range, a[1], sizeof(range)))
		return -EFAULT;
	if (a[3])
		return -EINVAL;
	n = vfs_cached_pages(&t->vfs, (int)a[0], range.offset, range.len);
	if (n < 0)
		return n;
	counts.cached = (u64)n;
	return copy_out(t, a[2], &counts, sizeof(counts));
}

s64 sys_getdents64(struct thread *t, const u64 *a)
{
	struct user_io io;
	int err = user_io_one(t, &io, a[1], a[2] & 0xffffffff);

	return err ? err : vfs_getdents(&t->vfs, (int)a[0], &io.uio, false);
}

s64 sys_getdents(struct thread *t, const u64 *a)
{
	struct user_io io;
	int err = user_io_one(t, &io, a[1], a[2] & 0xffffffff);

	return err ? err : vfs_getdents(&t->vfs, (int)a[0], &io.uio, true);
}

s64 sys_ioctl(struct thread *t, const u64 *a)
{
	return vfs_ioctl(&t->vfs, (int)a[0], (u32)a[1], a[2]);
}

/* ---- descriptors ---- */

s64 sys_close(struct thread *t, const u64 *a)
{
	return vfs_close(&t->vfs, (int)a[0]);
}

s64 sys_close_range(struct thread *t, const u64 *a)
{
	return vfs_close_range(&t->vfs, (u32)a[0], (u32)a[1], (u32)a[2]);
}

s64 sys_dup(struct thread *t, const u64 *a)
{
	return vfs_dup(&t->vfs, (int)a[0]);
}

s64 sys_dup2(struct thread *t, const u64 *a)
{
	return vfs_dup2(&t->vfs, (int)a[0], (int)a[1]);
}

s64 sys_dup3(struct thread *t, const u64 *a)
{
	return vfs_dup3(&t->vfs, (int)a[0], (int)a[1], (u32)a[2]);
}

static s64 make_pipe(struct thread *t, u64 out, u32 flags)
{
	int fds[2], err = vfs_pipe2(&t->vfs, fds, flags);

	if (err)
		return err;
	if (copy_out(t, out, fds, sizeof(fds)) == 0)
		return 0;
	vfs_close(&t->vfs, fds[0]);
	vfs_close(&t->vfs, fds[1]);
	return -EFAULT;
}

s64 sys_pipe(struct thread *t, const u64 *a)
{
	return make_pipe(t, a[0], 0);
}

s64 sys_pipe2(struct thread *t, const u64 *a)
{
	return make_pipe(t, a[0], (u32)a[1]);
}

static bool is_lock_command(int cmd)
{
	return (cmd >= F_GETLK && cmd <= F_SETLKW) || (cmd >= F_OFD_GETLK && cmd <= F_OFD_SETLKW);
}

s64 sys_fcntl(struct thread *t, const u64 *a)
{
	int cmd = (int)a[1], err;
	struct vfs_flock lock;

	if (!is_lock_command(cmd))
		return vfs_fcntl(&t->vfs, (int)a[0], cmd, a[2]);
	if (copy_in(t, &lock, a[2], sizeof(lock)))
		return -EFAULT;
	err = vfs_fcntl_lock(&t->vfs, (int)a[0], cmd, &lock);
	if (!err && (cmd == F_GETLK || cmd == F_OFD_GETLK))
		err = copy_out(t, a[2], &lock, sizeof(lock));
	return err;
}

s64 sys_flock(struct thread *t, const u64 *a)
{
	return vfs_flock(&t->vfs, (int)a[0], (u32)a[1]);
}
