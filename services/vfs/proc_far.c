/*
 * Files of processes that live elsewhere: their texts are made there, and taken there what is
 * written to them. Also the other side: a file by its path, for who asks from afar.
 *
 * Runs in: the personality, host tests.
 */
#include "procfs.h"

#include <stdlib.h>
#include <string.h>

#define NODE_PATH_MAX 64u /* "ns/pid_for_children" */

static const struct proc_provider *far_provider(struct vfs *vfs, u32 pid)
{
	const struct proc_provider *p = pid && vfs->procfs ? vfs->procfs->provider : NULL;

	return p && p->is_far && p->is_far(p->arg, pid) ? p : NULL;
}

/* Where a node is below its root. False: too deep. */
static bool path_of(const struct pseudo_node *node, char *path, size_t size)
{
	size_t at = size - 1;

	path[at] = 0;
	for (; node->parent != node; node = node->parent) {
		if (node->len + 1 > at)
			return false;
		at -= node->len;
		memcpy(path + at, node->name, node->len);
		path[--at] = '/';
	}
	memmove(path, path + at + 1, size - at - 1);
	return true;
}

int pseudo_show(const struct pseudo_inode *pi, struct vfs_task *t, struct text *out)
{
	const struct proc_provider *p = far_provider(pi->inode.sb->vfs, pi->pid);
	const struct proc_entry *entry = pi->node->entry;
	char path[NODE_PATH_MAX];

	out->pid_ns = pi->inode.sb->private;
	if (p)
		return path_of(pi->node, path, sizeof(path))
			       ? p->far_show(p->arg, t, pi->pid, path, out)
			       : -ENOENT;
	return entry->show ? entry->show(pi->node->arg, t, pi->pid, out) : -EIO;
}

int pseudo_store(const struct pseudo_inode *pi, struct vfs_task *t, const char *text, size_t len)
{
	const struct proc_provider *p = far_provider(pi->inode.sb->vfs, pi->pid);
	char path[NODE_PATH_MAX];

	if (p)
		return path_of(pi->node, path, sizeof(path))
			       ? p->far_store(p->arg, t, pi->pid, path, text, len)
			       : -ENOENT;
	return pi->node->entry->store(pi->node->arg, t, pi->pid, text, len);
}

bool pseudo_is_far(const struct pseudo_inode *pi)
{
	return far_provider(pi->inode.sb->vfs, pi->pid);
}

/* What readlink(2) says of a magic link of a far process. -EREMOTE: it is not far. */
int pseudo_far_link(const struct pseudo_inode *pi, struct vfs_task *t, struct text *out)
{
	return far_provider(pi->inode.sb->vfs, pi->pid) ? pseudo_show(pi, t, out) : -EREMOTE;
}

/* ---- who asks from afar ---- */

static const struct pseudo_node *node_at(struct vfs *vfs, const char *path)
{
	const struct pseudo_node *node = vfs->procfs->process;

	while (node && *path) {
		size_t len = strcspn(path, "/");

		node = pseudo_child(node, path, (u32)len);
		path += len + (path[len] == '/');
	}
	return node && node->entry ? node : NULL;
}

int procfs_show(struct vfs *vfs, struct vfs_task *reader, u32 pid, const char *path,
		struct text *out)
{
	const struct pseudo_node *node = node_at(vfs, path);
	struct path to;
	char *name;
	s64 len;
	int err;

	if (!node)
		return -ENOENT;
	if (!node->entry->follow)
		return node->entry->show ? node->entry->show(node->arg, reader, pid, out) : -EIO;
	err = node->entry->follow(node->arg, reader, pid, &to);
	if (err)
		return err;
	name = malloc(VFS_PATH_MAX);
	len = name ? vfs_path_name(reader, &to, name, VFS_PATH_MAX) : -ENOMEM;
	if (len >= 0)
		text_put(out, name, (size_t)len);
	free(name);
	path_put(&to);
	return len < 0 ? (int)len : 0;
}

int procfs_store(struct vfs *vfs, struct vfs_task *writer, u32 pid, const char *path,
		 const char *text, size_t len)
{
	const struct pseudo_node *node = node_at(vfs, path);

	if (!node || !node->entry->store)
		return -EIO;
	return node->entry->store(node->arg, writer, pid, text, len);
}
