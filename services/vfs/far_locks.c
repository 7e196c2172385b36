/*
 * Locks of files that live on other cores. The core where an inode lives keeps them (locks.c).
 *
 *   far_lock_request()  asks there, and waits there: a signal here interrupts the wait
 *   far_lock_end()      an owner ends
 *   far_lock_moved()    an owner has moved here: its locks end if this core dies
 *
 * If a core dies, the locks of those who lived there end (locks_core_died()).
 *
 * Runs in: the personality (each request on a fiber of its own), host tests.
 */
#include "far_internal.h"

#include <fcntl.h>
#include <string.h>

int far_lock_request(struct inode *inode, struct lock_request *want)
{
	struct far_lock args = {far_node_of(inode), *want};
	u32 got = 0;
	s64 err = shard_call_intr(far_net(inode), far_home_of(inode->ino), FAR_LOCK, &args,
				  sizeof(args), want, sizeof(*want), &got);

	if (!err && want->flags & LOCK_REQUEST_GET && got < sizeof(*want))
		return -EIO;
	return far_error(err);
}

void far_lock_end(struct inode *inode, const struct lock_request *whose, bool wait)
{
	struct far_lock args = {far_node_of(inode), *whose};
	u32 home = far_home_of(inode->ino);

	if (wait && fiber_self(inode->sb->vfs->loop))
		shard_call(far_net(inode), home, FAR_LOCK_END, &args, sizeof(args), NULL, 0, NULL);
	else
		shard_tell(far_net(inode), home, FAR_LOCK_END, &args, sizeof(args));
}

void far_lock_moved(struct inode *inode, u64 owner, u32 core)
{
	struct far_lock args = {far_node_of(inode), {.owner = owner, .core = core}};

	shard_tell(far_net(inode), far_home_of(inode->ino), FAR_LOCK_MOVED, &args, sizeof(args));
}

/* --- At the home --- */

static bool is_sane(const struct shard_request *r, const struct lock_request *want)
{
	return want->start >= 0 && want->end >= -1 && want->core < shard_cores(r->net) &&
	       (want->type == F_RDLCK || want->type == F_WRLCK || want->type == F_UNLCK);
}

static struct inode *asked_inode(const struct shard_request *r, const struct far_lock *a)
{
	return a ? vfs_own_inode(r->arg, a->file.sb, a->file.ino) : NULL;
}

static s64 serve_lock(struct shard_request *r)
{
	const struct far_lock *a = shard_args(r, sizeof(*a));
	struct inode *inode = asked_inode(r, a);
	struct lock_request *answer, want;
	s64 err = -EBADMSG;

	if (!inode)
		return a ? -ESTALE : -EBADMSG;
	want = a->want;
	if (is_sane(r, &want))
		err = locks_request(inode, &want);
	answer = err ? NULL : shard_answer(r, sizeof(*answer));
	if (answer)
		*answer = want;
	inode_put(inode);
	return err;
}

static s64 serve_end(struct shard_request *r)
{
	const struct far_lock *a = shard_args(r, sizeof(*a));
	struct inode *inode = asked_inode(r, a);

	if (!inode)
		return a ? -ESTALE : -EBADMSG;
	if (inode->locks)
		locks_release_owner(inode, a->want.owner, a->want.flags & LOCK_REQUEST_FLOCK,
				    false);
	inode_put(inode);
	return 0;
}

static s64 serve_moved(struct shard_request *r)
{
	const struct far_lock *a = shard_args(r, sizeof(*a));
	struct inode *inode = asked_inode(r, a);

	if (!inode || a->want.core >= shard_cores(r->net)) {
		if (inode)
			inode_put(inode);
		return -EBADMSG;
	}
	if (inode->locks)
		locks_owner_moved(inode, a->want.owner, a->want.core);
	inode_put(inode);
	return 0;
}

int far_serve_locks(struct vfs *vfs)
{
	int err = shard_serve(vfs->far->net, FAR_LOCK, serve_lock, vfs);

	if (!err)
		err = shard_serve(vfs->far->net, FAR_LOCK_END, serve_end, vfs);
	return err ? err : shard_serve(vfs->far->net, FAR_LOCK_MOVED, serve_moved, vfs);
}
