/*
 * Where a task is: root, working directory, umask; and the way back from a place to its name.
 *
 * Source: chdir(2), chroot(2), getcwd(2), umask(2), proc_pid_fd(5).
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fs_context *list_in(struct fs_context *fs)
{
	struct vfs *vfs = fs->vfs;

	fs->refs = 1;
	fs->prev = NULL;
	fs->next = vfs->contexts;
	if (fs->next)
		fs->next->prev = fs;
	vfs->contexts = fs;
	path_get(&fs->root);
	path_get(&fs->cwd);
	ns_get(&fs->mnt->ns);
	return fs;
}

struct fs_context *fs_context_new(struct vfs *vfs)
{
	struct fs_context *fs = calloc(1, sizeof(*fs));
	struct mount *top = mounts_topmost(vfs->first_mnt->mounts->root);

	if (!fs)
		return NULL;
	fs->vfs = vfs;
	fs->umask = 022;
	fs->mnt = vfs->first_mnt;
	fs->root = fs->cwd = (struct path){top, top->root};
	return list_in(fs);
}

struct fs_context *fs_context_at(struct vfs *vfs, struct mnt_namespace *ns, const struct path *root,
				 const struct path *cwd, u32 umask)
{
	struct fs_context *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return NULL;
	fs->vfs = vfs;
	fs->umask = umask & 0777;
	fs->mnt = ns;
	fs->root = *root;
	fs->cwd = *cwd;
	return list_in(fs);
}

struct fs_context *fs_context_get(struct fs_context *fs)
{
	fs->refs++;
	return fs;
}

struct fs_context *fs_context_copy(const struct fs_context *fs)
{
	struct fs_context *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *fs;
	return list_in(copy);
}

void fs_context_put(struct fs_context *fs)
{
	if (--fs->refs)
		return;
	*(fs->prev ? &fs->prev->next : &fs->vfs->contexts) = fs->next;
	if (fs->next)
		fs->next->prev = fs->prev;
	path_put(&fs->root);
	path_put(&fs->cwd);
	ns_put(&fs->mnt->ns);
	free(fs);
}

/* Exchange *@place for @to, whose references it takes. */
static void replace(struct path *place, struct path to)
{
	struct path old = *place;

	*place = to;
	path_put(&old);
}

void fs_contexts_move(struct vfs *vfs, const struct path *from, const struct path *to)
{
	struct fs_context *next;

	for (struct fs_context *fs = vfs->contexts; fs; fs = next) {
		struct path *const places[] = {&fs->root, &fs->cwd};

		next = fs->next;
		for (u32 i = 0; i < ARRAY_SIZE(places); i++) {
			if (places[i]->mnt != from->mnt || places[i]->dentry != from->dentry)
				continue;
			path_get(to);
			replace(places[i], *to);
		}
	}
}

void fs_context_enter(struct fs_context *fs, struct mnt_namespace *ns, const struct path *root,
		      const struct path *cwd)
{
	struct mnt_namespace *old = fs->mnt;

	path_get(root);
	path_get(cwd);
	fs->mnt = ns;
	replace(&fs->root, *root);
	replace(&fs->cwd, *cwd);
	ns_put(&old->ns);
}

u32 vfs_umask(struct vfs_task *t, u32 mask)
{
	u32 old = t->fs->umask;

	t->fs->umask = mask & 0777;
	return old;
}

bool vfs_is_chrooted(const struct vfs_task *t)
{
	const struct mount *top = mounts_topmost(t->fs->mnt->mounts->root);

	return t->fs->root.mnt != top || t->fs->root.dentry != top->root;
}

int vfs_chdir(struct vfs_task *t, const char *path)
{
	struct path to;
	int err = vfs_walk(t, AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &to);

	if (err)
		return err;
	err = inode_permission(t, to.dentry->inode, MAY_EXEC);
	if (err)
		path_put(&to);
	else
		replace(&t->fs->cwd, to);
	return err;
}

int vfs_fchdir(struct vfs_task *t, int fd)
{
	struct file *file = fd_get(t, fd);
	int err = 0;

	if (!file)
		return -EBADF;
	if (!inode_is(file->inode, S_IFDIR))
		err = -ENOTDIR;
	if (!err)
		err = inode_permission(t, file->inode, MAY_EXEC);
	if (!err) {
		path_get(&file->path);
		replace(&t->fs->cwd, file->path);
	}
	file_put(file);
	return err;
}

