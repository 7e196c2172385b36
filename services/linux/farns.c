/*
 * See farns.h. Of places there is the root only, of namespaces the first ones: who is in others
 * stays where it is.
 */
#include "farns.h"

#include <errno.h>
#include <string.h>

s64 namespaces_export(struct thread *t, u32 core, void *out, size_t room)
{
	u64 umask = t->vfs.fs->umask;

	(void)core;
	for (u32 i = 0; i < NS_KINDS; i++) {
		if (t->ns[i])
			return -EOPNOTSUPP;
	}
	if (t->cred.user_ns)
		return -EOPNOTSUPP;
	if (room < sizeof(umask))
		return -ENOSPC;
	memcpy(out, &umask, sizeof(umask));
	return sizeof(umask);
}

s64 namespaces_import(struct thread *t, struct thread *like, const void *in, size_t bytes)
{
	u64 umask;

	if (bytes < sizeof(umask))
		return -EBADMSG;
	memcpy(&umask, in, sizeof(umask));
	t->vfs.fs = like ? fs_context_get(like->vfs.fs) : fs_context_new(t->vfs.vfs);
	if (!t->vfs.fs)
		return -ENOMEM;
	t->vfs.fs->umask = (u32)umask;
	return sizeof(umask);
}
