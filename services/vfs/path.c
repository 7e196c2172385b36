/*
 * Path walk: from a name to a place in the tree.
 *
 * A walk goes over a string name by name. A symbolic link in the middle puts its body before the
 * rest (a stack, at most 40 links in all); a link at the end replaces the string. The last name
 * is left to the caller, who may want to make, open or remove it. "." and ".." are names too.
 *
 *   walk_begin -> walk_to_parent -> walk_over_last -> (a link: walk_to_parent ...) -> walk_end
 *
 * What limits a walk (openat2(2)'s RESOLVE_*) is checked where the walk would leave the limits.
 *
 * Source: path_resolution(7), openat2(2), symlink(7).
 * Runs in: the personality, host tests.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <vfs/text.h>

void path_get(const struct path *path)
{
	mount_get(path->mnt);
	dentry_get(path->dentry);
}

void path_put(const struct path *path)
{
	dentry_put(path->dentry);
	mount_put(path->mnt);
}

static bool same(const struct path *a, const struct path *b)
{
	return a->mnt == b->mnt && a->dentry == b->dentry;
}

static bool is_directory(const struct dentry *dentry)
{
	return dentry->inode && inode_is(dentry->inode, S_IFDIR);
}

/* Exchange the walk's place for @to, whose references it takes. */
static void set_place(struct walk *w, struct path to)
{
	path_put(&w->path);
	w->path = to;
}

static int jump_to_root(struct walk *w)
{
	if (w->resolve & RESOLVE_BENEATH)
		return -EXDEV;
	if ((w->resolve & RESOLVE_NO_XDEV) && w->path.mnt != w->root.mnt)
		return -EXDEV;
	path_get(&w->root);
	set_place(w, w->root);
	return 0;
}

/* Where @dirfd is, with references. */
static int start_place(struct vfs_task *t, int dirfd, bool need_directory, struct path *out)
{
	struct file *file;

	if (dirfd == AT_FDCWD) {
		*out = t->fs->cwd;
		path_get(out);
		return 0;
	}
	file = fd_get(t, dirfd);
	if (!file)
		return -EBADF;
	if (need_directory && !is_directory(file->path.dentry)) {
		file_put(file);
		return -ENOTDIR;
	}
	*out = file->path;
	path_get(out);
	file_put(file);
	return 0;
}

int walk_begin(struct walk *w, struct vfs_task *t, int dirfd, const char *path, u32 flags,
	       u64 resolve)
{
	bool scoped = resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT);
	bool absolute = *path == '/' && !(resolve & RESOLVE_IN_ROOT);
	int err = 0;

	if (!*path && !(flags & WALK_EMPTY_PATH))
		return -ENOENT;
	if (strlen(path) >= VFS_PATH_MAX)
		return -ENAMETOOLONG;
	if (absolute && (resolve & RESOLVE_BENEATH))
		return -EXDEV;
	w->t = t;
	w->flags = flags;
	w->resolve = resolve;
	w->nlinks = w->depth = 0;
	w->tail = NULL;
	w->start = path;
	w->type = LAST_ROOT;
	w->last = "";
	w->last_len = 0;
	if (absolute) {
		w->path = t->fs->root;
		path_get(&w->path);
	} else {
		err = start_place(t, dirfd, *path, &w->path);
	}
	if (err)
		return err;
	w->root = scoped ? w->path : t->fs->root;
	path_get(&w->root);
	return 0;
}

/* Give back all but the place. */
static void leave_way(struct walk *w)
{
	while (w->depth)
		free(w->links[--w->depth].body);
	free(w->tail);
	path_put(&w->root);
}

void walk_end(struct walk *w)
{
	leave_way(w);
	path_put(&w->path);
}

/* --- One name --- */

/* Follow mounts down from @path, whose references are exchanged. */
static int cross_down(struct walk *w, struct path *path)
{
	if (!path->dentry->point.here)
		return 0;
	mount_cross_down(path);
	if ((w->resolve & RESOLVE_NO_XDEV) && path->mnt != w->path.mnt)
		return -EXDEV;
	return 0;
}

static int step_up(struct walk *w)
{
	struct path at = w->path, up;
	int err;

	for (;;) {
		if (same(&at, &w->root)) {
			if (w->resolve & RESOLVE_BENEATH)
				return -EXDEV;
			break;
		}
		if (at.dentry != at.mnt->root) {
			at.dentry = at.dentry->parent;
			break;
		}
		if (!at.mnt->parent)
			break;
		if (w->resolve & RESOLVE_NO_XDEV)
			return -EXDEV;
		at = (struct path){at.mnt->parent, at.mnt->point};
	}
	up = at;
	path_get(&up);
	err = cross_down(w, &up);
	if (err) {
		path_put(&up);
		return err;
	}
	set_place(w, up);
	return 0;
}