int vfs_chroot(struct vfs_task *t, const char *path)
{
	struct path to;
	int err = vfs_walk(t, AT_FDCWD, path, WALK_FOLLOW | WALK_DIRECTORY, &to);

	if (err)
		return err;
	err = inode_permission(t, to.dentry->inode, MAY_EXEC);
	if (!err && !vfs_capable_in(t, task_user_ns(t), VFS_CAP_SYS_CHROOT))
		err = -EPERM;
	if (err)
		path_put(&to);
	else
		replace(&t->fs->root, to);
	return err;
}

/* --- Names of places --- */

/* Put @len bytes before @at, which is not less than @start. NULL: no room. */
static char *put_before(char *start, char *at, const char *bytes, size_t len)
{
	if (!at || (size_t)(at - start) < len)
		return NULL;
	at -= len;
	memcpy(at, bytes, len);
	return at;
}

static bool is_deleted(const struct dentry *dentry)
{
	return dentry->parent != dentry && !dentry->hashed;
}

/*
 * Write the name of @path as seen from @root to the end of @buf, NUL-terminated. *@reached: the
 * way up met @root. Returns its begin; NULL: no room.
 */
static char *name_place(const struct path *path, const struct path *root, char *buf, size_t size,
			bool *reached)
{
	struct path at = *path;
	char *end = put_before(buf, buf + size, "", 1), *begin = end;

	*reached = true;
	while (at.mnt != root->mnt || at.dentry != root->dentry) {
		if (at.dentry == at.mnt->root) {
			if (!at.mnt->parent) {
				*reached = false;
				break;
			}
			at = (struct path){at.mnt->parent, at.mnt->point};
			continue;
		}
		if (at.dentry->parent == at.dentry) {
			*reached = false;
			break;
		}
		begin = put_before(buf, begin, at.dentry->name, at.dentry->len);
		begin = put_before(buf, begin, "/", 1);
		at.dentry = at.dentry->parent;
	}
	return begin == end ? put_before(buf, begin, "/", 1) : begin;
}

/* The name of @path, as seen from @root, to the begin of @buf. Returns its length with NUL. */
static s64 name_to(const struct path *root, const struct path *path, char *buf, size_t size,
		   const char *suffix, const char *lost)
{
	size_t extra = strlen(suffix), len;
	bool reached;
	char *begin;

	if (size <= extra)
		return -ENAMETOOLONG;
	begin = name_place(path, root, buf, size - extra, &reached);
	if (!reached)
		begin = put_before(buf, begin, lost, strlen(lost));
	if (!begin)
		return -ENAMETOOLONG;
	len = strlen(begin);
	memmove(buf, begin, len);
	memcpy(buf + len, suffix, extra + 1);
	return (s64)(len + extra + 1);
}

s64 vfs_getcwd(struct vfs_task *t, char *buf, size_t size)
{
	s64 len;

	if (is_deleted(t->fs->cwd.dentry))
		return -ENOENT;
	len = name_to(&t->fs->root, &t->fs->cwd, buf, size, "", "(unreachable)");
	return len == -ENAMETOOLONG ? -ERANGE : len;
}

s64 vfs_path_name_from(const struct path *root, const struct path *path, char *buf, size_t size)
{
	s64 len = name_to(root, path, buf, size, "", "");

	return len < 0 ? len : len - 1;
}

s64 vfs_path_name(struct vfs_task *t, const struct path *path, char *buf, size_t size)
{
	static const struct path nowhere;
	bool nameless = path->dentry->parent == path->dentry && path->dentry != path->mnt->root;
	s64 len;

	if (path->mnt == t->vfs->anon || path->mnt == t->vfs->nsfs) {
		len = path->dentry->len;
		if (size <= (size_t)len)
			return -ENAMETOOLONG;
		memcpy(buf, path->dentry->name, (size_t)len + 1);
		return len;
	}
	if (nameless) { /* O_TMPFILE: shown as if it were in the root of its mount */
		int n = snprintf(buf, size, "/%s (deleted)", path->dentry->name);

		return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : n;
	}
	len = name_to(t->fs ? &t->fs->root : &nowhere, path, buf, size,
		      is_deleted(path->dentry) ? " (deleted)" : "", "");
	return len < 0 ? len : len - 1;
}
