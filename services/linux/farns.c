/*
 * See farns.h: what a thread that moves takes along of namespaces, and the values of those of names
 * (UTS) and of the kinds that have none.
 *
 * Runs in: the personality's domain.
 */
#include "farns.h"
#include "namespaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <vfs/far_ns.h>
#include <vfs/far_place.h>

int farns_init(struct vfs *vfs, struct shard_net *net)
{
	int err = far_ns_join(vfs, net);

	if (!err)
		nsobjects_share(vfs);
	return err;
}

struct wire_spaces {
	u64 sharing; /* the fs context there: threads that had one have one here */
	struct far_ns_ref mounts, user, kinds[NS_KINDS];
	u32 umask;
	u32 bytes; /* of root and working directory, which follow; 0: it is that of @like */
};

static_assert(sizeof(struct wire_spaces) == 16 * (2 + NS_KINDS) + 16, "no holes");

/* PID and time namespaces are of one core, and so are the processes in them. */
static bool must_stay(const struct thread *t)
{
	return t->process->pid_ns || nsobjects_kind(t, KIND_PID)->id != VFS_FIRST_PID_ID ||
	       nsobjects_kind(t, KIND_TIME)->id != VFS_FIRST_TIME_ID ||
	       nsobjects_kind(t, KIND_NEW_TIME)->id != VFS_FIRST_TIME_ID;
}

s64 namespaces_export(struct thread *t, u32 core, void *out, size_t room)
{
	struct fs_context *fs = t->vfs.fs;
	struct wire_spaces w = {.sharing = (u64)(uintptr_t)fs, .umask = fs->umask};
	const struct path *const places[] = {&fs->root, &fs->cwd};
	size_t at = sizeof(w);

	if (must_stay(t))
		return -EOPNOTSUPP;
	far_ns_name(&fs->mnt->ns, &w.mounts);
	far_ns_name(&task_user_ns(&t->vfs)->ns, &w.user);
	for (u32 i = 0; i < NS_KINDS; i++)
		far_ns_name(nsobjects_kind(t, i), &w.kinds[i]);
	for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
		s64 n = at > room ? -ENOSPC
				  : far_place_export(t->vfs.vfs, core, places[i], (u8 *)out + at,
						     room - at);

		if (n < 0)
			return n;
		at += (size_t)n;
	}
	w.bytes = (u32)(at - sizeof(w));
	memcpy(out, &w, sizeof(w));
	return (s64)at;
}

/* What has come, with references, until the thread has it. */
struct arriving {
	struct ns *mounts, *user, *kinds[NS_KINDS];
	struct fs_context *fs;
};

static void drop(struct arriving *a)
{
	if (a->mounts)
		ns_put(a->mounts);
	if (a->user)
		ns_put(a->user);
	for (u32 i = 0; i < NS_KINDS; i++) {
		if (a->kinds[i])
			ns_put(a->kinds[i]);
	}
	if (a->fs)
		fs_context_put(a->fs);
}

static int find_all(struct vfs *vfs, const struct wire_spaces *w, struct arriving *a)
{
	int err = w->mounts.type == NS_MNT && w->user.type == NS_USER ? 0 : -EBADMSG;

	if (!err)
		err = far_ns_find(vfs, &w->mounts, &a->mounts);
	if (!err)
		err = far_ns_find(vfs, &w->user, &a->user);
	for (u32 i = 0; i < NS_KINDS && !err; i++) {
		if (w->kinds[i].type != nsobjects_type(i))
			err = -EBADMSG;
		else
			err = far_ns_find(vfs, &w->kinds[i], &a->kinds[i]);
	}
	return err;
}

static int find_places(struct vfs *vfs, const struct wire_spaces *w, const u8 *in,
		       struct arriving *a)
{
	struct path root, cwd;
	s64 n = far_place_import(vfs, in, w->bytes, &root), m;

	if (n < 0)
		return (int)n;
	m = far_place_import(vfs, in + n, w->bytes - (size_t)n, &cwd);
	if (m >= 0) {
		a->fs = fs_context_at(vfs, container_of(a->mounts, struct mnt_namespace, ns), &root,
				      &cwd, w->umask);
		path_put(&cwd);
	}
	path_put(&root);
	if (m < 0)
		return (int)m;
	return !a->fs ? -ENOMEM : (u64)(n + m) == w->bytes ? 0 : -EBADMSG;
}

s64 namespaces_import(struct thread *t, struct thread *like, const void *in, size_t bytes)
{
	struct vfs *vfs = t->vfs.vfs;
	struct arriving a = {0};
	struct wire_spaces w;
	int err;

	if (bytes < sizeof(w))
		return -EBADMSG;
	memcpy(&w, in, sizeof(w));
	if (w.bytes > bytes - sizeof(w))
		return -EBADMSG;
	err = find_all(vfs, &w, &a);
	if (!err && like && like->vfs.fs && like->vfs.fs->came_from == w.sharing)
		a.fs = fs_context_get(like->vfs.fs);
	else if (!err)
		err = find_places(vfs, &w, (const u8 *)in + sizeof(w), &a);
	if (err) {
		drop(&a);
		return err;
	}
	a.fs->came_from = w.sharing;
	t->vfs.fs = a.fs;
	a.fs = NULL;
	nsobjects_take(t, a.kinds);
	if (container_of(a.user, struct user_ns, ns)->parent) {
		t->cred.user_ns = container_of(a.user, struct user_ns, ns);
		a.user = NULL;
	}
	drop(&a);
	return (s64)(sizeof(w) + w.bytes);
}