static int check_link(struct walk *w, const struct path *link)
{
	if (w->nlinks++ >= VFS_SYMLINKS_MAX)
		return -ELOOP;
	if ((w->resolve & RESOLVE_NO_SYMLINKS) || (link->mnt->flags & VFS_MNT_NOSYMFOLLOW))
		return -ELOOP;
	return 0;
}

static int jump_magic(struct walk *w, struct inode *inode)
{
	struct path to;
	int err;

	if (w->resolve & RESOLVE_NO_MAGICLINKS)
		return -ELOOP;
	err = inode->ops->follow(w->t, inode, &to);
	if (err)
		return err;
	if (((w->resolve & RESOLVE_NO_XDEV) && to.mnt != w->path.mnt) ||
	    (w->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT))) {
		path_put(&to);
		return -EXDEV;
	}
	set_place(w, to);
	return 0;
}

/*
 * Follow @link: either the walk jumps (*@body is NULL then), or *@body is the string to walk,
 * to be freed.
 */
static int follow_link(struct walk *w, const struct path *link, char **body)
{
	struct inode *inode = link->dentry->inode;
	struct text text = {0};
	int err = check_link(w, link);

	*body = NULL;
	if (err)
		return err;
	path_accessed(link);
	if (inode->ops->follow)
		return jump_magic(w, inode);
	err = inode->ops->readlink ? inode->ops->readlink(w->t, inode, &text) : -EINVAL;
	if (!err)
		err = text_error(&text);
	if (!err && !text.len)
		err = -ENOENT;
	if (!err && *text.at == '/')
		err = jump_to_root(w);
	if (err) {
		text_free(&text);
		return err;
	}
	*body = text.at;
	return 0;
}

static int look_up(struct walk *w, const char *name, u32 len, struct dentry **out)
{
	if (!is_directory(w->path.dentry))
		return -ENOTDIR;
	if (w->resolve & RESOLVE_CACHED) {
		*out = dentry_find(w->path.dentry, name, len);
		return *out ? 0 : -EAGAIN;
	}
	return dentry_lookup(w->t, w->path.dentry, name, len, out);
}

/* Go to @dentry, below the walk's place. A link's body that is to be walked goes to *@body. */
static int enter(struct walk *w, struct dentry *dentry, bool follow, char **body)
{
	struct path to = {mount_get(w->path.mnt), dentry};
	int err = cross_down(w, &to);

	*body = NULL;
	if (!err && !to.dentry->inode)
		err = -ENOENT;
	if (err) {
		path_put(&to);
		return err;
	}
	if (follow && inode_is(to.dentry->inode, S_IFLNK)) {
		err = follow_link(w, &to, body);
		path_put(&to);
		return err;
	}
	set_place(w, to);
	return 0;
}

static enum last_type type_of(const char *name, u32 len)
{
	if (len == 1 && name[0] == '.')
		return LAST_DOT;
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return LAST_DOTDOT;
	return LAST_NORM;
}

static int step(struct walk *w, bool follow, char **body)
{
	struct dentry *dentry;
	int err;

	*body = NULL;
	if (w->type == LAST_DOTDOT)
		return step_up(w);
	if (w->type != LAST_NORM)
		return 0;
	err = look_up(w, w->last, w->last_len, &dentry);
	return err ? err : enter(w, dentry, follow, body);
}

/* --- The way --- */

/* Set the last name to the one at @s, and return what is behind it and its slashes. */
static const char *parse_name(struct walk *w, const char *s)
{
	const u8 *c = (const u8 *)s;

	w->last = s;
	/* The end is a byte that is not above '/', and so are few bytes of names. */
	while (*c > '/' || (*c && *c != '/'))
		c++;
	s = (const char *)c;
	w->last_len = (u32)(s - w->last);
	w->type = type_of(w->last, w->last_len);
	while (*s == '/')
		s++;
	return s;
}

static const char *skip_slashes(const char *s)
{
	while (*s == '/')
		s++;
	return s;
}

/* Without an operation of the file system. */
static bool may_search(struct vfs_task *t, struct inode *dir)
{
	if (dir->ops->permission)
		return false;
	return (dir->mode & 0111) == 0111 || !inode_permission_generic(t, dir, MAY_EXEC);
}

/* A name that is passed without looking any closer. */
static bool is_plain_directory(const struct dentry *dentry)
{
	return is_directory(dentry) && !dentry->point.here && !dentry->check;
}

/*
 * Go from name to name, but not over the last one, as long as the cache has them and they are
 * directories and nothing else. No operation of a file system is called, so nothing blocks and
 * nobody else runs on the way: references are taken where it ends. Sets the name to go on with, as
 * parse_name() does, and returns what is behind it.
 */
static const char *run_through_cache(struct walk *w, const char *s)
{
	struct dentry *at = w->path.dentry, *next;
	const char *rest = parse_name(w, s);

	while (*rest && w->type == LAST_NORM && may_search(w->t, at->inode)) {
		next = dentry_peek(at, w->last, w->last_len);
		if (!next || !is_plain_directory(next))
			break;
		at = next;
		rest = parse_name(w, rest);
	}
	if (at != w->path.dentry) {
		dentry_get(at);
		dentry_put(w->path.dentry);
		w->path.dentry = at;
	}
	return rest;
}

int walk_to_parent(struct walk *w)
{
	const char *s = skip_slashes(w->tail ? w->tail : w->start);
	char *body;
	int err;

	if (!*s) {
		w->type = LAST_ROOT;
		return 0;
	}
	for (;;) {
		const char *rest;

		if (!is_directory(w->path.dentry))
			return -ENOTDIR;
		rest = run_through_cache(w, s);
		err = inode_permission(w->t, w->path.dentry->inode, MAY_EXEC);
		if (err)
			return err;
		if (!*rest && !w->depth)
			return 0;
		err = step(w, true, &body);
		if (err)
			return err;
		s = rest;
		if (body) {
			w->links[w->depth++] = (struct walk_link){body, rest};
			s = skip_slashes(body);
		}
		while (!*s && w->depth) {
			s = w->links[--w->depth].rest;
			free(w->links[w->depth].body);
		}
		if (!*s) { /* a link whose body was only slashes ended the path */
			w->type = LAST_ROOT;
			return 0;
		}
		if (!is_directory(w->path.dentry))
			return -ENOTDIR;
	}
}

bool walk_trailing_slash(const struct walk *w)
{
	return w->type == LAST_NORM && w->last[w->last_len];
}

/* @body is the rest of the walk: it replaces the string. */
static int go_on_with(struct walk *w, char *body)
{
	if (!body)
		return 0;
	free(w->tail);
	w->tail = body;
	return 1;
}

int walk_into(struct walk *w, struct dentry *dentry, bool follow)
{
	char *body;
	int err = enter(w, dentry, follow, &body);

	return err ? err : go_on_with(w, body);
}

int walk_look_up(struct walk *w, struct dentry **dentry)
{
	int err = look_up(w, w->last, w->last_len, dentry);

	if (!err && !(*dentry)->inode && (*dentry)->sb->fixed_names) {
		dentry_put(*dentry);
		err = -ENOENT;
	}
	return err;
}

bool walk_is_at(const struct walk *w, const struct dentry *dentry)
{
	return dentry->parent == w->path.dentry && dentry->len == w->last_len &&
	       !memcmp(dentry->name, w->last, w->last_len);
}

int walk_over_last(struct walk *w)
{
	char *body;
	int err;

	if (walk_trailing_slash(w))
		w->flags |= WALK_FOLLOW | WALK_DIRECTORY;
	err = step(w, w->flags & WALK_FOLLOW, &body);
	return err ? err : go_on_with(w, body);
}

int walk_all(struct walk *w)
{
	int err;

	do {
		err = walk_to_parent(w);
		if (!err)
			err = walk_over_last(w);
	} while (err == 1);
	if (!err && (w->flags & WALK_DIRECTORY) && !is_directory(w->path.dentry))
		err = -ENOTDIR;
	return err;
}

int vfs_walk(struct vfs_task *t, int dirfd, const char *path, u32 flags, struct path *out)
{
	struct walk w;
	int err = walk_begin(&w, t, dirfd, path ? path : "", flags, 0);

	if (err)
		return err;
	err = walk_all(&w);
	leave_way(&w);
	if (err)
		path_put(&w.path);
	else
		*out = w.path;
	return err;
}

int walk_create(struct walk *w, struct vfs_task *t, int dirfd, const char *path, bool directory,
		struct dentry **dentry)
{
	int err = walk_begin(w, t, dirfd, path, 0, 0);

	if (err)
		return err;
	err = walk_to_parent(w);
	if (!err && w->type != LAST_NORM)
		err = -EEXIST;
	if (!err)
		err = walk_look_up(w, dentry);
	if (err)
		goto fail;
	if ((*dentry)->inode)
		err = -EEXIST;
	else if (!directory && walk_trailing_slash(w))
		err = -ENOENT;
	else if (mount_is_readonly(w->path.mnt))
		err = -EROFS;
	if (!err)
		return 0;
	dentry_put(*dentry);
fail:
	walk_end(w);
	return err;
}
